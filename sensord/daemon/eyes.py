"""How the watch learns of changes: from the kernel's events; where it gives none, by looking at the files."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from watchfiles._rust_notify import RustNotify

from sensord.config.glance import Glance, glance
from sensord.daemon.watch import Watch, Watcher

STEP = 100
"""Milliseconds between two looks at what the kernel has told: the library has no descriptor to wait for."""

POLL = 2.0
"""Seconds between two looks at the files, where there are no events."""

SHARE = 100
"""A look at the files takes at most one part in so many of the time between two."""

log = logging.getLogger("sensord")


def watch_folder(directory: Path, modules: Callable[[], tuple[str, ...]], *, poll: bool = False) -> Watcher:
    """Watch a config folder from now on. modules: what `mapping_modules` says at the moment. poll: without events."""
    stop = threading.Event()

    def look() -> Glance:
        return glance(directory, modules())

    source = Eyes(lambda seen: Polling(look, seen, stop), None if poll else lambda seen: Events(seen, stop))
    return Watcher(Watch(look, source), source, stop)


class Eye(Protocol):
    """One way to see changes, of what was there when it was opened."""

    def wait(self, seconds: float) -> bool:
        """Whether something may have changed: as soon as it has, or after that time at the latest."""
        ...

    def close(self) -> None: ...


class Stop(Protocol):
    """Of a threading.Event, what it takes to wait."""

    def wait(self, timeout: float | None = None) -> bool: ...


class Eyes:
    """A Source that takes to polling, for good, once events are refused. poll, hear: what opens the two kinds of eye;
    without `hear` it polls from the start."""

    def __init__(self, poll: Callable[[Glance], Eye], hear: Callable[[Glance], Eye] | None) -> None:
        self._poll = poll
        self._hear = hear
        self._eye: Eye | None = None
        self._seen = Glance()

    def follow(self, seen: Glance) -> None:
        self.close()
        self._seen = seen
        if self._hear:
            try:
                self._eye = self._hear(seen)
            except FileNotFoundError:
                pass  # a folder has just gone: the next look misses it, and we are told to follow again
            except (OSError, RuntimeError) as error:
                self._refuse(error)

    def wait(self, seconds: float) -> bool:
        self._eye = self._eye or self._poll(self._seen)
        try:
            return self._eye.wait(seconds)
        except (OSError, RuntimeError) as error:
            self._refuse(error)
            return True

    def close(self) -> None:
        if self._eye:
            self._eye.close()
            self._eye = None

    def _refuse(self, error: Exception) -> None:
        log.warning(
            "the system tells nothing of changes in the config folder, which is looked at every %g s instead: %s "
            "(its limits are fs.inotify.max_user_watches and fs.inotify.max_user_instances)",
            POLL,
            error,
        )
        self._hear = None
        self.close()


class Events:
    """The kernel's. OSError or RuntimeError where it gives none: its limits are exhausted, or a folder has gone."""

    def __init__(self, seen: Glance, stop: threading.Event) -> None:
        self._seen = seen
        self._stop = stop
        # Each folder by itself: the library's own way down would follow no link that is set anew.
        # The last False is for errors: with True the library passes over limits that are reached, too.
        self._notify = RustNotify(sorted(seen.folders), False, False, 0, False, False)

    def wait(self, seconds: float) -> bool:
        changes = self._notify.watch(STEP, STEP, max(1, int(seconds * 1000)), self._stop)  # 0 would mean for ever
        return not isinstance(changes, str) and any(self._seen.concerns(path) for _, path in changes)

    def close(self) -> None:
        self._notify.close()


class Polling:
    """A look at all stamps every two seconds, and less often where that takes long. seen: what is no change."""

    def __init__(
        self, look: Callable[[], Glance], seen: Glance, stop: Stop, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._stop = stop
        self._monotonic = monotonic
        self._pause = POLL
        self._last = seen

    def wait(self, seconds: float) -> bool:
        self._stop.wait(min(seconds, self._pause))
        began = self._monotonic()
        before, self._last = self._last, self._look()
        self._pause = max(POLL, SHARE * (self._monotonic() - began))
        return self._last != before

    def close(self) -> None:
        """It holds nothing."""
