"""Rerun: a run that has ended waits again, and so do those that wait for it."""

from datetime import datetime

from sensord.core.instant import format_instant, to_micros
from sensord.core.run import FINAL, State
from sensord.daemon.catalog import Catalog
from sensord.daemon.plan import resolve
from sensord.daemon.settle import Settled, settle
from sensord.errors import InvalidValue, NotFound
from sensord.store import edges, runs
from sensord.store.database import Transaction


def rerun(tx: Transaction, catalog: Catalog, flow: str, at: datetime, now: int) -> Settled:
    """Send the run back to `waiting` and map its sensors anew. NotFound without a run, InvalidValue before its end.

    Runs that wait for it wait again where it had counted; those that are queued or further go on.
    """
    run = runs.find(tx, flow, to_micros(at))
    what = f"{flow} {format_instant(at)}"
    if run is None:
        raise NotFound(f"expected a run of {what}, got none", hint=f"sensord run list --flow {flow}")
    if run.state not in FINAL:
        raise InvalidValue(f"expected a run that has ended, got {what} in {State(run.state).label}")
    (waiting,) = runs.rerun(tx, [run.run_id])
    edges.clear(tx, [run.run_id])
    settled = settle(tx, catalog, runs.moves([waiting], State(run.state)), now)
    settled.add(resolve(tx, catalog, [waiting], now))
    return settled
