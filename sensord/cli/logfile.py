"""The log of an attempt: print it, or only its end."""

import sys
from pathlib import Path

import click

from sensord.escape import escape

TAIL_BYTES = 64 * 1024


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


def tail(path: Path, number: int) -> list[str]:
    """The last lines that are not empty, as they are; none where there is no log, or none that we may read."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode(errors="backslashreplace")
    except OSError:
        return []
    return [line.rstrip() for line in text.split("\n") if line.strip()][-number:]


def clean(line: str) -> str:
    """A line without its end, escaped but for tabs."""
    return "\t".join(escape(part) for part in line.rstrip("\r\n").split("\t"))
