"""Attempts elsewhere: at other stations, where an earlier leader started them, or with workers; and what is reported of
them there, for the leader.

Those at a station are lost when no daemon of it was heard of for `lost_after`. That time begins with our lead, at the
earliest: while nobody could use the database, nobody could be heard. Those of a worker are lost when it must have ended
them itself by now; those that no worker has claimed yet wait for one.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sensord.daemon.outcomes import end_of
from sensord.executors.base import Attempt, Began, Ended, Report
from sensord.store import attempts, stations, workers
from sensord.store.database import Database
from sensord.store.runs import Live
from sensord.store.stations import Fate

LOOK_SECONDS = 5.0
"""Between two looks at those of which no news has come: a wake-up may get lost, and a worker with its runs."""

SLICE, ROUND = 1000, 4
"""Of how many each such look is at least; and how many of them see all, where these are more."""

log = logging.getLogger("sensord")


@dataclass(slots=True)
class _One:
    station: str | None
    host: str
    is_carried: bool = False
    has_begun: bool = False


class Away:
    """Holds the attempts that are under way elsewhere, until they have ended."""

    def __init__(self, lost_after: timedelta = timedelta.max, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lost_after = lost_after
        self._monotonic = monotonic
        self._since = monotonic()
        self._next_look = self._since
        self._attempts: dict[Attempt, _One] = {}
        self._has_new = False
        self._expected: set[Attempt] = set()

    def __contains__(self, attempt: Attempt) -> bool:
        return attempt in self._attempts

    def follow(self, found: Iterable[attempts.Elsewhere]) -> None:
        """These, by what the store says now; what was followed before is forgotten."""
        known = self._attempts
        self._has_new = True
        self._attempts = {
            Attempt(one.run_id, one.number): _One(one.station, one.host, is_carried=one.queue is not None)
            for one in found
        }
        hosts = {one.host for one in self._attempts.values() if not one.is_carried}
        if hosts and not known:
            log.warning("runs are under way elsewhere (%s): a daemon there reports", ", ".join(sorted(hosts)))

    def carry(self, dispatched: Iterable[Live]) -> None:
        """Runs are on their way to workers."""
        for run in dispatched:
            self._attempts[Attempt(run.run_id, run.attempt)] = _One(None, "", is_carried=True)

    def expect(self, attempts: Iterable[Attempt]) -> None:
        """We have just had these ended: nobody else tells, where no worker had claimed one."""
        self._expected |= self._attempts.keys() & set(attempts)

    def news(self, db: Database, now: datetime, told: Set[tuple[int, int]] | None = None) -> list[Report]:
        """What has become of them since the last call. told: of which there is news; None: of any. Where the database
        refuses, nothing is lost.
        """
        is_time = self._monotonic() >= self._next_look
        if not self._attempts:
            return []
        everywhere = told is None or self._has_new  # nobody waited for the news of new ones
        news = {Attempt(*key) for key in told or ()} | self._expected
        found = set(self._attempts) if everywhere else self._attempts.keys() & news
        looked_at = self._next_slice() if is_time else set()
        fates = _fates(db, found | looked_at)
        lost = self._silent(db) + self._gone(db, looked_at) if is_time else []
        reports = [report for fate in fates for report in self._hear(fate)]
        for attempt, message in lost:
            if self._attempts.pop(attempt, None):
                reports.append(Ended(attempt, now, problem="lost", message=message))
        if is_time:
            self._next_look = self._monotonic() + LOOK_SECONDS
        self._has_new = False
        self._expected.clear()
        return reports

    def _next_slice(self) -> set[Attempt]:
        """Those to look at next; they go to the end of the line."""
        found = list(islice(self._attempts, max(SLICE, len(self._attempts) // ROUND)))
        for attempt in found:
            self._attempts[attempt] = self._attempts.pop(attempt)
        return set(found)

    def _hear(self, fate: Fate) -> Iterator[Report]:
        attempt = Attempt(fate.run_id, fate.number)
        one = self._attempts[attempt]
        if fate.began_at and fate.pid is not None and not one.has_begun:
            one.has_begun = True
            yield Began(attempt, fate.pid, fate.began_at)
        if end := end_of(fate):
            del self._attempts[attempt]
            yield end

    def _silent(self, db: Database) -> list[tuple[Attempt, str]]:
        """Those whose station has been silent for too long."""
        at_stations = {attempt: one for attempt, one in self._attempts.items() if not one.is_carried}
        if not at_stations or timedelta(seconds=self._monotonic() - self._since) < self._lost_after:
            return []
        heard = stations.heard(db, {one.station for one in at_stations.values() if one.station})
        return [
            (attempt, f"no daemon on {one.host} was heard of for {self._lost_after}")
            for attempt, one in at_stations.items()
            if one.station not in heard or timedelta(microseconds=heard[one.station]) >= self._lost_after
        ]

    def _gone(self, db: Database, found: Set[Attempt]) -> list[tuple[Attempt, str]]:
        """Of these, those whose worker has been silent for so long that it must have ended them."""
        carried = [attempt for attempt in found if self._attempts[attempt].is_carried]
        return [
            (Attempt(one.run_id, one.number), f"its worker on {one.host} was not heard of for too long")
            for one in (workers.gone(db, _keys(carried)) if carried else ())
        ]


def _fates(db: Database, found: Collection[Attempt]) -> list[Fate]:
    return stations.fates(db, _keys(found)) if found else []


def _keys(found: Iterable[Attempt]) -> list[tuple[int, int]]:
    return sorted((attempt.run_id, attempt.number) for attempt in found)
