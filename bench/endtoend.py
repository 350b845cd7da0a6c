"""End to end: runs with a process each, upstreams and the downstreams that wait for them, by the real daemon.

Beside it the bare loop of Popen that starts and awaits `/bin/true` as often.
"""

import statistics
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench.databases import Place, places
from bench.figures import Figure, at_most, share
from bench.site import Site, cpu_seconds, make_site

FLOWS = 10
"""Pairs of an upstream and a downstream."""

SLOTS = 32

SPAN = "SELECT MIN(a.submitted_at), MAX(o.at), COUNT(*) FROM attempt a JOIN outcome o ON o.run_id = a.run_id"


def measure(quick: bool) -> Iterator[Figure]:
    ticks = 10 if quick else 150
    for place in places(("SQLite FULL",) if quick else ("SQLite FULL", "SQLite NORMAL", "PostgreSQL")):
        yield from _measure(place, ticks)


def _measure(place: Place, ticks: int) -> Iterator[Figure]:
    site = make_site(place, f"slots = {SLOTS}")
    write_backlog(site, ticks)
    before = spawn(2 * FLOWS * ticks // 4)
    with site.daemon() as running:
        keeper = site.keeper_pid
        idle, idle_keeper = running.cpu_seconds, cpu_seconds(keeper)
        running.await_rows(place, f"SELECT 1 WHERE (SELECT COUNT(*) FROM run WHERE state > 5) < {2 * FLOWS * ticks}")
        cpu, cpu_keeper = running.cpu_seconds - idle, cpu_seconds(keeper) - idle_keeper
    after = spawn(2 * FLOWS * ticks // 4)
    floor, own = (statistics.mean(pair) for pair in zip(before, after, strict=True))
    with place.open() as db:
        ((begun, ended, number),) = db.fetch(SPAN)
    target = share(0.3 if place.name == "PostgreSQL" else 0.5)
    yield Figure(
        f"end to end, {place.name}", number / (ended - begun) * 1e6, "runs/s", floor, "Popen of /bin/true", target
    )
    yield Figure(f"CPU of the daemon a run, {place.name}", cpu / number * 1000, "ms", target=at_most(2, "ms"))
    yield Figure(f"CPU of the keeper a run, {place.name}", cpu_keeper / number * 1000, "ms", own, "Popen's own")


def write_backlog(site: Site, ticks: int) -> None:
    """Pairs of flows that have so many ticks to make up for, all from hours ago, and none to come."""
    schedule = schedule_of(ticks)
    run = '[run]\ncommand = ["/bin/true"]\nmax_active = 1000\n'
    for number in range(FLOWS):
        site.write(f"up/flow_{number}", schedule + run)
        site.write(f"down/flow_{number}", f'{schedule}{run}\n[[sensors]]\nupstream = "up/flow_{number}"\n')


def schedule_of(ticks: int) -> str:
    """A tick each second, beginning hours ago."""
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    start = first.strftime("%Y-%m-%dT%H:%M:%S")
    end = (first + timedelta(seconds=ticks - 1)).strftime("%Y-%m-%dT%H:%M:%S")
    return f'[schedule]\ncron = "* * * * * *"\nseconds = true\nstart = {start}\nend = {end}\n'


def spawn(count: int) -> tuple[float, float]:
    """`/bin/true` a second, one at a time; and what each costs the process that starts it, in ms of CPU."""
    before, cpu_before = time.perf_counter(), time.process_time()
    for _ in range(count):
        with subprocess.Popen(["/bin/true"], stdin=subprocess.DEVNULL, start_new_session=True):
            pass
    cpu = time.process_time() - cpu_before
    return count / (time.perf_counter() - before), cpu / count * 1000
