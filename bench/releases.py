"""What a release costs the daemon and the database: runs a second, CPU and statements; in a burst, and one at a time.

Commands are over at once here, so nothing but the daemon's own work is in it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.databases import Place, places
from bench.endtoend import FLOWS, write_backlog
from bench.figures import Figure, at_most
from bench.inprocess import daemon_on
from bench.latency import write_chain
from bench.settle import commit_rate
from bench.site import Site, make_site
from sensord.daemon.daemon import Daemon

PATIENCE = 100_000
"""Turns."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of so many runs, from planning to their end. statements: BEGIN and COMMIT included."""

    runs: int
    seconds: float
    cpu_seconds: float
    statements: int


def measure(quick: bool) -> Iterator[Figure]:
    ticks, length = (20, 20) if quick else (500, 300)
    for place in places(("SQLite FULL",) if quick else ("SQLite FULL", "SQLite NORMAL", "PostgreSQL")):
        floor = commit_rate(place, 200)
        burst = cost(place, "burst", ticks)
        single = cost(place, "single", length)
        yield Figure(f"no-op runs in a burst, {place.name}", burst.runs / burst.seconds, "runs/s", floor, "commits/s")
        yield Figure(f"no-op runs one by one, {place.name}", single.runs / single.seconds, "runs/s", floor, "commits/s")
        for name, one in (("burst", burst), ("one by one", single)):
            yield Figure(
                f"CPU a run, {name}, {place.name}", one.cpu_seconds / one.runs * 1000, "ms", target=at_most(2, "ms")
            )
            yield Figure(f"statements a run, {name}, {place.name}", one.statements / one.runs, "", target=at_most(12))
        yield Figure(f"statements of an idle turn, {place.name}", idle_statements(place), "")


def cost(place: Place, name: str, size: int) -> Cost:
    """burst: all ticks of pairs of flows are due. single: a chain of flows, of which one is released at a time."""
    site = make_site(place, folder=name)
    if name == "burst":
        write_backlog(site, size)
        expected = 2 * FLOWS * size
    else:
        write_chain(site, size)
        expected = size
    with daemon_on(place, site) as daemon:
        return _drive(daemon, expected)


def _drive(daemon: Daemon, expected: int) -> Cost:
    ended, statements = 0, daemon.db.statements
    before, cpu_before = time.perf_counter(), time.process_time()
    for _ in range(PATIENCE):
        ended += len(daemon.tick().ended)
        if ended >= expected:
            spent = time.process_time() - cpu_before
            return Cost(ended, time.perf_counter() - before, spent, daemon.db.statements - statements)
    raise RuntimeError(f"expected {expected} runs to end, got {ended}")


def idle_statements(place: Place) -> float:
    site: Site = make_site(place, folder="idle")
    write_chain(site, 1)
    with daemon_on(place, site) as daemon:
        while not daemon.tick().idle:
            continue
        before = daemon.db.statements
        daemon.tick()
        return daemon.db.statements - before
