"""The lead on PostgreSQL: the row of `leader`, with a term that every taker raises and a lease on the database's clock.

The term is the guard; the lease only says when others may try. A leader whose connections are gone, or that was frozen
in the middle of a transaction, holds nobody up: a taker looks at its server processes, and ends them. The lease is kept
by a heart (see there), also while the leader is at work on a long transaction.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sensord.clock import boot_seconds
from sensord.core.instant import from_micros
from sensord.errors import LeadLost, Locked, Unreachable
from sensord.store import bounds
from sensord.store.database import Transaction
from sensord.store.heart import Heart
from sensord.store.lead import Holder, Lead, Leader, running
from sensord.store.postgres import PostgresDatabase
from sensord.store.sql import SERVER_NOW as NOW

log = logging.getLogger("sensord")

LEASE = 2_000_000
"""Microseconds."""

RENEW_SECONDS = 0.5

_STARTED = "CAST(EXTRACT(EPOCH FROM a.backend_start) * 1000000 AS bigint)"


def _is(pid: str, started: str) -> str:
    return f"(a.pid = {pid} AND (a.backend_start IS NULL OR {_STARTED} = {started}))"


def _start_of(pid: str) -> str:
    return f"(SELECT {_STARTED} FROM pg_stat_get_activity({pid}) a)"


_THEIRS = f"({_is('l.backend_pid', 'l.backend_at')} OR {_is('l.heart_pid', 'l.heart_at')})"

# By columns that every schema has had: it is asked for before an upgrade, too.
WHO = f"SELECT host, pid, version, started_at, term FROM leader WHERE expires_at > {NOW}"

SEE = f"""
SELECT host, pid, version, COALESCE(station, ''), started_at, term, expires_at, expires_at - {NOW},
       EXISTS (SELECT 1 FROM pg_stat_activity a WHERE {_THEIRS})
FROM leader l
"""

END_BACKENDS = f"""
SELECT pg_terminate_backend(a.pid, 1000) FROM leader l JOIN pg_stat_activity a ON {_THEIRS}
WHERE l.term = :term AND l.expires_at = :expires_at AND l.expires_at <= {NOW}
  AND a.pid <> pg_backend_pid() AND pg_has_role(a.usesysid, 'MEMBER')
"""

# A guard holds the row FOR KEY SHARE: to renew the lease goes with that, to take the lead does not.
STAND_IN_LINE = "SELECT 1 FROM leader WHERE id = 1 FOR UPDATE"

TAKE = f"""
INSERT INTO leader (id, host, pid, version, station, term, started_at, expires_at, backend_pid, backend_at)
VALUES (1, :host, :pid, :version, :station, 1, {NOW}, {NOW} + :lease, pg_backend_pid(), {_start_of("pg_backend_pid()")})
ON CONFLICT (id) DO UPDATE SET
    host = excluded.host, pid = excluded.pid, version = excluded.version, station = excluded.station,
    term = leader.term + 1, started_at = {NOW}, expires_at = {NOW} + :lease,
    backend_pid = excluded.backend_pid, backend_at = excluded.backend_at, heart_pid = NULL, heart_at = NULL
WHERE leader.term = :seen_term AND leader.expires_at = :seen_expires_at
RETURNING term
"""

GUARD = "SELECT 1 FROM leader WHERE id = 1 AND term = :term FOR KEY SHARE"
LEADS = "SELECT 1 FROM leader WHERE id = 1 AND term = :term"
RENEW = f"""
UPDATE leader SET expires_at = {NOW} + :lease,
    backend_pid = CAST(:backend AS integer), backend_at = {_start_of("CAST(:backend AS integer)")},
    heart_pid = pg_backend_pid(), heart_at = {_start_of("pg_backend_pid()")}
