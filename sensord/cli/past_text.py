"""The past of a run as text: how long it waited, the verdicts of its sensors, what came last, what it was before."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sensord.cli.listing import STYLES
from sensord.cli.past import End, SensorPast, Story, Turn
from sensord.cli.past_way import Step
from sensord.cli.render import Line, Span, count, span_of
from sensord.core.instant import format_instant
from sensord.core.past import What
from sensord.core.run import FINAL, State
from sensord.core.sensor import Verdict
from sensord.store.reads.runs import Attempt

MOST = 10
"""Verdicts of a sensor, steps and earlier ends that are listed; of more, those in the middle are counted."""

VERDICTS = {
    Verdict.SATISFIED: "green",
    Verdict.WAITING: "yellow",
    Verdict.BLOCKED: "bold red",
    Verdict.IMPOSSIBLE: "bold red",
}
_SECOND = timedelta(seconds=1)
_DONE = {
    State.SUCCESS: "succeeded",
    State.FAILED: "failed",
    State.SKIPPED: "was skipped",
    State.CANCELLED: "was cancelled",
}


def summary(story: Story, attempts: Sequence[Attempt]) -> list[Line]:
    """What the run has been through, a sentence a line; empty while there is nothing to tell."""
    sentences = [*_before(story.ends), *_wait(story), *_attempts(story, attempts)]
    return [[Span(sentence)] for sentence in sentences]


def earlier(ends: Sequence[End]) -> list[str]:
    """`failed (exit 1) at 2026-11-22T02:14:00Z, and was sent back by ann at ...` for each; of many, for the last."""
    more = len(ends) - MOST
    counted = [f"had ended {count(more, 'time')} before what is told here"] if more > 0 else []
    return counted + [_came_and_left(end) for end in ends[-MOST:]]


def _before(ends: Sequence[End]) -> Iterator[str]:
    return (f"It {words}." for words in earlier(ends))


def _wait(story: Story) -> Iterator[str]:
    if story.pruned:
        yield "What it waited for, and its attempts, are not kept any more: retention has taken them."
    if story.mapped_at:
        yield (
            f"It was mapped anew at {format_instant(story.mapped_at)}, since its file or a schedule upstream had"
            " changed; what it had waited for until then is not kept."
        )
    until = story.waited_until
    if until is None:
        return
    waited = until - story.begun_at
    if story.at_once:
        yield f"It was to run at once, from {format_instant(story.begun_at)} on, whatever its sensors had."
    elif waited >= _SECOND:
        yield f"It waited for {span_of(waited)}, from {format_instant(story.begun_at)} to {format_instant(until)}."
    elif story.released and any(one.edges for one in story.sensors):
        yield f"It did not have to wait: it was released at once, at {format_instant(until)}."


def _attempts(story: Story, attempts: Sequence[Attempt]) -> Iterator[str]:
    """Those of the present life: how long the first of them was queued for, and how each ended."""
    mine = [one for one in attempts if one.submitted_at >= story.begun_at]
    if not mine or story.waited_until is None:
        return
    queued = mine[0].submitted_at - story.waited_until
    if queued >= _SECOND:
        yield f"It was queued for {span_of(queued)} before its first attempt."
    over = [one for one in mine if one.ended_at]
    if story.run.state in FINAL and len(over) > 1:
        ends = ", ".join(f"{_how(one)} at {format_instant(one.ended_at)}" for one in over[-MOST:] if one.ended_at)
        yield f"It took {count(len(mine), 'attempt')}: {ends}."
    elif story.run.state in FINAL and over and over[0].began_at and over[0].ended_at:
        ran = over[0].ended_at - over[0].began_at
        if ran >= _SECOND:
            yield f"Its command ran for {span_of(ran)}."


def _how(one: Attempt) -> str:
    if one.exit_code is not None:
        return f"exit {one.exit_code}"
    return f"signal {one.signal}" if one.signal is not None else one.problem or "ended"


def sensor_lines(sensor: SensorPast, *, over: bool) -> Iterator[Line]:
    """The verdicts of a sensor one after the other, where there is more to tell than how it stands now."""
    turns = sensor.turns
    if len(turns) < 2 or (not over and len(turns) < 3):
        return
    half = MOST // 2
    for place, turn in enumerate(turns):
        if len(turns) <= MOST or place < half or place >= len(turns) - half:
            yield _turn(turn, last=place == len(turns) - 1)
        elif place == half:
            yield [Span(f"  and {len(turns) - MOST:,} more")]


def _turn(turn: Turn, *, last: bool) -> Line:
    """`2026-11-22T02:14:00Z  blocked for 2h36m: dim/customers 2026-11-22T02:00:00Z failed (exit 1)`."""
    period = turn.period
    lasted = "" if last else f" for {span_of(period.until_at - period.since_at)}"
    cause = ": its deadline had passed" if period.timed_out else f": {_cause(turn)}" if turn.upstream else ""
    verdict = Span(f"{period.verdict.value}{lasted}", VERDICTS[period.verdict])
    return [Span(f"  {format_instant(period.since_at)}  "), verdict, Span(cause)]


def _cause(turn: Turn) -> str:
    if turn.upstream is None:
        return ""
    name = f"{turn.upstream.flow} {format_instant(turn.upstream.logical_at)}"
    if turn.end is None:
        return f"{name} was {_deed(turn)}"
    return f"{name} {came_to(turn.end)}"


def _deed(turn: Turn) -> str:
    if turn.again is None:
        return "to run again"
    how = {What.RERUN: "sent back", What.MADE: "run after all"}.get(turn.again.what, "marked")
    return f"{how}{_by(turn.again.who)}"


def came_to(end: End) -> str:
    """`failed (exit 1)`; `succeeded`, with nothing more to say."""
    if end.reason == "missed":
        return "was missed: its tick passed without a run"
    words = end.message or end.reason
    return f"{_DONE[end.state]} ({words})" if words else _DONE[end.state]


def _came_and_left(end: End) -> str:
    return f"{came_to(end)}{_at(end)}, and was {left(end)}"


def left(end: End) -> str:
    """`sent back by ann at 2026-11-22T04:50:00Z`."""
    if end.left is None:
        return ""
    how = {What.RERUN: "sent back", What.MADE: "run after all"}.get(end.left.what, "marked")
    return f"{how}{_by(end.left.who)} at {format_instant(end.left.at)}"


def way_lines(way: Sequence[Step]) -> Iterator[Line]:
    """What the run waited for last, and why that came so late, from the nearest up to the root."""
    if not way:
        return
    yield []
    yield [Span("What came last", "bold")]
    half = MOST // 2
    for place, step in enumerate(way):
        if len(way) <= MOST or place < half or place >= len(way) - half:
            yield from _step(step)
        elif place == half:
            yield [Span(f"  ({count(len(way) - MOST, 'run')} more in between)")]


def _step(step: Step) -> Iterator[Line]:
    """`ingest/orders 2026-11-22T02:00:00Z  succeeded at 2026-11-22T05:40:00Z; it did not wait, and took 20m`."""
    name = Span(f"  {step.flow} {format_instant(step.logical_at)}  ")
    yield [name, Span(f"{came_to(step.end)}{_at(step.end)}", STYLES[step.end.state]), Span(_course(step))]
    if step.story and step.story.ends:
        end = step.story.ends[-1]
        yield [Span(f"    before, it {_came_and_left(end)}")]


def _course(step: Step) -> str:
    story, since = step.story, step.end.since_at
    if story is None or story.waited_until is None or since is None:
        return f"; it was {left(step.end)}" if step.end.left else ""
    waited = story.waited_until - story.begun_at
    wait = f"waited for {span_of(waited)}" if waited >= _SECOND else "did not wait"
    return f"; it {wait}, and took {span_of(since - story.waited_until)}"


def _at(end: End) -> str:
    return f" at {format_instant(end.since_at)}" if end.since_at else ""


def _by(who: str | None) -> str:
    return f" by {who}" if who else ""
