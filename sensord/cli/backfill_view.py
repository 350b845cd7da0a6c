"""Backfills for people and for JSON: what was asked for, and how far it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sensord.cli.listing import STYLES
from sensord.cli.render import Cell, Column, Line, Span, count, span_of
from sensord.cli.render import table as show_table
from sensord.cli.shapes import moment
from sensord.core.instant import format_instant
from sensord.core.run import ACTIVE, FINAL, BackfillState, State
from sensord.store.reads.backfills import Backfill, Part

_COLOURS = {
    BackfillState.RUNNING: "cyan",
    BackfillState.PAUSED: "yellow",
    BackfillState.CANCELLED: "red",
    BackfillState.DONE: "green",
}


def shape(one: Backfill) -> dict[str, Any]:
    return {
        "backfill": one.id,
        "flow": one.flow,
        "from": moment(one.since_at),
        "to": moment(one.until_at),
        "state": one.state.label,
        "rerun": one.rerun,
        "upstream": one.upstream,
        "downstream": one.flows > 1,
        "max_active": one.max_active,
        "who": one.who,
        "created_at": moment(one.created_at),
        "finished_at": moment(one.finished_at),
        "planned": one.planned,
        "total": one.total,
        "runs": _counts(one.counts),
    }


def detail_shape(one: Backfill, parts: Sequence[Part]) -> dict[str, Any]:
    return shape(one) | {"flows": [{"flow": part.flow, "runs": _counts(part.counts)} for part in parts]}


def table(found: Sequence[Backfill]) -> None:
    columns = [
        Column("BACKFILL", right=True),
        Column("FLOW"),
        Column("FROM", spare=True),
        Column("TO", spare=True),
        Column("STATE"),
        Column("PROGRESS", flex=True),
    ]
    show_table(columns, [_row(one) for one in found])


def detail_lines(one: Backfill, parts: Sequence[Part], now: datetime) -> list[Line]:
    flags = [f"rerun {one.rerun}" if one.rerun else "", "upstream" if one.upstream else ""]
    flags += ["downstream" if one.flows > 1 else "", f"at most {one.max_active} at once" if one.max_active else ""]
    asked = f"{one.who}, {span_of(now - one.created_at)} ago"
    facts: dict[str, Span] = {
        "state": Span(one.state.label, _COLOURS[one.state]),
        "dates": Span(f"{format_instant(one.since_at)} to {format_instant(one.until_at)}"),
        "options": Span(", ".join(flag for flag in flags if flag) or "-"),
        "asked by": Span(asked),
        "finished": Span(format_instant(one.finished_at) if one.finished_at else "-"),
        "progress": Span(progress(one)),
    }
    lines: list[Line] = [[Span(f"backfill {one.id} of {one.flow}", "bold")]]
    lines += [[Span(f"  {name:9} "), value] for name, value in facts.items()]
    return lines + [[Span(f"  {part.flow}: "), *_part(part.counts)] for part in parts]


def progress(one: Backfill) -> str:
    """`12 of 30 done, 2 failed, 3 running`; a total that may still grow is said to be one so far."""
    total = f"{one.total:,}" if one.planned or one.state is BackfillState.CANCELLED else f"{one.total:,} so far"
    rest = {"failed": one.number(State.FAILED), "running": one.number(*ACTIVE)}
    return f"{one.number(*FINAL):,} of {total} done" + "".join(f", {n:,} {word}" for word, n in rest.items() if n)


def _row(one: Backfill) -> list[Cell]:
    return [
        str(one.id),
        one.flow if one.flows == 1 else f"{one.flow} and {count(one.flows - 1, 'flow')}",
        format_instant(one.since_at),
        format_instant(one.until_at),
        Span(one.state.label, _COLOURS[one.state]),
        progress(one),
    ]


def _part(counts: Mapping[State, int]) -> Line:
    spans: list[Span] = []
    for state, number in sorted(counts.items()):
        spans += [Span(", ")] if spans else []
        spans.append(Span(f"{number:,} {state.label}", STYLES[state]))
    return spans


def _counts(counts: Mapping[State, int]) -> dict[str, int]:
    """By the state's name; states without runs are left out."""
    return {state.label: number for state, number in sorted(counts.items())}
