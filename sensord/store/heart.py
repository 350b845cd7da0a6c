"""The heart of a leader on PostgreSQL: a thread that renews the lease over a connection of its own.

So a leader that is at work on a long transaction keeps its lead, while one that is stopped, or cut off, does not: its
heart stops too. Whether the daemon's loop still turns is for the watchdog that it feeds (`daemon.notify`).
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress

from sensord.errors import DatabaseError, LeadLost
from sensord.store.hint import try_hold
from sensord.store.postgres import PostgresDatabase

LINGER = 1.0
"""Seconds that `close` waits for a beat that is under way."""

log = logging.getLogger("sensord")

Beat = Callable[[PostgresDatabase], None]


class Heart:
    """also: done with every beat, such as telling that this daemon is there. Its descriptor is readable when the lead
    is lost, and when the database can be used again.
    """

    def __init__(self, url: str, also: Beat = lambda _: None) -> None:
        self._url = url
        self._also = also
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stop = threading.Event()
        self._mutex = threading.Lock()
        self._db: PostgresDatabase | None = None
        self._holding: object = None
        self._lost: LeadLost | None = None
        self._thread: threading.Thread | None = None
        self._beat: Beat = self._also

    def start(self, beat: Beat, every: float) -> None:
        """beat: renews the lease over a connection, or raises LeadLost. The first one is over when this returns."""
        self._beat = beat
        self.beat_now()
        self._thread = threading.Thread(target=self._go_on, args=(every,), name="heart", daemon=True)
        self._thread.start()

    def beat_now(self) -> None:
        """One beat, in whatever thread; LeadLost, or DatabaseError where it cannot be."""
        with self._mutex:
            if self._stop.is_set():
                return
            self._db = self._db or PostgresDatabase(self._url, durability="normal", readonly=False)
            self._beat(self._db)
            if self._holding is not self._db.connection and try_hold(self._db):
                self._holding = self._db.connection
            self._also(self._db)

    def check(self) -> None:
        """LeadLost once a beat has found that another daemon leads."""
        if self._lost:
            raise self._lost

    def fileno(self) -> int:
        return self._eventfd

    def drain(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._eventfd)

    def close(self) -> None:
        """No beat begins any more, and whoever waits for the lead may have it. Twice does no harm."""
        self._stop.set()
        if self._thread:
            self._thread.join(LINGER)
        if self._mutex.acquire(timeout=LINGER):  # else a beat waits for a server that is silent, and so it ends
            if self._db:
                self._db.close()
                self._db = None
            if self._eventfd >= 0:
                os.close(self._eventfd)
                self._eventfd = -1
            self._mutex.release()

    def _go_on(self, every: float) -> None:
        failing = False
        while not self._stop.wait(every):
            try:
                self.beat_now()
            except LeadLost as error:
                self._lost = error
                break
            except DatabaseError as error:
                if not failing and not self._stop.is_set():
                    log.warning("the lease cannot be renewed: %s", error)
                failing = True
            else:
                if failing:
                    self._tell()
                failing = False
        if self._lost:
            self._tell()

    def _tell(self) -> None:
        with self._mutex:
            if self._eventfd >= 0:
                os.eventfd_write(self._eventfd, 1)
