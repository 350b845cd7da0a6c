"""One TOML file, read: its values, and where each of them stands. What they mean is for others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import toml_rs

from sensord.config.names import show

Path = tuple[str | int, ...]
"""The way to a value: keys of tables, and numbers in lists, from 0."""

DEEPEST = 32
"""Tables and lists within one another. The parser, which is recursive, would take the process down at about 1,000."""

MOST_VALUES = 10_000
"""Tables, lists and values of one file: each may have its own problem, which takes time to find and to tell."""

_LEXEMES = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' + r"'''.*?'''" + r'|"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|#[^\n]*|[\[\]{}.,\n]", re.DOTALL
)
_BASIC = re.compile(r"(?P<skipped>\\[ \t]*\r?\n[ \t\r\n]*)|\\u.{4}|\\U.{8}|\\.|\r?\n|[^\\]")
_LITERAL = re.compile(r"(?P<skipped>(?!))|\r?\n|.", re.DOTALL)
"""One character of a string, as it is written; `skipped` is none."""
_LONG_NUMBER = re.compile(r"[0-9_]{19}|0[xob]")
_INTEGERS = range(-(2**63), 2**63)


class Place(NamedTuple):
    """From 1; the column counts characters."""

    line: int
    column: int


class Fault(Exception):
    """The text is no TOML that we read; `place` is where, as far as it is known."""

    def __init__(self, message: str, hint: str | None = None, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place


@dataclass(frozen=True, slots=True)
class Document:
    """`data` as plain dicts, lists and values."""

    data: dict[str, Any]
    _nodes: dict[str, Any]
    _text: str

    def value_place(self, path: Path) -> Place:
        """Where the value begins; a table's is its header, or its first key."""
        node = self._find(path)
        if not _is_placed(node):
            return self._header_place(path, node)
        side = "value" if "value_line" in node else "key"  # a list of tables has its first header alone
        return self._place(node[f"{side}_line"], node[f"{side}_col"])

    def text_place(self, path: Path, at: int) -> Place:
        """Where in a text, which is the value, its character number `at` is written, from 0."""
        line, column = self.value_place(path)
        start = sum(len(one) + 1 for one in self._text.split("\n")[: line - 1]) + column - 1
        before = self._text[: _find_character(self._text, start, at)]
        return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))

    def key_place(self, path: Path) -> Place:
        """Where the key is written."""
        node = self._find(path)
        if not _is_placed(node):
            return self._header_place(path, node)
        side = "key" if "key_line" in node else "value"  # an element of a list has no key
        return self._place(node[f"{side}_line"], node[f"{side}_col"])

    def home(self, path: Path) -> tuple[str | None, Path]:
        """The file that a value stands in, where that is not the one which is read, and the way to it there."""
        return None, path

    def unusable(self) -> Iterator[tuple[Path, str]]:
        """Values that TOML can write but nothing here can hold: (path, what was expected and got)."""
        text = self._text
        if "\\u0000" in text or "\\U00000000" in text or _LONG_NUMBER.search(text):
            yield from _find_unusable((), self.data)

    def _find(self, path: Path) -> Any:
        children: Any = self._nodes
        node: Any = self._nodes
        for part in path:
            node = children[part]
            children = node["value"] if _is_placed(node) else node
        return node

    def _place(self, line: int | tuple[int, int], column: int | tuple[int, int]) -> Place:
        """The parser's columns count bytes."""
        first = line if isinstance(line, int) else line[0]
        offset = (column if isinstance(column, int) else column[0]) - 1
        if not self._text.isascii():
            offset = len(self._text.split("\n")[first - 1].encode()[:offset].decode(errors="ignore"))
        return Place(first, offset + 1)

    def _header_place(self, path: Path, node: dict[str, Any]) -> Place:
        """A `[table]` carries no place of its own: look for its header, else for the first thing in it."""
        names = r"\s*\.\s*".join(rf"[\"']?{re.escape(str(part))}[\"']?" for part in path)
        header = re.search(rf"^[ \t]*(\[\s*{names}\s*\])", self._text, re.MULTILINE)
        if path and header:
            before = self._text[: header.start(1)]
            return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        while not _is_placed(node) and node:
            node = next(iter(node.values()))
        return self._place(node["key_line"], node["key_col"]) if _is_placed(node) and path else Place(1, 1)


