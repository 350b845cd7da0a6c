"""The ticks of `every`: a start, and each whole number of durations before and after it.

Nothing is cached: a tick is found from its number, and its number by division.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sensord.core.duration import Duration, parse_duration
from sensord.core.zone import EARLIEST, LATEST, resolve, wall
from sensord.errors import InvalidValue

_NEVER_BEFORE = datetime.min.replace(tzinfo=UTC)
_NEVER_AFTER = datetime.max.replace(tzinfo=UTC)
_BEFORE, _AFTER = EARLIEST - timedelta.resolution, LATEST + timedelta.resolution
_DAYS_A_MONTH = 146_097 / 4_800


def parse_every(text: str, start: datetime, zone: ZoneInfo) -> "EveryTicks":
    """The ticks of `every = "90m"` (exact) or `"2w"`, `"1mo"` (calendar); InvalidValue for zero, negative or mixed."""
    step = parse_duration(text)
    if not step.is_positive:
        raise InvalidValue(f"expected a duration longer than zero, got {text!r}")
    if step.is_calendar and step.clock:
        raise InvalidValue(
            f"expected either h, m, s or y, mo, w, d, got both in {text!r}",
            hint='"24h" is exact, "1d" keeps the wall time; put the time of day into start',
        )
    if not EARLIEST <= start <= LATEST:
        raise InvalidValue(f"expected a start within the years 1 to 9999 in every zone, got {start.isoformat()}")
    return EveryTicks(step, start.astimezone(UTC), zone)


@dataclass(frozen=True, slots=True)
class EveryTicks:
    """Tick 0 is `start`; tick n is n exact steps from it, or n calendar steps from its wall time in `zone`.

    Where two calendar ticks fall on one instant (a zone that skips a whole day) there is one tick.
    """

    step: Duration
    start: datetime
    zone: ZoneInfo

    def next(self, at: datetime) -> datetime | None:
        return _within(self._tick(self._number(max(at, _BEFORE)) + 1)) if at < LATEST else None

    def prev(self, at: datetime) -> datetime | None:
        if at <= EARLIEST:
            return None
        at = min(at, _AFTER)
        number = self._number(at)
        while (tick := self._tick(number)) == at:
            number -= 1
        return _within(tick)

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        after, until = max(after, _BEFORE), min(until, LATEST)
        if until <= after:
            return []
        numbers = range(self._number(after) + 1, self._number(until) + 1)
        return [tick for tick in dict.fromkeys(map(self._tick, numbers)) if tick <= until]

    def contains(self, at: datetime) -> bool:
        return EARLIEST <= at <= LATEST and self._tick(self._number(at)) == at

    def _number(self, at: datetime) -> int:
        """The greatest n whose tick is at or before `at`, which lies within _BEFORE to _AFTER."""
        exact = self.step.exact
        if exact is not None:
            return (at - self.start) // exact
        number = self._estimate(at)
        while self._tick(number) > at:
            number -= 1
        while self._tick(number + 1) <= at:
            number += 1
        return number

    def _estimate(self, at: datetime) -> int:
        """Off by two at most: months are not all of one length."""
        local, anchor = wall(at, self.zone), wall(self.start, self.zone)
        months, days = 12 * self.step.years + self.step.months, 7 * self.step.weeks + self.step.days
        if not days:
            return (12 * (local.year - anchor.year) + local.month - anchor.month) // months
        return int((local - anchor).days // (days + months * _DAYS_A_MONTH))

    def _tick(self, number: int) -> datetime:
        """Beyond EARLIEST and LATEST an instant that is before, or after, all others."""
        if number == 0:
            return self.start  # also where its wall time comes twice and `start` is the second
        try:
            if self.step.exact is not None:
                tick = self.start + number * self.step.exact
            else:
                tick = resolve(self.step.add_days(wall(self.start, self.zone), number), self.zone)
        except (OverflowError, InvalidValue):
            return _NEVER_BEFORE if number < 0 else _NEVER_AFTER
        if tick < EARLIEST:
            return _NEVER_BEFORE
        return tick if tick <= LATEST else _NEVER_AFTER


def _within(tick: datetime) -> datetime | None:
    return tick if EARLIEST <= tick <= LATEST else None
