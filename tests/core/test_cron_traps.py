"""What croniter gets wrong, or is asked for in other words: one test each, of what sensord makes of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter  # type: ignore[import-untyped]  # croniter ships no types
from hypothesis import given
from hypothesis import strategies as st

from sensord.core import cron_days
from sensord.core.cron import CronTicks, parse_cron
from sensord.core.cron_days import find_days
from sensord.core.cron_parse import parse_rule

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
UTC_ZONE = ZoneInfo("UTC")
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def list_days(expression: str, since: str, until: str) -> list[int]:
    return [tick.day for tick in parse_cron(expression, UTC_ZONE).between(utc(since) - MINUTE, utc(until) - MINUTE)]


def test_a_fixed_time_is_not_doubled_in_an_overlap() -> None:
    assert len(parse_cron("30 2 * * *", AMSTERDAM).between(utc("2024-10-26T22"), utc("2024-10-27T23"))) == 1


def test_no_tick_is_added_after_a_gap() -> None:
    ticks = parse_cron("0 */2 * * *", AMSTERDAM).between(utc("2024-03-30T22:30"), utc("2024-03-31T06"))

    assert [tick.hour for tick in ticks] == [23, 2, 4, 6]  # 00:00, then 04:00, 06:00 and 08:00 of summer time


def test_no_tick_is_lost_in_half_an_hour() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    ticks = parse_cron("*/15 * * * *", lord_howe)
    before, after = utc("2024-04-06T12"), utc("2024-04-06T18")

    assert [later - earlier for earlier, later in pairwise(ticks.between(before, after))] == [15 * MINUTE] * 23


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Australia/Lord_Howe", "America/Santiago"])
def test_next_undoes_prev_all_year(zone: str) -> None:
    ticks = parse_cron("*/10 0-3 * * *", ZoneInfo(zone))
    tick = ticks.next(utc("2024-01-01"))

    while tick is not None and tick < utc("2025-01-01"):
        later = ticks.next(tick)
        assert later is not None
        assert ticks.prev(later) == tick
        tick = later


def test_membership_is_that_of_the_list_around_a_change() -> None:
    for expression in ("30 2 * * *", "*/30 2 * * *", "0 * * * *"):
        ticks = parse_cron(expression, AMSTERDAM)
        for start in (utc("2024-03-30T22"), utc("2024-10-26T22")):
            listed = set(ticks.between(start, start + 480 * MINUTE))
            assert listed == {start + n * MINUTE for n in range(1, 481) if ticks.contains(start + n * MINUTE)}


def test_a_range_of_one_value_is_that_value_and_not_all() -> None:
    assert list_days("0 0 1-1 * *", "2024-01-01", "2024-03-01") == [1, 1]
    assert list_days("0 0 * * 1-1", "2024-01-01", "2024-01-15") == [1, 8]
    assert len(parse_cron("5-5 * * * *", UTC_ZONE).between(utc("2024-01-01"), utc("2024-01-02"))) == 24


def test_a_day_of_month_or_the_nth_weekday_means_either() -> None:
    assert list_days("0 0 13 * 1#1", "2024-01-01", "2024-02-01") == [1, 13]


def test_thirty_days_and_the_last_are_not_all() -> None:
    days = list_days("0 0 1-29,31,L * *", "2024-01-01", "2024-02-01")

    assert days == [*range(1, 30), 31]


def test_plain_and_nth_weekdays_go_together() -> None:
    assert list_days("0 0 * * 3,1#1,5L", "2024-01-01", "2024-02-01") == [1, 3, 10, 17, 24, 26, 31]


def test_the_last_friday_is_written_with_the_day_first() -> None:
    assert list_days("0 0 * * 5L", "2024-01-01", "2024-04-01") == [26, 23, 29]


def test_days_at_the_end_of_months_are_found_backwards_too() -> None:
    ticks = parse_cron("0 0 29,30,31 * *", UTC_ZONE)
    day, found = utc("2023-05-01"), []

    while (day_before := ticks.prev(day)) is not None and day_before.year == 2023:
        found.append(f"{day_before.month}-{day_before.day}")
        day = day_before

    assert found == ["4-30", "4-29", "3-31", "3-30", "3-29", "1-31", "1-30", "1-29"]


def test_the_first_instant_of_a_second_is_a_tick_and_the_next_microsecond_is_none() -> None:
    ticks = parse_cron("0 0 * * *", UTC_ZONE)
    midnight = utc("2024-01-02")

    assert ticks.next(midnight - timedelta.resolution) == midnight
    assert ticks.prev(midnight + timedelta.resolution) == midnight
    assert not ticks.contains(midnight + timedelta.resolution)


@pytest.mark.parametrize(("since", "count"), [("1900-01-01", 366), ("1969-12-01", 366), ("2199-01-01", 366)])
def test_far_years_are_as_near_ones(since: str, count: int) -> None:
    ticks = parse_cron("30 2 * * *", AMSTERDAM)

    assert len(ticks.between(utc(since), utc(since) + timedelta(days=count))) == count


def test_daily_rules_ask_croniter_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cron_days, "_ask", lambda *_: pytest.fail("asked for days"))
    rule = parse_rule("17 4 * * *", seconds=False)

    assert CronTicks("17 4 * * *", UTC_ZONE, rule).next(utc("2024-01-01")) == utc("2024-01-01T04:17")


def test_a_rule_of_days_asks_croniter_once_for_each_of_the_fourteen_kinds_of_year(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    ask = cron_days._ask

    def note_and_ask(year: int, expression: str) -> set[int]:
        asked.append(year)
        return ask(year, expression)

    monkeypatch.setattr(cron_days, "_ask", note_and_ask)
    rule = parse_rule("0 0 3,11 1-11 *", seconds=False).days

    for year in range(1900, 2100):
        assert len(find_days(rule, year)) == 22

    assert len(asked) == len(set(asked)) == 14


_numbers = st.integers(0, 23).map(str)
_plain = st.one_of(
    st.just("*"), st.lists(_numbers, min_size=1, max_size=3).map(",".join), st.just("*/5"), st.just("2-9")
)
_days = st.one_of(st.just("*"), st.integers(1, 31).map(str), st.just("*/9"), st.just("8-20/3"))
_weekdays = st.one_of(st.just("*"), st.integers(0, 6).map(str), st.just("1-5"), st.just("*/3"))


@given(_plain, _plain, _days, _weekdays, st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)))
def test_where_no_clock_changes_croniter_agrees(minute: str, hour: str, day: str, weekday: str, at: datetime) -> None:
    expression = f"{minute} {hour} {day} * {weekday}"
    judge = croniter(expression, at, implement_cron_bug=True)

    tick = at.replace(tzinfo=UTC)
    for _ in range(4):
        found = parse_cron(expression, UTC_ZONE).next(tick)
        assert found == judge.get_next(datetime).replace(tzinfo=UTC)
        tick = found
