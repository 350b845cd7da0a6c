"""Watches the config folder in a thread of its own, and wakes the loop when what counts has changed and come to rest.

An event is a hint only: whether there was a change, the stamps of the files say. They are looked at after each event,
and every minute anyway. What a change means is for the reload to find out.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol, Self

from sensord.config.glance import Glance

QUIET = 0.2
"""Seconds without a change after which one counts: all files that an editor or a checkout writes belong together."""

AT_MOST = 5.0
"""Seconds after which a change counts although others follow all the time."""

LOOK_ROUND = 60.0
"""Seconds between two looks at all files though no event came: events can get lost."""

log = logging.getLogger("sensord")


class Source(Protocol):
    """Tells of changes in the folders that it follows."""

    def follow(self, glance: Glance) -> None:
        """These folders from now on."""
        ...

    def wait(self, seconds: float) -> bool:
        """Whether something may have changed: as soon as it has, or after that time at the latest."""
        ...

    def close(self) -> None: ...


class Quiet:
    """When changes have come to rest. Instants are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    def note(self, now: float) -> None:
        """Something has changed."""
        self._first = now if self._first is None else self._first
        self._last = now

    @property
    def due(self) -> float | None:
        """None where nothing has changed."""
        return None if self._first is None else min(self._last + QUIET, self._first + AT_MOST)

    def clear(self) -> None:
        self._first = None


class Watch:
    """What the thread does, pass by pass: `turn` waits, and says whether the config folder is to be read again."""

    def __init__(
        self, look: Callable[[], Glance], source: Source, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._source = source
        self._monotonic = monotonic
        self._quiet = Quiet()
        self._seen = look()
        self._follow(self._seen)
        self._look_at = monotonic() + LOOK_ROUND

    def turn(self) -> bool:
        if self._source.wait(max(0.0, self._due - self._monotonic())):
            self._quiet.note(self._monotonic())
        return self._monotonic() >= self._due and self._look_again()

    @property
    def _due(self) -> float:
        return self._look_at if self._quiet.due is None else self._quiet.due

    def _look_again(self) -> bool:
        """Whether anything has changed since the last look."""
        self._quiet.clear()
        self._look_at = self._monotonic() + LOOK_ROUND
        before, self._seen = self._seen, self._look()
        if self._seen.places != before.places:
            self._follow(self._seen)
        return self._seen.files != before.files

    def _follow(self, glance: Glance) -> None:
        """Watch where the files are now. What changes while we set out to do so, no event may tell: look after it."""
        self._source.follow(glance)
        if self._look() != glance:
            self._quiet.note(self._monotonic())


class Watcher:
    """A Watch in a daemon thread, with a file descriptor that is readable when the config folder is to be read again.

    A watch that breaks is reported in the log, and ends: the daemon goes on, and reloads when it is asked to.
    """

    def __init__(self, watch: Watch, source: Source, stop: threading.Event) -> None:
        """stop: what ends the waiting of the source."""
        self._watch, self._source, self._stop = watch, source, stop
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._eventfd

    def drain(self) -> bool:
        """Whether there has been a change since the last call."""
        try:
            return os.eventfd_read(self._eventfd) > 0
        except BlockingIOError:
            return False

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._source.close()
        os.close(self._eventfd)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if self._watch.turn() and not self._stop.is_set():
                    os.eventfd_write(self._eventfd, 1)
        except Exception:
            log.exception("the config folder is watched no more; `sensord daemon reload` still reads it")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
