"""Waking the leader: a hint that something waits for it in the database. A lost one only costs time.

On SQLite it is a datagram to a socket beside the database (`wake_socket`), on PostgreSQL NOTIFY (`wake_channel`).
"""

from typing import Protocol, Self

from sensord.errors import Unreachable
from sensord.store.database import Database

CHANNEL = "sensord"


class Source(Protocol):
    """Where wake-ups come in."""

    def fileno(self) -> int: ...

    def drain(self) -> bool: ...

    def close(self) -> None: ...


class Listener:
    """The leader's ear. Only whoever holds the lead opens one."""

    def __init__(self, db: Database) -> None:
        self._source = _source(db)

    def fileno(self) -> int:
        """Always the same descriptor, readable when a wake-up has come."""
        return self._source.fileno()

    def drain(self) -> bool:
        """Take all wake-ups that have come; whether there were any. Never blocks, never fails: it reconnects."""
        return self._source.drain()

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def wake(db: Database) -> bool:
    """Wake the leader, after the commit. Whether the wake-up was sent; nobody needs to hear it."""
    if db.dialect == "sqlite":
        from sensord.store.wake_socket import send, socket_path

        return send(socket_path(db.url))
    try:
        db.fetch("SELECT pg_notify(:channel, '')", channel=CHANNEL)
    except Unreachable:
        return False
    return True


def _source(db: Database) -> Source:
    if db.dialect == "sqlite":
        from sensord.store.wake_socket import WakeSocket, socket_path

        return WakeSocket(socket_path(db.url))
    from sensord.store.wake_channel import WakeChannel

    return WakeChannel(db.url, CHANNEL)
