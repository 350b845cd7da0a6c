"""Growth: what a tick, a settle and a status cost as the finished history grows, and the number of idle flows.

One flow of many is due at a time: its run is planned, started and ended, and a second one that waited is released.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from bench.databases import Place, places
from bench.figures import Figure
from bench.inprocess import daemon_on
from bench.site import Site, make_site
from sensord.cli import overview
from sensord.daemon.daemon import Daemon
from sensord.store.database import Database
from sensord.testing import ManualClock

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
ROUNDS = 15
IDLE = '[schedule]\ncron = "0 0 1 1 *"\nfirst = "next"\n[run]\ncommand = ["true"]\n'
BUSY = '[schedule]\ncron = "* * * * *"\nfirst = "next"\n[run]\ncommand = ["true"]\n'

PAST = """
INSERT INTO run (flow_id, logical_date, kind, state, pending, attempt, priority, definition_id, created_at, finished_at)
SELECT f.id, {first} + n, 1, 6, 0, 1, 0, f.definition_id, 0, 1 FROM flow f, {series}
"""
PAST_EDGES = """
INSERT INTO edge (upstream_flow, upstream_date, run_id, sensor, counts, ends)
SELECT flow_id, logical_date, id, 0, 64, 0 FROM run WHERE logical_date >= {first} AND logical_date < {last}
"""


def measure(quick: bool) -> Iterator[Figure]:
    histories = (0, 2_000) if quick else (0, 100_000, 1_000_000, 5_000_000)
    numbers = (10, 50) if quick else (100, 1_000, 10_000)
    for place in places(("SQLite FULL",) if quick else ("SQLite NORMAL", "PostgreSQL")):
        yield from _with_history(place, histories)
    for place in places(("SQLite FULL",) if quick else ("SQLite NORMAL", "PostgreSQL")):
        yield from _with_flows(place, numbers)


def _with_history(place: Place, histories: tuple[int, ...]) -> Iterator[Figure]:
    site = make_site(place)
    write_flows(site, 100)
    clock = ManualClock(NOW)
    base: dict[str, float] = {}
    with daemon_on(place, site, clock=clock) as daemon:
        there = 0
        for history in histories:
            add_history(daemon.db, there // 100, history // 100)
            there = history
            yield from _figures(f"{history:,} finished runs, {place.name}", times(daemon, clock), base)


def _with_flows(place: Place, numbers: tuple[int, ...]) -> Iterator[Figure]:
    base: dict[str, float] = {}
    clock = ManualClock(NOW)
    for number in numbers:
        site = make_site(place, folder=str(number))
        write_flows(site, number)
        with daemon_on(place, site, clock=clock) as daemon:
            yield from _figures(f"{number:,} flows, {place.name}", times(daemon, clock), base)


def _figures(where: str, found: dict[str, float], base: dict[str, float]) -> Iterator[Figure]:
    """Each beside the smallest size."""
    for name, seconds in found.items():
        first = base.setdefault(name, seconds)
        target = "" if name == "status" and "flows" in where else "flat within 20 %"
        yield Figure(f"{name}, {where}", seconds * 1000, "ms", first * 1000, "smallest", target)


def write_flows(site: Site, number: int) -> None:
    """Two that tick every minute, the second waiting for the first, and otherwise idle ones."""
    site.write("busy/up", BUSY)
    site.write("busy/down", BUSY + '[[sensors]]\nupstream = "busy/up"\n')
    for index in range(number - 2):
        site.write(f"idle/flow_{index}", IDLE)


def add_history(db: Database, before: int, until: int) -> None:
    """Finished runs of each flow, from the `before`-th to the `until`-th, each with the edge of one that waited."""
    if until <= before:
        return
    numbers = f"WITH RECURSIVE s(n) AS (SELECT {before} UNION ALL SELECT n + 1 FROM s WHERE n < {until - 1})"
    series = (
        f"({numbers} SELECT n FROM s)" if db.dialect == "sqlite" else f"generate_series({before}, {until - 1}) s(n)"
    )
    with db.transaction() as tx:
        tx.run(PAST.format(first=0, series=series))
        tx.run(PAST_EDGES.format(first=before, last=until))
    db.run("ANALYZE")


def times(daemon: Daemon, clock: ManualClock) -> dict[str, float]:
    """Seconds of an idle turn, of the turn that plans, of the one that releases, and of reading what status shows."""
    found: dict[str, list[float]] = {"tick, idle": [], "tick, planning": [], "settle": [], "status": []}
    for _ in range(ROUNDS):
        while not daemon.tick().idle:
            continue
        found["tick, idle"].append(_seconds(daemon.tick))
        clock.move(timedelta(minutes=1))
        found["tick, planning"].append(_seconds(daemon.tick))
        found["settle"].append(_seconds(daemon.tick))
        found["status"].append(_seconds(lambda: overview.read(daemon.db, overview.Wanted(), clock.now())))
    return {name: statistics.median(each) for name, each in found.items()}


def _seconds(act: Callable[[], object]) -> float:
    before = time.perf_counter()
    act()
    return time.perf_counter() - before
