"""Who leads: of all daemons on one database only the leader changes runs.

On SQLite it is a lock on a file beside the database (`lead_file`), on PostgreSQL a row with a lease (`lead_row`).
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sensord.core.instant import format_instant
from sensord.errors import DaemonRunning
from sensord.store.database import Database, Transaction, redact

if TYPE_CHECKING:
    from sensord.store.postgres import PostgresDatabase
    from sensord.store.sqlite import SqliteDatabase

Wait = Callable[[float], None]
"""Waits for so many seconds; a test passes what should happen meanwhile."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A daemon: its process, the version of sensord that it runs, and the station whose commands it supervises."""

    host: str
    pid: int
    version: str
    station: str = ""


@dataclass(frozen=True, slots=True)
class Leader:
    """The daemon that leads, since when, and in which term (0 on SQLite, where there are none).

    trouble: why it cannot go on at the moment, as far as it could say so.
    """

    holder: Holder
    started_at: datetime
    term: int
    trouble: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        who = self.holder
        return f"process {who.pid} on {who.host}, since {format_instant(self.started_at)}, sensord {who.version}"


class Lead(ABC):
    """The lead, once taken. `term` rises with every taker; `renew_every` says how often to renew it, in seconds."""

    term: int
    renew_every: float

    @staticmethod
    def take(db: Database, holder: Holder, *, wait: Wait = time.sleep) -> "Lead":
        """Lead from now on; DaemonRunning, naming the first, where another daemon does.

        On PostgreSQL the tables must be there, and a leader that fell silent leads until its lease is over: try again.
        """
        if db.dialect == "sqlite":
            from sensord.store.lead_file import FileLead

            return FileLead.take_file(_sqlite(db), holder, wait=wait)
        from sensord.store.lead_row import RowLead

        return RowLead.take_row(_postgres(db), holder)

    @abstractmethod
    def guard(self, tx: Transaction) -> None:
        """First of all in every transaction that decides: LeadLost where another daemon has taken over, and until
        the transaction ends nobody can.
        """

    @abstractmethod
    def confirm(self) -> None:
        """Before what was decided is done outside the database: LeadLost where this process was paused, since it led
        for sure, for so long that another daemon has taken over.
        """

    @abstractmethod
    def renew(self) -> None:
        """Keep the lead; LeadLost where it is gone. Costs nothing when called again within `renew_every`."""

    def complain(self, trouble: str | None) -> None:  # noqa: B027 -- where there is no place for it, the log has it
        """Leave word, outside the database, that the leader cannot go on, for whoever asks for its status; None: it can
        again. On PostgreSQL there is no such place: who asks cannot use the database either.
        """

    @abstractmethod
    def release(self) -> None:
        """Give the lead up, for the next one to take at once."""


def current_leader(db: Database) -> Leader | None:
    """The daemon that leads now. Asking takes the lead from nobody."""
    if db.dialect == "sqlite":
        from sensord.store.lead_file import leader_of

        return leader_of(_sqlite(db))
    from sensord.store.lead_row import leader_in

    return leader_in(_postgres(db))


def running(db: Database, leader: Leader | None) -> DaemonRunning:
    """The refusal of a second daemon."""
    who = str(leader) if leader else "one that is just starting"
    return DaemonRunning(
        f"expected no other daemon on {redact(db.url)}, got {who}", hint="sensord daemon status, sensord daemon stop"
    )


def _sqlite(db: Database) -> "SqliteDatabase":
    from sensord.store.sqlite import SqliteDatabase

    assert isinstance(db, SqliteDatabase)
    return db


def _postgres(db: Database) -> "PostgresDatabase":
    from sensord.store.postgres import PostgresDatabase

    assert isinstance(db, PostgresDatabase)
    return db
