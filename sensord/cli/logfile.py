"""The log of an attempt: where it is; print it, piece by piece or at once, or only its end."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sensord.cli import render
from sensord.escape import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensord.store.logs import Part

TAIL_BYTES = 64 * 1024


def log_path(state_folder: Path, run_id: int, attempt: int) -> Path:
    """That of one attempt, on the host that it ran on."""
    from sensord.executors.folders import log_of

    return state_folder / "runs" / log_of(run_id, attempt)


def copy(path: Path, *, raw: bool) -> None:
    """Print a log, however long; escaped, unless `raw`."""
    if raw:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        return
    with path.open(encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        while lines := file.readlines(1 << 16):
            click.echo("".join(clean(line) + "\n" for line in lines), nl=False)


def show_shipped(parts: "Sequence[Part]", host: str, *, raw: bool) -> None:
    """Print what a worker has shipped of a log, and say on stderr what is missing at its beginning."""
    if parts[0].start:
        render.message(f"the first {parts[0].start:,} bytes are on {host} alone, in the state folder of its worker")
    printer = Printer(raw=raw)
    for part in parts:
        printer.write(part.data)
    printer.end()


class Printer:
    """Prints a log that comes in pieces: whole lines, escaped; or with `raw` the bytes as they are."""

    def __init__(self, *, raw: bool) -> None:
        self._raw = raw
        self._held = b""

    def write(self, piece: bytes) -> None:
        if self._raw:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        *lines, self._held = (self._held + piece).split(b"\n")
        if lines:
            click.echo("".join(clean(line.decode(errors="backslashreplace")) + "\n" for line in lines), nl=False)

    def end(self) -> None:
        """There is no more of this log: what has no end of its line is a line, too."""
        if self._held:
            self.write(b"\n")


def tail(path: Path, number: int) -> list[str]:
    """The last lines that are not empty, as they are; none where there is no log, or none that we may read."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode(errors="backslashreplace")
    except OSError:
        return []
    return last_lines(text, number)


def last_lines(text: str, number: int) -> list[str]:
    """Of a text, those that are not empty."""
    return [line.rstrip() for line in text.split("\n") if line.strip()][-number:]


def clean(line: str) -> str:
    """A line without its end, escaped but for tabs."""
    return "\t".join(escape(part) for part in line.rstrip("\r\n").split("\t"))
