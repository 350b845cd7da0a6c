"""Runs and attempts as text: tables, and the marks and words for their states."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sensord.cli.render import Cell, Column, Line, Span, count, show, span_of, table
from sensord.core.instant import format_instant
from sensord.core.params import Param
from sensord.core.run import FINAL, State
from sensord.store.reads.consumers import Consumers
from sensord.store.reads.runs import Attempt, Details, Run, pruned_attempts

MARKS = {
    State.WAITING: ".",
    State.QUEUED: "=",
    State.STARTING: ">",
    State.RUNNING: ">",
    State.RETRYING: "~",
    State.SUCCESS: "+",
    State.FAILED: "x",
    State.SKIPPED: "-",
    State.CANCELLED: "/",
}
"""One character a state, told apart without colour, and typed on any keyboard to search for."""

STYLES = {
    State.SUCCESS: "green",
    State.FAILED: "bold red",
    State.CANCELLED: "red",
    State.SKIPPED: "dim",
    State.RUNNING: "cyan",
    State.STARTING: "cyan",
    State.RETRYING: "yellow",
    State.WAITING: "yellow",
    State.QUEUED: "blue",
}

STALE = "stale: an upstream run was rerun since"

LEGEND = "+ success  x failed  - skipped  / cancelled  > running  ~ retrying  = queued  . waiting"


def strip(states: Sequence[State]) -> Line:
    """The states of a flow's newest runs, the newest last."""
    return [Span(MARKS[state], STYLES[state]) for state in states]


def state_span(state: State) -> Span:
    return Span(state.label, STYLES[state])


def since(run: Run, now: datetime) -> str:
    """`failed 20m ago`, `running for 2h`."""
    span = span_of(now - run.since_at)
    return f"{run.state.label} {span} ago" if run.state in FINAL else f"{run.state.label} for {span}"


def run_table(found: Sequence[Run], now: datetime) -> None:
    columns = [
        Column("FLOW"),
        Column("DATE"),
        Column("STATE"),
        Column("FOR", right=True, spare=True),
        Column("ATTEMPT", right=True, spare=True),
        Column("RUN", right=True, spare=True),
        Column("WHY", flex=True),
    ]
    table(columns, [_run_row(run, now) for run in found])


def consumer_table(found: Sequence[Consumers]) -> None:
    """What would be run again with a run, by flow."""
    columns = [Column("FLOW"), Column("RUNS", right=True), Column("FIRST"), Column("LAST"), Column("NOTE", flex=True)]
    rows = [
        [
            one.flow,
            f"{one.number:,}",
            format_instant(one.first_at),
            format_instant(one.last_at),
            f"{one.busy:,} not ended: left alone" if one.busy else "",
        ]
        for one in found
    ]
    table(columns, rows)


def show_run_details(
    run: Run,
    attempts: Sequence[Attempt],
    logs: Mapping[int, str],
    now: datetime,
    details: Details,
    hurried: tuple[str, datetime] | None = None,
    earlier: Sequence[str] = (),
) -> None:
    """A run as a list of facts, and a table of its attempts. hurried: the run that gave it its priority. earlier: words
    for what it had come to before, and was overwritten.
    """
    whose = f" of {hurried[0]} {format_instant(hurried[1])}, which waits for it" if hurried else ""
    facts = [
        ("state", [Span(since(run, now), STYLES[run.state])]),
        ("why", [Span(_why(run._replace(stale_at=None)) or "-")]),
        ("run", [Span(f"{run.id}, {run.kind.label}, priority {run.priority}{whose}")]),
        ("created", [Span(_stamp(run.created_at))]),
        ("released", [Span(_stamp(run.released_at))]),
        ("started", [Span(_stamp(run.started_at))]),
        ("finished", [Span(_stamp(run.finished_at))]),
    ]
    if run.stale_at:
        facts.append(("stale", [Span(f"since {_stamp(run.stale_at)}: an upstream run was rerun", "yellow")]))
    title: Line = [Span(f"{run.flow} {format_instant(run.logical_at)}", "bold")]
    lines = [title, *([Span(f"  {name:9} "), *value] for name, value in facts)]
    lines += [[Span(f"  {'before':9} "), Span(words)] for words in earlier]
    lines += [[Span(f"  {'params':9} "), Span(_params(details.params))]] if details.params else []
    lines += [[Span(f"  {'without':9} "), Span(without(one), "yellow")] for one in details.passed_over]
    if pruned := pruned_attempts(run, [one.number for one in attempts]):
        lines += [[Span(f"  {'pruned':9} "), Span(f"{count(len(pruned), 'attempt')} and logs, by retention")]]
    show([*lines, []] if attempts else lines)
    if attempts:
        _attempt_table(attempts, logs)


def _params(given: Mapping[str, Param]) -> str:
    """`full = true, mode = "delta"`, as their file would have them."""
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in given.items()}
    return ", ".join(f"{name} = {text}" for name, text in texts.items())


def without(one: Mapping[str, Any]) -> str:
    """`dim/customers 2026-11-22T02:00:00Z (failed); the last good one is 2026-11-21T02:00:00Z`."""
    passed, instead = one["passed_over"], one["instead"]
    first = passed[0]
    date = first["logical_date"] or "any tick"
    more = len(passed) - 1 + one.get("passed_over_omitted", 0)
    others = f" and {more:,} more" if more else ""
    last = f"the last good one before is {instead['logical_date']}" if instead else "there is no good one before"
    return f"{one['upstream']} {date} ({first['state']}, {first['cause']}){others}; {last}"


def _attempt_table(attempts: Sequence[Attempt], logs: Mapping[int, str]) -> None:
    columns = [
        Column("ATTEMPT"),
        Column("HOST", spare=True),
        Column("PID", spare=True),
        Column("BEGAN"),
        Column("TOOK"),
        Column("END", flex=True),
        Column("LOG", flex=True),
    ]
    rows = [
        [
            str(one.number),
            one.host,
            str(one.pid or ""),
            _stamp(one.began_at),
            span_of(one.ended_at - one.began_at) if one.ended_at and one.began_at else "",
            how_ended(one),
            logs.get(one.number, "with its worker: sensord run logs"),
        ]
        for one in attempts
    ]
    table(columns, rows)


def lasted(run: Run, now: datetime) -> str:
    """How long it has been in its state, or if it has ended, how long its last attempt took."""
    if run.state not in FINAL:
        return span_of(now - run.since_at)
    return span_of(run.finished_at - run.started_at) if run.finished_at and run.started_at else ""


def _run_row(run: Run, now: datetime) -> list[Cell]:
    return [
        run.flow,
        format_instant(run.logical_at),
        state_span(run.state),
        lasted(run, now),
        str(run.attempt or ""),
        str(run.id),
        _why(run),
    ]


def _why(run: Run) -> str:
    return f"{count(run.pending, 'condition')} to come" if run.state is State.WAITING else why_ended(run)


def why_ended(run: Run) -> str:
    """What is to be said of a run's state, and whether what it stands on is still what it was."""
    words = run.message or run.reason or ""
    return "; ".join(filter(None, (words, STALE if run.stale_at else "")))


def how_ended(attempt: Attempt) -> str:
    """`exit 3`, `signal 9`, or why it was never started; empty as long as it has not ended."""
    if attempt.ended_at is None:
        return ""
    if attempt.exit_code is not None:
        return f"exit {attempt.exit_code}"
    if attempt.signal is not None:
        return f"signal {attempt.signal}"
    return attempt.message or attempt.problem or ""


def _stamp(at: datetime | None) -> str:
    return format_instant(at) if at else "-"
