"""Params: values that templates name as `params.x`; a flow's file has them, and a person may give others to one run.

What is given for one run has the type that the flow's file has it in.
"""

import math
import re

from sensord.errors import InvalidValue

Param = str | int | float | bool

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,5})?")
_LARGEST = 2**63 - 1  # of TOML's integers


def write_param(value: Param) -> str:
    """As TOML has it, a text without its quotes: `true`, `10`, `0.5`. This is what a template is filled with."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_param(name: str, text: str, like: Param) -> Param:
    """The value that somebody gave as a text, in the type of `like`. InvalidValue where it cannot have that."""
    value: Param | None
    match like:
        case bool():
            value, wanted = {"true": True, "false": False}.get(text), "true or false"
        case int():
            value, wanted = _read_whole(text), "a whole number"
        case float():
            value, wanted = _read_number(text), "a number"
        case str():
            value, wanted = _read_text(text), "a text without null characters, in UTF-8"
    if value is None:
        raise InvalidValue(f"expected {wanted} for params.{name}, got {text[:60]!r}")
    return value


def _read_whole(text: str) -> int | None:
    value = int(text) if _WHOLE.fullmatch(text) else None
    return value if value is not None and -_LARGEST - 1 <= value <= _LARGEST else None


def _read_number(text: str) -> float | None:
    value = float(text) if _NUMBER.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None


def _read_text(text: str) -> str | None:
    """What a command can be given: no argument or variable holds a null character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return None if "\0" in text else text
