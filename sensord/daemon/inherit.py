"""Inherit: a run has at least the priority of every run that waits for it, across flows, however long the way.

Looked after where runs begin to wait, or a priority rises. It never falls, also where the waiting run is gone: nothing
that was hurried on is put back before it is over.
"""

from collections.abc import Sequence

from sensord.core.run import State
from sensord.daemon.catalog import Catalog
from sensord.store import priorities
from sensord.store.database import Transaction
from sensord.store.runs import Live


def inherit(tx: Transaction, catalog: Catalog, begun: Sequence[Live]) -> list[Live]:
    """Of these runs, which have their edges: let them inherit from those that wait for them, and what they wait for
    from them. One statement a step upstream, none where all flows are of one priority. Returns all runs that were
    raised, some maybe twice, as they are now.
    """
    if len(catalog.priorities) < 2 or not begun:
        return []
    lowest = min(catalog.priorities)
    raised = priorities.from_waiters(tx, (run.run_id for run in begun))
    current = {run.run_id: run for run in (*begun, *raised)}
    ahead = [run.run_id for run in current.values() if run.priority > lowest]
    while ahead:
        step = priorities.to_upstreams(tx, ahead)
        raised += step
        ahead = [run.run_id for run in step if run.state == State.WAITING]
    return raised
