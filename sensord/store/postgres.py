"""PostgreSQL through psycopg: one connection in autocommit, explicit transactions, hot statements prepared.

Sets of rows travel as one array a column. What comes back has the types that SQLite would give.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import psycopg
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from sensord.errors import DatabaseError, Locked, Unreachable
from sensord.store import bounds
from sensord.store.bounds import Bounds
from sensord.store.database import Database, Durability, Parameter, redact
from sensord.store.sql import Extreme, Lock, Piece, RowSet, Statement, Value, clean, encode, names_of, parse, rows_of
from sensord.store.sql import Parameter as Name

OLDEST = 14
CONNECT_SECONDS = 10

PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""Each statement goes from a small set along indexes. So it is planned once, for a set of any size, instead of anew for
each; and statistics from another time, of an empty table or without a queue, cannot mislead the planner. What has to be
scanned all the same seems to cost so much then that it would be compiled, which takes 0.2 s each time.
"""

SILENCE_MILLISECONDS = 10_000
LAST_WORDS = ("57P", "08", "25P03")
"""The error codes, or how they begin, after which a server closes the connection."""

LOCKED = ("55P03", "40P01")
"""The error codes of who waited too long for a lock, and of who could have waited for ever."""

KEPT = "another session keeps it locked: try again, or look for it in pg_stat_activity"


class PostgresDatabase(Database):
    """`connection` is psycopg's, for executors that enqueue within our transaction.

    One that broke is replaced when the next transaction, or read outside of any, begins. It goes by the bounds of
    ANYBODY until it is told otherwise.
    """

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, url: str, *, durability: Durability, readonly: bool) -> None:
        super().__init__(url)
        self._bounds = bounds.ANYBODY
        self._settings = {}
        if durability == "normal":
            self._settings["synchronous_commit"] = "off"
        if readonly:
            self._settings["default_transaction_read_only"] = "on"
        else:
            self._settings |= PLANS
        self._closed = False
        self._connect()

    @property
    def backend_pid(self) -> int:
        """The server process of the connection as it is now; 0 where it broke. For any thread."""
        try:
            return self.connection.info.backend_pid
        except psycopg.OperationalError:
            return 0

    def go_by(self, given: Bounds) -> None:
        """Wait, and stand still, no longer than that from now on, also over another connection."""
        self._bounds = given
        if not self.connection.closed:
            self.fetch(bounds.FOR_THE_SESSION, **given.settings)

    def _connect(self) -> None:
        self.connection = connect(self.url)
        self._cursor = self.connection.cursor()
        self._execute(bounds.FOR_THE_SESSION, {**self._bounds.settings})
        for name, value in self._settings.items():
            self._execute("SELECT set_config(:name, :value, false)", {"name": name, "value": value})

    def _fetch(self, sql: str, values: dict[str, Parameter]) -> list[tuple[Any, ...]]:
        if self.connection.closed:
            self._reconnect()
        self._execute(sql, values)
        result = self._cursor.pgresult
        return self._cursor.fetchall() if result and result.nfields else []

    def _fetch_both(self, first: str, sql: str, values: dict[str, Parameter]) -> list[tuple[Any, ...]]:
        self.statements += 1
        return self._fetch(join(first, sql), values)

    def _run(self, sql: str, values: dict[str, Parameter]) -> int:
        if self.connection.closed:
            self._reconnect()
        self._execute(sql, values)
        return self._cursor.rowcount

    def _execute(self, sql: str, values: dict[str, Parameter]) -> None:
        statement = translate(sql)
        try:
            self._cursor.execute(statement.text, bind(statement, values))
        except psycopg.Error as error:
            raise self._explain(error) from error

    def _reconnect(self) -> None:
        if self._closed:
            raise RuntimeError("expected an open database, got a closed one")
        if self._open is not None:
            raise Unreachable(f"{redact(self.url)}: the connection broke within a transaction", hint="try again")
        self._connect()

    def _begin(self) -> None:
        if self.connection.closed:
            self._reconnect()
        self._send(b"BEGIN")

    def _commit(self) -> None:
        self._send(b"COMMIT")

    def _roll_back(self) -> None:
        if self.connection.closed:  # a server that lost us has rolled back
            return
        try:
            self._cursor.execute(b"ROLLBACK", prepare=False)  # psycopg is to know: it forgets what it had prepared
        except psycopg.Error as error:
            raise self._explain(error) from error

    def _send(self, sql: bytes) -> None:
        """By libpq itself: a third of what a cursor takes, and psycopg needs not know."""
        try:
            result = self.connection.pgconn.exec_(sql)
            if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
                raise psycopg.errors.error_from_result(result)
        except psycopg.Error as error:
            raise self._explain(error) from error

    def _explain(self, error: psycopg.Error) -> DatabaseError:
        if (error.sqlstate or "").startswith(LAST_WORDS):
            self.connection.close()
        return explain(error, self.url, lost=self.connection.closed)

    def close(self) -> None:
        self._closed = True
        self.connection.close()


@lru_cache(maxsize=64)
def join(first: str, sql: str) -> str:
    """Two statements as one; both see what was there before."""
    return f"WITH beside AS ({first}) {sql}"


