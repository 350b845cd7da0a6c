"""What every job shares: the run it was started for, its way to succeed, skip or fail, and files that are always whole.

sensord tells a job its run in environment variables; the job answers with its exit status (0, 99 for skipped, else
failed) and a line or two of log. Nothing here imports sensord: a job is an ordinary program, in any language.
Written for Python 3.8 and later, with nothing but the standard library.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

UTC = timezone.utc  # noqa: UP017 -- the machine's python3 may be older than sensord's own
SKIPPED = 99


class Lacking(Exception):
    """The job cannot do its work: an input is not there, or is not what it should be. The run fails."""


class Skip(Exception):
    """There is nothing to do for this date, and that is no fault. The run is skipped."""


@dataclass(frozen=True)
class Run:
    """What sensord asks for: this flow, for this logical date, which closes the data interval `[start, end)`."""

    flow: str
    logical_date: datetime
    start: datetime
    end: datetime

    @classmethod
    def from_env(cls) -> Run:
        return cls(
            setting("SENSORD_FLOW"),
            parse(setting("SENSORD_LOGICAL_DATE")),
            parse(setting("SENSORD_DATA_INTERVAL_START")),
            parse(setting("SENSORD_DATA_INTERVAL_END")),
        )


def perform(job: Callable[[Run], str]) -> None:
    """Run the job once: its sentence goes to the log, or else what it lacked, with an exit status that says so."""
    try:
        print(job(Run.from_env()))
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    except (Lacking, OSError) as problem:
        print(f"{Path(sys.argv[0]).name}: {problem}", file=sys.stderr)
        sys.exit(1)


def setting(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise Lacking(f"{name} is not set: sensord sets it for every run, [run.env] sets WAREHOUSE")
    return value


def folder(table: str) -> Path:
    """The folder of a table, named like the flow that fills it."""
    return Path(setting("WAREHOUSE"), table)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def parse(text: str) -> datetime:
    """`2026-08-01T10:00:00Z` as an aware instant."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Lacking(f"expected an instant such as 2026-08-01T10:00:00Z, got {text!r}") from None


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_whole(path: Path, text: str) -> None:
    """Replace the file at once: whoever reads it sees the old text or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", prefix=f".{path.name}.", dir=path.parent, delete=False
    ) as draft:
        try:
            draft.write(text)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink()
            raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time works in this folder; the others wait their turn."""
    path.mkdir(parents=True, exist_ok=True)
    with (path / ".lock").open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
