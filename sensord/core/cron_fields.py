"""One field of a cron expression: its text to the values it names, or an error that names the field.

What a field's values mean together is core/cron_parse.py's.
"""

import difflib
import re
from dataclasses import dataclass, field

from sensord.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class FieldKind:
    """Which numbers a field takes. `high` is where `*` and `n/step` end; a day of the week may also be written 7.

    `unit` is what `every` calls the same step.
    """

    name: str
    low: int
    high: int
    unit: str
    names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return self.high - self.low + 1

    @property
    def written_high(self) -> int:
        return 7 if self is WEEKDAY else self.high


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

MINUTE = FieldKind("minute", 0, 59, "m")
HOUR = FieldKind("hour", 0, 23, "h")
DAY = FieldKind("day of month", 1, 31, "d")
MONTH = FieldKind("month", 1, 12, "mo", _MONTHS)
WEEKDAY = FieldKind("day of week", 0, 6, "d", _WEEKDAYS)
SECOND = FieldKind("second", 0, 59, "s")


@dataclass(frozen=True, slots=True)
class FieldValues:
    """`starred`: its text starts with `*`. Of a day field only: `last` (L), `last_weekdays` (5L), `nth` (1#2)."""

    values: frozenset[int]
    starred: bool = False
    last: bool = False
    last_weekdays: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()


@dataclass(slots=True)
class _Found:
    values: set[int] = field(default_factory=set)
    last: bool = False
    last_weekdays: set[int] = field(default_factory=set)
    nth: set[tuple[int, int]] = field(default_factory=set)


_SIMPLE = re.compile(r"(?P<low>\*|[0-9]{1,9}|[A-Z]{3})(-(?P<high>[0-9]{1,9}|[A-Z]{3}))?(/(?P<step>[0-9]{1,9}))?")
_NTH = re.compile(r"(?P<day>[0-9]|[A-Z]{3})#(?P<nth>[0-9]{1,9})")
_LAST_WEEKDAY = re.compile(r"(?P<day>[0-9]|[A-Z]{3})L")
_REFUSED = (
    (r"\?", '"?" is not read', 'write "*"'),
    (r"H(\(.*\))?(/.*)?", "hashed values (H) are not read", "choose a value, so that the ticks are known"),
    (
        r"R(\(.*\))?(/.*)?|.*~.*",
        "random values are not read",
        "choose a value: ticks must be the same at every reading",
    ),
    (r"W[0-9]+|[0-9]*L?W", "nearest weekdays (W) are not read", "name the days, or use a python: mapping"),
    (r"L-[0-9]+", "days before the last (L-3) are not read", 'only "L" itself, the last day'),
    (r"[0-9]+-L", '"L" ends no range', "write 31: days that a month lacks are left out"),
    (r"L[0-7]", '"L" goes behind the day of the week', 'write "5L" for the last Friday'),
)


def parse_field(text: str, kind: FieldKind) -> FieldValues:
    """Read a list such as `1-5,10-40/10`; InvalidValue, with the field's name, where it is none."""
    found = _Found()
    for item in text.upper().split(","):
        _read_item(item, kind, found)
    return FieldValues(
        frozenset(found.values),
        text.startswith("*"),
        found.last,
        frozenset(found.last_weekdays),
        frozenset(found.nth),
    )


def _read_item(item: str, kind: FieldKind, found: _Found) -> None:
    if not item:
        raise _wrong(kind, "a value on each side of a comma", item)
    if match := _SIMPLE.fullmatch(item):
        found.values |= _read_range(item, kind, match["low"], match["high"], match["step"])
    elif kind is DAY and item == "L":
        found.last = True
    elif kind is WEEKDAY and (match := _LAST_WEEKDAY.fullmatch(item)):
        found.last_weekdays.add(_number(match["day"], kind) % 7)
    elif kind is WEEKDAY and (match := _NTH.fullmatch(item)):
        if not 1 <= int(match["nth"]) <= 5:
            raise _wrong(kind, "a week from 1 to 5 behind #", item)
        found.nth.add((_number(match["day"], kind) % 7, int(match["nth"])))
    else:
        raise _explain(item, kind)


