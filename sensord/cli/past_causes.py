"""The root causes of a run that its sensors ended, as things stood then, whatever has become of them since."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sensord.cli.causes import Cause, CauseKind, Causes, Path, kind_of_state
from sensord.cli.past import Archive, End, SensorPast, Story, end_at
from sensord.cli.past_text import came_to, left
from sensord.core.instant import format_instant
from sensord.core.run import Reason, State
from sensord.core.sensor import Verdict, masks
from sensord.store.reads.past import Edge
from sensord.store.reads.runs import Run

MOST = 1_000
"""Root causes at most."""

_INSTANT = timedelta(microseconds=1)

BY_UPSTREAM = frozenset({Reason.UPSTREAM_FAILED, Reason.UPSTREAM_SKIPPED})
BY_SENSORS = BY_UPSTREAM | {Reason.SENSOR_TIMEOUT}


@dataclass(frozen=True, slots=True)
class _Look:
    """A run, as it stood at an instant, and the way to it from the one that was asked about. ended: it was over."""

    story: Story
    at: datetime
    path: Path
    ended: End | None


@dataclass(frozen=True, slots=True)
class _Unmet:
    """An upstream run that held a run at that instant: the final state that it had then, and all that it ever had."""

    edge: Edge
    ends: Sequence[End]
    end: End | None
    at: datetime
    path: Path


@dataclass(slots=True)
class _Search:
    archive: Archive
    found: dict[tuple[str, datetime], Cause] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)


def find_past_causes(archive: Archive, story: Story) -> Causes:
    """Each once, by the shortest way, what a person must mend first. None where no upstream run ended it."""
    end = story.first
    if end is None or end.since_at is None or end.reason not in BY_SENSORS:
        return Causes([], complete=True)
    search = _Search(archive, seen={story.run.id})
    at = end.since_at
    if end.reason == Reason.SENSOR_TIMEOUT:  # what came at that very instant came too late
        at = max(at - _INSTANT, story.mapped_at or story.begun_at)
    level = [_Look(story, at, ((story.run.flow, story.run.logical_at),), end)]
    while level:
        level = _go_up(search, level)
    order = {kind: place for place, kind in enumerate(CauseKind)}
    best = sorted(search.found.values(), key=lambda one: (order[one.kind], one.logical_at, one.flow))
    return Causes(best[:MOST], complete=archive.complete and len(best) <= MOST)


def _go_up(search: _Search, level: Sequence[_Look]) -> list[_Look]:
    """One step up from all of these at once: what is no root cause itself is looked at next."""
    ahead: dict[int, _Unmet] = {}
    for look in level:
        for problem in _problems(look):
            run = look.story.run
            _add(search, Cause(CauseKind.NO_MATCH, run.flow, run.logical_at, run, problem, look.path[:-1]))
        for one in _unmet(look):
            upstream, end = one.edge.upstream, one.end
            if upstream and (end is None or (end.left is None and end.reason in BY_UPSTREAM)):
                if upstream.run.id not in search.seen:
                    search.seen.add(upstream.run.id)
                    ahead[upstream.run.id] = one
            else:
                _add(search, _cause(one))
    further = []
    stories = search.archive.tell([one.edge.upstream for one in ahead.values() if one.edge.upstream]) if ahead else []
    for story in stories:
        one = ahead[story.run.id]
        at = one.end.since_at if one.end and one.end.since_at else one.at
        look = _Look(story, at, (*one.path, (one.edge.flow, one.edge.logical_at)), one.end)
        waited = story.begun_at <= look.at and (story.waited_until is None or look.at <= story.waited_until)
        if waited and (any(_unmet(look)) or any(_problems(look))):
            further.append(look)
        else:
            _add(search, _cause(one))
    return further


def _unmet(look: _Look) -> Iterator[_Unmet]:
    """What held the run at that instant, or ended it then, with the final state that each had."""
    ended = look.ended
    for sensor in _unsatisfied(look):
        known = masks(sensor.sensor)
        for edge, ends in zip(sensor.edges, sensor.ends, strict=True):
            end = end_at(ends, look.at, known.ends if ended else 0)
            bit = 1 << end.state if end else 0
            if bit & known.counts or (ended and ended.reason in BY_UPSTREAM and not bit & known.ends):
                continue
            yield _Unmet(edge, ends, end, look.at, look.path)


def _problems(look: _Look) -> Iterator[str]:
    """Why sensors that held the run then mapped to nothing."""
    return (sensor.problem for sensor in _unsatisfied(look) if sensor.problem)


def _unsatisfied(look: _Look) -> Iterator[SensorPast]:
    """The sensors that held the run at that instant; where it was over then, those that may have ended it."""
    for sensor in look.story.sensors:
        turns = (turn.period.verdict for turn in reversed(sensor.turns) if turn.period.since_at <= look.at)
        verdict = next(turns, Verdict.SATISFIED)
        if verdict is not Verdict.SATISFIED and _speaks_of(sensor, verdict, look.ended):
            yield sensor


def _speaks_of(sensor: SensorPast, verdict: Verdict | None, ended: End | None) -> bool:
    """Whether the sensor may be that which ended the run; any may hold one that waits."""
    if ended is None:
        return True
    if ended.reason in BY_UPSTREAM:
        return verdict is Verdict.IMPOSSIBLE
    return ended.reason == Reason.SENSOR_TIMEOUT and sensor.sensor.timeout is not None


def _add(search: _Search, cause: Cause) -> None:
    search.found.setdefault((cause.flow, cause.logical_at), cause)


def _cause(one: _Unmet) -> Cause:
    end, run = one.end, one.edge.upstream.run if one.edge.upstream else None
    name = (one.edge.flow, one.edge.logical_at)
    if end is None:
        return _unfinished(one, run)
    later, now = (left(end), run.state) if end.left and run else (None, None)
    kind = kind_of_state(end.state)
    if run is None or end.reason == "missed":
        return Cause(kind, *name, None, "its tick passed without a run", one.path, later=later, now=now)
    then = run._replace(
        state=end.state,
        reason=end.reason,
        message=end.message,
        attempt=end.attempt or 0,
        finished_at=end.since_at,
    )
    return Cause(kind, *name, then, end.message or end.reason, one.path, later=later, now=now)


def _unfinished(one: _Unmet, run: Run | None) -> Cause:
    """It had not ended then. Which of its attempts ran is known of the last one alone."""
    name = (one.edge.flow, one.edge.logical_at)
    if run is None or run.created_at > one.at:
        return Cause(CauseKind.NOT_DUE, *name, None, None, one.path)
    after = next((end for end in one.ends if end.since_at and end.since_at > one.at), None)
    later = f"{came_to(after)} at {format_instant(after.since_at)}" if after and after.since_at else None
    runs = run.started_at is not None and run.started_at <= one.at
    then = run._replace(
        state=State.RUNNING if runs else State.WAITING,
        reason=None,
        message=None,
        released_at=None,
        started_at=run.started_at if runs else None,
        finished_at=None,
    )
    kind = CauseKind.RUNNING if runs else CauseKind.UNFINISHED
    return Cause(kind, *name, then, None, one.path, later=later, now=run.state)
