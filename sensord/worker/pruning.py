"""Retention on a worker's machine: what the database keeps no more of than the outcome goes from the state folder, too.

Folder by folder, a few at a time, round and round: a round over millions of logs must not hold up a heartbeat.
"""

import time
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Protocol

from sensord.executors.base import Attempt
from sensord.store import workers
from sensord.store.database import Database

FOLDERS = 20
"""Looked at in one step: two thousand runs at most."""

EVERY_SECONDS = 5.0
ROUND_SECONDS = 3600.0
"""Between the end of a round and the next one."""


class Forgetful(Protocol):
    """An executor that deletes what is kept of runs."""

    def forget(self, run_ids: Sequence[int]) -> None: ...


class Pruner:
    """runs: the folder that the keeper keeps runs below."""

    def __init__(self, runs: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._runs = runs
        self._monotonic = monotonic
        self._next = monotonic()
        self._ahead: list[Path] = []

    def prune(self, db: Database, executor: Forgetful, under_way: Set[Attempt]) -> None:
        """One step; costs nothing until it is time again."""
        if self._monotonic() < self._next:
            return
        ahead = self._ahead or sorted(self._runs.glob("[0-9]*"))
        folders, self._ahead = ahead[:FOLDERS], ahead[FOLDERS:]
        self._next = self._monotonic() + (EVERY_SECONDS if self._ahead else ROUND_SECONDS)
        busy = {attempt.run_id for attempt in under_way}
        here = {int(log.name.split(".")[0]) for folder in folders for log in folder.glob("[0-9]*.log")} - busy
        gone = workers.no_longer_known(db, sorted(here)) if here else []
        if gone:
            executor.forget(gone)
