"""Which days a cron expression names, by its day of month, month and day of week.

croniter finds the days, over naive dates, forwards only, and each day field on its own: asked for both at once it
mixes them wrongly. There are only fourteen calendar years, so each rule asks at most fourteen times.
"""

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sensord.core.cron_fields import DAY, MONTH, WEEKDAY, FieldValues


@dataclass(frozen=True, slots=True)
class DayRule:
    """The three day fields. A date's month must fit, and its day or its weekday: both, where one starts with `*`."""

    day: FieldValues
    months: frozenset[int]
    weekday: FieldValues

    @property
    def needs_both(self) -> bool:
        return self.day.starred or self.weekday.starred

    @property
    def any_day(self) -> bool:
        return len(self.day.values) == DAY.count

    @property
    def any_weekday(self) -> bool:
        return len(self.weekday.values) == WEEKDAY.count

    @property
    def all_dates(self) -> bool:
        """Whether it names every date of its months."""
        free = self.any_day, self.any_weekday
        return all(free) if self.needs_both else any(free)

    @property
    def is_daily(self) -> bool:
        return self.all_dates and len(self.months) == MONTH.count

    @property
    def is_weekly(self) -> bool:
        """Whether only the day of the week decides."""
        plain = not self.weekday.nth and not self.weekday.last_weekdays
        return self.is_daily or (self.needs_both and self.any_day and plain and len(self.months) == MONTH.count)

    def can_match(self) -> bool:
        """Whether any year has such a day. Every date falls on every day of the week in some year."""
        lengths = [(month, length) for month in self.months for length in _lengths(month)]
        if not self.needs_both and (self.weekday.values or self.weekday.nth or self.weekday.last_weekdays):
            return True
        return any(
            self._fits_week(day, length)
            for month, length in lengths
            for day in range(1, length + 1)
            if day in self.day.values or (self.day.last and day == length)
        )

    def _fits_week(self, day: int, length: int) -> bool:
        """Whether some weekday may put the month's `day` among those of the weekday field."""
        week = (day - 1) // 7 + 1
        last = bool(self.weekday.last_weekdays) and day > length - 7
        return bool(self.weekday.values) or last or any(nth == week for _, nth in self.weekday.nth)


def _lengths(month: int) -> tuple[int, ...]:
    return (28, 29) if month == 2 else (calendar.monthrange(2001, month)[1],)


def find_days(rule: DayRule, year: int) -> tuple[int, ...]:
    """The days of that year, ascending, as days since 1 January (which is 0)."""
    return _find_days(rule, calendar.isleap(year), calendar.weekday(year, 1, 1))


@lru_cache(maxsize=1024)
def _find_days(rule: DayRule, leap: bool, first_weekday: int) -> tuple[int, ...]:
    # 2000 to 2027 hold all fourteen kinds of year, and no year here is near a limit of datetime.
    year = next(
        y for y in range(2000, 2028) if (calendar.isleap(y), calendar.weekday(y, 1, 1)) == (leap, first_weekday)
    )
    if rule.is_daily:
        return tuple(range(366 if leap else 365))
    months = ",".join(map(str, sorted(rule.months)))
    if rule.all_dates:
        found = _ask(year, f"0 0 * {months} *")
    elif rule.any_weekday:
        found = _ask_days(year, months, rule)
    elif rule.any_day:
        found = _ask_weekdays(year, months, rule)
    else:
        by_day, by_weekday = _ask_days(year, months, rule), _ask_weekdays(year, months, rule)
        found = by_day & by_weekday if rule.needs_both else by_day | by_weekday
    return tuple(sorted(found))


def _ask_days(year: int, months: str, rule: DayRule) -> set[int]:
    """Numbers and the last day apart: croniter takes 31 items for every day, whatever they are."""
    numbers = ",".join(map(str, sorted(rule.day.values)))
    parts = (numbers, "l" if rule.day.last else "")
    return {day for part in parts if part for day in _ask(year, f"0 0 {part} {months} *")}


def _ask_weekdays(year: int, months: str, rule: DayRule) -> set[int]:
    """Plain weekdays, and those of a week, apart: croniter refuses them together. It writes `L5` for our `5L`."""
    plain = [str(day) for day in sorted(rule.weekday.values)]
    special = [f"{day}#{nth}" for day, nth in sorted(rule.weekday.nth)]
    special += [f"l{day}" for day in sorted(rule.weekday.last_weekdays)]
    return {day for part in (plain, special) if part for day in _ask(year, f"0 0 * {months} {','.join(part)}")}


def _ask(year: int, expression: str) -> set[int]:
    """The days of `year` on which croniter fires at midnight."""
    # Imported here since it takes 40 ms, and many a schedule runs every day.
    from croniter import croniter  # type: ignore[import-untyped]  # croniter ships no types

    eve = datetime(year - 1, 12, 31, 23, 59)  # noqa: DTZ001  # wall time, of no zone
    new_year = eve + timedelta(minutes=1)
    days = set()
    for day in croniter(expression, eve, max_years_between_matches=1).all_next(datetime):
        if day.year > year:
            break
        days.add((day - new_year).days)
    return days
