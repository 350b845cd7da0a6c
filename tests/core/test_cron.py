"""Cron by Debian's rules: which wall times it names, and what becomes of them when the clock changes."""

import gc
import weakref
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sensord.core.cron import parse_cron

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NAMELESS = ZoneInfo("UTC")
DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def list_local(expression: str, zone: ZoneInfo, day: str, days: int = 1, *, seconds: bool = False) -> str:
    """The ticks of some local days as `HH:MM+offset`, which tells the first 02:30 from the second."""
    since = datetime.fromisoformat(day).replace(tzinfo=zone)
    until = (datetime.fromisoformat(day) + days * DAY).replace(tzinfo=zone)
    ticks = parse_cron(expression, zone, seconds=seconds)
    found = ticks.between(since.astimezone(UTC) - timedelta.resolution, until.astimezone(UTC) - timedelta.resolution)
    form = "%H:%M:%S%z" if seconds else "%H:%M%z"
    return " ".join(tick.astimezone(zone).strftime(form).removesuffix("00") for tick in found)


def list_dates(expression: str, year: int, *months: int) -> str:
    """The days on which it fires, `m-d`, in the given months (all, where none is given)."""
    since, until = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    ticks = parse_cron(expression, NAMELESS).between(since - timedelta.resolution, until - timedelta.resolution)
    return " ".join(f"{tick.month}-{tick.day}" for tick in ticks if tick.month in months or not months)


GAP, OVERLAP = "2024-03-31", "2024-10-27"


@pytest.mark.parametrize(
    ("expression", "day", "ticks"),
    [
        # Fixed times: in the gap once, at its end; in the overlap once, the first.
        ("30 2 * * *", GAP, "03:00+02"),
        ("0,30 2 * * *", GAP, "03:00+02"),
        ("30 2,3 * * *", GAP, "03:00+02 03:30+02"),
        ("0 2,3 * * *", GAP, "03:00+02"),
        ("0 1-4 * * *", GAP, "01:00+01 03:00+02 04:00+02"),
        ("30 2 * * *", OVERLAP, "02:30+02"),
        ("0,30 2 * * *", OVERLAP, "02:00+02 02:30+02"),
        ("0 1-4 * * *", OVERLAP, "01:00+02 02:00+02 03:00+01 04:00+01"),
        ("*/30 1-3 * * *", OVERLAP, "01:00+02 01:30+02 02:00+02 02:30+02 02:00+01 02:30+01 03:00+01 03:30+01"),
        # Floating: every real minute or hour, so none in the gap and two in the overlap.
        ("*/30 2 * * *", GAP, ""),
        ("*/30 2,3 * * *", GAP, "03:00+02 03:30+02"),
        ("30 */2 * * *", GAP, "00:30+01 04:30+02 06:30+02 08:30+02 10:30+02 12:30+02 14:30+02 16:30+02 18:30+02"
                              " 20:30+02 22:30+02"),
        ("*/30 2 * * *", OVERLAP, "02:00+02 02:30+02 02:00+01 02:30+01"),
        ("*,5 2 * * 0", GAP, ""),
    ],
)  # fmt: skip
def test_fixed_times_fire_once_and_floating_ones_as_often_as_they_come(expression: str, day: str, ticks: str) -> None:
    assert list_local(expression, AMSTERDAM, day) == ticks


@pytest.mark.parametrize(("day", "hours"), [(GAP, 23), (OVERLAP, 25), ("2024-05-05", 24)])
def test_an_hourly_flow_has_as_many_ticks_as_the_day_has_hours(day: str, hours: int) -> None:
    for expression in ("@hourly", "0 * * * *", "0 */1 * * *"):
        assert len(list_local(expression, AMSTERDAM, day).split()) == hours


def test_minutes_are_counted_within_the_offset_in_force_and_begin_anew_at_a_change() -> None:
    assert list_local("*/45 * * * *", LORD_HOWE, "2024-10-06").startswith(
        "00:00+1030 00:45+1030 01:00+1030 01:45+1030 02:45+11 03:00+11"
    )
    assert list_local("*/20 1 * * *", LORD_HOWE, "2024-04-07") == "01:00+11 01:20+11 01:40+11 01:40+1030"


def test_a_midnight_that_does_not_exist_is_an_hour_late() -> None:
    santiago = ZoneInfo("America/Santiago")

    assert list_local("@daily", santiago, "2024-09-07", 3) == "00:00-04 01:00-03 00:00-03"


def test_a_day_that_does_not_exist_fires_with_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")

    assert parse_cron("0 12 * * *", apia).between(utc("2011-12-29T00"), utc("2011-12-31T00")) == [
        utc("2011-12-29T22"),
        utc("2011-12-30T10"),  # noon of the 30th, which Samoa skipped, at the first instant of the 31st
        utc("2011-12-30T22"),
    ]


def test_seconds_are_the_sixth_field() -> None:
    assert list_local("59 23 * * * */20", AMSTERDAM, GAP, seconds=True) == "23:59:00+02 23:59:20+02 23:59:40+02"
    assert list_local("30 2 * * * *", AMSTERDAM, GAP, seconds=True) == "03:00:00+02"
    assert list_local("@daily", AMSTERDAM, GAP, seconds=True) == "00:00:00+01"


@pytest.mark.parametrize(
    ("alias", "expression"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Hourly", "0 * * * *"),
    ],
)
def test_an_alias_stands_for_its_expression(alias: str, expression: str) -> None:
    since, until = utc("2024-01-01"), utc("2026-01-01")

    assert parse_cron(alias, AMSTERDAM).between(since, until) == parse_cron(expression, AMSTERDAM).between(since, until)


