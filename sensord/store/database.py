"""One connection to the database, whichever it is: open it, read, and write in transactions.

SQL is shared (see `sql`); what differs is in `sqlite` and `postgres`, of which only the one in use is imported.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Literal, Self

from sensord.errors import DatabaseError
from sensord.store.sql import Value

Durability = Literal["full", "normal"]
Parameter = Value | Sequence[tuple[Any, ...]]


class Database(ABC):
    """Not for several threads. Integers come back as int, text as str, nothing as any other type.

    `statements` counts what was sent, BEGIN and COMMIT included.
    """

    dialect: Literal["sqlite", "postgresql"]

    def __init__(self, url: str) -> None:
        self.url = url
        self.statements = 0
        self._open: Transaction | None = None

    @staticmethod
    def open(url: str, *, durability: Durability = "full", readonly: bool = False) -> "Database":
        """Connect to `sqlite:///path/to/file` (made where there is none) or `postgresql://...`.

        durability: "normal" may lose the last commits in a power cut, never the database's integrity.
        readonly: for reads alone; the database must be there. DatabaseError says why it cannot be used.
        """
        scheme, _, rest = url.partition("://")
        if scheme == "sqlite" and rest.startswith("/"):
            from sensord.store.sqlite import SqliteDatabase

            return SqliteDatabase(url, durability=durability, readonly=readonly)
        if scheme in ("postgresql", "postgres"):
            from sensord.store.postgres import PostgresDatabase

            return PostgresDatabase(url, durability=durability, readonly=readonly)
        raise DatabaseError(
            f"expected a database URL, got {redact(url)!r}",
            hint="write sqlite:///absolute/path or postgresql://user@host/database",
        )

    def transaction(self) -> "Transaction":
        """`with db.transaction() as tx:` commits at the end and rolls back on an exception. Never one in another."""
        return Transaction(self)

    def fetch(self, sql: str, /, **values: Parameter) -> list[tuple[Any, ...]]:
        """All rows of one statement; outside of a transaction it is one by itself."""
        self.statements += 1
        return self._fetch(sql, values)

    def run(self, sql: str, /, **values: Parameter) -> int:
        """How many rows one statement has inserted, updated or deleted."""
        self.statements += 1
        return self._run(sql, values)

    def _fetch_both(self, first: str, sql: str, values: dict[str, Parameter]) -> list[tuple[Any, ...]]:
        """As two statements, where the database cannot make one of them."""
        self.statements += 2
        self._run(first, dict(values))
        return self._fetch(sql, values)

    @abstractmethod
    def _fetch(self, sql: str, values: dict[str, Parameter]) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def _run(self, sql: str, values: dict[str, Parameter]) -> int: ...

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _commit(self) -> None: ...

    @abstractmethod
    def _roll_back(self) -> None: ...

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection; twice does no harm."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class Transaction:
    """All of it or nothing: it commits nothing once a statement of it has failed, even where the error was caught."""

    __slots__ = ("_db", "_failed")

    def __init__(self, db: Database) -> None:
        self._db = db
        self._failed: DatabaseError | None = None

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        return self._db.dialect

    def fetch(self, sql: str, /, **values: Parameter) -> list[tuple[Any, ...]]:
        """All rows of one statement."""
        db = self._db
        if db._open is not self:
            raise RuntimeError("expected an open transaction, got one that is over")
        db.statements += 1
        try:
            return db._fetch(sql, values)
        except DatabaseError as error:
            self._failed = error
            raise

    def fetch_both(self, first: str, sql: str, /, **values: Parameter) -> list[tuple[Any, ...]]:
        """All rows of the second of two statements with the same parameters, in one round trip where the database can.

        Neither may look at what the other changes, and the first returns no rows.
        """
        db = self._db
        if db._open is not self:
            raise RuntimeError("expected an open transaction, got one that is over")
        try:
            return db._fetch_both(first, sql, values)
        except DatabaseError as error:
            self._failed = error
            raise

    def run(self, sql: str, /, **values: Parameter) -> int:
        """How many rows one statement has inserted, updated or deleted."""
        db = self._db
        if db._open is not self:
            raise RuntimeError("expected an open transaction, got one that is over")
        db.statements += 1
        try:
            return db._run(sql, values)
        except DatabaseError as error:
            self._failed = error
            raise

    def __enter__(self) -> Self:
        db = self._db
        if db._open is not None:
            raise RuntimeError("expected no open transaction, got one within another")
        db.statements += 1
        db._begin()
        db._open = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        db = self._db
        db._open = None
        db.statements += 1
        if error is None and self._failed is None:
            db._commit()
            return
        try:
            db._roll_back()
        except DatabaseError as second:
            (error or self._failed or second).add_note(f"rolling back failed too: {second}")
        if error is None and self._failed is not None:
            raise self._failed


_USERINFO = re.compile(r"^([A-Za-z0-9+.-]+://[^:/?@]*):.*@", re.DOTALL)
_PASSWORD = re.compile(r"([?&][a-z]*password=)[^&]*", re.IGNORECASE)


def redact(url: str) -> str:
    """The URL without its password, fit for logs and messages. Hides too much rather than too little."""
    return _PASSWORD.sub(r"\1***", _USERINFO.sub(r"\1:***@", url))
