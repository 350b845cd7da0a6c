"""The filters of templates, which turn one value into another: `logical_date | plus("-1d") | date("%Y-%m-%d")`.

Arguments are checked when a filter is made, so that to apply it cannot fail. A filter that would lead out of the years
that have schedules stays at their first or last instant.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sensord.core.duration import parse_duration
from sensord.core.instant import EPOCH, format_instant
from sensord.core.mapping.anchor import floor
from sensord.core.mapping.spec import Unit
from sensord.core.zone import EARLIEST, LATEST, parse_zone
from sensord.errors import InvalidValue


class Kind(StrEnum):
    """Of a value, in the words of a message."""

    TEXT = "a text"
    INSTANT = "an instant"


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant to be shown in `zone`; None is UTC, written with Z."""

    at: datetime
    zone: ZoneInfo | None = None

    @property
    def local(self) -> datetime:
        return min(max(self.at, EARLIEST), LATEST).astimezone(self.zone or UTC)

    def __str__(self) -> str:
        return self.local.isoformat(timespec="seconds") if self.zone else format_instant(self.at)


Value = str | Moment

LONGEST = 200_000
"""Characters of a text at most: more than Linux takes in one argument or variable (131,072 bytes), so that a command
which is given more is not started, rather than started with less.
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """One use of a filter. Made by `make_filter`, which checks it."""

    name: str
    arguments: tuple[str, ...] = ()

    @property
    def takes(self) -> Kind:
        return FILTERS[self.name].takes

    @property
    def gives(self) -> Kind:
        return FILTERS[self.name].gives

    def apply(self, value: Value, zone: ZoneInfo) -> Value:
        """`value` is of the kind that the filter takes; `zone` is the flow's."""
        return FILTERS[self.name].apply(value, zone, *self.arguments)

    def __str__(self) -> str:
        arguments = ", ".join(json.dumps(one, ensure_ascii=False) for one in self.arguments)
        return f"{self.name}({arguments})" if arguments else self.name


def make_filter(name: str, arguments: tuple[str, ...] = ()) -> Filter:
    """InvalidValue where there is no such filter, or its arguments are wrong."""
    if name not in FILTERS:
        near = get_close_matches(name.lower(), FILTERS, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"the filters are {', '.join(FILTERS)}"
        raise InvalidValue(f"expected a filter, got {name[:60]}", hint=hint)
    spec = FILTERS[name]
    if len(arguments) not in spec.counts:
        wanted = " or ".join(str(count) for count in spec.counts)
        raise InvalidValue(f"expected {name} with {wanted} arguments, got {len(arguments)}", hint=f"as {spec.example}")
    spec.check(*arguments)
    return Filter(name, arguments)


# What each does


def _date(value: Value, _zone: ZoneInfo, pattern: str) -> str:
    local = _moment(value).local
    return _DIRECTIVE.sub(lambda found: _DIRECTIVES[found[1]](local), pattern)


def _in_zone(value: Value, zone: ZoneInfo, name: str | None = None) -> Moment:
    return Moment(_moment(value).at, zone if name is None else parse_zone(name))


def _plus(value: Value, zone: ZoneInfo, text: str) -> Moment:
    moment, duration = _moment(value), parse_duration(text)
    try:
        at = duration.add(moment.at, moment.zone or zone)
    except InvalidValue:
        at = LATEST if duration.sign > 0 else EARLIEST
    return Moment(at, moment.zone)


def _align(value: Value, zone: ZoneInfo, unit: str) -> Moment:
    moment = _moment(value)
    try:
        at = floor(moment.at, Unit(unit), moment.zone or zone)
    except InvalidValue:
        at = EARLIEST
    return Moment(at, moment.zone)


def _upper(value: Value, _zone: ZoneInfo) -> str:
    return str(value).upper()


def _lower(value: Value, _zone: ZoneInfo) -> str:
    return str(value).lower()


def _replace(value: Value, _zone: ZoneInfo, old: str, new: str) -> str:
    """A text that has grown to LONGEST stays as it is: nothing makes it fit to be given to a command again."""
    text = str(value)
    if len(text) >= LONGEST:
        return text
    grown = len(text) + text.count(old) * (len(new) - len(old))
    return text.replace(old, new) if grown < LONGEST else cut(text.split(old), new)


def cut(parts: Iterable[str], between: str = "") -> str:
    """The first LONGEST characters of the parts, joined; nothing longer is ever made on the way."""
    found: list[str] = []
    length = 0
    for part in parts:
        found += [between, part] if found else [part]
        length += len(between) + len(part)
        if length > LONGEST + len(between):
            break
    return "".join(found)[:LONGEST]


def _moment(value: Value) -> Moment:
    assert isinstance(value, Moment)
    return value


# What their arguments must be

_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "Y": lambda at: f"{at.year:04}",
    "y": lambda at: f"{at.year % 100:02}",
    "m": lambda at: f"{at.month:02}",
    "d": lambda at: f"{at.day:02}",
    "H": lambda at: f"{at.hour:02}",
    "M": lambda at: f"{at.minute:02}",
    "S": lambda at: f"{at.second:02}",
    "j": lambda at: f"{at.timetuple().tm_yday:03}",
    "G": lambda at: f"{at.isocalendar().year:04}",
    "V": lambda at: f"{at.isocalendar().week:02}",
    "u": lambda at: str(at.isoweekday()),
    "F": lambda at: at.date().isoformat(),
    "T": lambda at: at.time().isoformat(timespec="seconds"),
    "z": lambda at: at.strftime("%z"),
    "s": lambda at: str((at - EPOCH).days * 86_400 + (at - EPOCH).seconds),
    "%": lambda _: "%",
}
"""Those of strftime that depend on no locale and no host."""


