"""Remap: waiting runs whose flow, or whose upstreams' schedules, have changed learn anew what they wait for.

Their deadlines stay where they are, and what was applied at one stays applied, as far as the sensor is still the same:
the same number in the flow, on the same upstream.
"""

from collections.abc import Mapping, Sequence

from sensord.core.flow import Flow, Sensor
from sensord.core.sensor import Standing, Verdict
from sensord.daemon.catalog import Catalog
from sensord.daemon.plan import Kept, resolve
from sensord.daemon.settle import Settled, settle
from sensord.daemon.standings import definitions, read_standings
from sensord.store import edges, past, waits
from sensord.store.database import Transaction
from sensord.store.runs import Live, Move

SLICE = 1000
"""Runs that are mapped at a time: so no statement is long in coming."""

_NOTHING: Mapping[int, Flow] = {}


def remap(
    tx: Transaction,
    catalog: Catalog,
    waiting: Sequence[Live],
    now: int,
    before: Mapping[int, Flow] = _NOTHING,
    moves: Sequence[Move] = (),
) -> Settled:
    """Map waiting runs, which have their new definitions already. `before`: of the flows that have changed, by id, what
    they were when the runs were mapped.

    All of them lose their edges before the first is mapped: what becomes of that one must find none of the others by
    an edge of its old definition. Nor must `moves`, which are told to all other runs that wait for them.
    """
    slices = [waiting[start : start + SLICE] for start in range(0, len(waiting), SLICE)]
    kept = [_keep(tx, catalog, before, one) for one in slices]
    for one in slices:
        ids = [run.run_id for run in one]
        past.note_mapped(tx, ids, now)
        edges.clear(tx, ids)
    settled = settle(tx, catalog, moves, now)
    for one, stays in zip(slices, kept, strict=True):
        settled.add(resolve(tx, catalog, one, now, stays))
    return settled


def _keep(tx: Transaction, catalog: Catalog, before: Mapping[int, Flow], waiting: Sequence[Live]) -> Kept:
    new_flows = definitions(tx, catalog, waiting)
    old_flows = {run.run_id: _flow_before(tx, catalog, before, run) for run in waiting}
    timed = {run_id: old_flows[run_id] for run_id, flow in new_flows.items() if _is_timed(flow)}
    gates = edges.gates(tx, old_flows)
    timed_out = {
        (gate.run_id, gate.sensor)
        for gate in gates
        if gate.timed_out and _is_same(old_flows[gate.run_id], new_flows[gate.run_id], gate.sensor)
    }
    if not timed:
        return Kept(frozenset(timed_out))
    standing = read_standings(tx, timed)
    begun = waits.begun(tx, timed)
    running, since = set(), {}
    for run_id in timed:
        for sensor in new_flows[run_id].sensors:
            was = _find(standing[run_id], sensor)
            if was is None or was.verdict is not Verdict.SATISFIED:
                since[run_id, sensor.index] = begun[run_id]
            if was and was.verdict is not Verdict.SATISFIED:
                running.add((run_id, sensor.index))
    return Kept(frozenset(timed_out), frozenset(running), since)


def _flow_before(tx: Transaction, catalog: Catalog, before: Mapping[int, Flow], run: Live) -> Flow:
    """The flow by which the run was mapped: the one until now, unless it keeps a definition of its own."""
    if run.definition_id == catalog.by_id[run.flow_id].definition_id and run.flow_id in before:
        return before[run.flow_id]
    return catalog.definition(tx, run.flow_id, run.definition_id)


def _is_timed(flow: Flow) -> bool:
    return any(sensor.timeout for sensor in flow.sensors)


def _is_same(old: Flow, new: Flow, index: int) -> bool:
    """Whether both flows have that sensor, on the same upstream."""
    if index >= min(len(old.sensors), len(new.sensors)):
        return False
    return old.sensors[index].upstream == new.sensors[index].upstream


def _find(standing: Sequence[Standing], sensor: Sensor) -> Standing | None:
    """How the sensor stood before, where it is the same and had a deadline already."""
    for was in standing:
        if was.sensor.index == sensor.index and was.sensor.upstream == sensor.upstream and was.sensor.timeout:
            return was
    return None
