"""The ticks of a rule as a sorted list of microseconds, over stretches that grow as they are asked for."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter, sub

from sensord.core.check.walls import DAY, HOUR
from sensord.core.instant import from_micros, to_micros
from sensord.core.ticks import Ticks

MOST = 3_000_000
"""Ticks that one strip may hold, about 40 bytes each."""

_LONG, _ROUND, _AROUND = 64 * DAY, 64 * DAY, 40 * DAY
_SHORT_ROUND = 6 * HOUR
_SAMPLE = timedelta(days=1)


WIDE = 12 * HOUR


class TooDense(Exception):
    """The stretch holds more ticks than a strip may."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """The ways between neighbouring ticks: the least, the most, and both ends of each that is as long as WIDE."""

    least: int
    most: int
    wide: list[tuple[int, int]]


class Strip:
    """`ticks`, ascending, hold all ticks of the rule in the covered stretches, and `spare` more on each side of each;
    fewer only where the calendar ends: then it `is_short`. Positions in `ticks` are good until `cover` is called again,
    and the way from one to another only where both are of one stretch.
    """

    def __init__(self, rule: Ticks) -> None:
        self.rule = rule
        self.ticks: list[int] = []
        self.is_short = False
        self._stretches: list[tuple[int, int]] = []
        self._lengths: list[int] = []
        self._spare = 0
        self._places: dict[int, int] = {}
        self._gaps: Gaps | None = None

    def cover(self, stretches: Sequence[tuple[int, int]], spare: int) -> None:
        """Cover `low <= t <= high` of each (low, high). Raises TooDense rather than hold too much."""
        if self.ticks and spare <= self._spare and all(self._covers(low, high) for low, high in stretches):
            return
        spare = max(spare, self._spare)
        wanted = _join([*self._stretches, *(_widen(low, high) for low, high in stretches)])
        self._refuse_dense(wanted)
        joined: list[tuple[int, int]] = []
        listed: list[list[int]] = []
        is_short = False
        for low, high in wanted:
            ticks, short = self._list(low, high, spare)
            while listed and listed[-1] and ticks and ticks[0] <= listed[-1][-1]:
                listed.pop()
                low = joined.pop()[0]
                ticks, short = self._list(low, high, spare)
            joined.append((low, high))
            listed.append(ticks)
            is_short = is_short or short
        self.ticks, self.is_short = [tick for ticks in listed for tick in ticks], is_short
        self._stretches, self._lengths, self._spare = joined, [len(ticks) for ticks in listed], spare
        self._places, self._gaps = {}, None

    def _covers(self, low: int, high: int) -> bool:
        index = bisect_right(self._stretches, low, key=itemgetter(0)) - 1
        return index >= 0 and high <= self._stretches[index][1]

    def _list(self, low: int, high: int, spare: int) -> tuple[list[int], bool]:
        """The ticks of one stretch with those beside it, and whether these are too few."""
        first, last = from_micros(low), from_micros(high)
        inner = [to_micros(tick) for tick in self.rule.between(first, last)]
        if self.rule.contains(first):
            inner.insert(0, low)
        before, after = _beyond(self.rule.prev, first, spare), _beyond(self.rule.next, last, spare)
        return [*before[::-1], *inner, *after], len(before) < spare or len(after) < spare

    @property
    def places(self) -> dict[int, int]:
        """The position of each tick."""
        if not self._places:
            self._places = {tick: position for position, tick in enumerate(self.ticks)}
        return self._places

    @property
    def gaps(self) -> Gaps | None:
        """None where there are too few ticks to have any."""
        if self._gaps is None:
            begin = 0
            listed = []
            for length in self._lengths:
                listed += [self.ticks[begin : begin + length]] if length > 1 else []
                begin += length
            self._gaps = _measure_gaps(listed) if listed else None
        return self._gaps

    def within(self, start: datetime | None, end: datetime | None) -> tuple[int, int]:
        """The positions of the ticks with `start <= t <= end`, as a half-open range."""
        first = 0 if start is None else bisect_left(self.ticks, to_micros(start))
        return first, len(self.ticks) if end is None else bisect_right(self.ticks, to_micros(end))

    def _refuse_dense(self, stretches: Sequence[tuple[int, int]]) -> None:
        whole = timedelta(microseconds=sum(high - low for low, high in stretches))
        begin = self.rule.next(from_micros(stretches[0][0])) if stretches else None
        if begin is None or whole <= _SAMPLE:
            return
        sample = len(self.rule.between(begin, begin + _SAMPLE)) + 1
        if sample * (whole / _SAMPLE) > MOST:
            raise TooDense


def _measure_gaps(listed: Sequence[list[int]]) -> Gaps:
    between = [list(map(sub, ticks[1:], ticks)) for ticks in listed]
    wide = [
        (start, start + gap)
        for ticks, gaps in zip(listed, between, strict=True)
        if max(gaps) >= WIDE
        for start, gap in zip(ticks, gaps, strict=False)
        if gap >= WIDE
    ]
    return Gaps(min(map(min, between)), max(map(max, between)), wide)


def _widen(low: int, high: int) -> tuple[int, int]:
    """To a round beginning and end, so that it need not grow a little for every mapping."""
    if high - low > _LONG:
        low, high = low - _AROUND, high + _AROUND
    step = _ROUND if high - low > _LONG else _SHORT_ROUND
    return low // step * step, -(-high // step) * step


def _join(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending, those that meet as one."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(stretches):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _beyond(step: Callable[[datetime], datetime | None], at: datetime, number: int) -> list[int]:
    found: list[int] = []
    tick = step(at)
    while tick is not None and len(found) < number:
        found.append(to_micros(tick))
        tick = step(tick)
    return found
