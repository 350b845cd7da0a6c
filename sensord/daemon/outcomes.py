"""Outcomes: what an executor reports becomes the state of the run, or of another try at it."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sensord.core.instant import from_micros, to_micros
from sensord.core.retry import pause
from sensord.core.run import FINAL, Reason, State
from sensord.daemon.catalog import Catalog
from sensord.executors.base import Attempt, Began, Ended, Report
from sensord.store import attempts, past, runs, stations
from sensord.store.database import Transaction
from sensord.store.runs import Beginning, Live
from sensord.store.stations import Fate
from sensord.store.timers import Timer, What, set_timers

SKIPPED_EXIT_CODE = 99
"""A command that ends with this exit code says that there was nothing to do: its run is skipped."""

Stopping = Mapping[Attempt, str]
"""The attempts that are being ended from outside: `timed_out`, or the final state that a person wants."""

Chance = Callable[[], float]
"""A number from 0 to 1, each time another."""


@dataclass(slots=True)
class Recorded:
    """The runs that are over, and those that will be tried again."""

    over: list[Live] = field(default_factory=list)
    retrying: list[Live] = field(default_factory=list)
    next_due: int | None = None


def record(
    tx: Transaction, catalog: Catalog, reports: Sequence[Report], stopping: Stopping, chance: Chance
) -> Recorded:
    """Record beginnings and ends, of each attempt the first that is told. Reports on older attempts change no run."""
    began = list({one.attempt: one for one in reversed(reports) if isinstance(one, Began)}.values())
    ends = {one.attempt: one for one in reversed(reports) if isinstance(one, Ended)}
    ends |= _as_written(tx, [one for one in ends.values() if one.problem == Reason.LOST])
    ended = _with_asker(tx, [_ended(one, stopping.get(one.attempt)) for one in ends.values()])
    timers = _time(tx, catalog, began) if began else []
    if any(one.state == State.FAILED for one in ended):
        ended, retries = _retry(tx, catalog, ended, chance)
        timers += retries
    if timers:
        set_timers(tx, timers)
    moved = runs.end(tx, ended) if ended else []
    return Recorded(
        [run for run in moved if run.state in FINAL],
        [run for run in moved if run.state == State.RETRYING],
        min((timer.due_at for timer in timers), default=None),
    )


def judge(ended: Ended, stopping: str | None) -> tuple[State, Reason | None, str | None]:
    """The state that an attempt's end gives its run, why, and in words."""
    match ended:
        case _ if stopping == Reason.TIMED_OUT:
            return State.FAILED, Reason.TIMED_OUT, "it ran longer than its timeout"
        case _ if stopping:
            return State[stopping.upper()], Reason.BY_OPERATOR, None
        case Ended(exit_code=0):
            return State.SUCCESS, None, None
        case Ended(exit_code=int(code)) if code == SKIPPED_EXIT_CODE:
            return State.SKIPPED, Reason.EXIT_CODE, f"exit {code}"
        case Ended(exit_code=int(code)):
            return State.FAILED, Reason.EXIT_CODE, f"exit {code}"
        case Ended(signal=int(number)):
            return State.FAILED, Reason.SIGNAL, f"killed by {_signal_name(number)}"
        case _:
            reason = next((one for one in Reason if one == ended.problem), Reason.LOST)
            return State.FAILED, reason, ended.message


def end_of(fate: Fate) -> Ended | None:
    """How an attempt ended, by what was written down; None where it has not."""
    if fate.at is None:
        return None
    attempt = Attempt(fate.run_id, fate.number)
    return Ended(attempt, fate.at, fate.exit_code, fate.signal, fate.problem, fate.message)


def _as_written(tx: Transaction, lost: Sequence[Ended]) -> dict[Attempt, Ended]:
    """Who was silent for long may have written down how an attempt ended at this very moment: what came first holds."""
    if not lost:
        return {}
    stations.report(tx, [], [_ended(one, None) for one in lost])
    ends = [end_of(fate) for fate in stations.fates(tx, sorted(_key(one) for one in lost))]
    return {one.attempt: one for one in ends if one}


def _time(tx: Transaction, catalog: Catalog, began: Sequence[Began]) -> list[Timer]:
    """Runs go to `running`; the timeouts of those that have one."""
    at = {one.attempt: to_micros(one.at) for one in began}
    timers = []
    for run in runs.begin(tx, [Beginning(*_key(one), at[one.attempt], one.pid) for one in began]):
        flow = catalog.definition(tx, run.flow_id, run.definition_id)
        if flow.timeout is not None:
            due_at = to_micros(from_micros(at[Attempt(run.run_id, run.attempt)]) + flow.timeout)
            timers.append(Timer(run.run_id, What.TIMEOUT, run.attempt, due_at))
    return timers


def _retry(
    tx: Transaction, catalog: Catalog, ended: Sequence[runs.Ended], chance: Chance
) -> tuple[list[runs.Ended], list[Timer]]:
    """Failed runs that have tries left go to `retrying` instead; but not where a person wanted them failed, and not
    those of retired flows.
    """
    tries = attempts.tries(tx, [(one.run_id, one.attempt) for one in ended if one.state == State.FAILED])
    result, timers = [], []
    for one in ended:
        if one.state == State.FAILED and one.reason != Reason.BY_OPERATOR and one.run_id in tries:
            flow_id, definition_id, number = tries[one.run_id]
            wait = pause(catalog.definition(tx, flow_id, definition_id).retry, number, chance())
            if wait is not None and not catalog.by_id[flow_id].retired:
                timers.append(Timer(one.run_id, What.RETRY, one.attempt, to_micros(from_micros(one.at) + wait)))
                result.append(one._replace(state=State.RETRYING))
                continue
        result.append(one)
    return result, timers


def _ended(one: Ended, stopping: str | None) -> runs.Ended:
    state, reason, message = judge(one, stopping)
    at = to_micros(one.at)
    return runs.Ended(*_key(one), at, state, reason, one.exit_code, one.signal, one.problem, message)


def _with_asker(tx: Transaction, ended: Sequence[runs.Ended]) -> list[runs.Ended]:
    """Who had commands ended is said of their runs."""
    asked = [(one.run_id, one.attempt) for one in ended if one.reason == Reason.BY_OPERATOR]
    who = past.stopped_by(tx, asked) if asked else {}
    return [one._replace(message=f"by {who[one.run_id]}") if one.run_id in who else one for one in ended]


def _key(report: Report) -> tuple[int, int]:
    return report.attempt.run_id, report.attempt.number


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
