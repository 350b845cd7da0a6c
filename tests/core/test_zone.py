"""Zones by name, and wall times that a change of the clock skips or repeats."""

import importlib.resources
import struct
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.zone import EARLIEST, LATEST, STRIDE, OffsetChange, offset_changes, parse_zone, resolve, wall
from sensord.errors import InvalidValue
from tests.core import cron_strategies as some
from tests.support.cases import share

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR = timedelta(hours=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # mypy cannot count the parts


def naive(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # mypy cannot count the parts; a wall time


@pytest.mark.parametrize("name", ["Europe/Amsterdam", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "EST5EDT"])
def test_a_zone_goes_by_its_name(name: str) -> None:
    assert parse_zone(name).key == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/amsterdam", 'did you mean "Europe/Amsterdam"?'),
        ("Amsterdam", 'did you mean "Europe/Amsterdam"?'),
        ("Europe/Amsterdm", 'did you mean "Europe/Amsterdam"?'),
        ("New York", 'did you mean "America/New_York"?'),
        ("kolkatta", 'did you mean "Asia/Kolkata"?'),
        ("Europe", 'name the city as well, such as "Europe/Amsterdam"'),
        ("CEST", "names are those of the tz database, Area/City"),
        ("IST", "names are those of the tz database, Area/City"),
        ("cet", 'did you mean "CET"?'),
        ("Mars/Olympus", "names are those of the tz database, Area/City"),
    ],
)
def test_an_unknown_zone_is_refused_with_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(InvalidValue, match="expected a time zone such as Europe/Amsterdam, got") as caught:
        parse_zone(name)

    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "name",
    ["", " ", "../x", "../../etc/passwd", "/etc/passwd", "/usr/share/zoneinfo/UTC", "Europe/../UTC", "./UTC", "Europe/",
     "Europe//Rome", "a\0b", "UTC\0", "UTC\n", "\ud800", "x" * 5000, "tzdata.zi", "zone.tab", "C:\\UTC", "~", "٣"],
)  # fmt: skip
def test_a_hostile_name_is_refused_like_any_unknown_one(name: str) -> None:
    with pytest.raises(InvalidValue, match="expected a time zone"):
        parse_zone(name)


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "right/UTC", "posix/Europe/Amsterdam"])
def test_names_that_stand_for_the_host_or_count_leap_seconds_are_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        parse_zone(name)


def test_a_wall_time_in_a_gap_stands_for_the_first_instant_after_it() -> None:
    assert resolve(naive(2024, 3, 31, 2, 0), AMSTERDAM) == utc(2024, 3, 31, 1, 0)
    assert resolve(naive(2024, 3, 31, 2, 30, 0, 1), AMSTERDAM) == utc(2024, 3, 31, 1, 0)
    assert resolve(naive(2024, 3, 31, 3, 0), AMSTERDAM) == utc(2024, 3, 31, 1, 0)


def test_a_wall_time_in_an_overlap_stands_for_the_first_of_its_instants() -> None:
    assert resolve(naive(2024, 10, 27, 2, 30), AMSTERDAM) == utc(2024, 10, 27, 0, 30)
    assert resolve(naive(2024, 10, 27, 2, 30).replace(fold=1), AMSTERDAM) == utc(2024, 10, 27, 0, 30)


@pytest.mark.parametrize(
    ("name", "local", "instant"),
    [
        ("America/Santiago", naive(2024, 9, 8, 0, 15), utc(2024, 9, 8, 4, 0)),  # the gap begins at midnight
        ("Australia/Lord_Howe", naive(2024, 10, 6, 2, 10), utc(2024, 10, 5, 15, 30)),  # half an hour
        ("Pacific/Apia", naive(2011, 12, 30, 12, 0), utc(2011, 12, 30, 10, 0)),  # a whole day
        ("America/St_Johns", naive(2006, 4, 2, 0, 30), utc(2006, 4, 2, 3, 31)),  # at a minute past midnight
    ],
)
def test_gaps_of_every_shape_end_where_the_zone_says(name: str, local: datetime, instant: datetime) -> None:
    assert resolve(local, ZoneInfo(name)) == instant