def _read_range(item: str, kind: FieldKind, low: str, high: str | None, step: str | None) -> set[int]:
    first = kind.low if low == "*" else _number(low, kind)
    if low == "*" and high is not None:
        raise _wrong(kind, "a number before -", item)
    if high is not None:
        last = _number(high, kind)
        if kind is WEEKDAY and high == "SUN":
            last = 7
        if first > last:
            raise _wrong(kind, "a range that rises", item, hint=f'write "{_unwrap(kind, low, high)}"')
    elif low == "*" or step is not None:
        last = kind.high
        first = first % 7 if kind is WEEKDAY else first
    else:
        last = first
    numbers = range(first, last + 1, _read_step(item, kind, step))
    return {number % 7 for number in numbers} if kind is WEEKDAY else set(numbers)


def _read_step(item: str, kind: FieldKind, text: str | None) -> int:
    if text is None:
        return 1
    step = int(text)
    if step == 0:
        raise _wrong(kind, "a step of 1 or more", item)
    if step > kind.count:
        expected = f"a step of at most {kind.count}, the number of its values"
        raise _wrong(kind, expected, item, hint=f'for a longer step use every = "{step}{kind.unit}" in place of cron')
    return step


def _number(text: str, kind: FieldKind) -> int:
    """A number or a name within the field's range. SUN is 0 here."""
    if text in kind.names:
        return kind.names.index(text) + kind.low
    span = f"{kind.low} to {kind.written_high}"
    if not text.isdecimal():
        names = f" or {kind.names[0]} to {kind.names[-1]}" if kind.names else ""
        raise _wrong(kind, f"{span}{names}", text, hint=_propose(text, kind))
    if not kind.low <= int(text) <= kind.written_high:
        hint = "midnight is hour 0" if kind is HOUR and text == "24" else None
        raise _wrong(kind, span, text, hint=hint)
    return int(text)


def _unwrap(kind: FieldKind, low: str, high: str) -> str:
    """A wrapped range as two that rise: `22-2` as `22-23,0-2`."""
    top = kind.names[-1] if low in kind.names else str(kind.high)
    bottom = kind.names[0] if high in kind.names else str(kind.low)
    if kind is WEEKDAY and high == "0":
        return f"{low}-7"
    if kind is WEEKDAY and low == "7":
        return f"{bottom}-{high}"
    return ",".join(a if a == b else f"{a}-{b}" for a, b in ((low, top), (bottom, high)))


def _explain(item: str, kind: FieldKind) -> InvalidValue:
    """Why an item of no known shape is refused."""
    for pattern, reason, advice in _REFUSED:
        if re.fullmatch(pattern, item):
            return _wrong(kind, "plain values", item, reason=reason, hint=advice)
    if "#" in item:
        if kind is WEEKDAY:
            return _wrong(kind, "one day and one week, as in 1#2", item, hint='"1#2" is the second Monday')
        return _wrong(kind, "plain values", item, hint="# belongs to the day of week")
    if item == "L" or re.fullmatch(r"[0-9A-Z]+L", item):
        return _wrong(kind, "plain values", item, hint='"L" alone is the last day of the month, "5L" the last Friday')
    expected = f"values from {kind.low} to {kind.written_high}, ranges, lists or steps"
    return _wrong(kind, expected, item, hint=_propose(item, kind))


def _propose(text: str, kind: FieldKind) -> str | None:
    """The name that may be meant by a word; None where it is none, or like none."""
    if not text.isalpha():
        return None
    if text[:3] in kind.names:
        return f"names have three letters: {text[:3]}"
    if near := difflib.get_close_matches(text, kind.names, n=1):
        return f"did you mean {near[0]}?"
    home = next((other.name for other in (MONTH, WEEKDAY) if text[:3] in other.names), None)
    return f"that is a name for the {home} field" if home else None


def _wrong(kind: FieldKind, expected: str, got: str, *, reason: str = "", hint: str | None = None) -> InvalidValue:
    because = f": {reason}" if reason else ""
    return InvalidValue(f"{kind.name} field: expected {expected}, got {got[:60]!r}{because}", hint=hint)
