"""The books, added up anew: what the database says of every run has to follow from its definition and from the states
of its upstream runs.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sensord.core.instant import format_instant, from_micros, to_micros
from sensord.core.limits import UNKNOWN_POOL
from sensord.core.needs import Need, needs
from sensord.core.queued import Hold
from sensord.core.run import ACTIVE, Reason, State
from sensord.daemon.activate import load
from sensord.daemon.catalog import Catalog
from sensord.store import flows
from sensord.store.database import Transaction
from sensord.store.failing import IS_FAILED
from tests.daemon.anew import prove
from tests.daemon.world import World
from tests.simulation.arithmetic import ending, missing, wanted

BUSY = frozenset({State.STARTING, State.RUNNING})
SOME = 30
_RELEASED = BUSY | {State.QUEUED}


class Row(NamedTuple):
    """A run that is not over, as the database has it."""

    id: int
    flow_id: int
    date: int
    state: State
    pending: int
    definition_id: int
    backfill_id: int | None
    passed_over: str | None


RUNS = """
SELECT id, flow_id, logical_date, state, pending, definition_id, backfill_id, passed_over
FROM run WHERE state < 6 ORDER BY id
"""
EDGES = """
SELECT e.run_id, e.sensor, e.upstream_date,
       COALESCE(u.state, CASE WHEN e.upstream_date <= f.planned_to THEN 8 ELSE 0 END)
