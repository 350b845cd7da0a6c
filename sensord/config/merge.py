"""Files merged: a flow over its templates over its defaults. Tables merge, sensors add up, of anything else the upper
one stays; and each value still knows its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

from sensord.config.document import Document, Path, Place

RULES = ("cron", "every", "follow")
"""Of these in [schedule] one stands; to write one above takes away those below."""


class Part(NamedTuple):
    """One file. data: what is right of it. before: how many sensors the files below it have."""

    file: str
    document: Document
    data: dict[str, Any]
    before: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """As a Document; `parts` are the files, the upper ones first. Of several that write a table, the upper has it."""

    data: dict[str, Any]
    parts: tuple[Part, ...]

    def value_place(self, path: Path) -> Place:
        part, local = self._find(path)
        return part.document.value_place(local)

    def text_place(self, path: Path, at: int) -> Place:
        part, local = self._find(path)
        return part.document.text_place(local, at)

    def key_place(self, path: Path) -> Place:
        part, local = self._find(path)
        return part.document.key_place(local)

    def home(self, path: Path) -> tuple[str | None, Path]:
        part, local = self._find(path)
        return part.file, local

    @property
    def own(self) -> Document:
        return self.parts[0].document

    def _find(self, path: Path) -> tuple[Part, Path]:
        for part in self.parts:
            local = shift(path, -part.before)
            if _holds(part.data, local):
                return part, local
        return self.parts[0], path


def merge_files(parts: Sequence[Part]) -> Merged:
    """parts: the lowest first, the flow's own file last; their `before` is set here."""
    placed, count = [], 0
    for part in parts:
        placed.append(part._replace(before=count))
        count += len(part.data.get("sensors", ()))
    return Merged(reduce(_merge, [part.data for part in parts]), tuple(reversed(placed)))


def shift(path: Path, count: int) -> Path:
    """The path of a sensor, or into one, with `count` more sensors before it; any other as it is."""
    match path:
        case ("sensors", int(index), *rest):
            return ("sensors", index + count, *rest)
        case _:
            return path


def _merge(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    merged = _merge_tables(_give_way(lower, upper), upper)
    if "sensors" in lower and "sensors" in upper:
        merged["sensors"] = lower["sensors"] + upper["sensors"]
    return merged


def _merge_tables(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    merged = lower | upper
    for key in lower.keys() & upper.keys():
        if isinstance(lower[key], dict) and isinstance(upper[key], dict):
            merged[key] = _merge_tables(lower[key], upper[key])
    return merged


def _give_way(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """`lower` without what cannot stand beside what `upper` says, and would only be in its way."""
    schedule, run = upper.get("schedule", {}), upper.get("run", {})
    gone: set[str] = set()
    if any(rule in schedule for rule in RULES):
        gone |= {*RULES, "seconds"}
    if "follow" in schedule:
        gone |= {"timezone"}
    if "start" in schedule:
        gone |= {"first"}
    shell = {"shell"} if isinstance(run.get("command"), list) else set()
    return lower | _less(lower, "schedule", gone) | _less(lower, "run", shell)


def _less(table: dict[str, Any], key: str, gone: set[str]) -> dict[str, Any]:
    return {key: {name: value for name, value in table[key].items() if name not in gone}} if key in table else {}


def _holds(data: Any, path: Path) -> bool:
    for part in path:
        inside = part in data if isinstance(data, dict) else isinstance(part, int) and 0 <= part < len(data)
        if not inside:
            return False
        data = data[part]
    return True
