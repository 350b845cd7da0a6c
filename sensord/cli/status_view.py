"""What `sensord status` tells: read from the database, and shown as text or as JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sensord.cli import render
from sensord.cli.listing import LEGEND, lasted, state_span, strip
from sensord.cli.render import Cell, Column, Line, Span, count, span_of
from sensord.cli.shapes import leader_shape, moment, problem_shape, run_shape
from sensord.core.instant import format_instant
from sensord.core.run import FINAL, State
from sensord.errors import Problem
from sensord.store.database import Database
from sensord.store.lead import Leader, current_leader
from sensord.store.reads import flows, waits
from sensord.store.reads.flows import Glance
from sensord.store.reads.waits import Wait

COLUMNS = (
    Column("FLOW"),
    Column("RUNS"),
    Column("NEWEST"),
    Column("STATE"),
    Column("FOR", right=True),
    Column("WHY", flex=True),
)


class Overview(NamedTuple):
    """waits: what each waiting newest run waits for, by its id; what only a person can mend comes first."""

    leader: Leader | None
    problems: Sequence[Problem]
    glances: Sequence[Glance]
    waits: Mapping[int, Sequence[Wait]]


def read(db: Database) -> Overview:
    leader, problems, glances = current_leader(db), flows.problems(db), flows.glances(db)
    waiting = [one.newest for one in glances if one.newest and one.newest.state is State.WAITING]
    by_run: dict[int, list[Wait]] = {}
    for one in sorted(waits.summary(db, waiting), key=_urgency):
        by_run.setdefault(one.run_id, []).append(one)
    return Overview(leader, problems, glances, by_run)


def _urgency(wait: Wait) -> tuple[bool, bool, int, str]:
    """What has ended comes first, then what a pause or a missing file holds back."""
    return wait.state not in FINAL, not wait.held, -wait.state, wait.upstream


def show(overview: Overview, now: datetime) -> None:
    render.show([*_headline(overview, now), []])
    if not overview.glances:
        render.message("no flows yet: put one into the config folder's flows/")
        return
    render.table(COLUMNS, [_row(one, overview.waits, now) for one in overview.glances])
    if render.terminal_width() is not None:
        render.show([[], [Span(LEGEND, "dim")]])


def shape(overview: Overview) -> dict[str, Any]:
    return {
        "daemon": leader_shape(overview.leader),
        "problems": [problem_shape(problem) for problem in overview.problems],
        "flows": [_flow_shape(one, overview.waits) for one in overview.glances],
    }


def _headline(overview: Overview, now: datetime) -> list[Line]:
    """Who leads, and what is wrong in the files."""
    leader, problems = overview.leader, overview.problems
    if leader:
        who = f"process {leader.holder.pid} on {leader.holder.host}, for {span_of(now - leader.started_at)}"
        lines: list[Line] = [[Span("daemon: "), Span(who, "green")]]
    else:
        lines = [[Span("daemon: "), Span("none; nothing starts until `sensord daemon start`", "bold red")]]
    if problems:
        lines.append([Span("files:  "), Span(count(len(problems), "problem"), "bold red")])
    for problem in problems:
        key = f"{problem.key}: " if problem.key else ""
        lines.append([Span("  "), Span(problem.place or "config", "bold"), Span(f": {key}{problem.message}")])
    return lines


def _row(one: Glance, waiting: Mapping[int, Sequence[Wait]], now: datetime) -> Sequence[Cell]:
    run = one.newest
    mark = "" if one.flow.label == "active" else f" ({one.flow.label})"
    flow = [Span(one.flow.name), Span(mark, "yellow")]
    if run is None:
        return [flow, "", "", "no runs yet", "", ""]
    why = _sentence(waiting[run.id]) if run.id in waiting else run.message or run.reason or ""
    return [flow, strip(one.states), format_instant(run.logical_at), state_span(run.state), lasted(run, now), why]


def _sentence(found: Sequence[Wait]) -> str:
    """Whom a run waits for: the worst of them, and how many more."""
    worst = found[0]
    verb = "blocked by" if worst.state in FINAL else "waits for"
    state = "not there yet" if worst.state is State.ABSENT else worst.state.label
    state = f"upstream_{worst.held}" if worst.held else state
    more = sum(one.number for one in found) - 1
    rest = f" and {more:,} more" if more else ""
    return f"{verb} {worst.upstream} {format_instant(worst.logical_at)} ({state}){rest}"


def _flow_shape(one: Glance, waiting: Mapping[int, Sequence[Wait]]) -> dict[str, Any]:
    return {
        "flow": one.flow.name,
        "state": one.flow.label,
        "planned_to": moment(one.flow.planned_to),
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
            for wait in (waiting.get(one.newest.id, ()) if one.newest else ())
        ],
    }
