"""The daemons on one PostgreSQL, and the stations whose commands they supervise, whoever leads.

A station is one state folder on one host, with its keeper. Its daemon reports what becomes of its commands; the leader
takes that up, and counts them as lost when nobody was heard of at their station for long.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from sensord.clock import boot_seconds
from sensord.core.instant import from_micros
from sensord.store import runs
from sensord.store.database import Database, Transaction
from sensord.store.lead import Holder
from sensord.store.runs import Beginning, Ended
from sensord.store.sql import SERVER_NOW as NOW

BEAT_SECONDS = 5.0

_GONE = 60_000_000
_FORGOTTEN = 30 * 86_400_000_000
"""Microseconds without a beat after which a daemon's row goes: one of the same station, one of any other."""

TIDY = f"""
DELETE FROM daemon WHERE station = :station AND id <> :id AND (has_left = 1 OR beat_at < {NOW} - {_GONE})
   OR beat_at < {NOW} - {_FORGOTTEN}
"""
BEAT = f"""
INSERT INTO daemon (id, station, host, pid, version, started_at, beat_at)
VALUES (:id, :station, :host, :pid, :version, {NOW}, {NOW})
ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, has_left = 0
"""
LEAVE = "UPDATE daemon SET has_left = 1 WHERE id = :id"
HEARD = f"""
SELECT x.station, {NOW} - MAX(d.beat_at) FROM ROWS(:stations, station text) x JOIN daemon d ON d.station = x.station
GROUP BY x.station
"""


class Presence:
    """That this daemon is there, written down every few seconds over whatever connection is at hand."""

    def __init__(self, holder: Holder, seconds: Callable[[], float] = boot_seconds) -> None:
        self.holder = holder
        self._id = uuid4().hex
        self._seconds = seconds
        self._due = -1.0

    def beat(self, db: Database) -> None:
        """Costs nothing until it is time again."""
        now = self._seconds()
        if now < self._due:
            return
        who = self.holder
        if self._due < 0:
            db.run(TIDY, id=self._id, station=who.station)
        db.run(BEAT, id=self._id, station=who.station, host=who.host, pid=who.pid, version=who.version)
        self._due = now + BEAT_SECONDS

    def leave(self, db: Database) -> None:
        db.run(LEAVE, id=self._id)


def heard(db: Database, stations: Iterable[str]) -> dict[str, int]:
    """How long ago, in microseconds, a daemon of these stations was heard of; without those where none ever was."""
    if db.dialect == "sqlite":
        return {}
    return dict(db.fetch(HEARD, stations=[(station,) for station in stations]))


class Assigned(NamedTuple):
    """An attempt whose command a station keeps. `kill_at`: when it is to be killed at last, if it is being ended."""

    run_id: int
    number: int
    state: int
    stopping: str | None
    kill_at: int | None


ASSIGNED = """
SELECT a.run_id, a.number, r.state, a.stopping, t.due_at
FROM run r JOIN attempt a ON a.run_id = r.id AND a.number = r.attempt
LEFT JOIN timer t ON t.run_id = r.id AND t.what = 3 AND t.attempt = a.number
WHERE r.state < 6 AND r.state IN (3, 4) AND a.station = :station
  AND NOT EXISTS (SELECT 1 FROM outcome o WHERE o.run_id = a.run_id AND o.attempt = a.number)
"""


def assigned(db: Database, station: str) -> list[Assigned]:
    """The attempts under way at a station, by what the store knows."""
    return [Assigned(*row) for row in db.fetch(ASSIGNED, station=station)]


def report(tx: Transaction, began: Sequence[Beginning], ended: Sequence[Ended]) -> None:
    """Write down what has become of attempts, for the leader: it alone changes runs."""
    if began:
        tx.run(runs.BEGIN_ATTEMPT, began=began)
    if ended:
        tx.run(runs.OUTCOME, ended=ended)


class Fate(NamedTuple):
    """What a station has reported of an attempt. `at` is when it ended; None: it has not."""

    run_id: int
    number: int
    began_at: datetime | None
    pid: int | None
    at: datetime | None
    exit_code: int | None
    signal: int | None
    problem: str | None
    message: str | None


FATES = """
SELECT a.run_id, a.number, a.began_at, a.pid, o.at, o.exit_code, o.signal, o.problem, o.message
FROM ROWS(:attempts, run_id, number) x
JOIN attempt a ON a.run_id = x.run_id AND a.number = x.number
LEFT JOIN outcome o ON o.run_id = a.run_id AND o.attempt = a.number
WHERE a.began_at IS NOT NULL OR o.at IS NOT NULL
"""


def fates(db: Database | Transaction, attempts: Sequence[tuple[int, int]]) -> list[Fate]:
    """Of these attempts those that are known to have begun, or ended."""
    return [
        Fate(run_id, number, _moment(began_at), pid, _moment(at), *rest)
        for run_id, number, began_at, pid, at, *rest in db.fetch(FATES, attempts=attempts)
    ]


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
