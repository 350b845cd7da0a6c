"""What a run has lived through: how long it waited, how each of its sensors stood meanwhile, what it was before.

Read for many runs at once, so that a look upstream costs the same few statements, whatever fans in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sensord.core.flow import Flow, Sensor
from sensord.core.past import Change, Course, Period, Stay, What, periods
from sensord.core.run import FINAL, Reason, State
from sensord.core.sensor import Verdict
from sensord.store.database import Database
from sensord.store.reads import past
from sensord.store.reads.past import Deed, Edge, Known, Tick
from sensord.store.reads.runs import Run
from sensord.store.reads.waits import Gate

_BY_UPSTREAM = (Reason.UPSTREAM_FAILED, Reason.UPSTREAM_SKIPPED)


@dataclass(frozen=True, slots=True)
class End:
    """A final state that a run had, or that a missed tick counts as; `left` says how it was left, None where it is so
    still. since_at: None where a tick was missed before anybody waited for it.
    """

    state: State
    since_at: datetime | None
    reason: str | None
    message: str | None
    attempt: int | None
    left: Deed | None = None

    @property
    def stay(self) -> Stay:
        return Stay(self.state, self.since_at, self.left.at if self.left else None)


@dataclass(frozen=True, slots=True)
class Turn:
    """A sensor's verdict for some time. `upstream` is what brought it about, in the state that it came to (`end`) or by
    being sent back (`again`: how); all None at the beginning, and at a deadline.
    """

    period: Period
    upstream: Edge | None = None
    end: End | None = None
    again: Deed | None = None


@dataclass(frozen=True, slots=True)
class SensorPast:
    """ends: of each edge, all that its upstream run ever came to. problem: why it maps to nothing, if it does."""

    sensor: Sensor
    edges: Sequence[Edge]
    ends: Sequence[Sequence[End]]
    turns: Sequence[Turn]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """The present life of a run: since it was made, or was last sent back (`again`).

    mapped_at: what its sensors were before is not known. waited_until: None where it waits still. released: whether it
    went on then, or was ended. first: the final state that this life first came to. ends: those that it has left.
    pruned: retention has taken what it waited for. at_once: it did not wait for its sensors, since somebody said so.
    """

    run: Run
    begun_at: datetime
    again: Deed | None
    mapped_at: datetime | None
    waited_until: datetime | None
    released: bool
    first: End | None
    ends: Sequence[End]
    sensors: Sequence[SensorPast] = ()
    pruned: bool = False
    at_once: bool = False

    @property
    def last(self) -> Turn | None:
        """What its last sensor to be satisfied waited for; None where it waited for nothing."""
        found = [one.turns[-1] for one in self.sensors if one.turns]
        found = [turn for turn in found if turn.upstream and turn.period.verdict is Verdict.SATISFIED]
        return max(found, key=lambda turn: turn.period.since_at, default=None)


@dataclass(slots=True)
class Archive:
    """Tells stories. Definitions that were read are kept. complete: nothing was too much to be read, so far."""

    db: Database
    now: datetime
    complete: bool = True
    _flows: dict[int, Flow] = field(default_factory=dict)

    def tell(self, runs: Sequence[Known]) -> list[Story]:
        """Of each run; four statements for all of them together."""
        ids = [one.run.id for one in runs]
        edges = past.edges(self.db, ids)
        self.complete = self.complete and len(edges) < past.MOST
        gates = past.gates(self.db, ids)
        ticks = {(one.flow_id, one.logical_at) for one in edges}
        deeds = past.deeds(self.db, sorted({*ticks, *((one.run.flow_id, one.run.logical_at) for one in runs)}))
        self._read_flows(one.run.definition_id for one in runs)
        by_sensor: dict[tuple[int, int], list[Edge]] = defaultdict(list)
        for edge in edges:
            by_sensor[edge.run_id, edge.sensor].append(edge)
        return [self._tell(one, by_sensor, gates, deeds) for one in runs]

    def _read_flows(self, definition_ids: Iterable[int]) -> None:
        from sensord.config.body import flow_from_body

        if new := {*definition_ids} - self._flows.keys():
            found = past.bodies(self.db, sorted(new))
            self._flows |= {one: flow_from_body(name, body) for one, (name, body) in found.items()}

    def _tell(
        self,
        known: Known,
        edges: Mapping[tuple[int, int], Sequence[Edge]],
        gates: Mapping[tuple[int, int], Gate],
        deeds: Mapping[Tick, Sequence[Deed]],
    ) -> Story:
        run = known.run
        own = deeds.get((run.flow_id, run.logical_at), [])
        story = _frame(known, own)
        if known.pruned:
            return replace(story, pruned=True)
        until = known.first_at if _is_requeued(known) and known.first_at else story.waited_until or self.now
        sensors = []
        for sensor in self._flows[run.definition_id].sensors:
            key = (run.id, sensor.index)
            mine = edges.get(key, ())
            ends = [_ends(edge, deeds) for edge in mine]
            gate = gates.get(key)
            course = _course(story, sensor, ends, gate, _life(own), until)
            turns = [_turn(one, mine, ends) for one in periods(course)]
            sensors.append(SensorPast(sensor, mine, ends, turns, gate.problem if gate else None))
        if _is_requeued(known):  # when it was released has been overwritten: that was when the last was satisfied
            last = [one.turns[-1].period.since_at for one in sensors if one.turns]
            return replace(story, sensors=sensors, waited_until=max([story.mapped_at or story.begun_at, *last]))
        return replace(story, sensors=sensors)


def end_at(ends: Sequence[End], at: datetime, wanted: int = 0) -> End | None:
    """The final state at that instant, after all that happened then; of several, one of the `wanted` states."""
    then = [one for one in ends if one.stay.holds(at, closed=True)]
    chosen = next((one for one in then if wanted & 1 << one.state), None)
    return chosen or next((one for one in reversed(then) if one.stay.holds(at)), None)


def ends_left(deeds: Sequence[Deed]) -> list[End]:
    """Every final state that these deeds say a run, or a tick without one, has left, in order."""
    found: list[End] = []
    missed_at: datetime | None = None
    for deed in deeds:
        if deed.what is What.MISSED:
            missed_at = deed.at
        elif deed.what is What.MADE:
            found.append(End(State.SKIPPED, missed_at, "missed", None, None, deed))
        elif deed.what in (What.RERUN, What.MARKED) and deed.state is not None:
            found.append(End(deed.state, deed.since_at, deed.reason, deed.message, deed.attempt, deed))
    return found


def earlier_ends(db: Database, run: Run) -> list[End]:
    """What a rerun, or somebody who marked it, has overwritten of the run: its earlier final states, in order."""
    return ends_left(past.deeds(db, [(run.flow_id, run.logical_at)]).get((run.flow_id, run.logical_at), ()))


def ends_of(upstream: Known | None, planned_to: datetime, at: datetime, deeds: Sequence[Deed]) -> list[End]:
    """Every final state of the run, or of the tick at `at` that has none, in order; the last is that of now."""
    found = ends_left(deeds)
    if upstream is None:
        missed_at = next((deed.at for deed in reversed(deeds) if deed.what is What.MISSED), None)
        return [End(State.SKIPPED, missed_at, "missed", None, None)] if at <= planned_to else []
    run = upstream.run
    if run.state in FINAL and run.finished_at:
        found.append(End(run.state, run.finished_at, run.reason, run.message, run.attempt))
    return found


def _frame(known: Known, own: Sequence[Deed]) -> Story:
    """The life without its sensors."""
    run, life = known.run, _life(own)
    ends = ends_of(known, run.logical_at, run.logical_at, own)
    begun_at = known.rerun_at or run.created_at
    first = next((one for one in ends if one.left is None or one.left in life), None)
    again = next((deed for deed in reversed(own) if deed.what is What.RERUN), None) if known.rerun_at else None
    waited_until = run.released_at or (first.since_at if first else None)
    if known.at_once:
        waited_until = begun_at
    left = [one for one in ends if one.left]
    released = run.released_at is not None
    return Story(run, begun_at, again, known.mapped_at, waited_until, released, first, left, at_once=known.at_once)


def _life(own: Sequence[Deed]) -> Sequence[Deed]:
    """What is written down of the run since it was made, or was last sent back."""
    for place in reversed(range(len(own))):
        if own[place].what in (What.RERUN, What.MADE):
            return own[place + 1 :]
    return own


def _is_requeued(known: Known) -> bool:
    """Whether the run was queued again for another attempt: `released_at` is of that then."""
    run, first_at = known.run, known.first_at
    return bool(first_at and run.released_at and run.released_at > first_at and not known.at_once)


def _course(
    story: Story,
    sensor: Sensor,
    ends: Sequence[Sequence[End]],
    gate: Gate | None,
    life: Sequence[Deed],
    until: datetime,
) -> Course:
    timed_out = None
    if gate and gate.timed_out:
        timed_out = next(
            (one for one in reversed(life) if one.what is What.TIMED_OUT and one.sensor == sensor.index), None
        )
    need = len(ends)
    if timed_out and timed_out.need is not None:
        need = timed_out.need
    elif gate and not gate.timed_out:
        need = gate.need
    over = story.first.reason if story.first else None
    ended = False if story.waited_until and not story.released and over in _BY_UPSTREAM else None
    since = story.mapped_at or story.begun_at
    return Course(
        sensor,
        need,
        [[end.stay for end in one] for one in ends],
        since,
        max(since, until),
        bool(gate and gate.problem),
        timed_out.at if timed_out else since if gate and gate.timed_out else None,
        True if story.released else ended,
    )


def _turn(period: Period, edges: Sequence[Edge], ends: Sequence[Sequence[End]]) -> Turn:
    if period.by is None:
        return Turn(period)
    edge, its = edges[period.by.upstream], ends[period.by.upstream]
    if period.by.state is None:
        return Turn(period, edge, None, _left_at(its, period.by))
    return Turn(period, edge, _come_at(its, period.by))


def _come_at(ends: Sequence[End], by: Change) -> End | None:
    return next((end for end in reversed(ends) if end.state is by.state and end.stay.holds(by.at, closed=True)), None)


def _left_at(ends: Sequence[End], by: Change) -> Deed | None:
    return next((end.left for end in reversed(ends) if end.left and end.left.at == by.at), None)


def _ends(edge: Edge, deeds: Mapping[Tick, Sequence[Deed]]) -> list[End]:
    return ends_of(edge.upstream, edge.planned_to, edge.logical_at, deeds.get((edge.flow_id, edge.logical_at), ()))
