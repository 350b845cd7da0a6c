"""The books, added up anew: what the database says of every run has to follow from its definition and from the states
of its upstream runs, by an arithmetic that shares nothing with the counters.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sensord.core.flow import Flow, Policy, Sensor
from sensord.core.instant import format_instant, from_micros, to_micros
from sensord.core.needs import Need, needs
from sensord.core.queue import Hold
from sensord.core.run import ACTIVE, FINAL, Kind, State
from sensord.daemon.activate import load
from sensord.daemon.catalog import Catalog
from sensord.store.database import Transaction
from tests.daemon.world import World

BUSY = frozenset({State.STARTING, State.RUNNING})
_RELEASED = frozenset({State.QUEUED, State.STARTING, State.RUNNING})
_BEFORE_RELEASE = frozenset({None, State.WAITING}) | FINAL


class Row(NamedTuple):
    """A run, as the database has it."""

    id: int
    flow_id: int
    date: int
    kind: Kind
    state: State
    pending: int
    attempt: int
    definition_id: int
    passed_over: str | None


RUNS = (
    "SELECT id, flow_id, logical_date, kind, state, pending, attempt, definition_id, passed_over FROM run ORDER BY id"
)


@dataclass
class Audit:
    """Looks at a world after each of its steps, and remembers what it saw the last time."""

    world: World
    seen: dict[int, State] = field(default_factory=dict)

    def look(self, *, settled: bool = True) -> None:
        """AssertionError, with the run in words, where something does not add up.

        settled: the daemon has done all that there was to do; without it, runs may be left that could start.
        """
        with self.world.db.transaction() as tx:
            books = _Books(tx)
        for run in books.runs.values():
            books.prove_waits(run)
            if run.state in _RELEASED and self.seen.get(run.id) in _BEFORE_RELEASE:
                books.prove_release(run)
        books.prove_limits(self.world, self.seen, settled=settled)
        _prove_commands(self.world, books.runs)
        self.seen = {run.id: run.state for run in books.runs.values()}


class _Books:
    """All that the database holds of runs at one moment."""

    def __init__(self, tx: Transaction) -> None:
        self.catalog: Catalog = load(tx, {})
        rows = (Row(*row) for row in tx.fetch(RUNS))
        self.runs = {row.id: row._replace(kind=Kind(row.kind), state=State(row.state)) for row in rows}
        self.flows = {
            run.id: self.catalog.definition(tx, run.flow_id, run.definition_id)
            for run in self.runs.values()
            if run.flow_id in self.catalog.by_id
        }
        self.cursors = dict(tx.fetch("SELECT id, planned_to FROM flow"))
        self.by_date = {(run.flow_id, run.date): run for run in self.runs.values()}
        self.timed_out: set[tuple[int, int]] = {
            (run_id, sensor) for run_id, sensor in tx.fetch("SELECT run_id, sensor FROM gate WHERE timed_out = 1")
        }
        self.edges: Mapping[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for run_id, sensor, flow, date in tx.fetch("SELECT run_id, sensor, upstream_flow, upstream_date FROM edge"):
            self.edges[run_id, sensor].append((flow, date))

    def state(self, flow_id: int, date: int) -> State:
        """A run's; of a tick without one, whether it was passed over or is to come."""
        run = self.by_date.get((flow_id, date))
        return run.state if run else State.SKIPPED if date <= self.cursors[flow_id] else State.ABSENT

    def name(self, run: Row) -> str:
        flow = self.flows.get(run.id)
        return f"{flow.name if flow else run.flow_id} {format_instant(from_micros(run.date))} ({run.state.label})"

    def prove_waits(self, run: Row) -> None:
        """A waiting run waits for what its definition says, has a reason to, and none to end; and it is counted so."""
        if run.state is not State.WAITING:
            return
        flow, entry = self.flows[run.id], self.catalog.by_id[run.flow_id]
        found = needs(flow, from_micros(run.date), self.catalog.timelines, entry.first_at)
        pending = 0
        for need in found:
            if (run.id, need.sensor.index) in self.timed_out:
                continue
            states = self._states(flow, run, need)
            missing = _missing(need.sensor, need.need, states, problem=bool(need.problem))
            gated = need.sensor.require != "all" or bool(need.problem)
            pending += min(missing, 1) if gated else missing
            ending = _ending(need, states)
            assert ending is None, f"{self.name(run)}: sensor {need.sensor.index} should {ending}"
        assert run.pending == pending, f"{self.name(run)}: pending {run.pending}, counted anew {pending}"
        assert pending, f"{self.name(run)} waits for nothing"

    def _states(self, flow: Flow, run: Row, need: Need) -> list[State]:
        """Of its upstream runs, whose dates have to be those that the mapping gives."""
        edges = self.edges[run.id, need.sensor.index]
        assert sorted(date for _, date in edges) == [to_micros(date) for date in need.dates], (
            f"{self.name(run)}: sensor {need.sensor.index} of {flow.name} has other dates than its mapping"
        )
        return [self.state(*edge) for edge in edges]

    def prove_release(self, run: Row) -> None:
        """A run that was released since the last look has what its sensors want, unless a person has said `--now`."""
        if run.passed_over and "by_operator" in run.passed_over:
            return
        for sensor in self.flows[run.id].sensors if run.id in self.flows else ():
            if (run.id, sensor.index) in self.timed_out or not (edges := self.edges[run.id, sensor.index]):
                continue
            states = [self.state(*edge) for edge in edges]
            wanted = len(states) if sensor.require == "all" else 1 if sensor.require == "any" else int(sensor.require)
            assert not _missing(sensor, wanted, states), f"{self.name(run)} was released too early"

    def prove_limits(self, world: World, seen: Mapping[int, State], *, settled: bool) -> None:
        """No limit is exceeded by a run that started since the last look, and none that may start is left behind."""
        busy = [run for run in self.runs.values() if run.state in BUSY]
        assert len(busy) <= world.slots, "more commands than slots"
        active = Counter(run.flow_id for run in self.runs.values() if run.state in ACTIVE)
        for run in busy:
            entry = self.catalog.by_id.get(run.flow_id)
            if entry and seen.get(run.id) not in ACTIVE:
                assert active[run.flow_id] <= entry.flow.max_active, f"{self.name(run)}: more than max_active"
        for run in self.runs.values():
            if settled and run.state is State.QUEUED and len(busy) < world.slots and not self._is_held(run, active):
                raise AssertionError(f"{self.name(run)} could start")

    def _is_held(self, run: Row, active: Mapping[int, int]) -> bool:
        """Whether a limit, a pause or a full pool keeps a queued run from starting."""
        entry = self.catalog.by_id.get(run.flow_id)
        if entry is None or entry.hold is not Hold.NONE or run.kind is Kind.BACKFILL:
            return True
        return active[run.flow_id] >= entry.flow.max_active


