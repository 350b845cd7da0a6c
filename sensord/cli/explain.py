"""What a run waits for, down to the root causes, as a value: the thinking of `sensord why`, without its printing.

Pure: works on what `store.reads.waits` gathered. A root cause is an upstream run (or tick) that does not wait itself.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sensord.core.flow import Flow, Sensor
from sensord.core.run import FINAL, Reason, State
from sensord.core.sensor import Standing, Verdict
from sensord.store.reads.runs import Run
from sensord.store.reads.waits import Gate, Upstream

BROKEN = frozenset({State.FAILED, State.CANCELLED})
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
    RUNNING = "running"
    QUEUED = "queued"
    SETTLING = "settling"
    LATE = "late"
    NOT_DUE = "not_due"


@dataclass(frozen=True, slots=True)
class Cause:
    """`path` leads from the run that is asked about to the one that waits for the cause, both included."""

    kind: CauseKind
    flow: str
    logical_at: datetime
    run: Run | None
    words: str | None
    path: Path


@dataclass(frozen=True, slots=True)
class SensorView:
    """One sensor of the run: its verdict, why in a word and in a sentence, and all upstream runs that it maps to."""

    standing: Standing
    upstreams: tuple[Upstream, ...]
    reason: str | None
    words: str

    @property
    def sensor(self) -> Sensor:
        return self.standing.sensor


def view_sensors(flow: Flow, upstreams: Iterable[Upstream], gates: Iterable[Gate], now: datetime) -> list[SensorView]:
    """Each sensor of the flow, as it stands for one run."""
    by_sensor: dict[int, list[Upstream]] = defaultdict(list)
    for upstream in upstreams:
        by_sensor[upstream.sensor].append(upstream)
    by_index = {gate.sensor: gate for gate in gates}
    return [_view(sensor, by_sensor[sensor.index], by_index.get(sensor.index), now) for sensor in flow.sensors]


def find_causes(run: Run, unmet: Sequence[Upstream], stuck: Sequence[Gate], now: datetime) -> list[Cause]:
    """The root causes of a waiting run, each once, by the shortest way to it, what a person must mend first."""
    conditions: dict[int, list[Upstream]] = defaultdict(list)
    for one in unmet:
        conditions[one.run_id].append(one)
    problems = {gate.run_id: gate for gate in stuck}
    causes: dict[tuple[str, datetime], Cause] = {}
    seen = {run.id}
    ahead: deque[tuple[Run, Path]] = deque([(run, ((run.flow, run.logical_at),))])
    while ahead:
        waiting, path = ahead.popleft()
        found, further = _step(waiting, path, conditions[waiting.id], problems.get(waiting.id), now)
        for cause in found:
            causes.setdefault((cause.flow, cause.logical_at), cause)
        for upstream in further:
            if upstream.id not in seen:
                seen.add(upstream.id)
                ahead.append((upstream, (*path, (upstream.flow, upstream.logical_at))))
    if not causes:
        return [Cause(CauseKind.CYCLE, run.flow, run.logical_at, run, None, ())]
    order = list(CauseKind)
    return sorted(causes.values(), key=lambda cause: (order.index(cause.kind), cause.logical_at, cause.flow))


def _step(
    run: Run, path: Path, conditions: Sequence[Upstream], gate: Gate | None, now: datetime
) -> tuple[list[Cause], list[Run]]:
    """The root causes right above a run, and the runs above it that have causes of their own."""
    causes = []
    further = []
    if run.state is not State.WAITING:
        conditions = [one for one in conditions if one.state in FINAL]
    if gate:
        causes.append(Cause(CauseKind.NO_MATCH, run.flow, run.logical_at, run, gate.problem, path[:-1]))
    elif not conditions:
        kind = CauseKind.SETTLING if run.state is State.WAITING else _kind_of(run.state)
        causes.append(Cause(kind, run.flow, run.logical_at, run, run.message, path[:-1]))
    for one in conditions:
        if one.run and is_passed_on(one.run):
            further.append(one.run)
        else:
            causes.append(Cause(_kind(one, now), one.flow, one.logical_at, one.run, _words(one), path))
    return causes, further


def is_passed_on(run: Run) -> bool:
    """Whether a run stands as it does for what its own upstream runs are: it waits, or was ended by their end."""
    return run.state is State.WAITING or run.reason in (Reason.UPSTREAM_FAILED, Reason.UPSTREAM_SKIPPED)


def _view(sensor: Sensor, upstreams: Sequence[Upstream], gate: Gate | None, now: datetime) -> SensorView:
    tally: dict[State, int] = defaultdict(int)
    for one in upstreams:
        tally[one.state] += 1
    need = gate.need if gate else len(upstreams)
    problem = Reason.NO_MATCH if gate and gate.problem else None
    standing = Standing(sensor, need, tally, problem, gate.problem if gate else None)
    reason = _reason(standing, upstreams, now)
    return SensorView(standing, tuple(upstreams), reason, _sentence(standing, upstreams, now))


def _reason(standing: Standing, upstreams: Sequence[Upstream], now: datetime) -> str | None:
    """The verdict's reason in one word, None for satisfied."""
    verdict = standing.verdict
    if verdict is Verdict.SATISFIED:
        return None
    if standing.problem:
        return standing.problem.value
    missing = [one for one in upstreams if not one.counts]
    if verdict in (Verdict.BLOCKED, Verdict.IMPOSSIBLE):
        states = {one.state for one in missing}
        if states & BROKEN:
            return Reason.UPSTREAM_FAILED.value
        return Reason.UPSTREAM_SKIPPED.value if State.SKIPPED in states else "upstream_unaccepted"
    kinds = {_kind(one, now) for one in missing if one.state not in FINAL}
    first = next((kind for kind in (CauseKind.REMOVED, CauseKind.PAUSED) if kind in kinds), None)
    if first:
        return f"upstream_{first.value}"
    return "not_due" if kinds <= {CauseKind.NOT_DUE} else "upstream_unfinished"


def _sentence(standing: Standing, upstreams: Sequence[Upstream], now: datetime) -> str:
    """How many of the upstream runs are done, and what has become of the others."""
    if standing.problem:
        return standing.words or "the mapping finds nothing"
    if not upstreams:
        return "nothing to wait for"
    others: dict[str, int] = defaultdict(int)
    for one in upstreams:
        if not one.counts:
            others[_label(one, now)] += 1
    done = f"{standing.counted} of {len(upstreams)} done"
    wanted = f", {standing.need} needed" if standing.need != len(upstreams) else ""
    rest = ", ".join(f"{number} {label}" for label, number in others.items())
    return f"{done}{wanted}" + (f": {rest}" if rest else "")


def _label(one: Upstream, now: datetime) -> str:
    if one.run is None and one.state is State.SKIPPED:
        return "missed"
    return _kind(one, now).value.replace("_", " ") if one.state is State.ABSENT else one.state.label


def _kind(one: Upstream, now: datetime) -> CauseKind:
    """What an upstream run that does not count is as a cause."""
    if one.state is not State.ABSENT:
        held = one.held if one.state in (State.WAITING, State.QUEUED) else ""
        return CauseKind(held) if held else _kind_of(one.state)
    if one.held:
        return CauseKind(one.held)
    return CauseKind.NOT_DUE if one.logical_at > now else CauseKind.LATE


def _kind_of(state: State) -> CauseKind:
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


def _words(one: Upstream) -> str | None:
    if one.run is None:
        return "its tick passed without a run" if one.state is State.SKIPPED else None
    return one.run.message or one.run.reason
