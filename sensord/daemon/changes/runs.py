"""What people change of a run: cancel or mark it."""

from collections.abc import Mapping
from typing import Any

from sensord.core.past import What
from sensord.core.run import FINAL, Reason, State
from sensord.daemon.alarms import end
from sensord.daemon.changes.change import Changed, asker, find_run
from sensord.daemon.picture import Picture
from sensord.daemon.settle import settle
from sensord.errors import InvalidValue
from sensord.executors.base import Attempt
from sensord.store import attempts, past, runs
from sensord.store.database import Transaction
from sensord.store.runs import Live


def cancel(tx: Transaction, picture: Picture, body: Mapping[str, Any], now: int) -> Changed:
    """End a run before its time; a command that runs is ended first."""
    run, name = find_run(tx, body)
    if run.state in FINAL:
        raise InvalidValue(
            f"expected a run that has not ended, got {name} in {State(run.state).label}",
            hint=None if run.state == State.CANCELLED else f"sensord run mark {name} cancelled",
        )
    return _put(tx, picture, run, name, State.CANCELLED, body, now)


def mark(tx: Transaction, picture: Picture, body: Mapping[str, Any], now: int) -> Changed:
    """Say how a run ended, whatever it did; a command that runs is ended first."""
    run, name = find_run(tx, body)
    states = {state.label: state for state in FINAL}
    new = states.get(str(body.get("state")))
    if new is None:
        raise InvalidValue(f"expected success, failed, skipped or cancelled, got {body.get('state')}")
    return _put(tx, picture, run, name, new, body, now)


def _put(
    tx: Transaction, picture: Picture, run: Live, name: str, new: State, body: Mapping[str, Any], now: int
) -> Changed:
    """Bring a run to a final state: at once, or when its command has been ended."""
    if run.state in (State.STARTING, State.RUNNING):
        past.note_stopped(tx, run.run_id, new, asker(body), now)
        return _stop(tx, picture, run, name, new, now)
    if run.state == new:
        return Changed(f"{name} is {new.label} already")
    past.note_left(tx, [run.run_id], What.MARKED, asker(body), now)
    put = runs.mark(tx, run, new, Reason.BY_OPERATOR.value, f"by {asker(body)}", now)
    settled = settle(tx, picture.catalog, runs.moves([put], State(run.state)), now)
    left = [run] if run.state in (State.QUEUED, State.RETRYING) else []
    return Changed(f"{name} is {new.label}", settled, left=left)


def _stop(tx: Transaction, picture: Picture, run: Live, name: str, new: State, now: int) -> Changed:
    """Have the command ended; where that is under way, only what its run is to be then may change."""
    changed = Changed(f"{name} is being ended, and is {new.label} then")
    attempt = Attempt(run.run_id, run.attempt)
    if attempt in picture.stopping:
        attempts.stop(tx, [(run.run_id, run.attempt, new.label)], now)
        changed.rung.stopping[attempt] = new.label
    else:
        end(tx, picture.catalog, run, new.label, changed.rung, now)
    return changed
