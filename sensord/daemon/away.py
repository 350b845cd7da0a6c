"""Attempts at other stations, which an earlier leader started there: what their daemons report of them, for the leader.

They are lost when no daemon of their station was heard of for `lost_after`. That time begins with our lead, at the
earliest: while nobody could use the database, nobody could be heard.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sensord.executors.base import Attempt, Began, Ended, Report
from sensord.store import attempts, stations
from sensord.store.database import Database
from sensord.store.stations import Fate

LOOK_SECONDS = 5.0

log = logging.getLogger("sensord")


@dataclass(slots=True)
class _One:
    station: str
    host: str
    has_begun: bool = False


class Away:
    """Holds the attempts that are under way elsewhere, until they have ended."""

    def __init__(self, lost_after: timedelta = timedelta.max, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lost_after = lost_after
        self._monotonic = monotonic
        self._since = monotonic()
        self._next_look = self._since
        self._attempts: dict[Attempt, _One] = {}

    def __contains__(self, attempt: Attempt) -> bool:
        return attempt in self._attempts

    def follow(self, found: Iterable[attempts.Elsewhere]) -> None:
        """These, by what the store says now; what was followed before is forgotten."""
        known = self._attempts
        self._attempts = {Attempt(one.run_id, one.number): _One(one.station, one.host) for one in found}
        if self._attempts and not known:
            hosts = ", ".join(sorted({one.host for one in self._attempts.values()}))
            log.warning("%d runs are under way elsewhere (%s): a daemon there reports", len(self._attempts), hosts)

    def news(self, db: Database, now: datetime) -> list[Report]:
        """What has become of them since the last call."""
        if not self._attempts:
            return []
        keys = [(attempt.run_id, attempt.number) for attempt in self._attempts]
        reports = [report for fate in stations.fates(db, keys) for report in self._hear(fate)]
        if self._monotonic() >= self._next_look:
            reports += self._give_up(db, now)
            self._next_look = self._monotonic() + LOOK_SECONDS
        return reports

    def _hear(self, fate: Fate) -> Iterator[Report]:
        attempt = Attempt(fate.run_id, fate.number)
        one = self._attempts[attempt]
        if fate.began_at and fate.pid is not None and not one.has_begun:
            one.has_begun = True
            yield Began(attempt, fate.pid, fate.began_at)
        if fate.at:
            del self._attempts[attempt]
            yield Ended(attempt, fate.at, fate.exit_code, fate.signal, fate.problem, fate.message)

    def _give_up(self, db: Database, now: datetime) -> list[Report]:
        """Those whose station has been silent for too long are lost."""
        if timedelta(seconds=self._monotonic() - self._since) < self._lost_after:
            return []
        heard = stations.heard(db, {one.station for one in self._attempts.values()})
        lost = [
            (attempt, one)
            for attempt, one in self._attempts.items()
            if one.station not in heard or timedelta(microseconds=heard[one.station]) >= self._lost_after
        ]
        for attempt, _ in lost:
            del self._attempts[attempt]
        return [
            Ended(attempt, now, problem="lost", message=f"no daemon on {one.host} was heard of for {self._lost_after}")
            for attempt, one in lost
        ]
