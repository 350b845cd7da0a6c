"""The answer to "why" as text: the run, its sensors, the root causes, and what happens next."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sensord.cli import past_text
from sensord.cli.answer import Answer
from sensord.cli.causes import Cause, CauseKind, ended_itself
from sensord.cli.explain import SensorView
from sensord.cli.listing import STYLES, since, without
from sensord.cli.past import SensorPast
from sensord.cli.render import Line, Span, count, span_of
from sensord.core.flow import Policy
from sensord.core.instant import format_instant
from sensord.core.run import FINAL, State
from sensord.core.sensor import Verdict
from sensord.store.reads.waits import Upstream

MOST = 10
"""Upstream runs of a sensor, and root causes, that are listed; the others are counted."""

LONGEST_PATH = 6

_PLAIN = (CauseKind.NO_MATCH, CauseKind.CYCLE, CauseKind.SETTLING, CauseKind.PAUSED, CauseKind.UNFINISHED)
"""Causes that the state of their run does not tell."""


def lines(answer: Answer, now: datetime) -> list[Line]:
    return [
        _headline(answer, now),
        *_story(answer),
        *(line for view in answer.sensors for line in _sensor(view, now, answer)),
        *past_text.way_lines(answer.way),
        *_causes(answer, now),
        *_own_log(answer),
        [],
        *([Span(sentence)] for sentence in answer.outlook),
    ]


def _headline(answer: Answer, now: datetime) -> Line:
    name = Span(f"{answer.flow} {format_instant(answer.logical_at)}: ", "bold")
    run = answer.run
    if run is None:
        return [name, Span(answer.state.replace("_", " "), "yellow")]
    verdict = answer.verdict
    words = f": {run.message or run.reason}" if run.message or run.reason else ""
    if verdict and verdict is not Verdict.WAITING:
        return [name, Span(f"{verdict.value}, {since(run, now)}", past_text.VERDICTS[verdict])]
    return [name, Span(since(run, now), STYLES[run.state]), Span(words)]


def _story(answer: Answer) -> Iterator[Line]:
    """What the run has been through, as far as that is not told by how it stands."""
    if answer.story is None:
        return
    lines = past_text.summary(answer.story, answer.attempts)
    lines += [[Span(f"It went on without {without(one)}.", "yellow")] for one in answer.passed_over]
    if lines:
        yield []
        yield from lines


def _sensor(view: SensorView, now: datetime, answer: Answer) -> Iterator[Line]:
    """As it stands; of a run that waits no more, as it stood then, and how it does now if that is another matter."""
    past = _past(view, answer)
    over = answer.run is not None and answer.run.state is not State.WAITING
    if over and past is None:
        return
    present = view.standing.verdict
    verdict = past.turns[-1].period.verdict if over and past and past.turns else present
    reason = f" ({view.reason})" if view.reason else ""
    yield []
    yield [
        Span(f"sensor {view.sensor.index} on "),
        Span(view.sensor.upstream, "bold"),
        Span(f", {view.sensor.mapping.label}: "),
        Span(f"{verdict.value}{reason if verdict is present else ''}", past_text.VERDICTS[verdict]),
        Span("" if verdict is present else f"; now {present.value}{reason}", past_text.VERDICTS[present]),
    ]
    yield [Span(f"  {view.words}")]
    if past:
        yield from past_text.sensor_lines(past, over=over)
    if view.deadline_at:
        yield [Span(f"  {_deadline(view.deadline_at, view.sensor.on_timeout, now)}", "yellow")]
    missing = [one for one in view.upstreams if not one.counts]
    if present is Verdict.SATISFIED or (over and past and len(past.turns) > 1):
        return
    for one in missing[:MOST]:
        yield _upstream(one, now)
    if len(missing) > MOST:
        yield [Span(f"  and {len(missing) - MOST:,} more")]


def _past(view: SensorView, answer: Answer) -> SensorPast | None:
    found = answer.story.sensors if answer.story else ()
    return next((one for one in found if one.sensor.index == view.sensor.index), None)


def _deadline(at: datetime, policy: Policy, now: datetime) -> str:
    """`times out at 2026-11-22T05:00:00Z, in 30m: then the run fails`."""
    then = {Policy.FAIL: "then the run fails", Policy.SKIP: "then the run is skipped"}
    when = f"in {span_of(at - now)}" if at > now else "in the daemon's next turn"
    return f"times out at {format_instant(at)}, {when}: {then.get(policy, 'then the run goes on without')}"


def _upstream(one: Upstream, now: datetime) -> Line:
    date = Span(f"  {format_instant(one.logical_at)}  ")
    if one.run is None:
        if one.state is State.SKIPPED:
            return [date, Span("missed", STYLES[State.SKIPPED])]
        due = f"comes in {span_of(one.logical_at - now)}" if one.logical_at > now else "not planned yet"
        return [date, Span(f"{due}, {one.held}" if one.held else due, "yellow")]
    words = one.run.message or one.run.reason
    tail = f": {words}" if words else ""
    return [date, Span(since(one.run, now), STYLES[one.state]), Span(tail)]


def _causes(answer: Answer, now: datetime) -> Iterator[Line]:
    if not answer.causes:
        return
    groups = _group(answer.causes)
    yield []
    then = ", as things stood then" if _is_over(answer) else ""
    title = "Root cause" if len(answer.causes) == 1 else f"{len(answer.causes):,} root causes"
    yield [Span(f"{title}{then}", "bold")]
    for group in groups[:MOST]:
        yield from _cause(group, answer, now)
    if left := sum(len(group) for group in groups[MOST:]):
        yield [Span(f"  and {left:,} more; --json has them all")]
    if not answer.complete:
        yield [Span("  (there are more: too many to find them all)")]


def _group(causes: Sequence[Cause]) -> list[list[Cause]]:
    """Ticks of one flow that have no run, of one kind, together; each run by itself."""
    groups: dict[object, list[Cause]] = {}
    for cause in causes:
        groups.setdefault(cause if cause.run else (cause.flow, cause.kind), []).append(cause)
    return list(groups.values())


def _cause(group: Sequence[Cause], answer: Answer, now: datetime) -> Iterator[Line]:
    cause, run = group[0], group[0].run
    name = f"  {cause.flow} {format_instant(cause.logical_at)}"
    if len(group) > 1:
        name += f" to {format_instant(group[-1].logical_at)}, {count(len(group), 'tick')}"
    style = STYLES[run.state] if run else "yellow"
    kind = cause.kind.value.replace("_", " ")
    plain = run is None or cause.kind in _PLAIN
    shown = kind if plain or run is None else since(run, now)
    if run and not plain and _is_over(answer):
        shown = f"{run.state.label} since {format_instant(run.since_at)}"
    yield [Span(f"{name}  "), Span(shown, style), Span(f": {cause.words}" if cause.words else "")]
    if len(cause.path) > 1:
        yield [Span(f"    {_path(cause)}", "dim")]
    if run and cause.kind is CauseKind.FAILED and ended_itself(run):
        yield from _log(answer.logs.get(run.id, []))
    if cause.later and cause.now:
        yield [Span(f"    {cause.later}, {cause.now.label} now")]
    elif run and cause.kind is CauseKind.FAILED and ended_itself(run):
        name = f"{run.flow} {format_instant(run.logical_at)}"
        yield [Span(f"    see `sensord run logs {name}`, and once mended `sensord run rerun {name}`")]


def _is_over(answer: Answer) -> bool:
    return answer.run is not None and answer.run.state in FINAL


def _log(found: Sequence[str]) -> Iterator[Line]:
    for line in found:
        yield [Span("    | ", "dim"), Span(line.expandtabs())]


def _path(cause: Cause) -> str:
    """From the run that was asked about to the cause, without what is in the middle of a long way."""
    names = [f"{flow} {format_instant(at)}" for flow, at in cause.path[1:]]
    if len(names) > LONGEST_PATH:
        left_out = count(len(names) - LONGEST_PATH, "run")
        names = [*names[: LONGEST_PATH // 2], f"({left_out})", *names[-LONGEST_PATH // 2 :]]
    return f"through {' -> '.join(names)}"


def _own_log(answer: Answer) -> Iterator[Line]:
    """The end of the log of the run that was asked about, if its own command failed."""
    found = answer.logs.get(answer.run.id) if answer.run and not answer.causes else None
    if found:
        yield []
        yield from _log(found)
