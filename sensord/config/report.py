"""Collects what is wrong in one file, each problem with its place; the values it is about are left out, once said."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from sensord.config.document import Document, Path, Place
from sensord.config.merge import Merged, shift
from sensord.errors import InvalidValue, Problem

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(slots=True)
class Report:
    """`file`: relative to the config folder. `flow`: None where the file has none."""

    file: str
    flow: str | None
    document: Document | Merged
    problems: list[Problem] = field(default_factory=list)
    _said: set[Path] = field(default_factory=set)

    def at_value(self, path: Path, message: str, hint: str | None = None) -> None:
        self._add(path, self.document.value_place(path), message, hint)

    def at_key(self, path: Path, message: str, hint: str | None = None) -> None:
        self._add(path, self.document.key_place(path), message, hint)

    def missing(self, table: Path, key: str, message: str, hint: str | None = None) -> None:
        """A key that should be in `table`; nothing, where it is there and was refused already.

        It is the flow's own file that lacks it, though the table may stand in another.
        """
        if (*table, key) in self._said or table in self._said:
            return
        nearest = table
        while nearest and (not self._has(nearest) or self.document.home(nearest)[0] not in (None, self.file)):
            nearest = nearest[:-1]
        self._add((*table, key), self.document.value_place(nearest), message, hint)

    def lacks_param(self, path: Path, name: str, proposal: str | None) -> None:
        """The template at `path` needs a param that there is none of; to give it one is for the flow's own file."""
        file = self.document.home(path)[0] or self.file
        if file == self.file:
            hint = proposal or f"give it a value below [params]: {name} = ..."
            self.at_value(path, f"expected a param that there is, got params.{name}", hint)
            return
        line, _ = self.document.value_place(path)
        message = f"expected a value for params.{name}, which {file}:{line} needs, got none"
        own = self.document.own if isinstance(self.document, Merged) else self.document
        place = own.value_place(("extends",)) if "extends" in own.data else Place(1, 1)
        self.problems.append(Problem(message, proposal, self.file, *place, self.flow, f"params.{name}"))

    def over(self, merged: Merged) -> "Report":
        """Goes on with what is merged from this file and others; what has been said of this file stays said."""
        said = {shift(path, merged.parts[0].before) for path in self._said}
        return Report(self.file, self.flow, merged, self.problems, said)

    def refuse(self, path: Path, error: InvalidValue) -> None:
        place = self.document.value_place(path) if error.at is None else self.document.text_place(path, error.at)
        self._add(path, place, error.message, error.hint)

    def pass_over(self, path: Path) -> None:
        """Let nothing be said of its missing: something else has been."""
        self._said.add(path)

    def said(self, path: Path) -> bool:
        """Whether there is a problem with it already."""
        return path in self._said

    def _has(self, path: Path) -> bool:
        found: Any = self.document.data
        for part in path:
            if isinstance(found, dict) and part not in found:
                return False
            found = found[part]
        return True

    def _add(self, path: Path, place: tuple[int, int], message: str, hint: str | None) -> None:
        line, column = place
        self._said.add(path)
        self._said.add(of_key(path))
        file, local = self.document.home(path)
        self.problems.append(Problem(message, hint, file or self.file, line, column, self.flow, spell(local) or None))


def of_key(path: Path) -> Path:
    """Of a value within a list, the key that the list belongs to; but a sensor is a thing of its own."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def spell(path: Path) -> str:
    """`run.command[1]`, `sensors[0].upstream`, `run.env."A B"`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_quote(part)}" for part in path).removeprefix(".")


def _quote(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)
