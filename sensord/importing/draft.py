"""What an import comes to: drafts of flows, and notes on what is not as it was. Where they go is not known here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sensord.importing.toml import Value, write_table

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Note:
    """What could not be carried over as it was. lost: it is not there at all; else it is, and differs.

    file, line: where it stands there, as far as it stands anywhere. subject: what it is about, such as a line's text.
    """

    file: str
    line: int | None
    subject: str
    message: str
    hint: str | None = None
    lost: bool = False

    @property
    def place(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A flow's file to be. `top`, `schedule`, `run`, `env`, `params`: keys and values; empty ones are left out.

    origin: where it comes from, as a note on it would say. comments: lines on top of the file.
    """

    name: str
    file: str
    line: int
    schedule: Mapping[str, Value]
    run: Mapping[str, Value]
    top: Mapping[str, Value] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    env: Mapping[str, Value] = field(default_factory=dict)
    sensors: Sequence[Mapping[str, Value]] = ()
    comments: Sequence[str] = ()

    def text(self) -> str:
        """As TOML, without the line that names a schema."""
        blocks = ["\n".join(f"# {_UNPRINTABLE.sub(' ', line)}".rstrip() for line in self.comments)]
        blocks += [
            write_table("", self.top),
            write_table("[params]", self.params),
            write_table("[schedule]", self.schedule),
            write_table("[run]", self.run),
            write_table("[run.env]", self.env),
        ]
        blocks += [write_table("[[sensors]]", sensor) for sensor in self.sensors]
        return "\n\n".join(block for block in blocks if block) + "\n"


@dataclass(slots=True)
class Imported:
    drafts: list[Draft] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def moment(at: datetime) -> str:
    """An instant, or a wall time, in a note."""
    return at.isoformat(sep=" ", timespec="minutes")
