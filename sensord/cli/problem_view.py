"""What is wrong in the files, for the commands that say how things stand: `sensord check` tells all of it."""

from collections.abc import Sequence

from sensord.cli.render import Line, Span, count
from sensord.errors import Problem

MOST = 10
"""Problems that are told: one wrong line in what many files extend must not push all else off the screen."""


def problem_lines(problems: Sequence[Problem]) -> list[Line]:
    """One each, without its hint; of many the first, and how many more there are."""
    shown = [_line(problem) for problem in problems[:MOST]]
    more = len(problems) - len(shown)
    return [*shown, [Span(f"  and {count(more, 'problem')} more: `sensord check` tells all")]] if more else shown


def _line(problem: Problem) -> Line:
    key = f"{problem.key}: " if problem.key else ""
    return [Span("  "), Span(problem.place or "config", "bold"), Span(f": {key}{problem.message}")]