@pytest.mark.parametrize(
    ("expression", "dates"),
    [
        ("0 0 1 * 1", "1-1 1-8 1-15 1-22 1-29"),  # either
        ("0 0 */10 * 1", "1-1"),  # both, since one begins with *
        ("0 0 1-7 * */1", "1-1 1-2 1-3 1-4 1-5 1-6 1-7"),
        ("0 0 13 * *", "1-13"),
        ("0 0 * * FRI", "1-5 1-12 1-19 1-26"),
        ("0 0 *,31 * 3", "1-3 1-10 1-17 1-24 1-31"),
        ("0 0 1-31 * 1", " ".join(f"1-{day}" for day in range(1, 32))),
        ("0 0 1 * 0-6", " ".join(f"1-{day}" for day in range(1, 32))),
        ("0 0 L * *", "1-31"),
        ("0 0 15,L * *", "1-15 1-31"),
        ("0 0 * * 1#2", "1-8"),
        ("0 0 * * mon#1,WED#5", "1-1 1-31"),
        ("0 0 * * 5L", "1-26"),
        ("0 0 * * FRIL,7#1", "1-7 1-26"),
        ("0 0 L * 1#1", "1-1 1-31"),
        ("0 0 * * 5-7", "1-5 1-6 1-7 1-12 1-13 1-14 1-19 1-20 1-21 1-26 1-27 1-28"),
        ("0 0 * * FRI-SUN", "1-5 1-6 1-7 1-12 1-13 1-14 1-19 1-20 1-21 1-26 1-27 1-28"),
        ("0 0 1 * SUN-MON", "1-1 1-7 1-8 1-14 1-15 1-21 1-22 1-28 1-29"),
        ("0 0 * * 7/3", "1-3 1-6 1-7 1-10 1-13 1-14 1-17 1-20 1-21 1-24 1-27 1-28 1-31"),
        ("0 0 * * 0,7", "1-7 1-14 1-21 1-28"),
        ("0 0 * * 2/3", "1-2 1-5 1-9 1-12 1-16 1-19 1-23 1-26 1-30"),
        ("0 0 5/10 1 *", "1-5 1-15 1-25"),
        ("0 0 29-31/2 jan *", "1-29 1-31"),
    ],
)
def test_the_day_fields_name_these_days_of_january_2024(expression: str, dates: str) -> None:
    assert list_dates(expression, 2024, 1) == dates


def test_the_last_day_and_the_29th_of_february_follow_the_leap_year() -> None:
    assert list_dates("0 0 L 2 *", 2023) == "2-28"
    assert list_dates("0 0 L 2 *", 2024) == "2-29"
    assert parse_cron("0 0 29 2 *", NAMELESS).between(utc("1895-01-01"), utc("1907-01-01")) == [
        utc("1896-02-29"),
        utc("1904-02-29"),
    ]


def test_the_rarest_of_days_is_found_in_both_directions() -> None:
    """29 February on a Sunday comes every 28 years, but for 2100, which has none."""
    rare = parse_cron("0 0 29 2 */7", NAMELESS)

    assert rare.next(utc("2088-02-29")) == utc("2128-02-29")
    assert rare.prev(utc("2128-02-29")) == utc("2088-02-29")


def test_a_start_with_a_step_runs_to_the_end_of_the_field() -> None:
    assert list_local("5/25 6 * * *", AMSTERDAM, GAP) == "06:05+02 06:30+02 06:55+02"
    assert list_local("59/15 6 * * *", AMSTERDAM, GAP) == "06:59+02"
    assert list_local("0 20/3 * * *", AMSTERDAM, GAP) == "20:00+02 23:00+02"


def test_a_step_as_large_as_the_field_is_its_first_value() -> None:
    assert list_local("*/60 6 * * *", AMSTERDAM, GAP) == "06:00+02"
    assert list_local("0 */24 * * *", AMSTERDAM, GAP) == "00:00+01"


def test_the_same_expression_in_the_same_zone_is_one_object_with_one_cache() -> None:
    first = parse_cron("17 4 * * *", AMSTERDAM)

    assert parse_cron("17 4 * * *", AMSTERDAM) is first
    assert parse_cron("17 4 * * *", NAMELESS) is not first
    assert parse_cron("17 4 * * * 0", AMSTERDAM, seconds=True) is not first


def test_a_rule_that_nobody_uses_is_forgotten() -> None:
    rule = weakref.ref(parse_cron("18 4 * * *", AMSTERDAM))
    gc.collect()

    assert rule() is None


@pytest.mark.parametrize("expression", ["30 2 * * *", "0,30 1-3 * * *", "*/20 * * * *", "*/30 2 * * *", "0 12 * * *"])
@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Amsterdam", GAP), ("Europe/Amsterdam", OVERLAP), ("Australia/Lord_Howe", "2024-04-06"),
     ("Pacific/Apia", "2011-12-30"), ("America/Santiago", "2024-09-08")],
)  # fmt: skip
def test_wherever_a_stretch_is_cut_near_a_change_its_parts_add_up(expression: str, zone: str, day: str) -> None:
    ticks = parse_cron(expression, ZoneInfo(zone))
    since, until = utc(day) - DAY, utc(day) + 4 * DAY
    whole = ticks._make(since, until)

    for cut in (since + n * timedelta(minutes=30) for n in range(1, 240)):
        assert ticks._make(since, cut) + ticks._make(cut, until) == whole
