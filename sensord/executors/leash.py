"""A dead man's switch for a keeper: unless whoever is responsible for its commands lets it out again and again, it ends
them. For workers, whose commands must be over before they are started elsewhere.
"""

import signal
from dataclasses import dataclass

LOOK_SECONDS = 1.0
"""Waits are by a clock that stands still while the machine sleeps: no longer one, so that this is noticed."""


@dataclass(frozen=True, slots=True)
class Leash:
    """Instants by `boot_seconds`, which go on while the machine sleeps: when commands get SIGTERM, and when SIGKILL."""

    until: float
    kill_at: float

    def due(self, now: float) -> int | None:
        """The signal that every command should have had by now."""
        if now < self.until:
            return None
        return signal.SIGTERM if now < self.kill_at else signal.SIGKILL

    def pause(self, now: float) -> float | None:
        """Seconds until it is to be asked again; None where nothing will change any more."""
        if now >= self.kill_at:
            return None
        return min(LOOK_SECONDS, (self.until if now < self.until else self.kill_at) - now)
