"""The root causes of a waiting run: the upstream runs and ticks above it that do not wait themselves.

Pure: works on what `store.reads.waits` gathered.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sensord.core.run import FINAL, Reason, State
from sensord.store.reads.runs import Run
from sensord.store.reads.waits import Gate, Upstream

MOST = 1_000
"""Root causes at most; those that a person must mend are kept."""

Path = tuple[tuple[str, datetime], ...]
"""Runs as (flow, logical date), each waiting for the next."""


class CauseKind(StrEnum):
    """What a root cause needs, from what only a person can mend to what comes by itself."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNACCEPTED = "unaccepted"
    NO_MATCH = "no_match"
    CYCLE = "cycle"
    REMOVED = "removed"
    PAUSED = "paused"
    UNFINISHED = "unfinished"
    RUNNING = "running"
    QUEUED = "queued"
    SETTLING = "settling"
    LATE = "late"
    NOT_DUE = "not_due"


BY_ITSELF = frozenset({CauseKind.RUNNING, CauseKind.QUEUED, CauseKind.SETTLING, CauseKind.LATE, CauseKind.NOT_DUE})
"""What nobody has to mend."""


@dataclass(frozen=True, slots=True)
class Cause:
    """`path` leads from the run that is asked about to the one that waits for the cause, both included.

    over: the first run on that way which does not wait any more: the cause, or what it caused, has ended it. Of the
    cause of a run that is over, `later` says how that state was left since, and `now` is the state now.
    """

    kind: CauseKind
    flow: str
    logical_at: datetime
    run: Run | None
    words: str | None
    path: Path
    over: Run | None = None
    later: str | None = None
    now: State | None = None


@dataclass(frozen=True, slots=True)
class Causes:
    """complete: nothing was left out, neither conditions nor causes."""

    found: list[Cause]
    complete: bool


class _End(NamedTuple):
    """A cause, and the run that waits for it; None where that is unknown."""

    cause: Cause
    waiting: Run | None


def find_causes(run: Run, unmet: Sequence[Upstream], stuck: Sequence[Gate], now: datetime, *, complete: bool) -> Causes:
    """The root causes, each once, by the shortest way to it, what a person must mend first.

    complete: whether `unmet` holds all conditions; if not, it holds at least those that are no waiting run.
    """
    conditions: dict[int, list[Upstream]] = defaultdict(list)
    for one in unmet:
        conditions[one.run_id].append(one)
    problems = {gate.run_id: gate for gate in stuck}
    parents: dict[int, Run | None] = {run.id: None}
    ends: dict[tuple[str, datetime], _End] = {}
    ahead = deque([run])
    while ahead:
        waiting = ahead.popleft()
        above = _conditions(waiting, conditions[waiting.id])
        for end in _ends(waiting, parents[waiting.id], above, problems.get(waiting.id), now):
            if complete or end.cause.kind is not CauseKind.SETTLING:
                ends.setdefault((end.cause.flow, end.cause.logical_at), end)
        for one in above:
            if one.run and is_passed_on(one.run) and one.run.id not in parents:
                parents[one.run.id] = waiting
                ahead.append(one.run)
    for one in unmet if not complete else ():
        if one.run_id not in parents and not (one.run and is_passed_on(one.run)):
            ends.setdefault((one.flow, one.logical_at), _End(_cause(one, now), None))
    if not ends and complete:
        return Causes([Cause(CauseKind.CYCLE, run.flow, run.logical_at, run, None, ())], complete=True)
    order = {kind: place for place, kind in enumerate(CauseKind)}
    best = sorted(ends.values(), key=lambda end: (order[end.cause.kind], end.cause.logical_at, end.cause.flow))
    found = [_with_path(run, end, parents) for end in best[:MOST]]
    return Causes(found, complete=complete and len(best) <= MOST)


def is_passed_on(run: Run) -> bool:
    """Whether a run stands as it does for what its own upstream runs are: it waits, or was ended by their end."""
    return run.state is State.WAITING or run.reason in (Reason.UPSTREAM_FAILED, Reason.UPSTREAM_SKIPPED)


_BY_SENSORS = frozenset(
    {Reason.UPSTREAM_FAILED, Reason.UPSTREAM_SKIPPED, Reason.SENSOR_TIMEOUT, Reason.NO_MATCH, Reason.MAPPING_ERROR}
)


def ended_itself(run: Run) -> bool:
    """Whether a run that has failed did so by its command; where its sensors ended it, an older log tells nothing."""
    return run.attempt > 0 and run.reason not in _BY_SENSORS


def kind_of(one: Upstream, now: datetime) -> CauseKind:
    """What an upstream run that does not count is as a cause."""
    if one.held:
        return CauseKind(one.held)
    if one.state is not State.ABSENT:
        return kind_of_state(one.state)
    return CauseKind.NOT_DUE if one.logical_at > now else CauseKind.LATE


def _conditions(run: Run, unmet: Sequence[Upstream]) -> Sequence[Upstream]:
    """Those that hold the run; where it is over, those that ended it."""
    return unmet if run.state is State.WAITING else [one for one in unmet if one.state in FINAL]


def _ends(run: Run, parent: Run | None, above: Sequence[Upstream], gate: Gate | None, now: datetime) -> Iterator[_End]:
    """The root causes right above a run; the run itself where nothing above it explains its state."""
    if gate:
        yield _End(Cause(CauseKind.NO_MATCH, run.flow, run.logical_at, run, gate.problem, ()), parent)
    elif not above:
        kind = CauseKind.SETTLING if run.state is State.WAITING else kind_of_state(run.state)
        yield _End(Cause(kind, run.flow, run.logical_at, run, run.message, ()), parent)
    for one in above:
        if not (one.run and is_passed_on(one.run)):
            yield _End(_cause(one, now), run)


def _cause(one: Upstream, now: datetime) -> Cause:
    if one.run:
        words = one.run.message or one.run.reason
    else:
        words = "its tick passed without a run" if one.state is State.SKIPPED else None
    return Cause(kind_of(one, now), one.flow, one.logical_at, one.run, words, ())


def _with_path(run: Run, end: _End, parents: dict[int, Run | None]) -> Cause:
    """The cause with the way to it; only its beginning where the way was not gathered."""
    way = [] if end.waiting else [run]
    step = end.waiting
    while step is not None:
        way.append(step)
        step = parents[step.id]
    path = tuple((one.flow, one.logical_at) for one in reversed(way))
    if end.waiting is None and end.cause.run == run:
        path = ()
    over = next((one for one in reversed(way) if one.state in FINAL and one.id != run.id), None)
    return replace(end.cause, path=path, over=over)


def kind_of_state(state: State) -> CauseKind:
    """What a run in that state is as a cause, to a run that does not accept it."""
    match state:
        case State.FAILED:
            return CauseKind.FAILED
        case State.CANCELLED:
            return CauseKind.CANCELLED
        case State.SKIPPED:
            return CauseKind.SKIPPED
        case State.SUCCESS:
            return CauseKind.UNACCEPTED
        case State.STARTING | State.RUNNING | State.RETRYING:
            return CauseKind.RUNNING
        case State.WAITING | State.QUEUED:
            return CauseKind.QUEUED
        case State.ABSENT:
            return CauseKind.NOT_DUE
