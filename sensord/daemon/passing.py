"""Passing over: what released runs went on without is recorded with them, in the transaction that releases them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sensord.core.instant import from_micros, to_micros
from sensord.core.passed_over import Passed, find_passed, write_passed
from sensord.core.run import State, mask
from sensord.daemon.catalog import Catalog
from sensord.daemon.standings import definitions
from sensord.store import edges, passed
from sensord.store.database import Transaction
from sensord.store.passed import Lookup
from sensord.store.runs import Live


def note(tx: Transaction, catalog: Catalog, released: Sequence[Live], *, by_operator: bool = False) -> None:
    """Record what these runs, just released, pass over; by their edges, and the states of upstream runs right now.

    by_operator: somebody released them whatever they wait for. Otherwise only runs are looked at that have a policy to
    proceed: for all others this costs no statement.
    """
    if not by_operator:
        released = [run for run in released if catalog.may_proceed(tx, run.flow_id, run.definition_id)]
    if not released:
        return
    found = _find(tx, catalog, released, by_operator=by_operator)
    lookups = [
        Lookup(run.run_id, one.sensor.index, upstream.id, _before(one, run), mask(one.sensor.accept))
        for run in released
        for one in found[run.run_id]
        if (upstream := catalog.by_name.get(one.sensor.upstream))
    ]
    last = passed.last_accepted(tx, lookups) if lookups else {}
    rows = [(run_id, write_passed([_with_last(run_id, one, last) for one in ones])) for run_id, ones in found.items()]
    passed.record(tx, [(run_id, text) for run_id, text in rows if found[run_id]])


def _find(tx: Transaction, catalog: Catalog, released: Sequence[Live], *, by_operator: bool) -> dict[int, list[Passed]]:
    ids = [run.run_id for run in released]
    mapped: dict[int, dict[int, list[tuple[datetime, State]]]] = defaultdict(lambda: defaultdict(list))
    for run_id, sensor, _, date, state in edges.upstream_runs(tx, ids):
        mapped[run_id][sensor].append((from_micros(date), State(state)))
    timed_out, missing = defaultdict(set), defaultdict(set)
    for gate in edges.gates(tx, ids):
        if gate.timed_out:
            timed_out[gate.run_id].add(gate.sensor)
        if gate.problem:
            missing[gate.run_id].add(gate.sensor)
    return {
        run_id: find_passed(flow, mapped[run_id], timed_out[run_id], missing[run_id], by_operator=by_operator)
        for run_id, flow in definitions(tx, catalog, released).items()
    }


def _before(one: Passed, run: Live) -> int:
    """Before the first that was passed over; where nothing matched, up to the run's own date."""
    return to_micros(one.first_at) if one.first_at else run.logical_date + 1


def _with_last(run_id: int, one: Passed, last: dict[tuple[int, int], tuple[int, int]]) -> Passed:
    found = last.get((run_id, one.sensor.index))
    return replace(one, instead=(from_micros(found[0]), State(found[1]))) if found else one
