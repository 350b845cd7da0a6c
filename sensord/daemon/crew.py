"""The workers as the leader sees them: how many runs it may hand to each queue."""

import time
from collections.abc import Callable

from sensord.daemon.picture import Picture
from sensord.store import workers
from sensord.store.database import Database, Transaction

LOOK_SECONDS = 2.0


class Crew:
    """Counts slots, not workers: which of them takes a run is for them to settle."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._next_look = monotonic()

    def look(self, db: Database, picture: Picture, *, asked: bool) -> None:
        """Count anew, every two seconds and where somebody may have come; nothing where no flow is for workers."""
        if picture.queues and (asked or self._monotonic() >= self._next_look):
            self.size(db, picture)

    def size(self, db: Database | Transaction, picture: Picture) -> None:
        """Count now."""
        if picture.queues:
            picture.queue.size_queues({queue: with_spare(slots) for queue, slots in workers.room(db).items()})
            self._next_look = self._monotonic() + LOOK_SECONDS


def with_spare(slots: int) -> int:
    """Half as many again wait in the queue, so that no worker waits for the leader's next turn."""
    return slots + (slots + 1) // 2
