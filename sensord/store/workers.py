"""The SQL of workers: that they are there, how many slots they have, and which attempts went down with one. PostgreSQL.

A worker that cannot be heard of for its own heartbeat_limit ends its commands, the last of them after a quarter of the
limit more. So what it ran is lost once it was silent for the limit and half of it again, and may be tried elsewhere.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sensord.store.database import Database, Transaction
from sensord.store.lead import Holder
from sensord.store.sql import SERVER_NOW as NOW

CHANNEL = "sensord_workers"
"""Where the leader tells that something is to be ended."""

_FORGOTTEN = 30 * 86_400_000_000
"""Microseconds without a beat after which a worker's row goes."""

_LOST_AT = "w.beat_at + w.heartbeat_limit * 3 / 2"


class Beat(NamedTuple):
    """What a worker tells of itself."""

    name: str
    queue: str
    slots: int
    busy: int
    heartbeat_limit: int
    is_taking: bool


BEAT = f"""
INSERT INTO worker (station, name, host, pid, version, queue, slots, busy, heartbeat_limit, started_at, beat_at,
                    is_taking)
VALUES (:station, :name, :host, :pid, :version, :queue, :slots, :busy, :heartbeat_limit, {NOW}, {NOW}, :is_taking)
ON CONFLICT (station) DO UPDATE SET
    name = excluded.name, host = excluded.host, pid = excluded.pid, version = excluded.version, queue = excluded.queue,
    slots = excluded.slots, busy = excluded.busy, heartbeat_limit = excluded.heartbeat_limit,
    started_at = CASE WHEN worker.pid = excluded.pid THEN worker.started_at ELSE excluded.started_at END,
    beat_at = excluded.beat_at, is_taking = excluded.is_taking
"""
TIDY = f"DELETE FROM worker WHERE beat_at < {NOW} - {_FORGOTTEN}"
LEAVE = "DELETE FROM worker WHERE station = :station"


def beat(db: Database, holder: Holder, told: Beat) -> None:
    """Write down that a worker is there."""
    db.run(
        BEAT,
        station=holder.station,
        name=told.name,
        host=holder.host,
        pid=holder.pid,
        version=holder.version,
        queue=told.queue,
        slots=told.slots,
        busy=told.busy,
        heartbeat_limit=told.heartbeat_limit,
        is_taking=int(told.is_taking),
    )


def tidy(db: Database) -> None:
    """Forget workers that were not heard of for a month."""
    db.run(TIDY)


def leave(db: Database, station: str) -> None:
    """A worker that keeps no command any more is gone for good."""
    db.run(LEAVE, station=station)


ROOM = f"""
SELECT queue, SUM(slots) FROM worker w WHERE is_taking = 1 AND {NOW} < {_LOST_AT} GROUP BY queue
"""


def room(db: Database | Transaction) -> dict[str, int]:
    """How many slots the workers have that take from each queue."""
    return dict(db.fetch(ROOM))


class Gone(NamedTuple):
    """An attempt whose worker has been silent for too long."""

    run_id: int
    number: int
    host: str


GONE = f"""
SELECT a.run_id, a.number, a.host
FROM ROWS(:attempts, run_id, number) x
JOIN attempt a ON a.run_id = x.run_id AND a.number = x.number
LEFT JOIN worker w ON w.station = a.station
WHERE a.queue IS NOT NULL AND a.station <> '' AND (w.station IS NULL OR {NOW} >= {_LOST_AT})
"""


def gone(db: Database, attempts: Sequence[tuple[int, int]]) -> list[Gone]:
    """Of these attempts, those that went down with their worker."""
    return [Gone(*row) for row in db.fetch(GONE, attempts=attempts)]


def hail(db: Database) -> None:
    """Have all workers look at once."""
    db.fetch("SELECT pg_notify(:channel, '')", channel=CHANNEL)


PRESENT = f"""
SELECT name, host, pid, version, queue, slots, busy, is_taking, started_at, ({NOW} - beat_at) / 1000000
FROM worker w WHERE {NOW} < {_LOST_AT} ORDER BY queue, name, host
"""


class Worker(NamedTuple):
    """A worker, as people see it. `silent`: seconds since it was last heard of."""

    name: str
    host: str
    pid: int
    version: str
    queue: str
    slots: int
    busy: int
    is_taking: int
    started_at: int
    silent: int


def present(db: Database) -> list[Worker]:
    """The workers that are there, by queue. On SQLite there are none."""
    if db.dialect == "sqlite":
        return []
    return [Worker(*row) for row in db.fetch(PRESENT)]


NO_LONGER_KNOWN = """
SELECT x.run_id FROM ROWS(:runs, run_id) x
WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE a.run_id = x.run_id)
"""


def no_longer_known(db: Database, run_ids: Sequence[int]) -> list[int]:
    """Of these runs, those of which retention has left nothing but the outcome."""
    return [row[0] for row in db.fetch(NO_LONGER_KNOWN, runs=[(run_id,) for run_id in run_ids])]
