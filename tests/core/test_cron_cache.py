"""Ticks are made in chunks and kept; the memory for them is bounded."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sensord.core import chunks
from sensord.core.chunks import ChunkedTicks, TickCache
from sensord.core.cron import parse_cron

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Daily(ChunkedTicks):
    """A tick each midnight; remembers which stretches it was asked for."""

    def __init__(self) -> None:
        super().__init__(10 * DAY)
        self.made: list[datetime] = []

    def _make(self, since: datetime, until: datetime) -> list[datetime]:
        self.made.append(since)
        midnight = since.replace(hour=0, minute=0, second=0)
        days = (midnight + n * DAY for n in range((until - midnight) // DAY + 1))
        return [day for day in days if since <= day < until]


@pytest.fixture
def small_cache(monkeypatch: pytest.MonkeyPatch) -> TickCache:
    cache = TickCache(limit=100)
    monkeypatch.setattr(chunks, "cache", cache)
    return cache


def test_a_chunk_is_made_once(small_cache: TickCache) -> None:
    daily = Daily()

    for _ in range(3):
        assert daily.next(START) == START + DAY
        assert daily.prev(START + 2 * DAY) == START + DAY
        assert daily.contains(START + DAY)

    assert len(daily.made) == 1
    assert len(small_cache.chunks) == 1


def test_the_cache_never_holds_more_than_its_limit(small_cache: TickCache) -> None:
    daily = Daily()

    for n in range(100):
        assert daily.next(START + 10 * n * DAY) == START + (10 * n + 1) * DAY
        assert sum(map(len, small_cache.chunks.values())) <= small_cache.limit
        assert small_cache.size <= small_cache.limit


def test_a_stretch_larger_than_the_whole_cache_is_still_told_in_full(small_cache: TickCache) -> None:
    assert Daily().between(START, START + 400 * DAY) == [START + n * DAY for n in range(1, 401)]
    assert small_cache.size <= small_cache.limit


def test_many_flows_of_one_schedule_fill_one_cache(small_cache: TickCache) -> None:
    flows = [parse_cron("7 5 * * *", ZoneInfo("Asia/Kolkata")) for _ in range(10_000)]

    days = [flow.between(START, START + DAY) for flow in flows]

    assert all(day == days[0] for day in days)
    assert len(small_cache.chunks) == 1


@pytest.mark.parametrize("expression", ["* * * * *", "0 * * * *", "0 3 * * *", "0 3 1 * *", "0 3 29 2 *"])
def test_the_bounds_of_between_are_after_and_up_to(expression: str) -> None:
    ticks = parse_cron(expression, ZoneInfo("UTC"))
    first = ticks.next(START)
    assert first is not None
    second = ticks.next(first)
    assert second is not None

    assert ticks.between(first, second) == [second]
    assert ticks.between(first, second - timedelta.resolution) == []
    assert ticks.between(first - timedelta.resolution, second) == [first, second]
    assert ticks.between(second, first) == []
    assert ticks.between(first, first) == []
