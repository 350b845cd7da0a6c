"""Plan: ticks that have come become runs, and each run learns what it waits for.

`resolve` is also how a run that waits again (a rerun, a new definition) learns it anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sensord.core.instant import from_micros, to_micros
from sensord.core.needs import Need, needs
from sensord.core.run import Kind, State
from sensord.core.sensor import GATED, Standing, masks
from sensord.daemon.catalog import Catalog, Due, Entry
from sensord.daemon.settle import Settled, decide, group, settle
from sensord.store import edges, flows, runs
from sensord.store.database import Transaction
from sensord.store.edges import Edge, Gate, Tally
from sensord.store.runs import Live, NewRun


@dataclass(frozen=True, slots=True)
class Planned:
    """The runs that were made, and what came of them at once."""

    runs: list[Live]
    settled: Settled


def plan(tx: Transaction, catalog: Catalog, due: Sequence[Due], now: int) -> Planned:
    """Make the runs of due ticks and move the cursors; ticks that a cursor passed over count as missed from here on."""
    for one in due:
        one.entry.first_at = one.entry.first_at or one.ticks[0]
    wanted = [_new_run(one.entry, tick) for one in due for tick in one.ticks]
    made = runs.insert(tx, wanted, now)
    flows.advance(tx, [(one.entry.id, to_micros(one.ticks[-1]), to_micros(one.ticks[0])) for one in due])
    advances = [(one.entry.id, to_micros(one.after), to_micros(one.ticks[-1])) for one in due]
    # Before the new runs have edges: those are counted with the cursor where it is now.
    settled = settle(tx, catalog, edges.passed_over(tx, advances), now)
    settled.add(resolve(tx, catalog, made, now))
    return Planned(made, settled)


def resolve(tx: Transaction, catalog: Catalog, waiting: Sequence[Live], now: int) -> Settled:
    """Map the sensors of these waiting runs, which have no edges yet; release or end those that are decided already."""
    found = {run.run_id: _needs(tx, catalog, run) for run in waiting}
    new_edges = [edge for run in waiting for need in found[run.run_id] for edge in _edges(catalog, run, need)]
    edges.insert(tx, new_edges, [])
    tallies = group(edges.tally(tx, [run.run_id for run in waiting])) if new_edges else {}
    outlook = _Outlook()
    for run in waiting:
        outlook.add(run, found[run.run_id], tallies.get(run.run_id, []))
    edges.insert(tx, [], outlook.gates)
    released = edges.set_pending(tx, outlook.pending, now)
    concluded = runs.conclude(tx, outlook.verdicts, now) if outlook.verdicts else []
    settled = Settled(released, concluded)
    settled.add(settle(tx, catalog, runs.moves(concluded, State.WAITING), now))
    return settled


@dataclass(slots=True)
class _Outlook:
    """What the tallies make of runs whose edges have just been written."""

    gates: list[Gate] = field(default_factory=list)
    pending: list[tuple[int, int]] = field(default_factory=list)
    verdicts: list[tuple[int, int, str, str]] = field(default_factory=list)

    def add(self, run: Live, found: Sequence[Need], tallies: Sequence[Tally]) -> None:
        standing = [_standing(need, tallies) for need in found]
        for need, one in zip(found, standing, strict=True):
            if one.gated:
                mapped = len(need.dates)
                self.gates.append(Gate(run.run_id, need.sensor.index, one.need, one.counted, mapped, need.message))
        if decided := decide(standing, tallies):
            ending, cause = decided
            self.verdicts.append((run.run_id, int(ending.state), ending.reason.value, cause))
        else:
            self.pending.append((run.run_id, sum(one.pending for one in standing)))


def _new_run(entry: Entry, tick: datetime) -> NewRun:
    return NewRun(entry.id, to_micros(tick), Kind.SCHEDULED, entry.flow.priority, entry.definition_id)


def _needs(tx: Transaction, catalog: Catalog, run: Live) -> list[Need]:
    entry = catalog.by_id[run.flow_id]
    flow = catalog.definition(tx, run.flow_id, run.definition_id)
    return needs(flow, from_micros(run.logical_date), catalog.timelines, entry.first_at)


def _edges(catalog: Catalog, run: Live, need: Need) -> list[Edge]:
    if not need.dates:
        return []
    sensor_masks = masks(need.sensor)
    ends = sensor_masks.ends | (GATED if need.sensor.require != "all" else 0)
    upstream = catalog.by_name[need.sensor.upstream].id
    return [
        Edge(upstream, to_micros(date), run.run_id, need.sensor.index, sensor_masks.counts, ends) for date in need.dates
    ]


def _standing(need: Need, tallies: Sequence[Tally]) -> Standing:
    states: Mapping[State, int] = {State(one.state): one.number for one in tallies if one.sensor == need.sensor.index}
    return Standing(need.sensor, need.need, states, need.problem, need.message)
