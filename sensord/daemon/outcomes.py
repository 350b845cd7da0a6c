"""Outcomes: what an executor reports becomes the state of the run."""

import signal
from collections.abc import Sequence

from sensord.core.instant import to_micros
from sensord.core.run import Reason, State
from sensord.executors.base import Began, Ended, Report
from sensord.store import runs
from sensord.store.database import Transaction
from sensord.store.runs import Beginning, Live

SKIPPED_EXIT_CODE = 99
"""A command that ends with this exit code says that there was nothing to do: its run is skipped."""


def record(tx: Transaction, reports: Sequence[Report]) -> list[Live]:
    """Record beginnings and ends. Returns the runs that are over; reports on older attempts change no run."""
    began = [Beginning(*_key(one), to_micros(one.at), one.pid) for one in reports if isinstance(one, Began)]
    ended = [_ended(one) for one in reports if isinstance(one, Ended)]
    if began:
        runs.begin(tx, began)
    return runs.end(tx, ended) if ended else []


def judge(ended: Ended) -> tuple[State, Reason | None, str | None]:
    """The final state that an attempt's end gives its run, why, and in words."""
    match ended:
        case Ended(exit_code=0):
            return State.SUCCESS, None, None
        case Ended(exit_code=int(code)) if code == SKIPPED_EXIT_CODE:
            return State.SKIPPED, Reason.EXIT_CODE, f"exit {code}"
        case Ended(exit_code=int(code)):
            return State.FAILED, Reason.EXIT_CODE, f"exit {code}"
        case Ended(signal=int(number)):
            return State.FAILED, Reason.SIGNAL, f"killed by {_signal_name(number)}"
        case _:
            return State.FAILED, Reason(ended.problem or Reason.LOST), ended.message


def _ended(one: Ended) -> runs.Ended:
    state, reason, message = judge(one)
    at = to_micros(one.at)
    return runs.Ended(*_key(one), at, state, reason, one.exit_code, one.signal, one.problem, message)


def _key(report: Report) -> tuple[int, int]:
    return report.attempt.run_id, report.attempt.number


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
