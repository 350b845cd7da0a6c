"""Problems in files that several flows build on: said once, of no flow; each of the flows says so briefly."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sensord.config.source import Source
from sensord.errors import Problem


def say_once(problems: Iterable[Problem], sources: Mapping[str, Source]) -> list[Problem]:
    """A flow's problem that stands in another file than its own is that file's."""
    said: dict[Problem, None] = {}
    brief: dict[str, Problem] = {}
    for problem in problems:
        source = sources.get(problem.flow or "")
        if source is None or problem.file == source.found.file:
            said[problem] = None
        else:
            said[replace(problem, flow=None)] = None
            brief.setdefault(source.name, _briefly(source, problem))
    return [*said, *brief.values()]


def _briefly(source: Source, problem: Problem) -> Problem:
    where = f"{problem.file}:{problem.line}" if problem.line else f"{problem.file}"
    message = f"expected all that it builds on to be right, got an error at {where}"
    if source.extends_at:
        return Problem(message, None, source.found.file, *source.extends_at, source.name, "extends")
    return Problem(message, None, source.found.file, 1, 1, source.name)