@given(st.data(), some.zones)
@share(5)
def test_resolve_undoes_wall_but_for_the_second_time_of_an_overlap(data: st.DataObject, zone: ZoneInfo) -> None:
    instant = data.draw(some.instants(zone))

    local = wall(instant, zone)

    assert local.tzinfo is None
    assert local.fold == 0
    assert wall(resolve(local, zone), zone) == local
    assert resolve(local, zone) <= instant


def test_the_changes_of_a_year_are_found_to_the_second() -> None:
    assert offset_changes(AMSTERDAM, utc(2024, 1, 1), utc(2025, 1, 1)) == [
        OffsetChange(utc(2024, 3, 31, 1), HOUR, 2 * HOUR),
        OffsetChange(utc(2024, 10, 27, 1), 2 * HOUR, HOUR),
    ]


def test_a_change_at_the_turn_of_a_year_is_found() -> None:
    casey = ZoneInfo("Antarctica/Casey")  # a base founded, for the tz database, at midnight of 1969

    assert [found.at for found in offset_changes(casey, utc(1968, 12, 1), utc(1969, 2, 1))] == [utc(1969, 1, 1)]


def test_changes_are_given_from_the_first_instant_up_to_but_without_the_last() -> None:
    change = utc(2024, 3, 31, 1)

    assert [found.at for found in offset_changes(AMSTERDAM, change, change + HOUR)] == [change]
    assert offset_changes(AMSTERDAM, change - HOUR, change) == []
    assert offset_changes(AMSTERDAM, datetime.min.replace(tzinfo=UTC), utc(2, 1, 1)) == []
    assert all(
        found.at < LATEST for found in offset_changes(AMSTERDAM, utc(9998, 1, 1), datetime.max.replace(tzinfo=UTC))
    )


@pytest.mark.parametrize("name", some.ZONE_NAMES)
def test_no_change_is_overlooked(name: str) -> None:
    """Compared with a look at every hour."""
    zone = ZoneInfo(name)
    hours = [change.at.replace(minute=0, second=0) for change in offset_changes(zone, utc(1995, 1, 1), utc(2031, 1, 1))]

    # A change on the full hour lies at the end of the hour in which the hourly look sees it.
    assert {hour for change in hours for hour in (change, change - HOUR)} >= set(some.CHANGES[name])
    assert len(hours) == len(some.CHANGES[name])


def read_changes(name: str) -> list[int]:
    """The seconds since 1970 at which a zone's UTC offset changes, from its file (RFC 8536), without our help."""
    data = importlib.resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    counts = struct.unpack(">6l", data[20:44])
    header = 44 + counts[3] * 5 + counts[4] * 6 + counts[5] + counts[2] * 8 + counts[1] + counts[0]
    _, _, _, times, types, _ = struct.unpack(">6l", data[header + 20 : header + 44])
    body = header + 44
    instants = struct.unpack(f">{times}q", data[body : body + 8 * times])
    indices = data[body + 8 * times : body + 9 * times]
    offsets = [struct.unpack(">l", data[body + 9 * times + 6 * n :][:4])[0] for n in range(types)]
    old = [offsets[0], *(offsets[index] for index in indices)]
    return [instant for instant, before, after in zip(instants, old, old[1:], strict=False) if before != after]


def test_no_zone_changes_twice_within_the_stride_of_the_search() -> None:
    names = importlib.resources.files("tzdata").joinpath("zones").read_text().split()
    gaps = [later - earlier for name in names for earlier, later in pairwise(read_changes(name))]

    assert len(gaps) > 10_000
    assert min(gaps) > STRIDE.total_seconds()


def test_beyond_the_years_1_to_9999_a_wall_time_is_refused() -> None:
    with pytest.raises(InvalidValue, match="years 1 to 9999"):
        wall(datetime.max.replace(tzinfo=UTC), AMSTERDAM)
    with pytest.raises(InvalidValue, match="years 1 to 9999"):
        resolve(naive(1, 1, 1), AMSTERDAM)


def test_between_earliest_and_latest_every_zone_has_a_wall_time() -> None:
    for name in available_timezones():
        assert wall(EARLIEST, ZoneInfo(name)) < wall(LATEST, ZoneInfo(name))
