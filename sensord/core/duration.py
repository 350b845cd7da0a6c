"""Durations as people write them: `1h30m` is exact, `2d` or `1mo` keeps the wall time of a zone, `-6d1s` does both.

Calendar arithmetic is that of core/zone.py: gaps and overlaps are resolved there.
"""

import calendar
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sensord.core.zone import resolve, wall
from sensord.errors import InvalidValue

_UNITS = ("y", "mo", "w", "d", "h", "m", "s")
_SHAPE = re.compile(r"[+-]?([0-9]{1,9}(y|mo|w|d|h|m|s))+")
_PART = re.compile(r"([0-9]+)([a-zA-Zµ]*)")
_LONGEST = timedelta(days=3_652_058)
_EXPECTED = 'expected a duration such as "1h30m" or "2d"'
_SPELLED = {
    "M": '"m" is minutes, "mo" is months',
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 'write "m" for minutes'),
    **dict.fromkeys(("hr", "hrs", "hour", "hours", "H"), 'write "h" for hours'),
    **dict.fromkeys(("sec", "secs", "second", "seconds", "S"), 'write "s" for seconds'),
    **dict.fromkeys(("day", "days", "D"), 'write "d" for days'),
    **dict.fromkeys(("week", "weeks", "W"), 'write "w" for weeks'),
    **dict.fromkeys(("mon", "month", "months", "MO", "Mo"), 'write "mo" for months'),
    **dict.fromkeys(("yr", "yrs", "year", "years", "Y"), 'write "y" for years'),
    **dict.fromkeys(("ms", "us", "µs", "ns"), "the smallest unit is the second"),
}


@dataclass(frozen=True, slots=True)
class Duration:
    """A signed length of time: a calendar part in years, months, weeks and days, and an exact part, `clock`.

    All parts are positive or zero; `sign`, 1 or -1, covers them all.
    """

    sign: int = 1
    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    clock: timedelta = timedelta()

    @property
    def is_calendar(self) -> bool:
        """Whether it depends on a zone: some years, months, weeks or days."""
        return bool(self.years or self.months or self.weeks or self.days)

    @property
    def exact(self) -> timedelta | None:
        """Its length, signed, where it is the same anywhere; None where it has a calendar part."""
        return None if self.is_calendar else self.sign * self.clock

    @property
    def is_zero(self) -> bool:
        return not self.is_calendar and not self.clock

    @property
    def is_positive(self) -> bool:
        """Longer than zero."""
        return self.sign > 0 and not self.is_zero

    def negated(self) -> "Duration":
        return replace(self, sign=-self.sign)

    def add(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """`instant` moved by this: the calendar part first, at the same wall time of `zone`, then the exact part.

        InvalidValue where the result falls outside the years 1 to 9999.
        """
        if self.is_calendar:
            instant = resolve(self.add_days(wall(instant, zone)), zone)
        try:
            return instant + self.sign * self.clock
        except OverflowError:
            raise self._too_far(instant) from None

    def add_days(self, local: datetime, times: int = 1) -> datetime:
        """A wall time moved `times` calendar parts on: months first, clamped to their last day, then weeks and days."""
        try:
            moved = add_months(local, times * self.sign * (12 * self.years + self.months))
            return moved + timedelta(days=times * self.sign * (7 * self.weeks + self.days))
        except OverflowError:
            raise self._too_far(local) from None

    def _too_far(self, value: datetime) -> InvalidValue:
        return InvalidValue(f"expected a time within the years 1 to 9999, got {value.isoformat()} moved by {self}")

    def __str__(self) -> str:
        """As `parse_duration` reads it."""
        minutes, seconds = divmod(self.clock // timedelta(seconds=1), 60)
        hours, minutes = divmod(minutes, 60)
        numbers = (self.years, self.months, self.weeks, self.days, hours, minutes, seconds)
        text = "".join(f"{number}{unit}" for number, unit in zip(numbers, _UNITS, strict=True) if number)
        return ("-" if self.sign < 0 else "") + (text or "0s")


def add_months(local: datetime, months: int) -> datetime:
    """The same day and time `months` on, clamped to the month's last day. OverflowError beyond the years 1 to 9999."""
    year, month = divmod(12 * local.year + local.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError(f"year {year} is out of range")
    return local.replace(year=year, month=month + 1, day=min(local.day, calendar.monthrange(year, month + 1)[1]))


def parse_duration(text: str | int | float) -> Duration:
    """Read `[-]1y2mo3w4d5h6m7s`, any units of these in this order, each at most once; else InvalidValue with a hint."""
    if not isinstance(text, str):
        raise InvalidValue(f"{_EXPECTED}, got the bare number {text}", hint=f'add a unit: "{text}s", "{text}m"')
    if not _SHAPE.fullmatch(text):
        raise InvalidValue(f"{_EXPECTED}, got {text[:60]!r}", hint=_explain(text))
    parts = [(int(number), unit) for number, unit in _PART.findall(text)]
    order = [_UNITS.index(unit) for _, unit in parts]
    if order != sorted(set(order)):
        fault = "each unit once" if len(set(order)) < len(order) else "the largest unit first"
        raise InvalidValue(f"expected {fault}, got {text[:60]!r}", hint="the order is y, mo, w, d, h, m, s")
    amount = dict.fromkeys(_UNITS, 0) | {unit: number for number, unit in parts}
    clock = timedelta(seconds=amount["s"], minutes=amount["m"], hours=amount["h"])
    duration = Duration(-1 if text[0] == "-" else 1, amount["y"], amount["mo"], amount["w"], amount["d"], clock)
    days = 366 * (amount["y"] + amount["mo"] / 12) + 7 * amount["w"] + amount["d"]
    if days + clock / timedelta(days=1) > _LONGEST.days:
        raise InvalidValue(f"expected a duration of less than 9,999 years, got {text[:60]!r}")
    return duration


def _explain(text: str) -> str:
    """What is wrong with a text that is no duration at all."""
    body = text.strip().lstrip("+-")
    if re.fullmatch(r"[0-9]+", body):
        return f'add a unit: "{body[:20]}s", "{body[:20]}m"'
    if body[:1] in ("P", "p"):
        return 'ISO 8601 forms are not read: write "1d12h" for P1DT12H'
    if re.search(r"[0-9]{10,}", body):
        return "a duration is less than 9,999 years"
    if re.search(r"[0-9][.,][0-9]", body):
        return 'only whole numbers: write "1h30m" for 1.5 hours'
    if re.search(r"\s", text):
        return 'without spaces: "1h30m"'
    for _, unit in _PART.findall(body):
        if unit not in _UNITS:
            return _SPELLED.get(unit, "the units are y, mo, w, d, h, m, s") if unit else "every number takes a unit"
    return "numbers with their units: y, mo, w, d, h, m, s"