def read_document(text: str) -> Document:
    """Raises Fault where `text` is not TOML 1.0. A byte order mark and CRLF are no fault."""
    text = text.removeprefix("\ufeff")
    _refuse_depth(text)
    try:
        parsed = toml_rs.load_with_metadata(text, toml_version="1.0.0")
    except toml_rs.TOMLDecodeError as error:
        detail = error.msg.rpartition("^\n")[2].strip()
        raise Fault(f"expected TOML, got an error: {detail}", _advise(detail), _byte_place(text, error.pos)) from None
    except ValueError as error:
        raise Fault(f"expected dates and numbers within their range, got an error: {error}") from None
    if _has_more_than(MOST_VALUES, parsed.value):
        raise Fault(f"expected at most {MOST_VALUES:,} tables, lists and values in a file, got more")
    return Document(parsed.value, parsed.meta["nodes"], text)


def _has_more_than(most: int, whole: Any) -> bool:
    ahead, seen = [whole], 0
    while ahead and seen <= most:
        value = ahead.pop()
        if isinstance(value, dict | list):
            seen += len(value)
            ahead += value.values() if isinstance(value, dict) else value
    return seen > most


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") + text.count(".") < DEEPEST:
        return
    opened: list[int] = []  # of each bracket that is open: how deep it lies itself
    depth = 0  # of dotted keys too, which are tables within tables
    for lexeme in _LEXEMES.finditer(text):
        match lexeme[0]:
            case "[" | "{":
                opened.append(depth)
                depth += 1
            case "]" | "}":
                depth = opened.pop() if opened else 0
            case ".":
                depth += 1
            case "," | "\n":
                depth = opened[-1] + 1 if opened else 0
            case _:
                pass  # strings and comments
        if depth > DEEPEST:
            message = f"expected at most {DEEPEST} tables and lists within one another, got more"
            raise Fault(message, place=_byte_place(text, len(text[: lexeme.start()].encode())))


def _find_character(text: str, start: int, number: int) -> int:
    """Of a string of TOML that begins at `start`, where the source of its character is, or where the string ends."""
    quote = text[start]
    long = text.startswith(quote * 3, start)
    at = start + (3 if long else 1)
    if long and (first := re.compile(r"\r?\n").match(text, at)):
        at = first.end()
    lexeme = _BASIC if quote == '"' else _LITERAL
    while found := lexeme.match(text, at):
        if found["skipped"] is None:
            if number == 0:
                break
            number -= 1
        at = found.end()
    return min(at, len(text) - 1)


def _advise(detail: str) -> str | None:
    if detail.startswith("duplicate key"):
        return "each key, and each [table], may stand once; only [[sensors]] may be repeated"
    if "newlines are unsupported in inline tables" in detail:
        return "write a [table] of its own, or all on one line"
    return None


def _byte_place(text: str, position: int) -> Place:
    before = text.encode()[:position].decode(errors="ignore")
    return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _is_placed(node: Any) -> bool:
    """Whether it is a value's own record; a table of values has dicts only, whatever its keys are called."""
    return isinstance(node.get("value_line", node.get("key_line")), int | tuple)


def _find_unusable(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                if "\0" in key:
                    yield (*path, key), "expected a key without the character NUL, got one with it"
                else:
                    yield from _find_unusable((*path, key), inner)
        case list():
            for number, inner in enumerate(value):
                yield from _find_unusable((*path, number), inner)
        case str() if "\0" in value:
            yield path, f"expected a text without the character NUL, got {show(value.replace(chr(0), '␀'))}"
        case int() if value not in _INTEGERS:
            yield path, "expected a number of at most 64 bits, got a larger one"
        case _:
            pass
