"""The ticks of a cron expression in a zone, by Debian's rules for days on which clocks change.

A rule of fixed times fires once in a gap, at the first instant after it, and once in an overlap, the first time. A
floating one (minute or hour starts with `*`) fires on every real minute or hour: never in a gap, twice in an overlap.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from sensord.core.chunks import ChunkedTicks
from sensord.core.cron_days import find_days
from sensord.core.cron_parse import CronRule, parse_rule
from sensord.core.ticks import Pattern
from sensord.core.zone import EARLIEST, LATEST, offset_at, offset_changes

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_TICKS_A_CHUNK = 512
_LONGEST_OVERLAP = timedelta(days=2)

_interned: "WeakValueDictionary[tuple[str, ZoneInfo, bool], CronTicks]" = WeakValueDictionary()


def parse_cron(expression: str, zone: ZoneInfo, *, seconds: bool = False) -> "CronTicks":
    """The ticks of `expression`, without bounds; InvalidValue where it is refused.

    The same expression in the same zone gives the same object, so all its users share one cache.
    """
    key = (expression, zone, seconds)
    ticks = _interned.get(key)
    if ticks is None:
        ticks = _interned.setdefault(key, CronTicks(expression, zone, parse_rule(expression, seconds=seconds)))
    return ticks


class CronTicks(ChunkedTicks):
    """All ticks of a rule in a zone. Made by `parse_cron`, which shares them; compared by identity."""

    __slots__ = ("_rule", "_within_hour", "expression", "zone")

    def __init__(self, expression: str, zone: ZoneInfo, rule: CronRule) -> None:
        self.expression = expression
        self.zone = zone
        self._rule = rule
        self._within_hour = [timedelta(minutes=m, seconds=s) for m in rule.minutes for s in rule.seconds]
        daily = len(rule.hours) * len(self._within_hour)
        longest = 128 if rule.days.is_daily else 256
        super().__init__(min(max(_DAY * _TICKS_A_CHUNK // daily, _HOUR), _DAY * longest))

    def __repr__(self) -> str:
        return f"CronTicks({self.expression!r}, {self.zone.key})"

    @property
    def pattern(self) -> Pattern | None:
        """None where months or days of the month decide."""
        hourly, daily = len(self._within_hour), len(self._rule.hours) * len(self._within_hour)
        if not self._rule.days.is_weekly:
            return None
        if not self._rule.days.is_daily:
            return Pattern(7 * _DAY, daily, self.zone)
        return Pattern(_HOUR, hourly, self.zone) if len(self._rule.hours) == 24 else Pattern(_DAY, daily, self.zone)

    def _make(self, since: datetime, until: datetime) -> list[datetime]:
        """Within each stretch of one UTC offset wall time runs evenly, so its ticks are a shift of wall times."""
        ticks: list[datetime] = []
        seen: datetime | None = None  # fixed times: the wall times before this have had their ticks
        for start, end, offset in _stretches(self.zone, since - _LONGEST_OVERLAP, until):
            first = start + offset
            low = max(first, since + offset)
            if seen is not None:
                if start >= since and self._walls(seen, first, offset):
                    ticks.append(start)
                low = max(low, seen)
            fresh = self._walls(low, end + offset, offset)
            ticks += fresh[1:] if ticks and fresh and fresh[0] == ticks[-1] else fresh
            if not self._rule.floating:
                seen = end + offset if seen is None else max(seen, end + offset)
        return ticks

    def _walls(self, low: datetime, high: datetime, offset: timedelta) -> list[datetime]:
        """The wall times of the rule in `low <= wall < high`, each shifted to its instant at that offset.

        A wall time is written as if it were UTC here, for datetime's fast paths.
        """
        if low >= high:
            return []
        ticks: list[datetime] = []
        for midnight in self._midnights(low, high):
            shifted = midnight - offset
            # Whole hours that cannot lie within are left out, for the sake of rules with seconds.
            lowest, highest = (low - midnight) // _HOUR, (high - midnight) // _HOUR
            for hour in self._rule.hours:
                if lowest <= hour <= highest:
                    start = shifted + hour * _HOUR
                    ticks += [start + moment for moment in self._within_hour]
        return ticks[bisect_left(ticks, low - offset) : bisect_left(ticks, high - offset)]

    def _midnights(self, low: datetime, high: datetime) -> Iterator[datetime]:
        for year in range(low.year, high.year + 1):
            new_year = datetime(year, 1, 1, tzinfo=UTC)
            days = find_days(self._rule.days, year)
            first, last = (low - new_year).days, (high - new_year).days
            for day in days[bisect_left(days, first) : bisect_left(days, last + 1)]:
                yield new_year + timedelta(days=day)


def _stretches(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The stretches of one UTC offset from `since` to `until`: start, end (exclusive), offset."""
    start = max(since, EARLIEST)
    until = min(until, LATEST)
    offset = offset_at(start, zone)
    for change in offset_changes(zone, start, until):
        if change.at > start:
            yield start, change.at, offset
        start, offset = change.at, change.after
    yield start, until, offset
