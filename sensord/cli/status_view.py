"""How `sensord status` shows what `overview` has found: as text, or as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sensord.cli import render
from sensord.cli.listing import LEGEND, lasted, state_span, strip, why_ended
from sensord.cli.manning import crew_words
from sensord.cli.overview import Left, Overview, Seen
from sensord.cli.problem_view import problem_lines
from sensord.cli.render import Cell, Column, Line, Span, count, span_of
from sensord.cli.shapes import crew_shape, leader_shape, moment, problem_shape, run_shape
from sensord.core.instant import format_instant
from sensord.core.run import FINAL, State
from sensord.store.reads.runs import Run
from sensord.store.reads.waits import Wait

COLUMNS = (
    Column("FLOW"),
    Column("RUNS", spare=True),
    Column("NEWEST"),
    Column("STATE"),
    Column("FOR", right=True, spare=True),
    Column("NEXT", right=True, spare=True),
    Column("WHY", flex=True),
)


def lines(overview: Overview, now: datetime, *, width: int | None, height: int | None = None) -> list[Line]:
    """For a terminal of `width` columns, with a legend, or for a pipe. `height`: flows that do not fit are counted.

    What is to be said of flows that are not shown is in it for a terminal alone; see `remark`.
    """
    head, legend = [*_headline(overview, now), []], [[], [Span(LEGEND, "dim")]] if width else []
    if not overview.flows:
        return head
    table = render.layout(COLUMNS, [_row(one, now) for one in overview.flows], width=width)
    more = [[Span(_more(overview.left))]] if overview.left and overview.left.number and width else []
    if height is not None and len(head) + len(table) + len(more) + len(legend) > height:
        room = max(height - len(head) - len(legend) - 1, 1)
        more = [[Span(_cut(overview.left, len(table) - room))]]
        table = table[:room]
    return [*head, *table, *more, *legend]


def shape(overview: Overview) -> dict[str, Any]:
    return {
        "daemon": leader_shape(overview.leader),
        "problems": [problem_shape(problem) for problem in overview.problems],
        "workers": [crew_shape(one) for one in overview.crews],
        "pools": [{"pool": one.name, "slots": one.slots, "used": one.used} for one in overview.pools],
        "total": overview.known,
        "flows": [_flow_shape(one) for one in overview.flows],
    }


def remark(overview: Overview) -> str:
    """What is to be said of flows that are not shown; empty where nothing is."""
    if overview.flows:
        return _more(overview.left) if overview.left and overview.left.number else ""
    if overview.left:
        known = count(overview.known, "flow")
        return f"all {known} are at rest: nothing runs, waits or has failed; `sensord status --all` lists them"
    if overview.known:
        return f"none of {count(overview.known, 'flow')} fits"
    return "no flows yet: put one into the config folder's flows/"


def _more(left: Left) -> str:
    """`and 9,950 more flows, at rest: ...`."""
    if left.restless is None:
        which = "some of them not at rest"
    elif left.restless == left.number:
        which = "not at rest"
    elif left.restless:
        which = f"{left.restless:,} of them not at rest"
    else:
        which = "at rest"
    return f"and {count(left.number, 'more flow')}, {which}: `sensord status --all`, or a pattern"


def _cut(left: Left | None, number: int) -> str:
    """Of so many more flows, for which the terminal has no room."""
    if left is None:
        return f"and {count(number, 'flow')} more: a pattern, --tag or --state shows fewer"
    return _more(Left(left.number + number, None if left.restless is None else left.restless + number))


def _headline(overview: Overview, now: datetime) -> list[Line]:
    """Who leads, who works, and what is wrong in the files."""
    leader, problems, indent = overview.leader, overview.problems, 9 if overview.crews else 8
    if leader:
        who = f"process {leader.holder.pid} on {leader.holder.host}, for {span_of(now - leader.started_at)}"
        found: list[Line] = [[Span("daemon:".ljust(indent)), Span(who, "green")]]
        if leader.trouble:
            words = f"it cannot go on, and tries again: {leader.trouble}"
            found.append([Span(" " * indent), Span(words, "bold red")])
    else:
        words = "none; nothing starts until `sensord daemon start`"
        found = [[Span("daemon:".ljust(indent)), Span(words, "bold red")]]
    if overview.crews:
        found.append([Span("workers: "), Span(crew_words(overview.crews))])
    if problems:
        found.append([Span("files:".ljust(indent)), Span(count(len(problems), "problem"), "bold red")])
    return [*found, *problem_lines(problems)]


def _row(one: Seen, now: datetime) -> Sequence[Cell]:
    run = one.newest
    mark = "" if one.flow.label == "active" else f" ({one.flow.label})"
    flow = [Span(one.flow.name), Span(mark, "yellow")]
    comes = span_of(one.next_at - now) if one.next_at else ""
    if run is None:
        return [flow, "", "", "no runs yet", "", comes, ""]
    why = _why(one, run)
    newest = format_instant(run.logical_at)
    return [flow, strip(one.states), newest, state_span(run.state), lasted(run, now), comes, why]


def _why(one: Seen, run: Run) -> str:
    if one.waits:
        return wait_words(one.waits)
    if run.state is State.QUEUED and one.pool and one.pool.is_full:
        return f"queues behind pool {one.pool.name}: {one.pool.used} of {one.pool.slots} in use"
    return why_ended(run)


def wait_words(found: Sequence[Wait]) -> str:
    """Whom a run waits for: the worst of them, and how many more."""
    worst = found[0]
    verb = "blocked by" if worst.state in FINAL else "waits for"
    state = "not there yet" if worst.state is State.ABSENT else worst.state.label
    state = f"upstream_{worst.held}" if worst.held else state
    more = sum(one.number for one in found) - 1
    rest = f" and {more:,} more" if more else ""
    return f"{verb} {worst.upstream} {format_instant(worst.logical_at)} ({state}){rest}"


def _flow_shape(one: Seen) -> dict[str, Any]:
    return {
        "flow": one.flow.name,
        "state": one.flow.label,
        "owner": one.owner,
        "tags": list(one.tags),
        "planned_to": moment(one.flow.planned_to),
        "next_tick": moment(one.next_at),
        "recent": [state.label for state in one.states],
        "newest": run_shape(one.newest) if one.newest else None,
        "waits_for": [
            {
                "upstream": wait.upstream,
                "state": wait.state.label,
                "runs": wait.number,
                "first": moment(wait.logical_at),
                "held": f"upstream_{wait.held}" if wait.held else None,
            }
            for wait in one.waits
        ],
    }
