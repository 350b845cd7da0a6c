"""What flows build on: templates, and the nearest `defaults.toml` upwards. Each file is read once, when needed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sensord.config.document import Document
from sensord.config.files import FlowFile, Stamp, stamp_of
from sensord.config.names import DEFAULTS_FILE, FLOWS_FOLDER, TEMPLATES_FOLDER, explain_bad_name, find_nearest, show
from sensord.config.reading import read_file
from sensord.config.report import Report
from sensord.config.shape import clean
from sensord.config.tables import FlowTable
from sensord.errors import Problem

_PREFIX = f"{TEMPLATES_FOLDER}/"
_CIRCLE = "expected templates that do not extend one another in a circle"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A file that flows build on. data: what is right of it; problems: what is not, said of no flow.

    Two layers are equal where they are the same reading of the same file.
    """

    file: str
    stamp: Stamp
    document: Document
    data: dict[str, Any]
    problems: tuple[Problem, ...] = ()

    @property
    def extends(self) -> str | None:
        return self.data.get("extends")


class Stack(NamedTuple):
    """layers: what one flow builds on, the lowest first. problems: of these. missing: why its own `extends` fails."""

    layers: tuple[Layer, ...]
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, str | None] | None = None


class Library:
    """defaults: the `defaults.toml` of each folder, by the beginning of the names of its flows: "", "finance/"."""

    def __init__(self, directory: Path, defaults: Mapping[str, FlowFile], previous: "Library | None" = None) -> None:
        self._directory = directory
        self._defaults = defaults
        self._kept = previous._layers if previous and previous._directory == directory else {}
        self._layers: dict[str, Layer] = {}
        self._stamps: dict[str, Stamp | None] = {}
        self._stacks: dict[tuple[str, str | None], Stack] = {}

    def stack(self, name: str, extends: str | None) -> Stack:
        """What the flow `name` builds on, if its file extends `extends`: the same for all flows of a folder."""
        key = name.rpartition("/")[0], extends
        if key not in self._stacks:
            self._stacks[key] = self._make_stack(name, extends)
        return self._stacks[key]

    def _make_stack(self, name: str, extends: str | None) -> Stack:
        below = [layer] if (layer := self._nearest_defaults(name)) else []
        if extends is None:
            return Stack(tuple(below), _problems(below))
        if missing := self._explain_missing(extends):
            return Stack(tuple(below), _problems(below), missing)
        chain, problem = self._climb(extends)
        layers = below + chain[::-1]
        return Stack(tuple(layers), _problems(layers) + ((problem,) if problem else ()))

    def _nearest_defaults(self, name: str) -> Layer | None:
        folder = name
        while folder:
            folder = folder.rstrip("/").rpartition("/")[0]
            prefix = f"{folder}/" if folder else ""
            if found := self._defaults.get(prefix):
                return self._take(found)
        return None

    def _climb(self, extends: str) -> tuple[list[Layer], Problem | None]:
        """The template and those that it extends in turn, the upper ones first; and what ends the way too soon."""
        names, chain = [extends], [self._template(extends)]
        while (wanted := chain[-1].extends) is not None:
            message, hint = self._explain_missing(wanted) or (None, None)
            if wanted in names:
                message = f"{_CIRCLE}, got {' -> '.join([*names[names.index(wanted) :], wanted])}"
            if message:
                return chain, _at_extends(chain[-1], message, hint)
            names.append(wanted)
            chain.append(self._template(wanted))
        return chain, None

    def _template(self, name: str) -> Layer:
        file = f"{name}.toml"
        stamp = self._stamp(file)
        assert stamp is not None  # _explain_missing has found it
        return self._take(FlowFile(name, str(self._directory / file), file, stamp))

    def _explain_missing(self, name: str) -> tuple[str, str | None] | None:
        """Why there is no template `name`: (message, hint); None where there is one."""
        bare = name.removeprefix(_PREFIX)
        if bare != name and not explain_bad_name(bare) and self._stamp(f"{name}.toml"):
            return None
        hint = f"a template is called by its path: {_PREFIX}name, without .toml"
        return f"expected the name of a template, got {show(name)}", self._propose(name) or hint

    def _propose(self, name: str) -> str | None:
        root = self._directory / TEMPLATES_FOLDER
        known = [path.relative_to(root).as_posix().removesuffix(".toml") for path in root.rglob("*.toml")]
        near = find_nearest(name.removeprefix(_PREFIX).removesuffix(".toml"), known)
        return f'did you mean "{_PREFIX}{near}"?' if near else None

    def _stamp(self, file: str) -> Stamp | None:
        """None where there is nothing of that name."""
        if file not in self._stamps:
            try:
                self._stamps[file] = stamp_of(os.stat(self._directory / file))  # noqa: PTH116 -- as for flows
            except OSError:
                self._stamps[file] = None
        return self._stamps[file]

    def _take(self, found: FlowFile) -> Layer:
        if found.file not in self._layers:
            kept = self._kept.get(found.file)
            same = kept is not None and kept.stamp == found.stamp and not kept.problems
            self._layers[found.file] = kept if kept and same else _read_layer(found)
        return self._layers[found.file]


def _read_layer(found: FlowFile) -> Layer:
    file = found.file
    try:
        document = read_file(found)
    except FileNotFoundError:
        document = Problem("expected a file that can be read, got none: it has just been removed", file=file)
    if isinstance(document, Problem):
        return Layer(file, found.stamp, Document({}, {}, ""), {}, (document,))
    report = Report(file, None, document)
    _, data = clean(FlowTable, report)
    if "extends" in data and file.startswith(f"{FLOWS_FOLDER}/"):
        report.at_key(("extends",), f"expected no extends in {DEFAULTS_FILE}, got one", "flows and templates extend")
    return Layer(file, found.stamp, document, data, tuple(report.problems))


def _at_extends(layer: Layer, message: str, hint: str | None) -> Problem:
    line, column = layer.document.value_place(("extends",))
    return Problem(message, hint, layer.file, line, column, None, "extends")


def _problems(layers: list[Layer]) -> tuple[Problem, ...]:
    return tuple(problem for layer in layers for problem in layer.problems)
