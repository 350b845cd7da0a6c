"""Alarms: what falls due for runs. A retry is queued again; a command past its timeout is ended, gently, then not.

Deadlines of sensors are for `expiry`.
"""

import signal
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import timedelta

from sensord.core.instant import EPOCH, from_micros, to_micros
from sensord.core.run import Reason, State
from sensord.daemon.catalog import Catalog
from sensord.daemon.expiry import end_waits
from sensord.daemon.settle import Settled
from sensord.executors.base import Attempt
from sensord.store import attempts, runs, timers
from sensord.store.database import Transaction
from sensord.store.runs import Live
from sensord.store.timers import Timer, What

KILL_AGAIN = timedelta(seconds=30)
"""Between two SIGKILLs to a command whose end is not yet known."""

_BUSY = (State.STARTING, State.RUNNING)


@dataclass(slots=True)
class Rung:
    """What alarms led to. `kills` are to be sent once the transaction has committed. number: how many have rung."""

    queued: list[Live] = field(default_factory=list)
    kills: list[tuple[Attempt, int]] = field(default_factory=list)
    stopping: dict[Attempt, str] = field(default_factory=dict)
    next_due: int | None = None
    settled: Settled = field(default_factory=Settled)
    number: int = 0


def ring(tx: Transaction, catalog: Catalog, stopping: Container[Attempt], now: int) -> Rung:
    """Do what has fallen due, as far as it still matters: an attempt that is being ended has no timeout any more."""
    due = timers.fire(tx, now)
    rung = Rung(number=len(due))
    current = runs.by_id(tx, [timer.run_id for timer in due]) if due else {}
    live = [timer for timer in due if timer.run_id in current and current[timer.run_id].attempt == timer.attempt]
    retries = [(timer.run_id, timer.attempt) for timer in live if timer.what == What.RETRY]
    if retries:
        rung.queued = runs.requeue(tx, retries, now)
    rung.settled = end_waits(tx, catalog, live, current, now)
    for timer in live:
        run = current[timer.run_id]
        if run.state not in _BUSY:
            continue
        if timer.what == What.TIMEOUT and Attempt(run.run_id, run.attempt) not in stopping:
            end(tx, catalog, run, Reason.TIMED_OUT.value, rung, now)
        elif timer.what == What.KILL:
            rung.kills.append((Attempt(run.run_id, run.attempt), signal.SIGKILL))
            _again(tx, run, rung, now + to_micros(EPOCH + KILL_AGAIN))
    return rung


def end(tx: Transaction, catalog: Catalog, run: Live, why: str, rung: Rung, now: int) -> None:
    """Have a run's command ended: SIGTERM to its group, and SIGKILL when the flow's `grace` has passed."""
    attempt = Attempt(run.run_id, run.attempt)
    attempts.stop(tx, [(run.run_id, run.attempt, why)], now)
    grace: timedelta = catalog.definition(tx, run.flow_id, run.definition_id).grace
    _again(tx, run, rung, to_micros(from_micros(now) + grace))
    rung.kills.append((attempt, signal.SIGTERM))
    rung.stopping[attempt] = why


def _again(tx: Transaction, run: Live, rung: Rung, due_at: int) -> None:
    """SIGKILL at `due_at`, and again until the end is known: a signal that a crash swallowed is sent once more."""
    timers.set_timers(tx, [Timer(run.run_id, What.KILL, run.attempt, due_at)])
    rung.next_due = due_at if rung.next_due is None else min(rung.next_due, due_at)