FROM run r JOIN edge e ON e.run_id = r.id JOIN flow f ON f.id = e.upstream_flow
LEFT JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
WHERE r.state < 6
"""
OVERTAKEN = """
SELECT f.name, u.logical_date, u.priority, w.priority
FROM run w JOIN edge e ON e.run_id = w.id
JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
JOIN flow f ON f.id = u.flow_id
WHERE w.state = 1 AND u.state < 6 AND u.priority < w.priority
"""
UNMARKED = f"SELECT f.name FROM flow f WHERE f.failed_at IS NULL AND {IS_FAILED} ORDER BY f.name"
TIMED_OUT = "SELECT run_id, sensor FROM gate WHERE timed_out = 1"


@dataclass
class Audit:
    """Looks at a world after each of its steps, and remembers what it saw the last time."""

    world: World
    seen: dict[int, State] = field(default_factory=dict)
    pools: dict[int, str | None] = field(default_factory=dict)
    turn: int = 0

    def look(self, *, settled: bool = True) -> None:
        """AssertionError, with the run in words, where something does not add up.

        settled: the daemon has done all that there was to do; without it, runs may be left that could start.
        """
        with self.world.db.transaction() as tx:
            books = _Books(tx)
            if self.world.is_led:
                prove(self.world.daemon._picture, tx)
        assert books.unmarked == [], f"fails, and is not marked so: {books.unmarked[0]}"
        assert books.overtaken == [], f"less urgent than what waits for it: {books.overtaken[0]}"
        waiting = [run for run in books.runs.values() if run.state is State.WAITING]
        for run in self._choose(waiting):
            books.prove_wait(run)
        for run in books.runs.values():
            if run.state in _RELEASED and self.seen.get(run.id) in (None, State.WAITING):
                books.prove_release(run)
        self.pools = {run.id: self.pools.get(run.id, books.pool_of(run)) for run in books.busy}
        books.prove_limits(self.world.slots, self.seen)
        books.prove_pools(self.pools, self.seen)
        if settled:
            books.prove_that_none_could_start(self.world.slots, self.pools)
        books.prove_commands(self.world)
        self.seen = {run.id: run.state for run in books.runs.values()}

    def _choose(self, waiting: list[Row]) -> list[Row]:
        """Those that have begun to wait since the last look, and of the others some, in turn."""
        fresh = [run for run in waiting if self.seen.get(run.id) is not State.WAITING]
        others = [run for run in waiting if self.seen.get(run.id) is State.WAITING]
        self.turn = (self.turn + SOME) % (len(others) or 1)
        return fresh + (others + others)[self.turn : self.turn + min(SOME, len(others))]


class _Books:
    """All that the database holds of unfinished runs at one moment."""

    def __init__(self, tx: Transaction) -> None:
        self.catalog: Catalog = load(tx)
        rows = (Row(*row) for row in tx.fetch(RUNS))
        self.runs = {row.id: row._replace(state=State(row.state)) for row in rows}
        known = [run for run in self.runs.values() if run.flow_id in self.catalog.by_id]
        self.flows = {run.id: self.catalog.definition(tx, run.flow_id, run.definition_id) for run in known}
        self.timed_out = {(run_id, sensor) for run_id, sensor in tx.fetch(TIMED_OUT)}
        self.edges: Mapping[tuple[int, int], list[tuple[int, State]]] = defaultdict(list)
        for run_id, sensor, date, state in tx.fetch(EDGES):
            self.edges[run_id, sensor].append((date, State(state)))
        self.busy = [run for run in self.runs.values() if run.state in BUSY]
        self.active = Counter(run.flow_id for run in self.runs.values() if run.state in ACTIVE)
        self.slots = flows.pools(tx)
        self.overtaken = tx.fetch(OVERTAKEN)
        self.unmarked = tx.fetch(UNMARKED)

    def name(self, run: Row) -> str:
        flow = self.flows.get(run.id)
        return f"{flow.name if flow else run.flow_id} {format_instant(from_micros(run.date))} ({run.state.label})"

    def prove_wait(self, run: Row) -> None:
        """A waiting run waits for what its definition says, has a reason to, and none to end; and it is counted so."""
        flow, entry = self.flows[run.id], self.catalog.by_id[run.flow_id]
        found = needs(flow, from_micros(run.date), self.catalog.timelines, entry.first_at)
        pending = 0
        for need in (self._as_of_now(run, one) for one in found):
            if (run.id, need.sensor.index) in self.timed_out:
                continue
            states = self._states(run, need)
            lacks = missing(need.sensor, need.need, states, problem=bool(need.problem))
            gated = need.sensor.require != "all" or bool(need.problem)
            pending += min(lacks, 1) if gated else lacks
            over = ending(need, states)
            assert over is None, f"{self.name(run)}: by sensor {need.sensor.index} it has to {over}"
        assert run.pending == pending, f"{self.name(run)}: pending {run.pending}, counted anew {pending}"
        assert pending, f"{self.name(run)} waits for nothing"

    def _as_of_now(self, run: Row, need: Need) -> Need:
        """What a sensor still lacked of a flow when that was retired, it maps to no more."""
        upstream = self.catalog.by_name[need.sensor.upstream]
        if not upstream.retired or self.edges[run.id, need.sensor.index]:
            return need
        return replace(need, dates=(), need=0, problem=Reason.NO_MATCH)

    def _states(self, run: Row, need: Need) -> list[State]:
        """Of its upstream runs, whose dates have to be those that the mapping gives."""
        edges = sorted(self.edges[run.id, need.sensor.index])
        dates, mapped = [date for date, _ in edges], [to_micros(date) for date in need.dates]
        assert dates == mapped, (
            f"{self.name(run)}: sensor {need.sensor.index} waits for {[str(from_micros(date)) for date in dates]}, "
            f"and maps to {[str(date) for date in need.dates]}"
        )
        return [state for _, state in edges]

    def prove_release(self, run: Row) -> None:
        """A run that was released since the last look has what its sensors want, unless a person has said `--now`."""
        if run.id not in self.flows or (run.passed_over and "by_operator" in run.passed_over):
            return
        for sensor in self.flows[run.id].sensors:
            states = [state for _, state in self.edges[run.id, sensor.index]]
            if states and (run.id, sensor.index) not in self.timed_out:
                lacks = missing(sensor, wanted(sensor, len(states)), states)
                assert not lacks, f"{self.name(run)} was released too early: sensor {sensor.index} lacks {lacks}"

    def prove_limits(self, slots: int, seen: Mapping[int, State]) -> None:
        """No limit is exceeded by a run that started since the last look."""
        assert len(self.busy) <= slots, "more commands than slots"
        for run in self.busy:
            entry = self.catalog.by_id.get(run.flow_id)
            if entry and seen.get(run.id) not in ACTIVE:
                assert self.active[run.flow_id] <= entry.flow.max_active, f"{self.name(run)}: more than max_active"

    def pool_of(self, run: Row) -> str | None:
        """That of its flow, as it is now."""
        entry = self.catalog.by_id.get(run.flow_id)
        return entry.flow.pool if entry else None

    def prove_pools(self, pools: Mapping[int, str | None], seen: Mapping[int, State]) -> None:
        """No pool is too small for a run that started since the last look. Runs whose flow has changed its pool since
        they started are in one of the two, whichever.
        """
        certain = Counter(pools[run.id] for run in self.busy if pools[run.id] == self.pool_of(run))
        for run in self.busy:
            pool = self.pool_of(run)
            if pool is not None and seen.get(run.id) not in ACTIVE:
                assert certain[pool] <= self.slots.get(pool, UNKNOWN_POOL), f"{self.name(run)}: pool {pool} is full"

    def prove_that_none_could_start(self, slots: int, pools: Mapping[int, str | None]) -> None:
        """No queued run is left that no limit holds back."""
        possible = Counter(pool for run in self.busy for pool in {pools[run.id], self.pool_of(run)})
        for run in self.runs.values():
            if run.state is State.QUEUED and len(self.busy) < slots:
                pool = self.pool_of(run)
                full = pool is not None and possible[pool] >= self.slots.get(pool, UNKNOWN_POOL)
                assert full or self._is_held(run), f"{self.name(run)} could start"

    def _is_held(self, run: Row) -> bool:
        entry = self.catalog.by_id.get(run.flow_id)
        if entry is None or entry.hold is not Hold.NONE or run.backfill_id:
            return True
        return self.active[run.flow_id] >= entry.flow.max_active

    def prove_commands(self, world: World) -> None:
        """Every command that runs is the only one of a run that is under way."""
        running = Counter(attempt.run_id for attempt in world.executor.running)
        for run_id, number in running.items():
            run = self.runs.get(run_id)
            assert number == 1, f"two commands of run {run_id}"
            assert run is not None, f"a command of run {run_id} goes on, which is over"
            assert run.state in BUSY, f"a command runs for {self.name(run)}"
