"""Again: runs that have ended go back to waiting, all of them together. What had consumed one of them, and does not go
back with it, is stale from then on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sensord.core.past import What
from sensord.core.run import State
from sensord.daemon.catalog import Catalog
from sensord.daemon.plan import resolve
from sensord.daemon.settle import Settled, settle
from sensord.store import edges, past, reruns, runs
from sensord.store.database import Transaction
from sensord.store.runs import Move

SLICE = 1000
"""Runs that are sent back, or mapped, at a time: so no statement is long in coming, and little is held in memory."""


@dataclass(slots=True)
class SentBack:
    """marked: how many runs had consumed one of them, those that were sent back themselves among them."""

    settled: Settled = field(default_factory=Settled)
    marked: int = 0


def send_back(
    tx: Transaction,
    catalog: Catalog,
    run_ids: Sequence[int],
    now: int,
    *,
    who: str,
    keep: bool = False,
    at_once: Collection[int] = (),
) -> SentBack:
    """Send runs that have ended back to `waiting`, map their sensors anew, and let those that wait for them wait again.

    who: has asked for it. keep: each by the definition that it had, not by its flow's current one. at_once: these pass
    over their sensors. All have lost their edges before the first is mapped: what becomes of it finds none of the
    others by an old one.
    """
    sent = SentBack()
    slices = [run_ids[start : start + SLICE] for start in range(0, len(run_ids), SLICE)]
    for one in slices:
        sent.marked += reruns.mark_stale(tx, one, now)
    for one in slices:
        before = runs.by_id(tx, one)
        past.note_left(tx, one, What.RERUN, who, now)
        waiting = reruns.rerun(tx, one, now, keep=keep)
        edges.clear(tx, [run.run_id for run in waiting])
        moves = [Move(run.flow_id, run.logical_date, before[run.run_id].state, run.state) for run in waiting]
        sent.settled.add(settle(tx, catalog, moves, now))
    for one in slices:
        waiting = [run for run in runs.by_id(tx, one).values() if run.state == State.WAITING]
        if direct := [run for run in waiting if run.run_id in at_once]:
            sent.settled.add(resolve(tx, catalog, direct, now, at_once=True))
        sent.settled.add(resolve(tx, catalog, [run for run in waiting if run.run_id not in at_once], now))
    return sent
