"""What `sensord check` finds, shown as compilers do: place, message, the line with a caret, a hint."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sensord.cli import render
from sensord.cli.files import read_files
from sensord.cli.render import Line, Span, cell_width, count, message
from sensord.cli.session import Session
from sensord.cli.shapes import problem_shape
from sensord.config.names import SETTINGS_FILE
from sensord.errors import ConfigError, Problem
from sensord.escape import escape

AROUND = 100
"""Characters of a line that are shown before and after the caret."""


class Report(NamedTuple):
    flows: int
    problems: Sequence[Problem]


def examine(session: Session) -> Report:
    try:
        config = read_files(session)
    except ConfigError as error:
        return Report(0, error.problems)
    return Report(len(config.flows), config.problems)


def shape(report: Report) -> dict[str, Any]:
    return {
        "ok": not report.problems,
        "flows": report.flows,
        "problems": [problem_shape(problem) for problem in report.problems],
    }


def show(report: Report, folder: Path) -> None:
    """Problems on stdout, the sum of it on stderr."""
    render.show([line for problem in report.problems for line in _lines(problem, folder)])
    flows = f"{count(report.flows, 'flow')} fit to run"
    message(f"{count(len(report.problems), 'problem')}, {flows}" if report.problems else f"no problems, {flows}")


def _lines(problem: Problem, folder: Path) -> Iterator[Line]:
    place = str(folder / problem.place) if problem.file else str(folder)
    key = f"{problem.key}: " if problem.key else ""
    yield [Span(f"{place}: ", "bold"), Span("error: ", "bold red"), Span(f"{key}{problem.message}")]
    yield from _source(problem, folder)
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
