"""Sums on many wall times at once are what the calendar gives for each."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.check.walls import Walls
from sensord.core.duration import Duration
from sensord.core.instant import to_micros
from sensord.core.mapping import Unit, WeekStart
from sensord.core.mapping.anchor import floor
from tests.core.mapping.test_properties import lengths, middles, zones
from tests.core.mapping.timelines import at
from tests.support.cases import share

QUARTERS = st.lists(st.integers(-12 * 96, 12 * 96), min_size=1, max_size=40)


def around(middle: datetime, quarters: list[int]) -> list[datetime]:
    return [middle + quarter * timedelta(minutes=15) for quarter in sorted(quarters)]


@given(middles, QUARTERS, zones, lengths(signed=True))
@share(5)
def test_moving(middle: datetime, quarters: list[int], zone: ZoneInfo, by: Duration) -> None:
    instants = around(middle, quarters)

    moved = Walls(zone).move([to_micros(instant) for instant in instants], by)

    assert moved == [to_micros(by.add(instant, zone)) for instant in instants]


@given(middles, QUARTERS, zones, st.sampled_from(Unit), st.sampled_from(WeekStart))
@share(5)
def test_flooring(middle: datetime, quarters: list[int], zone: ZoneInfo, unit: Unit, week_start: WeekStart) -> None:
    instants = around(middle, quarters)

    floored = Walls(zone).floor([to_micros(instant) for instant in instants], unit, week_start)

    assert floored == [to_micros(floor(instant, unit, zone, week_start)) for instant in instants]


@pytest.mark.parametrize("zone", ["Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu", "Antarctica/Troll"])
def test_in_zones_of_their_own_kind(zone: str) -> None:
    """A day that is skipped (Apia, 30 December 2011), four changes a year, quarters of an hour, two hours at once."""
    place = ZoneInfo(zone)
    for year in (2011, 2025):
        instants = [at(f"{year}-01-01") + n * timedelta(hours=7) for n in range(1260)]
        micros = [to_micros(instant) for instant in instants]
        for by in (Duration(days=1), Duration(-1, days=1), Duration(weeks=1, clock=timedelta(hours=1))):
            assert Walls(place).move(micros, by) == [to_micros(by.add(instant, place)) for instant in instants]
        floored = [to_micros(floor(instant, Unit.DAY, place)) for instant in instants]
        assert Walls(place).floor(micros, Unit.DAY, WeekStart.MONDAY) == floored


def test_hours_begin_where_their_offset_says() -> None:
    walls = Walls(ZoneInfo("Asia/Kolkata"))
    instants = [to_micros(at(f"2025-06-01 {time}")) for time in ("04:20", "04:30", "05:29")]
    hours = [to_micros(at(f"2025-06-01 {time}")) for time in ("03:30", "04:30", "04:30")]
    assert walls.floor(instants, Unit.HOUR, WeekStart.MONDAY) == hours


def test_nothing_is_nothing() -> None:
    assert Walls(ZoneInfo("UTC")).move([], Duration(days=1)) == []
    assert Walls(ZoneInfo("UTC")).floor([], Unit.DAY, WeekStart.MONDAY) == []
