"""Reads a sensor's mapping keys, as TOML gives them, into a Mapping; refuses with reasons, all of them at once.

The keys' places in the file are added by `sensord.config`, which finds them by `Problem.key`.

Where the text leaves a choice: `back` and `ahead` may be 0; none of `back`, `ahead` and `count` is above 10,000, since
no sensor may map more; `week_start` needs a week to begin; with both ends closed, `since` may still be an instant.
"""

import difflib
import re
from collections.abc import Callable
from collections.abc import Mapping as Table
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sensord.core.duration import Duration, parse_duration
from sensord.core.mapping.function import MappingFunction
from sensord.core.mapping.resolve import Require
from sensord.core.mapping.spec import REFUSE_ABOVE, UPSTREAM, Closed, Mapping, Match, Unit, WeekStart
from sensord.core.zone import resolve
from sensord.errors import ConfigError, InvalidValue, Problem

KEYS = (
    "match",
    "align",
    "offset",
    "back",
    "ahead",
    "count",
    "strict",
    "within",
    "since",
    "closed",
    "week_start",
)
"""A sensor's keys that belong to its mapping; all others are not this module's."""

Loader = Callable[[str], MappingFunction]
"""`module:function` -> the function; raises InvalidValue where it is not allowed or not there."""

_ALWAYS = frozenset({"match", "align", "offset", "week_start"})
_GOES_WITH: dict[str, tuple[Match, ...]] = {
    "strict": (Match.LATEST, Match.NEXT),
    "back": (Match.LATEST, Match.INTERVAL, Match.OVERLAP),
    "ahead": (Match.LATEST, Match.INTERVAL, Match.OVERLAP),
    "count": (Match.LATEST, Match.NEXT, Match.INTERVAL, Match.OVERLAP),
    "within": (Match.INTERVAL, Match.OVERLAP),
    "since": (Match.INTERVAL, Match.OVERLAP),
    "closed": (Match.INTERVAL,),
}
_REASONS = {
    "strict": "it leaves out the tick at the anchor itself, which only these two look for from there",
    "back": "it steps back in ticks; to shift the date, use offset",
    "ahead": "it steps forward in ticks; to shift the date, use offset",
    "count": "it takes several ticks, or several intervals, in a row",
    "within": "it is the length of a period",
    "since": "it is the beginning of a period",
    "closed": "it says which ends of the interval belong to it",
}
_UTC = ZoneInfo("UTC")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?)?")
_E = TypeVar("_E", bound=StrEnum)


def build_mapping(
    values: Table[str, object],
    *,
    zone: ZoneInfo = _UTC,
    load: Loader | None = None,
) -> Mapping:
    """The mapping that `values` describe; keys left out take their defaults. A naive `since` is in `zone`, the flow's.

    Raises ConfigError with one Problem, `key` set, for every thing wrong.
    """
    problems = [_unknown(key) for key in values if key not in KEYS]
    read: dict[str, Any] = {}
    for key in KEYS:
        if key in values:
            try:
                read[key] = _read(key, values[key], zone, load)
            except InvalidValue as error:
                problems.append(Problem(error.message, error.hint, key=key))
    match = read.get("match", Match.LATEST if "match" not in values else None)
    if isinstance(match, MappingFunction):
        read["match"], read["function"] = Match.PYTHON, match
        match = Match.PYTHON
    problems += _combined(match, values)
    if problems:
        raise ConfigError(problems)
    return Mapping(**read)


def read_require(value: object) -> Require:
    """`"all"`, `"any"` or a whole number of at least 1; InvalidValue for all else."""
    if value == "all" or value == "any":
        return "all" if value == "all" else "any"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    near = difflib.get_close_matches(str(value).lower(), ("all", "any"), n=1)
    hint = 'require = "any" is 1 of them' if value == 0 else f'did you mean "{near[0]}"?' if near else None
    raise InvalidValue(f'expected "all", "any" or a number from 1, got {_show(value)}', hint=hint)


def _read(key: str, value: object, zone: ZoneInfo, load: Loader | None) -> object:
    match key:
        case "match":
            return _read_match(value, load)
        case "align":
            return UPSTREAM if value == UPSTREAM else _one_of(Unit, value, UPSTREAM)
        case "offset":
            return _read_duration(value)
        case "within":
            return _read_length(value)
        case "since":
            return _read_since(value, zone)
        case "closed":
            return _one_of(Closed, value)
        case "week_start":
            return _one_of(WeekStart, value)
        case "strict":
            if isinstance(value, bool):
                return value
            raise InvalidValue(f"expected true or false, got {_show(value)}")
        case _:
            return _read_number(key, value)


