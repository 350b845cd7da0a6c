"""A hint that the lead is free: an advisory lock on PostgreSQL, which the leader's heart holds and stand-bys wait for.

It is let go the moment the leader's process dies, but never decides anything: a stopped leader keeps it, and whoever
gets it looks at the row. One for each schema, since a database may hold several sensords.
"""

import select
from typing import Any

import psycopg

from sensord.errors import DatabaseError
from sensord.store.postgres import PostgresDatabase, connect

_KEY = "736465731, hashtext(current_schema())"


def try_hold(db: PostgresDatabase) -> bool:
    """Hold it on this connection, unless somebody else does."""
    return bool(db.fetch(f"SELECT pg_try_advisory_lock({_KEY})")[0][0])


class Hint:
    """Waits for it, on a connection of its own. `fileno` is always the same descriptor, readable when it has come, or
    can come no more: then `take`, and `wait` again after a while.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._epoll = select.epoll()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def fileno(self) -> int:
        return self._epoll.fileno()

    def wait(self) -> None:
        """Begin to wait, where we do not yet. Where the database cannot be reached there is no hint."""
        if self._connection:
            return
        try:
            self._connection = connect(self._url)
            self._connection.pgconn.send_query(f"SELECT pg_advisory_lock({_KEY})".encode())
            self._connection.pgconn.flush()
        except (DatabaseError, psycopg.Error):
            self._drop()
        else:
            self._epoll.register(self._connection.pgconn.socket, select.EPOLLIN)

    def take(self) -> bool:
        """Whether it has come, or can come no more; it is given back at once. Never blocks."""
        if self._connection is None:
            return False
        try:
            self._connection.pgconn.consume_input()
            if self._connection.pgconn.is_busy():
                return False
        except psycopg.Error:
            pass  # the connection broke, as when the whole server goes down: look at once, too
        self._drop()
        return True

    def close(self) -> None:
        self._drop()
        self._epoll.close()

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()  # closing its socket takes it out of the epoll
            self._connection = None
