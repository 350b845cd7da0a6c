"""Growth: what a tick, a settle and a status cost as the finished history grows, and the number of idle flows.

One flow of many is due at a time: its run is planned, started and ended, and a second one that waited is released. The
others are at rest, each with a run that succeeded: `status` shows all of a hundred flows, and of more only those not at
rest. All sizes are there at once and take turns, so that whatever else the machine does falls on all of them; nothing
is synced, since it is not the disk that is asked about.
"""

import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench.databases import Place, several
from bench.figures import FLAT, Figure
from bench.inprocess import daemon_on
from bench.site import Site, make_site
from sensord.cli import overview
from sensord.daemon.daemon import Daemon
from sensord.store.database import Database
from sensord.testing import ManualClock

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
ROUNDS = 60
TURNS = {"tick, idle": 0, "tick, planning": 0, "settle": 0}
"""Held to the smallest size; so is status by flows. By history it is to the smallest that has any: without, it shows no
runs."""
IDLE = '[schedule]\ncron = "0 0 1 1 *"\nfirst = "next"\n[run]\ncommand = ["true"]\n'
BUSY = '[schedule]\ncron = "* * * * *"\nfirst = "next"\n[run]\ncommand = ["true"]\n'

PAST = """
INSERT INTO run (flow_id, logical_date, kind, state, pending, attempt, priority, definition_id, created_at, finished_at)
SELECT f.id, n, 1, 6, 0, 1, 0, f.definition_id, 0, 1 FROM flow f, {series}
"""
PAST_EDGES = """
INSERT INTO edge (upstream_flow, upstream_date, run_id, sensor, counts, ends)
SELECT flow_id, logical_date, id, 0, 64, 0 FROM run WHERE logical_date < {last}
"""


def measure(quick: bool) -> Iterator[Figure]:
    histories = (0, 2_000) if quick else (0, 100_000, 1_000_000, 5_000_000)
    numbers = (50, 150) if quick else (100, 1_000, 10_000)
    rounds = 3 if quick else ROUNDS
    for name in ("SQLite NORMAL",) if quick else ("SQLite NORMAL", "PostgreSQL"):
        with _subjects(name, len(histories)) as subjects:
            for subject, history in zip(subjects, histories, strict=True):
                subject.begin(f"{history:,} finished runs", 100, history // 100)
            yield from _figures(subjects, rounds, {**TURNS, "status": 1})
        with _subjects(name, len(numbers)) as subjects:
            for subject, number in zip(subjects, numbers, strict=True):
                subject.begin(f"{number:,} flows", number, 1)
            yield from _figures(subjects, rounds, {**TURNS, "status": 0})


class Subject:
    """One size, with a daemon of its own."""

    def __init__(self, place: Place, stack: ExitStack) -> None:
        self.size = self.where = ""
        self._place, self._stack, self._clock = place, stack, ManualClock(NOW)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.daemon: Daemon
        self._reader: Database

    def begin(self, size: str, flows: int, history: int) -> None:
        """history: of each flow so many finished runs. What planners know is of that size everywhere."""
        self.size, self.where = size, f"{size}, {self._place.name}"
        site = make_site(self._place)
        write_flows(site, flows)
        self._reader = self._stack.enter_context(Database.open(self._place.url, readonly=True))
        self.daemon = self._stack.enter_context(daemon_on(self._place, site, clock=self._clock))
        if self.daemon.db.dialect == "postgresql":  # nobody renews the lease between two turns
            self.daemon.db.run("UPDATE leader SET expires_at = expires_at + 3600000000")
        add_history(self.daemon.db, history)
        self.daemon.db.run("ANALYZE")

    def take_turn(self) -> None:
        """An idle turn, one that plans, one that releases, and reading what status shows."""
        while not self.daemon.tick().idle:
            continue
        self._measure("tick, idle", self.daemon.tick)
        self._clock.move(timedelta(minutes=1))
        self._measure("tick, planning", self.daemon.tick)
        self._measure("settle", self.daemon.tick)
        self._measure("status", lambda: overview.read(self._reader, overview.Wanted(), self._clock.now()))

    def _measure(self, name: str, act: Callable[[], object]) -> None:
        before = time.perf_counter()
        act()
        self.seconds[name].append(time.perf_counter() - before)


@contextmanager
def _subjects(name: str, number: int) -> Iterator[list[Subject]]:
    with several(name, number) as found, ExitStack() as stack:
        yield [Subject(replace(place, durability="normal"), stack) for place in found]


def _figures(subjects: Sequence[Subject], rounds: int, flat: Mapping[str, int]) -> Iterator[Figure]:
    """flat: what is not to grow, and which of the sizes it is held to."""
    gc.collect()
    gc.freeze()  # as the daemon does with what it has read
    order = list(subjects)
    for _ in range(rounds):
        for subject in order:
            subject.take_turn()
        order = order[1:] + order[:1]
    gc.unfreeze()
    for subject in subjects:
        for name in subject.seconds:
            base = subjects[flat.get(name, 0)]
            median, least = (statistics.median(one.seconds[name]) * 1000 for one in (subject, base))
            target = FLAT if name in flat and subjects.index(subject) > flat[name] else None
            yield Figure(f"{name}, {subject.where}", median, "ms", least, base.size, target)


def write_flows(site: Site, number: int) -> None:
    """Two that tick every minute, the second waiting for the first, and otherwise idle ones."""
    site.write("busy/up", BUSY)
    site.write("busy/down", BUSY + '[[sensors]]\nupstream = "busy/up"\n')
    for index in range(number - 2):
        site.write(f"idle/flow_{index}", IDLE)


def add_history(db: Database, number: int) -> None:
    """So many finished runs of each flow, each with the edge of one that waited."""
    if not number:
        return
    numbers = f"WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {number - 1})"
    series = f"({numbers} SELECT n FROM s)" if db.dialect == "sqlite" else f"generate_series(0, {number - 1}) s(n)"
    with db.transaction() as tx:
        tx.run(PAST.format(series=series))
        tx.run(PAST_EDGES.format(last=number))
