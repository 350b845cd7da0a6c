"""The ticks of a rule as a sorted list of microseconds, over a stretch that grows as it is asked for."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import sub

from sensord.core.instant import from_micros, to_micros
from sensord.core.ticks import Ticks

MOST = 3_000_000
"""Ticks that one strip may hold, about 40 bytes each."""

_ROUND = timedelta(days=64) // timedelta(microseconds=1)  # so that it need not grow for every mapping a little
_SAMPLE = timedelta(days=1)


WIDE = timedelta(hours=12) // timedelta(microseconds=1)


class TooDense(Exception):
    """The stretch holds more ticks than a strip may."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """The ways between neighbouring ticks: the least, the most, and both ends of each that is as long as WIDE."""

    least: int
    most: int
    wide: list[tuple[int, int]]


class Strip:
    """`ticks`, ascending, hold all ticks of the rule in the covered stretch, and `spare` more on each side of it; fewer
    only where the calendar ends: then it `is_short`. Positions in `ticks` are good until `cover` is called again.
    """

    def __init__(self, rule: Ticks) -> None:
        self.rule = rule
        self.ticks: list[int] = []
        self.is_short = False
        self._low = self._high = self._spare = 0
        self._places: dict[int, int] = {}
        self._gaps: Gaps | None = None

    def cover(self, low: int, high: int, spare: int) -> None:
        """Cover `low <= t <= high`. Raises TooDense rather than hold too much."""
        if self.ticks:
            if low >= self._low and high <= self._high and spare <= self._spare:
                return
            low, high, spare = min(low, self._low), max(high, self._high), max(spare, self._spare)
        low, high = low // _ROUND * _ROUND, -(-high // _ROUND) * _ROUND
        first, last = from_micros(low), from_micros(high)
        self._refuse_dense(first, last)
        inner = [to_micros(tick) for tick in self.rule.between(first, last)]
        if self.rule.contains(first):
            inner.insert(0, low)
        before, after = _beyond(self.rule.prev, first, spare), _beyond(self.rule.next, last, spare)
        self.ticks = [*before[::-1], *inner, *after]
        self.is_short = len(before) < spare or len(after) < spare
        self._low, self._high, self._spare = low, high, spare
        self._places, self._gaps = {}, None

    @property
    def places(self) -> dict[int, int]:
        """The position of each tick."""
        if not self._places:
            self._places = {tick: position for position, tick in enumerate(self.ticks)}
        return self._places

    @property
    def gaps(self) -> Gaps | None:
        """None where there are too few ticks to have any."""
        if self._gaps is None and len(self.ticks) > 1:
            self._gaps = _measure_gaps(self.ticks)
        return self._gaps

    def within(self, start: datetime | None, end: datetime | None) -> tuple[int, int]:
        """The positions of the ticks with `start <= t <= end`, as a half-open range."""
        first = 0 if start is None else bisect_left(self.ticks, to_micros(start))
        return first, len(self.ticks) if end is None else bisect_right(self.ticks, to_micros(end))

    def _refuse_dense(self, first: datetime, last: datetime) -> None:
        begin = self.rule.next(first)
        if begin is None or last - begin <= _SAMPLE:
            return
        sample = len(self.rule.between(begin, begin + _SAMPLE)) + 1
        if sample * ((last - begin) / _SAMPLE) > MOST:
            raise TooDense


def _measure_gaps(ticks: list[int]) -> Gaps:
    between = list(map(sub, ticks[1:], ticks))
    wide = [(start, start + gap) for start, gap in zip(ticks, between, strict=False) if gap >= WIDE]
    return Gaps(min(between), max(between), wide)


def _beyond(step: Callable[[datetime], datetime | None], at: datetime, number: int) -> list[int]:
    found: list[int] = []
    tick = step(at)
    while tick is not None and len(found) < number:
        found.append(to_micros(tick))
        tick = step(tick)
    return found