def _missing(sensor: Sensor, need: int, states: list[State], *, problem: bool = False) -> int:
    """How many upstream runs a sensor still lacks."""
    if problem:
        return int(sensor.on_missing is not Policy.PROCEED)
    return max(0, need - sum(_counts(sensor, state) for state in states))


def _counts(sensor: Sensor, state: State) -> bool:
    match state:
        case _ if state in sensor.accept:
            return True
        case State.FAILED | State.CANCELLED:
            return sensor.on_failure is Policy.PROCEED
        case State.SKIPPED:
            return sensor.on_skipped is Policy.PROCEED
        case _:
            return False


def _ending(need: Need, states: list[State]) -> str | None:
    """What the sensor's policies make of its run at once: "fail", "skip", or None to go on waiting."""
    sensor, ends = need.sensor, {Policy.FAIL, Policy.SKIP}
    if need.problem:
        return sensor.on_missing.value if sensor.on_missing in ends else None
    policies = {
        State.FAILED: sensor.on_failure,
        State.CANCELLED: sensor.on_failure,
        State.SKIPPED: sensor.on_skipped,
    }
    gone = [state for state in states if not _counts(sensor, state) and policies.get(state) in ends]
    if len(states) - len(gone) >= need.need:
        return None
    return min(str(policies[state]) for state in gone) if gone else None


def _prove_commands(world: World, runs: Mapping[int, Row]) -> None:
    """Every command that runs is the one and only of a run that is under way."""
    running = Counter(attempt.run_id for attempt in world.executor.running)
    for run_id, number in running.items():
        assert number == 1, f"two commands of run {run_id}"
        assert runs[run_id].state in BUSY, f"a command runs for run {run_id} in {runs[run_id].state.label}"