def _check_pattern(pattern: str) -> None:
    for letter in _DIRECTIVE.findall(pattern):
        if letter not in _DIRECTIVES:
            hint = f"there are {' '.join(f'%{one}' for one in _DIRECTIVES)}"
            raise InvalidValue(f"expected a date's pattern, got %{letter} in it", hint=hint)


def _check_zone(name: str = "UTC") -> None:
    parse_zone(name)


def _check_duration(text: str) -> None:
    parse_duration(text)


def _check_unit(text: str) -> None:
    units = [unit.value for unit in Unit]
    if text not in units:
        raise InvalidValue(f"expected one of {', '.join(units)}, got {text[:60]!r}")


def _check_nothing() -> None:
    """There is none."""


def _check_pair(old: str, _new: str) -> None:
    if not old:
        raise InvalidValue("expected a text to replace, got an empty one")


class _Spec(NamedTuple):
    takes: Kind
    gives: Kind
    counts: tuple[int, ...]
    check: Callable[..., None]
    apply: Callable[..., Value]
    example: str


FILTERS: dict[str, _Spec] = {
    "date": _Spec(Kind.INSTANT, Kind.TEXT, (1,), _check_pattern, _date, 'date("%Y-%m-%d")'),
    "in_zone": _Spec(Kind.INSTANT, Kind.INSTANT, (0, 1), _check_zone, _in_zone, 'in_zone("Europe/Amsterdam")'),
    "plus": _Spec(Kind.INSTANT, Kind.INSTANT, (1,), _check_duration, _plus, 'plus("-1d")'),
    "align": _Spec(Kind.INSTANT, Kind.INSTANT, (1,), _check_unit, _align, 'align("month")'),
    "upper": _Spec(Kind.TEXT, Kind.TEXT, (0,), _check_nothing, _upper, "upper"),
    "lower": _Spec(Kind.TEXT, Kind.TEXT, (0,), _check_nothing, _lower, "lower"),
    "replace": _Spec(Kind.TEXT, Kind.TEXT, (2,), _check_pair, _replace, 'replace("/", "_")'),
}
"""Name -> what it takes and gives, how many arguments it has, and an example."""