WHERE id = 1 AND term = :term
"""
RELEASE = f"UPDATE leader SET expires_at = {NOW}, backend_pid = NULL, heart_pid = NULL WHERE id = 1 AND term = :term"


@dataclass(frozen=True, slots=True)
class Sight:
    """The row as it stands. `left`: microseconds of the lease; `connected`: one of its server processes is there."""

    leader: Leader
    expires_at: int
    left: int
    connected: bool

    @property
    def silent(self) -> bool:
        return self.left <= 0 or not self.connected


class RowLead(Lead):
    """Leads in `term`, for as long as nobody takes over. Until `live` the lease is renewed only when asked for."""

    def __init__(self, db: PostgresDatabase, term: int, seconds: Callable[[], float] = boot_seconds) -> None:
        self.term = term
        self.renew_every = RENEW_SECONDS
        self._db = db
        self._seconds = seconds
        self._renewed = seconds()
        self._known: object = db.connection
        self._heart: Heart | None = None
        self._is_over = False

    @classmethod
    def take_row(cls, db: PostgresDatabase, holder: Holder) -> "RowLead":
        """DaemonRunning where another daemon leads, DatabaseError where one that is silent cannot be followed yet."""
        seen = see(db)
        if seen and not seen.silent:
            raise running(db, seen.leader)
        if seen and seen.connected:
            db.fetch(END_BACKENDS, term=seen.leader.term, expires_at=seen.expires_at)
        with db.transaction() as tx:
            tx.fetch(bounds.FOR_THE_TRANSACTION, **bounds.TAKER.settings)
            tx.fetch(STAND_IN_LINE)
            rows = _take(tx, holder, seen)
        if not rows:
            raise running(db, leader_in(db))
        db.go_by(bounds.LEADER)
        return cls(db, rows[0][0])

    def live(self, heart: Heart) -> None:
        """Have the lease renewed by a heart, which beats until `release`."""
        self._heart = heart
        self.renew_every = math.inf
        heart.start(self._beat, RENEW_SECONDS)

    def guard(self, tx: Transaction) -> None:
        self._introduce()
        if not tx.fetch(GUARD, term=self.term):
            raise self._lost()

    def confirm(self) -> None:
        if self._seconds() - self._renewed >= LEASE / 1_000_000 and not self._db.fetch(LEADS, term=self.term):
            raise self._lost()

    def renew(self) -> None:
        if self._heart:
            self._heart.check()
        elif self._seconds() - self._renewed >= self.renew_every / 2:
            self._beat(self._db)

    def release(self) -> None:
        if self._heart:
            self._heart.close()
            self._heart = None
        try:
            self._db.go_by(bounds.ANYBODY)
            if not self._is_over:
                self._db.run(RELEASE, term=self.term)
        except (Unreachable, Locked) as error:
            log.warning("the lead ends by itself in a moment: %s", error)

    def _introduce(self) -> None:
        """Nothing is decided over a connection that a taker would not know to end."""
        if self._heart and self._db.connection is not self._known:
            self._heart.beat_now()

    def _beat(self, db: PostgresDatabase) -> None:
        """Renew the lease over any connection."""
        connection, began = self._db.connection, self._seconds()
        if not db.run(RENEW, term=self.term, lease=LEASE, backend=self._db.backend_pid):
            raise self._lost()
        self._known, self._renewed = connection, began

    def _lost(self) -> LeadLost:
        self._is_over = True
        return LeadLost(f"expected to lead in term {self.term}, got overtaken", hint="sensord daemon status")


def leader_in(db: PostgresDatabase) -> Leader | None:
    """Who leads, by its lease; None where nobody does."""
    for host, pid, version, started_at, term in db.fetch(WHO):
        return Leader(Holder(host, pid, version), from_micros(started_at), term)
    return None


def see(db: PostgresDatabase) -> Sight | None:
    """The row as it stands; None where nobody has ever led."""
    for host, pid, version, station, started_at, term, expires_at, left, connected in db.fetch(SEE):
        leader = Leader(Holder(host, pid, version, station), from_micros(started_at), term)
        return Sight(leader, expires_at, left, bool(connected))
    return None


def _take(tx: Transaction, holder: Holder, seen: Sight | None) -> list[tuple[Any, ...]]:
    return tx.fetch(
        TAKE,
        host=holder.host,
        pid=holder.pid,
        version=holder.version,
        station=holder.station,
        lease=LEASE,
        seen_term=seen.leader.term if seen else 0,
        seen_expires_at=seen.expires_at if seen else 0,
    )
