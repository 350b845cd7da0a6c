"""What `sensord check` has found, shown as compilers do: place, message, the line with a caret, a hint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sensord.cli import render
from sensord.cli.examine import Found, Report
from sensord.cli.render import Line, Span, cell_width, count, message
from sensord.cli.shapes import moment, problem_shape
from sensord.config.names import SETTINGS_FILE
from sensord.core.check import CounterExample, Severity
from sensord.core.instant import format_instant
from sensord.errors import Problem
from sensord.escape import escape

AROUND = 100
"""Characters of a line that are shown before and after the caret."""

LINKS = 6
"""Runs of a circle or chain that are shown."""

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}


def shape(report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "flows": report.flows,
        "from": moment(report.since),
        "until": moment(report.until),
        "problems": [problem_shape(problem) for problem in report.problems],
        "findings": [_finding_shape(found) for found in report.findings],
    }


def show(report: Report, folder: Path) -> None:
    """Problems and findings on stdout, the sum of them on stderr."""
    lines = [line for problem in report.problems for line in _lines(problem, Severity.ERROR, folder)]
    for found in report.findings:
        example = found.finding.counter_example
        lines += _lines(found.problem, found.finding.severity, folder, example)
    render.show(lines)
    flows = f"{count(report.flows, 'flow')} fit to run"
    wrong = [count(report.errors, "error")] if report.errors else ["no errors"]
    message(", ".join([*wrong, *([count(report.warnings, "warning")] if report.warnings else []), flows]))


def _lines(problem: Problem, severity: Severity, folder: Path, example: CounterExample | None = None) -> Iterator[Line]:
    place = str(folder / problem.place) if problem.file else str(folder)
    key = f"{problem.key}: " if problem.key else ""
    yield [Span(f"{place}: ", "bold"), Span(f"{severity.value}: ", STYLES[severity]), Span(f"{key}{problem.message}")]
    yield from _source(problem, folder)
    if example:
        yield from _example(example, problem.message)
    if problem.hint:
        yield [Span("    hint: ", "cyan"), Span(problem.hint)]


def _source(problem: Problem, folder: Path) -> Iterator[Line]:
    """The line and a caret below it; nothing where there is no place, and never the line of a database URL."""
    if problem.file is None or problem.line is None or (problem.file, problem.key) == (SETTINGS_FILE, "database"):
        return
    try:
        text = (folder / problem.file).read_text(encoding="utf-8").split("\n")[problem.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return
    at = (problem.column or 1) - 1
    before, after = text[max(0, at - AROUND) : at].lstrip(), text[at : at + AROUND].rstrip()
    yield [Span(f"    {before}{after}")]
    if problem.column:
        yield [Span("    " + " " * cell_width(escape(before))), Span("^", "bold red")]


def _example(example: CounterExample, said: str) -> Iterator[Line]:
    """The first date on which it goes wrong, and as each side's clocks have it unless the message said so."""
    walls = [example.wall]
    if example.upstream_wall != example.wall:
        walls.append(f"for the upstream {example.upstream_wall}")
    shown = "" if example.wall in said else f" ({', '.join(walls)})"
    yield [Span(f"    first: {format_instant(example.logical_date)}{shown}")]
    if example.chain:
        names = [f"{flow} {format_instant(at)}" for flow, at in example.chain]
        more = f" -> ({len(names) - LINKS:,} more)" if len(names) > LINKS else ""
        yield [Span(f"    waits: {' -> '.join(names[:LINKS])}{more}")]


def _finding_shape(found: Found) -> dict[str, Any]:
    finding, example = found.finding, found.finding.counter_example
    return problem_shape(found.problem, finding.severity.value) | {
        "kind": finding.kind.value,
        "sensor": finding.sensor_index,
        "count": finding.count,
        "counter_example": _example_shape(example) if example else None,
    }


def _example_shape(example: CounterExample) -> dict[str, Any]:
    return {
        "logical_date": moment(example.logical_date),
        "wall": example.wall,
        "upstream_wall": example.upstream_wall,
        "dates": [moment(at) for at in example.dates],
        "chain": [{"flow": flow, "logical_date": moment(at)} for flow, at in example.chain],
    }
