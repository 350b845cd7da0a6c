"""Wake-ups on PostgreSQL: LISTEN on a connection of its own, which is made anew when it breaks."""

import logging
import select
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from sensord.errors import DatabaseError
from sensord.store.postgres import connect, explain
from sensord.store.wake import ANYTHING, NOTHING, Heard, hear

AGAIN = 1.0
"""Seconds between two tries to connect."""

log = logging.getLogger("sensord")


class WakeChannel:
    """Its descriptor is an epoll, which stays the same when the connection changes."""

    def __init__(self, url: str, channel: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._channel = channel
        self._monotonic = monotonic
        self._next_try = 0.0
        self._epoll = select.epoll()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        try:
            self._connect()
        except DatabaseError:
            self._epoll.close()
            raise

    def fileno(self) -> int:
        return self._epoll.fileno()

    def drain(self) -> Heard:
        """Anything when the connection has broken or come back: something may have been missed."""
        if self._connection is None:
            return ANYTHING if self._reconnect() else NOTHING
        try:
            return hear([one.payload for one in self._connection.notifies(timeout=0)])
        except psycopg.Error as error:
            log.warning("no wake-ups for a while, their connection broke: %s", " ".join(str(error).split()))
            self._drop()
            return ANYTHING

    def close(self) -> None:
        self._drop()
        self._epoll.close()

    def _connect(self) -> None:
        connection = connect(self._url)
        try:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        except psycopg.Error as error:
            connection.close()
            raise explain(error, self._url, lost=connection.closed) from error
        self._epoll.register(connection.fileno(), select.EPOLLIN)
        self._connection = connection

    def _reconnect(self) -> bool:
        now = self._monotonic()
        if now < self._next_try:
            return False
        self._next_try = now + AGAIN
        try:
            self._connect()
        except DatabaseError as error:
            log.warning("still no wake-ups: %s", error)
            return False
        return True

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()  # closing its socket takes it out of the epoll
            self._connection = None
