"""SQLite: WAL, synchronous FULL unless told otherwise, one connection. Sets of rows travel as JSON."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import lru_cache
from typing import Any, Literal

from sensord.errors import DatabaseError
from sensord.store.database import Database, Durability, Parameter
from sensord.store.sql import Extreme, Lock, Piece, RowSet, Statement, clean, encode, names_of, parse, rows_of
from sensord.store.sql import Parameter as Name

OLDEST = (3, 38, 0)
BUSY_SECONDS = 10.0
CACHE_KIB = 16384
_EXTREMES = {"GREATEST": "MAX", "LEAST": "MIN"}


class SqliteDatabase(Database):
    """`path` is the real path of the file: symbolic links are followed."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, url: str, *, durability: Durability, readonly: bool) -> None:
        super().__init__(url)
        require_version(sqlite3.sqlite_version_info)
        self.path = path_of(url)
        if readonly and not os.path.exists(self.path):  # noqa: PTH110 -- reads are not to wait for pathlib
            raise DatabaseError(f"expected a database at {self.path}, got none", hint="start the daemon: it makes one")
        try:
            if not readonly:
                make_file(self.path)
            self.connection = connect(self.path, mode="ro" if readonly else "rw")
            if not readonly:
                self._set_up_or_close(durability)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def _set_up_or_close(self, durability: Durability) -> None:
        try:
            self._set_up(durability)
        except BaseException:
            self.connection.close()
            raise

    def _set_up(self, durability: Durability) -> None:
        mode = self.connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise DatabaseError(
                f"expected a write-ahead log for {self.path}, got journal mode {mode!r}",
                hint="keep the database on a local disk, not on a network share",
            )
        self.connection.execute(f"PRAGMA synchronous = {durability.upper()}")
        self.connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")

    def _fetch(self, sql: str, values: dict[str, Parameter]) -> list[tuple[Any, ...]]:
        statement = translate(sql)
        bind(statement, values)
        try:
            return self.connection.execute(statement.text, values).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def _run(self, sql: str, values: dict[str, Parameter]) -> int:
        statement = translate(sql)
        bind(statement, values)
        connection = self.connection
        before = connection.total_changes  # a cursor's rowcount knows nothing of WITH ... UPDATE
        try:
            connection.execute(statement.text, values).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        return connection.total_changes - before

    def _begin(self) -> None:
        self._send("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        try:
            self._send("COMMIT")
        except DatabaseError:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self.connection.in_transaction:  # SQLite itself rolls back on some errors
            self._send("ROLLBACK")

    def _send(self, sql: str) -> None:
        try:
            self.connection.execute(sql)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def close(self) -> None:
        self.connection.close()


@lru_cache(maxsize=1024)
def translate(sql: str) -> Statement:
    """Shared SQL as SQLite reads it."""
    pieces = parse(sql)
    names, sets = names_of(pieces)
    return Statement("".join(map(_render, pieces)), names, sets)


def _render(piece: Piece) -> str:
    match piece:
        case Name(name):
            return f":{name}"
        case RowSet(name, columns):
            return f"(SELECT {_columns(columns)} FROM json_each(:{name}))"
        case Lock():
            return ""
        case Extreme(word):
            return _EXTREMES[word]
        case _:
            return piece


def _columns(columns: Sequence[str]) -> str:
    if len(columns) == 1:  # flat: three times as fast as rows of one
        return f"value AS {columns[0]}"
    return ", ".join(f"value ->> {index} AS {column}" for index, column in enumerate(columns))


def bind(statement: Statement, values: dict[str, Parameter]) -> None:
    """Make `values` fit for the driver, in place."""
    statement.check(values)
    for name, value in values.items():
        if isinstance(value, str):
            values[name] = clean(value)
    for one in statement.sets:
        rows = rows_of(values, one.name)
        if any(one.texts):
            rows = [tuple(clean(value) if isinstance(value, str) else value for value in row) for row in rows]
        values[one.name] = encode(rows if len(one.columns) > 1 else [row[0] for row in rows])


def path_of(url: str) -> str:
    """The real path of the file that `sqlite:///path` names."""
    return os.path.realpath("/" + url.partition("://")[2].lstrip("/"))


def require_version(version: tuple[int, ...]) -> None:
    """DatabaseError where SQLite is too old for RETURNING, UPDATE FROM and ->>."""
    if version < OLDEST:
        raise DatabaseError(
            f"expected SQLite {'.'.join(map(str, OLDEST))} or newer, got {'.'.join(map(str, version))}",
            hint="use a newer Python build, or PostgreSQL",
        )


def make_file(path: str) -> None:
    """An empty database that only we may read, and its folder, where there are none.

    It gets its name when it has its write-ahead log: to switch a file in use is refused while another process opens it.
    """
    draft = f"{path}.{os.getpid()}"
    try:
        with suppress(FileExistsError):
            os.mkdir(os.path.dirname(path), 0o700)  # noqa: PTH102, PTH120 -- reads are not to wait for pathlib
        if not os.path.exists(path):  # noqa: PTH110 -- reads are not to wait for pathlib
            os.close(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600))
            with closing(connect(draft, mode="rw")) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            with suppress(FileExistsError):
                os.link(draft, path)
            os.unlink(draft)  # noqa: PTH108 -- reads are not to wait for pathlib
    except OSError as error:
        raise DatabaseError(f"cannot make {path}: {error.strerror}", hint="check the folder and its owner") from error


def connect(path: str, *, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """A connection in autocommit, which never makes a file."""
    name = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(
        f"file:{name}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_SECONDS, cached_statements=512
    )


def explain(error: sqlite3.Error, path: str) -> DatabaseError:
    """The driver's error as ours."""
    text = str(error)
    if "is locked" in text:
        hint: str | None = "another program keeps it locked: end that one, or try again"
    elif "unable to open" in text or "readonly" in text:
        hint = "check the owner and the mode of the file and of its folder"
    elif "not a database" in text or "malformed" in text:
        hint = "it is no SQLite database, or a damaged one: restore it from a backup"
    elif "no such table" in text or "no such column" in text:
        hint = "sensord db upgrade"
    elif "disk is full" in text:
        hint = "make room on the disk"
    elif "disk I/O error" in text:
        hint = "look into the system's log: the disk is failing, or takes no more"
    else:
        hint = None
    return DatabaseError(f"{path}: {text}", hint=hint)
