"""A flow as it is when all that it builds on is merged, key by key, each with the file that says so."""

from collections.abc import Iterator
from pathlib import Path as Folder
from typing import Any, NamedTuple

from sensord.config.document import Path
from sensord.config.files import find_files
from sensord.config.library import Library
from sensord.config.merge import Merged
from sensord.config.names import propose_flow, show
from sensord.config.reading import read_file
from sensord.config.report import Report, spell
from sensord.config.shape import clean
from sensord.config.source import merge
from sensord.config.tables import FlowTable
from sensord.errors import ConfigError, NotFound, Problem


class Resolved(NamedTuple):
    """One value: a text, a number, true or false, a date, or a list of these. file: relative to the config folder."""

    key: str
    value: Any
    file: str
    line: int
    column: int


def resolved(directory: Folder, name: str) -> list[Resolved]:
    """What holds for the flow `name`, in the order of the files from the lowest up.

    A key says which of the merged flow's sensors it is of, `sensors[2].upstream`, though its own file may count
    another way. Reads the files of this one flow alone, and does not ask whether what they say makes sense. NotFound
    where there is no such flow; ConfigError, with all problems, where keys or values are not of their shape.
    """
    found = find_files(directory)
    file = next((one for one in found.files if one.name == name), None)
    if file is None:
        names = [one.name for one in found.files]
        raise NotFound(f"expected the name of a flow, got {show(name)}", hint=propose_flow(name, names))
    document = read_file(file, name)
    if isinstance(document, Problem):
        raise ConfigError([document])
    report = Report(file.file, name, document)
    table, data = clean(FlowTable, report)
    stack = Library(directory, found.defaults).stack(name, table.extends)
    if stack.missing:
        report.at_value(("extends",), *stack.missing)
    if problems := [*report.problems, *stack.problems]:
        raise ConfigError(problems)
    merged = merge(file.file, document, data, stack.layers)
    return [_locate(path, value, merged) for path, value in _leaves((), merged.data)]


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    """All that is no table, with the way to it; `[[sensors]]` are tables, other lists are values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif path == ("sensors",):
        for number, inner in enumerate(value):
            yield from _leaves((*path, number), inner)
    else:
        yield path, value


def _locate(path: Path, value: Any, merged: Merged) -> Resolved:
    file, _ = merged.home(path)
    assert file is not None
    return Resolved(spell(path), value, file, *merged.value_place(path))
