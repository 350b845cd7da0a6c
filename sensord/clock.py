"""The one clock of the shell. The core never asks for the time: it is told."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

JUMP = timedelta(minutes=1)
"""What the wall clock may differ by, between two looks, from the time that has really passed."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware and in UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def boot_seconds() -> float:
    """Seconds since the machine was started. They go on while it sleeps, and whatever is done to the wall clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class WatchedClock:
    """Another clock, which is looked at often: where it has jumped since the last look, that is logged before anybody
    is told the new time. A machine that was suspended has jumped, too: for its programs no time has passed.
    """

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`monotonic`: seconds that only ever grow, from any beginning."""
        self._clock = clock
        self._monotonic = monotonic
        self._last: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        now, passed = self._clock.now(), self._monotonic()
        if self._last:
            _tell(now - self._last[0] - timedelta(seconds=passed - self._last[1]))
        self._last = now, passed
        return now


def _tell(jump: timedelta) -> None:
    import logging  # only here: the reads of the command line have a clock, too, and are to start quickly

    log = logging.getLogger("sensord")
    seconds = round(abs(jump).total_seconds())
    if jump > JUMP:
        log.warning("the clock leapt forward by %d s: the ticks in between were missed, and flows catch up", seconds)
    elif jump < -JUMP:
        log.warning("the clock was set back by %d s: no tick fires twice", seconds)
