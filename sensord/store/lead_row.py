"""The lead on PostgreSQL: the row of `leader`, with a term that every taker raises and a lease on the database's clock.

The term is the guard; the lease only says when others may try. A leader whose connection is gone, or that was frozen
in the middle of a transaction, holds nobody up: a taker looks at its server process, and ends it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from sensord.core.instant import from_micros
from sensord.errors import LeadLost, Unreachable
from sensord.store.database import Transaction
from sensord.store.lead import Holder, Lead, Leader, Wait, running
from sensord.store.postgres import PostgresDatabase

log = logging.getLogger("sensord")

LEASE = 2_000_000
"""Microseconds."""

PAUSE = 0.25
"""Seconds between two looks at a leader that may be dead."""

_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)"
_STARTED = "CAST(EXTRACT(EPOCH FROM a.backend_start) * 1000000 AS bigint)"
_BACKEND = f"a.pid = l.backend_pid AND (a.backend_start IS NULL OR {_STARTED} = l.backend_at)"
_OWN_START = f"(SELECT {_STARTED} FROM pg_stat_get_activity(pg_backend_pid()) a)"

SEE = f"""
SELECT host, pid, version, started_at, term, expires_at, expires_at - {_NOW},
       EXISTS (SELECT 1 FROM pg_stat_activity a WHERE {_BACKEND})
FROM leader l
"""

END_BACKEND = f"""
SELECT pg_terminate_backend(a.pid, 1000) FROM leader l JOIN pg_stat_activity a ON {_BACKEND}
WHERE l.term = :term AND l.expires_at = :expires_at AND a.pid <> pg_backend_pid() AND pg_has_role(a.usesysid, 'MEMBER')
"""

TAKE = f"""
INSERT INTO leader (id, host, pid, version, term, started_at, expires_at, backend_pid, backend_at)
VALUES (1, :host, :pid, :version, 1, {_NOW}, {_NOW} + :lease, pg_backend_pid(), {_OWN_START})
ON CONFLICT (id) DO UPDATE SET
    host = excluded.host, pid = excluded.pid, version = excluded.version,
    term = leader.term + 1, started_at = {_NOW}, expires_at = {_NOW} + :lease,
    backend_pid = excluded.backend_pid, backend_at = excluded.backend_at
WHERE leader.term = :seen_term AND leader.expires_at = :seen_expires_at
RETURNING term
"""

GUARD = "SELECT 1 FROM leader WHERE id = 1 AND term = :term FOR SHARE"
RENEW = f"""
UPDATE leader SET expires_at = {_NOW} + :lease, backend_pid = pg_backend_pid(), backend_at = {_OWN_START}
WHERE id = 1 AND term = :term
"""
RELEASE = f"UPDATE leader SET expires_at = {_NOW}, backend_pid = NULL WHERE id = 1 AND term = :term"


@dataclass(frozen=True, slots=True)
class Sight:
    """The row as it stands. `left`: microseconds of the lease; `connected`: its server process is there."""

    leader: Leader
    expires_at: int
    left: int
    connected: bool

    @property
    def silent(self) -> bool:
        return self.left <= 0 or not self.connected


class RowLead(Lead):
    """Leads in `term`, for as long as nobody takes over."""

    renew_every = 0.5

    def __init__(self, db: PostgresDatabase, term: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.term = term
        self._db = db
        self._monotonic = monotonic
        self._renewed = monotonic()

    @classmethod
    def take_row(cls, db: PostgresDatabase, holder: Holder, *, wait: Wait) -> "RowLead":
        seen = await_silence(db, wait)
        if seen and seen.connected:
            db.fetch(END_BACKEND, term=seen.leader.term, expires_at=seen.expires_at)
        rows = db.fetch(
            TAKE,
            host=holder.host,
            pid=holder.pid,
            version=holder.version,
            lease=LEASE,
            seen_term=seen.leader.term if seen else 0,
            seen_expires_at=seen.expires_at if seen else 0,
        )
        if not rows:
            raise running(db, leader_in(db))
        return cls(db, rows[0][0])

    def guard(self, tx: Transaction) -> None:
        if not tx.fetch(GUARD, term=self.term):
            raise self._lost()

    def renew(self) -> None:
        now = self._monotonic()
        if now - self._renewed < self.renew_every / 2:
            return
        if not self._db.run(RENEW, term=self.term, lease=LEASE):
            raise self._lost()
        self._renewed = now

    def release(self) -> None:
        try:
            self._db.run(RELEASE, term=self.term)
        except Unreachable as error:
            log.warning("the lead ends by itself in a moment: %s", error)

    def _lost(self) -> LeadLost:
        return LeadLost(f"expected to lead in term {self.term}, got overtaken", hint="sensord daemon status")


def leader_in(db: PostgresDatabase) -> Leader | None:
    """Who leads, by its lease; None where nobody does."""
    seen = _see(db)
    return seen.leader if seen and seen.left > 0 else None


def await_silence(db: PostgresDatabase, wait: Wait) -> Sight | None:
    """The leader to take over from, None where there was none ever. DaemonRunning as soon as it shows life."""
    first = seen = _see(db)
    while first and seen and not seen.silent:
        if (seen.leader.term, seen.expires_at) != (first.leader.term, first.expires_at):
            raise running(db, seen.leader)
        wait(min(PAUSE, seen.left / 1_000_000))
        seen = _see(db)
    return seen


def _see(db: PostgresDatabase) -> Sight | None:
    for host, pid, version, started_at, term, expires_at, left, connected in db.fetch(SEE):
        leader = Leader(Holder(host, pid, version), from_micros(started_at), term)
        return Sight(leader, expires_at, left, bool(connected))
    return None
