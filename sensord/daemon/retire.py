"""Retire: flows whose files stay away are given up. Nobody waits for them any more, and nothing of them starts.

What became of their runs stays, and counts. A flow is retired when `retire_after` has passed, or when somebody says so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sensord.core.run import Reason, State
from sensord.core.sensor import Standing, Verdict
from sensord.daemon.catalog import Catalog, Entry
from sensord.daemon.remap import SLICE, remap
from sensord.daemon.settle import Settled, settle
from sensord.daemon.standings import definitions, read_standings
from sensord.store import edges, flows, runs
from sensord.store.database import Transaction
from sensord.store.runs import Live


@dataclass(slots=True)
class Retired:
    """What became of the runs of retired flows, which are `cancelled` now, and of those that waited for them."""

    cancelled: list[Live] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)


def retire(tx: Transaction, catalog: Catalog, entries: Sequence[Entry], now: int) -> Retired:
    """Give these flows up, whose files are gone. What runs may end."""
    ids = [entry.id for entry in entries]
    flows.retire(tx, ids)
    for entry in entries:
        catalog.retire(entry)
    # Before their runs are cancelled: nobody is to hear of these as of runs that somebody has to repair.
    settled = _let_go(tx, catalog, ids, now)
    cancelled = runs.cancel_unstarted(tx, ids, Reason.FLOW_RETIRED.value, "its flow's file is gone", now)
    settled.add(settle(tx, catalog, runs.moves(cancelled, State.WAITING), now))
    return Retired(cancelled, settled)


def _let_go(tx: Transaction, catalog: Catalog, flow_ids: Collection[int], now: int) -> Settled:
    """Whoever waits for these flows, which are retired, finds no match; what is satisfied by them stays so."""
    waiting = [run for run in edges.waiters(tx, flow_ids) if not catalog.by_id[run.flow_id].retired]
    names = {catalog.by_id[flow_id].flow.name for flow_id in flow_ids}
    settled = Settled()
    for start in range(0, len(waiting), SLICE):
        part = waiting[start : start + SLICE]
        standing = read_standings(tx, definitions(tx, catalog, part))
        in_vain = [run for run in part if any(_waits(one, names) for one in standing[run.run_id])]
        if in_vain:
            settled.add(remap(tx, catalog, in_vain, now))
    return settled


def _waits(one: Standing, names: Collection[str]) -> bool:
    return one.sensor.upstream in names and not one.problem and one.verdict is not Verdict.SATISFIED
