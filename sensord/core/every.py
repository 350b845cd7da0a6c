"""The ticks of `every`: a start, and each whole number of durations before and after it."""

from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from sensord.core.chunks import ChunkedTicks
from sensord.core.duration import Duration, parse_duration
from sensord.core.ticks import Pattern
from sensord.core.zone import EARLIEST, LATEST, resolve, wall
from sensord.errors import InvalidValue

_NEVER_BEFORE = datetime.min.replace(tzinfo=UTC)
_NEVER_AFTER = datetime.max.replace(tzinfo=UTC)
_DAYS_A_MONTH = 146_097 / 4_800
_TICKS_A_CHUNK = 256
_LONGEST_CHUNK = timedelta(days=1024)

_interned: "WeakValueDictionary[tuple[Duration, datetime, ZoneInfo], EveryTicks]" = WeakValueDictionary()


def parse_every(text: str, start: datetime, zone: ZoneInfo) -> "EveryTicks":
    """The ticks of `every = "90m"` (exact) or `"2w"`, `"1mo"` (calendar), without bounds; `start` is an instant.

    InvalidValue for zero, negative or mixed durations. Equal arguments give the same object, with one cache.
    """
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
    key = (step, start.astimezone(UTC), zone)
    ticks = _interned.get(key)
    return ticks if ticks is not None else _interned.setdefault(key, EveryTicks(*key))


class EveryTicks(ChunkedTicks):
    """Tick 0 is `start`; tick n is n exact steps from it, or n calendar steps from its wall time in `zone`.

    Where two calendar ticks fall on one instant (a zone that skips a whole day) there is one tick.
    Made by `parse_every`, which shares them; compared by identity.
    """

    __slots__ = ("_anchor", "_exact", "_step_days", "_step_months", "start", "step", "zone")

    def __init__(self, step: Duration, start: datetime, zone: ZoneInfo) -> None:
        self.step = step
        self.start = start
        self.zone = zone
        self._anchor = wall(start, zone)
        self._exact = step.exact
        self._step_months, self._step_days = 12 * step.years + step.months, 7 * step.weeks + step.days
        length = step.exact or timedelta(days=self._step_days + self._step_months * _DAYS_A_MONTH)
        super().__init__(max(min(length * _TICKS_A_CHUNK, _LONGEST_CHUNK), length))

    def __repr__(self) -> str:
        return f"EveryTicks({self.step}, {self.start.isoformat()}, {self.zone.key})"

    @property
    def pattern(self) -> Pattern | None:
        """None for months and years."""
        if self._exact is not None:
            return Pattern(self._exact, 1, None)
        return None if self._step_months else Pattern(timedelta(days=self._step_days), 1, self.zone)

    def _make(self, since: datetime, until: datetime) -> list[datetime]:
        number = self._estimate(since)
        ticks: list[datetime] = []
        while (tick := self._tick(number)) < until:
            if tick >= since and (not ticks or tick > ticks[-1]):
                ticks.append(tick)
            number += 1
        return ticks

    def _estimate(self, at: datetime) -> int:
        """The number of a tick before `at`, or of the first one after it; at most two steps too low."""
        if self._exact is not None:
            return (at - self.start) // self._exact
        local = wall(at, self.zone)
        if not self._step_days:
            # One less, since a gap at the turn of a month moves the last month's tick into this one.
            return (12 * (local.year - self._anchor.year) + local.month - self._anchor.month) // self._step_months - 1
        # Months are not all of one length, but their sum strays from the mean by days, and a step here is over a month
        # or none at all.
        return int((local - self._anchor).days // (self._step_days + self._step_months * _DAYS_A_MONTH)) - 1

    def _tick(self, number: int) -> datetime:
        """Beyond the years 1 to 9999 an instant that is before, or after, all others."""
        if number == 0:
            return self.start  # also where its wall time comes twice and `start` is the second
        try:
            if self._exact is not None:
                return self.start + number * self._exact
            return resolve(self.step.add_days(self._anchor, number), self.zone)
        except (OverflowError, InvalidValue):
            return _NEVER_BEFORE if number < 0 else _NEVER_AFTER
