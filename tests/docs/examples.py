"""The worked examples of docs/mapping.md: a sensor in TOML under two schedules, and a table of what it takes."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_EXAMPLE = re.compile(
    r"```toml\n# upstream: +(?P<up>[^\n]+)\n# downstream: (?P<down>[^\n]+)\n(?P<sensor>.+?)```", re.DOTALL
)
_ROW = re.compile(r"^\| `(?P<at>[^`]+)` \| (?P<takes>.+?) \|$", re.MULTILINE)
_SPAN = re.compile(r"`(?P<first>\S+) … (?P<last>\S+)` \((?P<number>\d+)\)")


@dataclass(frozen=True)
class Taken:
    """What a row says: all the dates, or the first and the last of so many; number 0 is `no_match`."""

    dates: tuple[datetime, ...]
    number: int


@dataclass(frozen=True)
class Example:
    line: int
    upstream_schedule: str
    downstream_schedule: str
    sensor: str
    rows: tuple[tuple[datetime, Taken], ...]

    @property
    def upstream(self) -> str:
        name: str = tomllib.loads(self.sensor)["sensors"][0]["upstream"]
        return name


def read_examples(text: str) -> Iterator[Example]:
    """An example is a sensor's block and the rows of all tables up to the next one or the next chapter."""
    for found in _EXAMPLE.finditer(text):
        rest = text[found.end() :]
        end = re.search(r"^```toml|^#{2,3} ", rest, re.MULTILINE)
        rows = _ROW.finditer(rest[: end.start()] if end else rest)
        read = tuple((_instant(row["at"]), _taken(row["takes"])) for row in rows)
        yield Example(text[: found.start()].count("\n") + 1, found["up"], found["down"], found["sensor"], read)


def _taken(text: str) -> Taken:
    if text == "no_match":
        return Taken((), 0)
    if span := _SPAN.fullmatch(text):
        return Taken((_instant(span["first"]), _instant(span["last"])), int(span["number"]))
    dates = tuple(_instant(date) for date in text.strip("`").split(", "))
    return Taken(dates, len(dates))


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
