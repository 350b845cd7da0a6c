"""Unheard: the attempts of an earlier daemon on which the executor has yet to report.

Until it has, alarms wait: what ended in time while nobody led must not be taken for late.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sensord.executors.base import Attempt

PATIENCE = timedelta(seconds=10)
"""How long alarms wait at most; a keeper that still lives answers within milliseconds."""


class Unheard:
    """Empty, unless a daemon has just taken over."""

    def __init__(self) -> None:
        self._attempts: set[Attempt] = set()
        self._since: datetime | None = None

    def expect(self, attempts: Iterable[Attempt], now: datetime) -> None:
        """The executor has been asked about these."""
        self._attempts, self._since = set(attempts), now

    def note(self, attempt: Attempt) -> None:
        """It has reported."""
        self._attempts.discard(attempt)

    def until(self, now: datetime) -> datetime | None:
        """Until when alarms wait; None where they need not. A clock set back ends it."""
        if not self._attempts or self._since is None or not self._since <= now < self._since + PATIENCE:
            return None
        return self._since + PATIENCE
