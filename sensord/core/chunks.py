"""Ticks that are made a stretch of time at a time and kept, sorted, for all who ask for them.

One cache serves the whole process: bounded, and emptied when full, so that it needs no bookkeeping on a hit.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta

from sensord.core.instant import EPOCH
from sensord.core.zone import EARLIEST, LATEST

MAX_CACHED = 1_000_000
"""Ticks kept at most, about 60 bytes each."""
_CHUNK_COST = 16  # an empty chunk takes room too, in ticks


class TickCache:
    """Chunks of ticks by their owner and number."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.chunks: dict[tuple[ChunkedTicks, int], list[datetime]] = {}

    def keep(self, key: "tuple[ChunkedTicks, int]", ticks: list[datetime]) -> None:
        cost = len(ticks) + _CHUNK_COST
        if self.size + cost > self.limit:
            self.chunks = {}
            self.size = 0
        self.chunks[key] = ticks
        self.size += cost


cache = TickCache(MAX_CACHED)


class ChunkedTicks(ABC):
    """`Ticks` for a rule that can list its ticks of any stretch of time."""

    __slots__ = ("__weakref__", "_first", "_last", "_span")

    def __init__(self, span: timedelta) -> None:
        self._cut(span)

    def _cut(self, span: timedelta) -> None:
        """Let each chunk cover `span` of time."""
        self._span = span
        self._first = (EARLIEST - EPOCH) // span
        self._last = (LATEST - EPOCH) // span

    @abstractmethod
    def _make(self, since: datetime, until: datetime) -> list[datetime]:
        """The ticks with `since <= t < until`, ascending; both lie within EARLIEST to LATEST."""

    def next(self, at: datetime) -> datetime | None:
        number = max((at - EPOCH) // self._span, self._first)
        while number <= self._last:
            ticks = self._chunk(number)
            index = bisect_right(ticks, at)
            if index < len(ticks):
                return ticks[index]
            number += 1
        return None

    def prev(self, at: datetime) -> datetime | None:
        number = min((at - EPOCH) // self._span, self._last)
        while number >= self._first:
            ticks = self._chunk(number)
            index = bisect_left(ticks, at)
            if index > 0:
                return ticks[index - 1]
            number -= 1
        return None

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        if until <= after:
            return []
        first = max((after - EPOCH) // self._span, self._first)
        last = min((until - EPOCH) // self._span, self._last)
        if first == last:
            ticks = self._chunk(first)
            return ticks[bisect_right(ticks, after) : bisect_right(ticks, until)]
        found: list[datetime] = []
        for number in range(first, last + 1):
            ticks = self._chunk(number)
            low = bisect_right(ticks, after) if number == first else 0
            found += ticks[low : bisect_right(ticks, until)] if number == last else ticks[low:]
        return found

    def contains(self, at: datetime) -> bool:
        number = (at - EPOCH) // self._span
        if not self._first <= number <= self._last:
            return False
        ticks = self._chunk(number)
        index = bisect_left(ticks, at)
        return index < len(ticks) and ticks[index] == at

    def _chunk(self, number: int) -> list[datetime]:
        key = (self, number)
        ticks = cache.chunks.get(key)
        if ticks is None:
            since = max(EPOCH + number * self._span, EARLIEST) if number > self._first else EARLIEST
            until = EPOCH + (number + 1) * self._span if number < self._last else LATEST
            ticks = self._make(since, until)
            cache.keep(key, ticks)
        return ticks
