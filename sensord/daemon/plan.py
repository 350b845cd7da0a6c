"""Plan: ticks that have come become runs, and each run learns what it waits for.

`resolve` is also how a run that waits again (a rerun) learns it; for one that waits on, by another definition, see
`remap`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sensord.core.catchup import pass_over
from sensord.core.flow import Sensor
from sensord.core.instant import from_micros, to_micros
from sensord.core.needs import Need, needs
from sensord.core.run import Kind, Reason, State
from sensord.core.sensor import GATED, TIMED, Standing, Verdict, masks
from sensord.daemon import passing
from sensord.daemon.catalog import Catalog, Due, Entry
from sensord.daemon.deadlines import make_deadline
from sensord.daemon.inherit import inherit
from sensord.daemon.settle import Settled, settle
from sensord.daemon.standings import decide, definitions, group
from sensord.store import edges, flows, past, reruns, runs, timers
from sensord.store.database import Transaction
from sensord.store.edges import Edge, Gate, Tally
from sensord.store.runs import Live, Move, NewRun
from sensord.store.timers import Timer


@dataclass(frozen=True, slots=True)
class Planned:
    """The runs that were made, and what came of them at once."""

    runs: list[Live]
    settled: Settled


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of runs that are mapped anew, by (run, sensor). Nothing, for those that begin to wait.

    timed_out: sensors that go on without their upstream runs. running: those whose deadline stays as it is.
    since: from when the deadline of any other counts, if not from now.
    """

    timed_out: frozenset[tuple[int, int]] = frozenset()
    running: frozenset[tuple[int, int]] = frozenset()
    since: Mapping[tuple[int, int], int] = field(default_factory=dict)


NOTHING = Kept()


def plan(tx: Transaction, catalog: Catalog, due: Sequence[Due], now: int) -> Planned:
    """Make the runs of due ticks and move the cursors; ticks that a cursor passed over count as missed from here on."""
    for one in due:
        one.entry.first_at = one.entry.first_at or one.ticks[0]
    wanted = [_new_run(one.entry, tick) for one in due for tick in one.ticks]
    made = runs.insert(tx, wanted, now)
    flows.advance(tx, [(one.entry.id, to_micros(one.ticks[-1]), to_micros(one.ticks[0])) for one in due])
    advances = [(one.entry.id, to_micros(one.after), to_micros(one.ticks[-1])) for one in due]
    # Before the new runs have edges: those are counted with the cursor where it is now.
    missed = edges.passed_over(tx, advances)
    past.note_missed(tx, missed, now)
    settled = settle(tx, catalog, missed, now)
    settled.add(resolve(tx, catalog, made, now))
    return Planned(made, settled)


def catch_up(tx: Transaction, entries: Sequence[Entry], now: int) -> list[Move]:
    """These flows go on after they were held: move their cursors past those missed ticks that are not run.

    Returns the moves of those ticks that somebody waits for, to be settled.
    """
    advances = []
    for entry in entries:
        cursor = pass_over(entry.flow, entry.timeline, entry.planned_to, from_micros(now))
        if cursor > entry.planned_to:
            advances.append((entry.id, to_micros(entry.planned_to), to_micros(cursor)))
            entry.planned_to = cursor
    if not advances:
        return []
    flows.advance(tx, [(flow_id, until, None) for flow_id, _, until in advances])
    missed = edges.passed_over(tx, advances)
    past.note_missed(tx, missed, now)
    return missed


def resolve(
    tx: Transaction,
    catalog: Catalog,
    waiting: Sequence[Live],
    now: int,
    kept: Kept = NOTHING,
    *,
    at_once: bool = False,
) -> Settled:
    """Map the sensors of these waiting runs, which have no edges yet; release or end those that are decided already.

    at_once: release all of them, since a person says so, and record what they pass over.
    """
    found = {run.run_id: _needs(tx, catalog, run) for run in waiting}
    new_edges = [
        edge for run in waiting for need in found[run.run_id] for edge in _edges(catalog, run, need, kept.timed_out)
    ]
    edges.insert(tx, new_edges, [])
    tallies = group(edges.tally(tx, [run.run_id for run in waiting])) if new_edges else {}
    outlook = _Outlook(catalog, kept, at_once)
    for run in waiting:
        outlook.add(run, found[run.run_id], tallies.get(run.run_id, []))
    if outlook.unfound:
        edges.clear_sensors(tx, outlook.unfound)
    catalog.gated = catalog.gated or any(gate.mapped for gate in outlook.gates)
    edges.insert(tx, [], outlook.gates)
    next_due = _set_deadlines(tx, catalog, outlook, now)
    released = edges.set_pending(tx, outlook.pending, now)
    passing.note(tx, catalog, released, by_operator=at_once)
    if at_once:
        reruns.let_go(tx, [run.run_id for run in released])
    concluded = runs.conclude(tx, outlook.verdicts, now) if outlook.verdicts else []
    settled = Settled(released, concluded, next_due, inherit(tx, catalog, waiting))
    settled.add(settle(tx, catalog, runs.moves(concluded, State.WAITING), now))
    return settled


