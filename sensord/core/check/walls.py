"""Wall-clock arithmetic on many instants of one zone at once: what `floor` and `Duration.add` do one at a time.

Away from changes of the clock both are plain sums; near one, and for months, the slow ways are asked. Instants are
microseconds since 1970.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from sensord.core.duration import Duration
from sensord.core.instant import from_micros, to_micros
from sensord.core.mapping.anchor import floor
from sensord.core.mapping.spec import Unit, WeekStart
from sensord.core.zone import EARLIEST, offset_at, offset_changes

_MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1) // _MICROSECOND
DAY = timedelta(days=1) // _MICROSECOND
_MARGIN = 2 * DAY  # more than any zone's offset, so that no wall time near a change is taken for a plain one


class Walls:
    """The calendar of one zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._periods: dict[tuple[Unit, WeekStart], dict[int, int]] = {}

    def floor(self, instants: Sequence[int], unit: Unit, week_start: WeekStart) -> list[int]:
        """The start of the period that holds each."""
        if not instants:
            return []
        changes, offsets = self._offsets(min(instants), max(instants))
        local = [at + offsets[bisect_right(changes, at)] for at in instants]
        if unit is Unit.HOUR:
            return [at - wall % HOUR for at, wall in zip(instants, local, strict=True)]
        starts = self._periods.setdefault((unit, week_start), {})
        found = []
        for at, wall in zip(instants, local, strict=True):
            day = wall // DAY
            if day not in starts:
                starts[day] = to_micros(floor(from_micros(at), unit, self.zone, week_start))
            found.append(starts[day])
        return found

    def move(self, instants: Sequence[int], by: Duration) -> list[int]:
        """Each moved by the duration."""
        clock = by.sign * by.clock // _MICROSECOND
        if not by.is_calendar:
            return [at + clock for at in instants]
        if by.years or by.months or not instants:
            return [self._add(at, by) for at in instants]
        days = by.sign * (7 * by.weeks + by.days) * DAY
        low, high = min(0, days) - _MARGIN, max(0, days) + _MARGIN
        changes, _ = self._offsets(min(instants) + low, max(instants) + high)
        if not changes:
            return [at + days + clock for at in instants]
        return [
            at + days + clock
            if bisect_right(changes, at + low) == bisect_right(changes, at + high)
            else self._add(at, by)
            for at in instants
        ]

    def _add(self, at: int, by: Duration) -> int:
        return to_micros(by.add(from_micros(at), self.zone))

    def _offsets(self, low: int, high: int) -> tuple[list[int], list[int]]:
        """The changes of the clock from low to high, and the UTC offsets before the first, and after each."""
        first = max(from_micros(low), EARLIEST)
        changes = offset_changes(self.zone, first, from_micros(high) + _MICROSECOND)
        before = changes[0].before if changes else offset_at(first, self.zone)
        offsets = [before, *(change.after for change in changes)]
        return [to_micros(change.at) for change in changes], [offset // _MICROSECOND for offset in offsets]
