"""A worker's heartbeat: it tells the database that it is there, and only then lets its commands go on.

The keeper holds the switch: without a beat for `limit` it ends them, also where this process is killed or stopped.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from sensord.clock import boot_seconds
from sensord.executors.leash import Leash
from sensord.store import workers
from sensord.store.database import Database
from sensord.store.lead import Holder
from sensord.store.workers import Beat

MOST_SECONDS = 5.0
"""Between two beats; a sixth of a short limit."""


class Leashed(Protocol):
    """An executor that ends its commands unless it is told again in time."""

    def let_out(self, leash: Leash) -> None: ...


class Heartbeat:
    """holder: the worker's host, process and station. What it tells besides is its name, queue and slots."""

    def __init__(
        self,
        holder: Holder,
        name: str,
        queue: str,
        slots: int,
        limit: timedelta,
        seconds: Callable[[], float] = boot_seconds,
    ) -> None:
        self.holder, self.name, self.queue, self.slots = holder, name, queue, slots
        self.limit = limit.total_seconds()
        self.every = min(MOST_SECONDS, self.limit / 6)
        self._seconds = seconds
        self._due = -1.0
        self._was_taking = False

    def beat(self, db: Database, executor: Leashed, *, busy: int, is_taking: bool) -> bool:
        """Costs nothing until it is time, or whether it takes runs has changed. Whether the leader should look."""
        now = self._seconds()
        if now < self._due and is_taking == self._was_taking:
            return False
        if self._due < 0:
            workers.tidy(db)
        told = Beat(self.name, self.queue, self.slots, busy, round(self.limit * 1_000_000), is_taking)
        workers.beat(db, self.holder, told)
        # Counted from before it was sent: the database may have noted it at any moment since.
        executor.let_out(Leash(now + self.limit, now + self.limit * 1.25))
        has_news = is_taking != self._was_taking
        self._due, self._was_taking = now + self.every, is_taking
        return has_news

    def left(self) -> float:
        """Seconds until the next beat."""
        return max(0.0, self._due - self._seconds())