@dataclass(slots=True)
class _Outlook:
    """What the tallies make of runs whose edges have just been written."""

    catalog: Catalog
    kept: Kept
    at_once: bool
    gates: list[Gate] = field(default_factory=list)
    pending: list[tuple[int, int]] = field(default_factory=list)
    verdicts: list[tuple[int, int, str, str]] = field(default_factory=list)
    timed: list[tuple[Live, Sensor]] = field(default_factory=list)
    """Sensors with a deadline that begin to wait."""
    unfound: list[tuple[int, int]] = field(default_factory=list)
    """Sensors, (run, index), that are mapped to runs of a retired flow which never will be."""

    def add(self, run: Live, found: Sequence[Need], tallies: Sequence[Tally]) -> None:
        timed_out = self.kept.timed_out
        standing = []
        for need in found:
            key = (run.run_id, need.sensor.index)
            one = self._with_retired(_standing(need, tallies, key in timed_out))
            standing.append(one)
            if one.problem and need.dates:
                self.unfound.append(key)
            if one.gated:
                mapped = sum(one.tally.values())
                self.gates.append(Gate(*key, one.quota, one.counted, mapped, one.words, timed_out=int(one.timed_out)))
        if self.at_once:
            self.pending.append((run.run_id, 0))
            return
        if decided := decide(standing, tallies):
            ending, cause = decided
            self.verdicts.append((run.run_id, int(ending.state), ending.reason.value, cause))
            return
        self.pending.append((run.run_id, sum(one.pending for one in standing)))
        self.timed += [
            (run, one.sensor)
            for one in standing
            if one.sensor.timeout is not None and one.verdict is not Verdict.SATISFIED
        ]

    def _with_retired(self, one: Standing) -> Standing:
        """As it stands; a sensor on a retired flow, to which what became of its runs is not enough, has no match."""
        upstream = self.catalog.by_name.get(one.sensor.upstream)
        if not (upstream and upstream.retired) or one.problem or one.verdict is Verdict.SATISFIED:
            return one
        return Standing(one.sensor, 0, {}, Reason.NO_MATCH, f"{one.sensor.upstream} is retired: its file is gone")


def _set_deadlines(tx: Transaction, catalog: Catalog, outlook: _Outlook, now: int) -> int | None:
    """Give the sensors that begin to wait their deadlines; those that were waiting before keep theirs. Returns the
    earliest of the new ones.
    """
    if not outlook.timed:
        return None
    kept = outlook.kept
    flow_of = definitions(tx, catalog, (run for run, _ in outlook.timed))
    new: list[Timer] = []
    old: list[Timer] = []
    for run, sensor in outlook.timed:
        key = (run.run_id, sensor.index)
        if timer := make_deadline(flow_of[run.run_id], sensor, run, kept.since.get(key, now)):
            (old if key in kept.running else new).append(timer)
    if new:
        timers.set_timers(tx, new)
    if old:
        timers.keep_timers(tx, old)
    return min((timer.due_at for timer in (*new, *old)), default=None)


def _new_run(entry: Entry, tick: datetime) -> NewRun:
    return NewRun(entry.id, to_micros(tick), Kind.SCHEDULED, entry.flow.priority, entry.definition_id)


def _needs(tx: Transaction, catalog: Catalog, run: Live) -> list[Need]:
    entry = catalog.by_id[run.flow_id]
    flow = catalog.definition(tx, run.flow_id, run.definition_id)
    return needs(flow, from_micros(run.logical_date), catalog.timelines, entry.first_at)


def _edges(catalog: Catalog, run: Live, need: Need, timed_out: frozenset[tuple[int, int]]) -> list[Edge]:
    if not need.dates:
        return []
    sensor = need.sensor
    sensor_masks = masks(sensor)
    ends = sensor_masks.ends | (GATED if sensor.require != "all" else 0) | (TIMED if sensor.timeout else 0)
    if (run.run_id, sensor.index) in timed_out:
        ends = GATED
    upstream = catalog.by_name[sensor.upstream].id
    return [Edge(upstream, to_micros(date), run.run_id, sensor.index, sensor_masks.counts, ends) for date in need.dates]


def _standing(need: Need, tallies: Sequence[Tally], timed_out: bool) -> Standing:
    states: Mapping[State, int] = {State(one.state): one.number for one in tallies if one.sensor == need.sensor.index}
    number = 0 if timed_out else need.need
    return Standing(need.sensor, number, states, need.problem, need.message, timed_out)
