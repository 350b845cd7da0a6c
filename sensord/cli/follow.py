"""`sensord run logs -f`: a run's logs as they grow, one attempt after the other, until the run ends."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sensord.cli import render
from sensord.cli.logfile import Printer, log_path
from sensord.cli.session import Session
from sensord.core.instant import format_instant
from sensord.core.run import FINAL
from sensord.store import logs
from sensord.store.database import Database
from sensord.store.lead import current_leader
from sensord.store.logs import Part
from sensord.store.reads import runs
from sensord.store.reads.runs import Run

PAUSE = 0.3
"""Seconds between two looks."""


class Tail:
    """What a log gains from look to look. One that was replaced or cut begins anew; one that is gone gains nothing.

    found: whether there was one, ever. shipped: what a worker has shipped of it from a byte on, where there is no file.
    """

    def __init__(
        self,
        path: Path,
        begins_anew: Callable[[], None],
        shipped: Callable[[int], Sequence[Part]] = lambda _: (),
    ) -> None:
        self.path = path
        self._shipped = shipped
        self._reached = 0
        self._begins_anew = begins_anew
        self._file: BinaryIO | None = None
        self.found = False

    def read(self) -> bytes:
        """What was written since the last look; empty where there is no log yet, or none that we may read."""
        gained = self._file.read() if self._file else b""
        if self._file and not self._is_same(self._file):
            self._file.close()
            self._file = None
            self._begins_anew()
        if self._file is None:
            try:
                self._file = self.path.open("rb")
            except OSError:
                return gained + self._read_shipped()
            self.found = True
            gained += self._file.read()
        return gained

    def _read_shipped(self) -> bytes:
        parts = self._shipped(self._reached)
        if parts:
            self.found = True
            self._reached = parts[-1].start + len(parts[-1].data)
        return b"".join(part.data for part in parts)

    def close(self) -> None:
        if self._file:
            self._file.close()

    def _is_same(self, file: BinaryIO) -> bool:
        """Whether the path still leads to this file, and that is no shorter than what was read of it."""
        mine = os.fstat(file.fileno())
        try:
            there = self.path.stat()
        except OSError:
            return True  # gone: whoever holds it may still write to it
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino) and mine.st_size >= file.tell()


def follow_run(session: Session, db: Database, run: Run, first: int | None, *, raw: bool) -> None:
    """Print all attempts from `first` on, if not from the present one, as they are written. Returns when it is over."""
    name = f"{run.flow} {format_instant(run.logical_at)}"
    printer = Printer(raw=raw)
    shown = (first or max(run.attempt, 1)) - 1
    tail: Tail | None = None
    if run.attempt == 0 and run.state not in FINAL:
        render.message(f"{name} is {run.state.label} and was never started: waiting for it to begin")
        if current_leader(db) is None:
            render.message("no daemon leads: nothing starts until `sensord daemon start`")
    try:
        while True:
            now = runs.by_id(db, run.id) or run
            while shown < now.attempt:
                _finish(tail, printer)
                shown += 1
                tail = _begin(session, db, name, run.id, shown)
            if tail:
                printer.write(tail.read())
            if now.state in FINAL:
                break
            session.wait(PAUSE)
        _finish(tail, printer)
    finally:
        if tail:
            tail.close()
    words = now.message or now.reason
    render.message(f"{name} is {now.state.label}" + (f": {words}" if words else ""))


def _begin(session: Session, db: Database, name: str, run_id: int, number: int) -> Tail:
    render.message(f"{name}, attempt {number}")
    path = log_path(session.state_folder, run_id, number)
    shipped = partial(logs.read, db, run_id, number)
    return Tail(path, lambda: render.message(f"{path} begins anew"), shipped)


def _finish(tail: Tail | None, printer: Printer) -> None:
    if tail:
        printer.write(tail.read())
        printer.end()
        tail.close()
        if not tail.found:
            render.message(f"no log at {tail.path}: look on the host that it ran on, or give the daemon's --config")