@lru_cache(maxsize=1024)
def translate(sql: str) -> Statement:
    """Shared SQL with `$1, $2, ...`, one for each parameter and for each column of a set."""
    pieces = parse(sql)
    names, sets = names_of(pieces)
    order: dict[str | tuple[str, int], int] = {}
    text = "".join(_render(piece, order) for piece in pieces)
    return Statement(text, names, sets, tuple(order))


def _render(piece: Piece, order: dict[str | tuple[str, int], int]) -> str:
    def place(key: str | tuple[str, int]) -> str:
        return f"${order.setdefault(key, len(order) + 1)}"

    match piece:
        case Name(name):
            return place(name)
        case RowSet(name, columns, texts):
            arrays = [f"{place((name, i))}::{'text' if text else 'bigint'}[]" for i, text in enumerate(texts)]
            return f"(SELECT * FROM unnest({', '.join(arrays)}) AS _({', '.join(columns)}))"
        case Lock(strength):
            return f"FOR {strength}"
        case Extreme(word):
            return word
        case _:
            return piece


def bind(statement: Statement, values: dict[str, Parameter]) -> list[Value]:
    """The values in the order of `$1, $2, ...`; the columns of a set as array literals."""
    statement.check(values)
    arrays: dict[str, list[str]] = {}
    for one in statement.sets:
        rows = rows_of(values, one.name)
        columns = zip(*rows, strict=True) if rows else [()] * len(one.columns)
        arrays[one.name] = [
            (_texts if text else _integers)(list(c)) for c, text in zip(columns, one.texts, strict=True)
        ]
    bound: list[Any] = []
    for key in statement.order:
        if isinstance(key, tuple):
            bound.append(arrays[key[0]][key[1]])
        else:
            value = values[key]
            bound.append(clean(value) if isinstance(value, str) else value)
    return bound


def _integers(column: list[Any]) -> str:
    inner = encode(column)[1:-1]  # null is NULL in an array literal, too
    return "{" + inner.replace("true", "1").replace("false", "0") + "}"


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


def _texts(column: list[Any]) -> str:
    return "{" + ",".join(["NULL" if t is None else f'"{clean(t).translate(_ESCAPES)}"' for t in column]) + "}"


class TruthDumper(Dumper):
    """A bool goes in as an integer."""

    oid = psycopg.adapters.types["int8"].oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class TruthLoader(Loader):
    """A boolean comes back as 0 or 1."""

    def load(self, data: bytes | bytearray | memoryview) -> int:
        return int(bytes(data) == b"t")


class NumericLoader(Loader):
    """The sum of bigints is a numeric: an int, unless it has a fraction."""

    def load(self, data: bytes | bytearray | memoryview) -> int | float:
        text = bytes(data)
        return float(text) if b"." in text or b"N" in text else int(text)


def connect(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection in autocommit, with our types. DatabaseError where the server is too old, Unreachable without it."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        hint = "write postgresql://user@host/database, with special characters as %xx"
        raise DatabaseError(f"expected a database URL, got {redact(url)!r}", hint=hint) from None  # it tells passwords
    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "fallback_application_name": "sensord",
        "client_encoding": "utf8",
        "tcp_user_timeout": SILENCE_MILLISECONDS,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }
    kept = {key: value for key, value in defaults.items() if key not in given}
    try:
        connection = psycopg.connect(
            url, autocommit=True, prepare_threshold=2, cursor_factory=psycopg.RawCursor, **kept
        )
    except psycopg.Error as error:
        raise explain(error, url, lost=True) from error
    require_version(connection.info.server_version)
    adapters = connection.adapters
    adapters.register_dumper(int, Int8Dumper)  # one type for all integers: one prepared statement
    adapters.register_dumper(str, StrDumper)
    adapters.register_dumper(bool, TruthDumper)
    adapters.register_loader("bool", TruthLoader)
    adapters.register_loader("numeric", NumericLoader)
    return connection


def require_version(version: int) -> None:
    """DatabaseError where the server is too old; `version` as libpq tells it, 150007 for 15.7."""
    if version // 10000 < OLDEST:
        raise DatabaseError(f"expected PostgreSQL {OLDEST} or newer, got {version // 10000}", hint="upgrade the server")


def explain(error: psycopg.Error, url: str, *, lost: bool) -> DatabaseError:
    """The driver's error as ours, on one line, without the password."""
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in _secrets(url):
        text = text.replace(secret, "***")
    if lost:
        return Unreachable(f"{redact(url)}: {text}", hint="is the server running, and does it let us in?")
    if error.sqlstate in LOCKED:
        return Locked(f"{redact(url)}: {text}", hint=KEPT)
    hint = "sensord db upgrade" if isinstance(error, psycopg.errors.UndefinedTable) else None
    return DatabaseError(f"{redact(url)}: {text}", hint=hint)


def _secrets(url: str) -> Sequence[str]:
    given = conninfo_to_dict(url)
    return [str(given[key]) for key in ("password", "sslpassword") if given.get(key)]