def _read_match(value: object, load: Loader | None) -> Match | MappingFunction:
    if not isinstance(value, str) or not value.startswith(Match.PYTHON):
        kinds = [kind for kind in Match if kind is not Match.PYTHON]
        return _choose(kinds, value, "python:module:function")
    name = value.removeprefix("python:")
    if value == name or not re.fullmatch(r"\w+(\.\w+)*:\w+", name):
        raise InvalidValue(f'expected "python:module:function", got {_show(value)}')
    if load is None:
        raise InvalidValue(f"expected a mapping without code of its own, got {_show(value)}")
    return load(name)


def _read_duration(value: object) -> Duration:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidValue(f'expected a duration such as "1d" or "-2h", got {_show(value)}')
    return parse_duration(value)


def _read_length(value: object) -> Duration:
    length = _read_duration(value)
    if not length.is_positive:
        raise InvalidValue(f"expected a length above zero, got {_show(value)}", hint="the period ends at the anchor")
    return length


def _read_since(value: object, zone: ZoneInfo) -> Unit | datetime:
    if isinstance(value, str):
        if not _INSTANT.fullmatch(value):
            return _one_of(Unit, value, 'a date such as "2025-01-31"')
        try:
            value = datetime.fromisoformat(value.upper())
        except ValueError as error:
            raise InvalidValue(f"expected a date of the calendar, got {_show(value)}", hint=str(error)) from None
    if isinstance(value, datetime):
        try:
            return resolve(value, zone) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:
            raise InvalidValue(f"expected an instant from year 1 to 9999, got {_show(value)}") from None
    if isinstance(value, date):
        return resolve(datetime.combine(value, time()), zone)
    raise InvalidValue(f'expected a period such as "month", or a date, got {_show(value)}')


def _read_number(key: str, value: object) -> int:
    least = 1 if key == "count" else 0
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= REFUSE_ABOVE:
        return value
    hint = None
    if isinstance(value, int) and value < 0 and key != "count":
        hint = f"{'ahead' if key == 'back' else 'back'} = {-value} goes the other way"
    raise InvalidValue(f"expected a whole number from {least} to {REFUSE_ABOVE}, got {_show(value)}", hint=hint)


def _one_of(kind: type[_E], value: object, *more: str) -> _E:
    return _choose(list(kind), value, *more)


def _choose(kinds: list[_E], value: object, *more: str) -> _E:
    for kind in kinds:
        if value == kind.value:
            return kind
    names = [*(kind.value for kind in kinds), *more]
    near = difflib.get_close_matches(str(value).lower(), names, n=1)
    hint = f'did you mean "{near[0]}"?' if near else None
    raise InvalidValue(f"expected one of {', '.join(names)}, got {_show(value)}", hint=hint)


def _combined(match: Match | None, values: Table[str, object]) -> list[Problem]:
    """What is wrong with keys that stand together; `match` is None where it is unreadable, and fits all."""
    problems = []
    for key, kinds in _GOES_WITH.items():
        if key in values and match is not None and match not in kinds:
            fits = " or ".join(f'"{kind}"' for kind in kinds)
            problems.append(Problem(f'expected {key} only with match {fits}, got "{match}"', _REASONS[key], key=key))
    if "back" in values and "ahead" in values:
        hint = "one number says how far, and which way"
        problems.append(Problem("expected back or ahead, got both", hint, key="ahead"))
    for period in ("within", "since"):
        others = [key for key in ("within", "since", "back", "ahead", "count") if key in values and key != period]
        if period in values and others and not (period == "since" and "within" in others):
            hint = f"{period} already says where the period begins; to shift it, use offset"
            problems.append(Problem(f"expected {period} alone, got it with {', '.join(others)}", hint, key=period))
    weeks = Unit.WEEK in (values.get("align"), values.get("since"))
    if "week_start" in values and not weeks:
        hint = 'it says on which day align = "week" and since = "week" begin'
        problems.append(Problem("expected week_start only with a week, got it without", hint, key="week_start"))
    return problems


def _unknown(key: str) -> Problem:
    near = difflib.get_close_matches(key, KEYS, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"the keys are {', '.join(KEYS)}"
    return Problem(f"expected a key of a mapping, got {key!r:.80}", hint, key=key)


def _show(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else value.isoformat() if isinstance(value, date) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
