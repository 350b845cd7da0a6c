"""SQL that is written once for both databases: what is special in it, and how its parameters are made fit to bind.

    :name                      a parameter: a number, text or None
    ROWS(:name, a, b text) x   a table, from a list of tuples passed as one parameter; bigint unless `text` follows
    LOCK(UPDATE OF run)        FOR UPDATE OF run, where rows can be locked; nothing on SQLite
    GREATEST(a, b) LEAST(a, b) of values that are not NULL

Everything else goes to the database as it stands, string literals, quoted names and comments included.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

SERVER_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)"
"""The present by PostgreSQL's own clock, in microseconds since 1970."""

Value = int | float | str | None
Values = Mapping[str, "Value | Sequence[tuple[Value, ...]]"]


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str


@dataclass(frozen=True, slots=True)
class RowSet:
    """`ROWS(:name, ...)`. `texts` says of each column whether it holds text; if not, it holds integers."""

    name: str
    columns: tuple[str, ...]
    texts: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """`LOCK(UPDATE SKIP LOCKED)`: `strength` is what follows FOR."""

    strength: str


@dataclass(frozen=True, slots=True)
class Extreme:
    """GREATEST or LEAST, up to its bracket."""

    word: str


Piece = str | Parameter | RowSet | Lock | Extreme

_TOKEN = re.compile(
    r"""
      (?P<verbatim> '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ )
    | (?P<cast> :: )
    | (?P<mark> \? | \$\d )
    | \bROWS\(\s* :(?P<set>[a-z_]\w*) \s*,(?P<columns>[^()]+)\)
    | \bLOCK\((?P<lock>[^()]+)\)
    | \b(?P<extreme>GREATEST|LEAST)(?=\()
    | :(?P<name>[a-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_COLUMN = re.compile(r"\s*([a-z_]\w*)(\s+text)?\s*")


@lru_cache(maxsize=1024)
def parse(sql: str) -> tuple[Piece, ...]:
    """Cut shared SQL into plain text and what is special. ValueError for what does not mean the same on both."""
    pieces: list[Piece] = []
    end = 0
    for token in _TOKEN.finditer(sql):
        pieces.append(sql[end : token.start()])
        end = token.end()
        pieces.append(_piece(token))
    pieces.append(sql[end:])
    _agree([piece for piece in pieces if isinstance(piece, RowSet)])
    return tuple(piece for piece in pieces if piece != "")


def _piece(token: re.Match[str]) -> Piece:
    match token.lastgroup:
        case "verbatim":
            return token[0]
        case "columns":
            return _row_set(token["set"], token["columns"])
        case "lock":
            return Lock(token["lock"].strip())
        case "extreme":
            return Extreme(token["extreme"])
        case "name":
            return Parameter(token["name"])
        case _:
            raise ValueError(f"expected SQL for both databases, got {token[0]!r}: write CAST(x AS type) and :name")


def _row_set(name: str, columns: str) -> RowSet:
    parts = [_COLUMN.fullmatch(part) for part in columns.split(",")]
    if not all(parts):
        raise ValueError(f"expected ROWS(:{name}, column, column text, ...), got {columns.strip()!r}")
    found = [part for part in parts if part]
    return RowSet(name, tuple(part[1] for part in found), tuple(bool(part[2]) for part in found))


def _agree(sets: list[RowSet]) -> None:
    shapes = {(one.name, one.texts) for one in sets}
    if len(shapes) > len({one.name for one in sets}):
        raise ValueError("expected the same types wherever one ROWS parameter is used")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL as one database wants it. `order` names the values to bind: a parameter, or a column of a set."""

    text: str
    names: frozenset[str]
    sets: tuple[RowSet, ...]
    order: tuple[str | tuple[str, int], ...] = ()

    def check(self, values: Values) -> None:
        """TypeError unless `values` are those that the SQL names, with as many values a row as its ROWS has columns."""
        if values.keys() != self.names:
            raise TypeError(f"expected the parameters {sorted(self.names)}, got {sorted(values)}")
        for one in self.sets:
            width = len(one.columns)
            if any(len(row) != width for row in rows_of(values, one.name)):
                raise TypeError(f"expected rows of {width} values in {one.name}: {', '.join(one.columns)}")


def rows_of(values: Values, name: str) -> Sequence[tuple[Value, ...]]:
    """The rows passed as `name`; TypeError where something else was."""
    rows = values[name]
    if rows is None or isinstance(rows, int | float | str):
        raise TypeError(f"expected a list of tuples in {name}, got {rows!r}")
    return rows


def names_of(pieces: Sequence[Piece]) -> tuple[frozenset[str], tuple[RowSet, ...]]:
    """The names of all parameters, and the sets among them, each once."""
    sets = {piece.name: piece for piece in pieces if isinstance(piece, RowSet)}
    plain = {piece.name for piece in pieces if isinstance(piece, Parameter)}
    return frozenset(plain | sets.keys()), tuple(sets.values())


def clean(text: str) -> str:
    """Text that both databases store: NUL and lone surrogates, which PostgreSQL refuses, are replaced."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
