"""Logs for who has no way to this machine: the end of what each command writes goes to the database as it grows.

Of each attempt the last `KEPT` bytes are there at most. All of it stays here until retention has pruned the run.
"""

import time
from collections.abc import Callable, Set
from pathlib import Path

from sensord.executors.base import Attempt
from sensord.executors.folders import log_of
from sensord.store import logs
from sensord.store.database import Database, Transaction
from sensord.store.logs import Part

KEPT = 1 << 20
"""Bytes of an attempt's log, its last ones, that the database has of it."""

PIECE = 1 << 16
"""Bytes in one row."""

EVERY_SECONDS = 2.0


class Shipper:
    """runs: the folder that the keeper writes logs below. How far an attempt was shipped is known until its end."""

    def __init__(self, runs: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._runs = runs
        self._monotonic = monotonic
        self._shipped: dict[Attempt, int] = {}
        self._next = monotonic()
        self.next_at = float("inf")

    def ship(self, db: Database, under_way: Set[Attempt]) -> None:
        """What has been written since the last time; costs nothing until it is time again."""
        self.next_at = self._next if under_way else float("inf")
        for over in self._shipped.keys() - under_way:
            del self._shipped[over]
        if not under_way or self._monotonic() < self._next:
            return
        self._next = self.next_at = self._monotonic() + EVERY_SECONDS
        grown = [attempt for attempt in sorted(under_way) if self._has_grown(attempt)]
        if grown:
            with db.transaction() as tx:
                reached = {attempt: self._send(tx, attempt) for attempt in grown}
            self._shipped |= reached

    def finish(self, tx: Transaction, over: Set[Attempt]) -> None:
        """The rest of what these have written, with their end. It may be repeated: a part replaces itself."""
        for attempt in sorted(over):
            if self._has_grown(attempt):
                self._send(tx, attempt)

    def _has_grown(self, attempt: Attempt) -> bool:
        try:
            return self._path(attempt).stat().st_size > self._shipped.get(attempt, 0)
        except OSError:
            return False  # it was never taken here, or somebody has deleted it

    def _send(self, tx: Transaction, attempt: Attempt) -> int:
        """Returns how far it is shipped."""
        parts = []
        with self._path(attempt).open("rb") as file:
            end = file.seek(0, 2)
            reached = file.seek(max(self._shipped.get(attempt, 0), end - KEPT))
            while reached < end and (data := file.read(min(PIECE, end - reached))):
                parts.append(Part(reached, data))
                reached += len(data)
        logs.ship(tx, attempt.run_id, attempt.number, parts, keep_from=reached - KEPT)
        return reached

    def _path(self, attempt: Attempt) -> Path:
        return self._runs / log_of(attempt.run_id, attempt.number)
