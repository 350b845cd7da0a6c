"""Writes TOML: the values that a flow's file holds, commands above all, as legible as they can be."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

Value = str | int | bool | datetime | Sequence[str]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write_table(header: str, values: Mapping[str, Value]) -> str:
    """The header and a line for each value; nothing without values. A header of "" is the top of a file."""
    if not values:
        return ""
    lines = [f"{_key(key)} = {write_value(value)}" for key, value in values.items()]
    return "\n".join([header, *lines] if header else lines)


def write_value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return write_text(value)
        case datetime():
            return value.isoformat(timespec="seconds").replace("+00:00", "Z")
        case _:
            return f"[{', '.join(write_text(one) for one in value)}]"


def write_text(text: str) -> str:
    """In single quotes where that spares backslashes; over several lines where it has them."""
    if "\n" in text:
        if not _CONTROL.search(text) and "'''" not in text and not text.endswith("'"):
            return f"'''\n{text}'''"
        return '"""\n' + "".join(one if one == "\n" else _escape(one) for one in text) + '"""'
    plain = "'" not in text and not _CONTROL.search(text)
    if plain and ('"' in text or "\\" in text):
        return f"'{text}'"
    return f'"{"".join(map(_escape, text))}"'


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else f'"{"".join(map(_escape, key))}"'


def _escape(letter: str) -> str:
    if letter in _SHORT:
        return _SHORT[letter]
    return f"\\u{ord(letter):04x}" if _CONTROL.match(letter) else letter
