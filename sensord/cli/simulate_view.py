"""What came of a simulation, as text and as JSON: each flow's landing times, and what did not get done."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from sensord.cli import render
from sensord.cli.listing import STYLES
from sensord.cli.render import Cell, Column, Line, Span, count, span_of
from sensord.cli.shapes import moment
from sensord.cli.status_view import wait_words
from sensord.core.instant import format_instant
from sensord.simulation.course import USUAL, Plan
from sensord.simulation.result import Landed, Result

MOST = 20
"""Runs that did not get done that are listed; the others are counted."""

COLUMNS = (
    Column("FLOW"),
    Column("RUNS", right=True),
    Column("TAKES", right=True, spare=True),
    Column("DONE AFTER", right=True),
    Column("AT WORST", right=True, spare=True),
    Column("LATE", right=True),
    Column("WAITS LAST FOR", flex=True),
)


def lines(plan: Plan, result: Result, *, width: int | None) -> list[Line]:
    flows = sorted({one.run.flow for one in result.runs})
    span = f"{format_instant(plan.since)} to {format_instant(plan.until)}"
    head: list[Line] = [[Span(f"{span}: {count(len(result.runs), 'run')} of {count(len(flows), 'flow')}", "bold")], []]
    if not flows:
        return head[:1]
    table = render.layout(COLUMNS, [_row(flow, result) for flow in flows], width=width)
    return [*head, *table, *_not_done(result)]


def shape(plan: Plan, result: Result) -> dict[str, Any]:
    """As docs/reference/json.md has it."""
    flows = sorted({one.run.flow for one in result.runs})
    return {
        "from": moment(plan.since),
        "until": moment(plan.until),
        "flows": [_flow_shape(flow, result) for flow in flows],
        "runs": [_run_shape(one) for one in result.runs],
    }


def _row(flow: str, result: Result) -> Sequence[Cell]:
    landed = result.of(flow)
    took = [one.took for one in landed if one.took is not None and one.well]
    late = sum(one.late for one in landed)
    waited = _mostly(landed)
    return [
        flow,
        str(len(landed)),
        span_of(result.durations.get(flow, USUAL)),
        span_of(_median(took)) if took else "",
        span_of(max(took)) if took else "",
        Span(str(late) if late else "", "bold red"),
        f"{waited[0]} ({waited[1]} of {len(landed)})" if waited else "",
    ]


def _mostly(landed: Sequence[Landed]) -> tuple[str, int] | None:
    """The flow that most of the runs waited for last, and how many did."""
    found = Counter(one.last[0] for one in landed if one.last)
    return min(found.items(), key=lambda item: (-item[1], item[0])) if found else None


def _median(spans: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median(span.total_seconds() for span in spans))


def _not_done(result: Result) -> list[Line]:
    """The runs that did not succeed, and those that were late, each with the reason."""
    found = [one for one in result.runs if not one.well or one.late]
    if not found:
        return [[], [Span("all done in time", "green")]]
    shown: list[Line] = [[], [Span(f"{count(len(found), 'run')} not done, or late", "bold")]]
    shown += [_line(one) for one in found[:MOST]]
    return shown + ([[Span(f"  and {len(found) - MOST:,} more; --json has them all")]] if len(found) > MOST else [])


def _line(one: Landed) -> Line:
    run = one.run
    words = wait_words(one.waits) if one.waits else run.message or run.reason or ""
    if one.well:
        after = f", after {one.last[0]} {format_instant(one.last[1])}" if one.last else ""
        words = f"done {span_of(one.took or timedelta())} after its tick{after}"
    state = Span(run.state.label, STYLES[run.state])
    late = Span(" late" if one.late else "", "bold red")
    return [Span(f"  {run.flow} {format_instant(run.logical_at)}  "), state, late, Span(f": {words}" if words else "")]


def _flow_shape(flow: str, result: Result) -> dict[str, Any]:
    landed = result.of(flow)
    return {
        "flow": flow,
        "duration": result.durations.get(flow, USUAL).total_seconds(),
        "known": flow in result.durations,
        "runs": len(landed),
        "done": sum(one.well for one in landed),
        "late": sum(one.late for one in landed),
    }


def _run_shape(one: Landed) -> dict[str, Any]:
    run = one.run
    return {
        "flow": run.flow,
        "logical_date": moment(run.logical_at),
        "state": run.state.label,
        "reason": run.reason,
        "message": run.message,
        "released_at": moment(run.released_at),
        "finished_at": moment(run.finished_at),
        "due_at": moment(one.due_at),
        "late": one.late,
        "waited_for": {"flow": one.last[0], "logical_date": moment(one.last[1])} if one.last else None,
        "waits_for": [
            {"upstream": wait.upstream, "state": wait.state.label, "first": moment(wait.logical_at)}
            for wait in one.waits
        ],
    }
