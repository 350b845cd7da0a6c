"""Has a process stand still at a chosen point: within its transaction, once it has done what a trigger watches.

It waits there for a lock that the test holds. Where the test stops it and then lets go, the statement comes to its end,
and what the transaction has locked stays locked.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

KEY = 4711

MAKE = f"""
CREATE OR REPLACE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared({KEY}); RETURN NULL; END $$;
CREATE TRIGGER stand_still AFTER {{}} FOR EACH ROW EXECUTE FUNCTION stand_still();
"""

MAKE_FOR_TABLES = f"""
CREATE OR REPLACE FUNCTION stand_still() RETURNS event_trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared({KEY}); END $$;
CREATE EVENT TRIGGER stand_still ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION stand_still();
"""

WAITS = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = {KEY} AND objsubid = 1 AND NOT granted"


class Standstill:
    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection

    def is_reached(self) -> bool:
        return bool(self._connection.execute(WAITS.encode()).fetchall())

    def await_reached(self) -> None:
        """Until somebody waits there."""
        while not self.is_reached():
            continue

    def let_go(self) -> None:
        """Nobody waits there any more, now or later."""
        self._connection.execute("SELECT pg_advisory_unlock_all()")

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Any statement, over a connection of the test's own."""
        cursor = self._connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextmanager
def standstill(url: str, after: str) -> Iterator[Standstill]:
    """after: an event and its table, such as `UPDATE OF stopping ON attempt`; `CREATE TABLE` for that of any."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_advisory_lock({KEY})".encode())
        make = MAKE_FOR_TABLES if after == "CREATE TABLE" else MAKE.format(after)
        connection.execute(make.encode())
        yield Standstill(connection)
