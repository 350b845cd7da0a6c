"""A schedule between its written start and end, its data intervals, and the follower of another flow."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sensord.core.cron import parse_cron
from sensord.core.every import parse_every
from sensord.core.schedule import Schedule, data_interval, follow
from sensord.core.ticks import Timeline
from sensord.core.zone import EARLIEST
from sensord.errors import InvalidValue

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
UTC_ZONE = ZoneInfo("UTC")
BEGINNING, END_OF_TIME = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hourly(start: str | None = None, end: str | None = None, minute: int = 0) -> Schedule:
    bounds = (utc(text) if text else None for text in (start, end))
    return Schedule(parse_cron(f"{minute} * * * *", UTC_ZONE), UTC_ZONE, *bounds)


def list_times(timeline: Timeline, after: str, until: str) -> list[str]:
    return [f"{tick:%H:%M}" for tick in timeline.between(utc(after), utc(until))]


class TestBounds:
    def test_start_and_end_are_inclusive(self) -> None:
        schedule = hourly("2024-01-01T02:00", "2024-01-01T04:00")

        assert list_times(schedule, "2024-01-01", "2024-01-02") == ["02:00", "03:00", "04:00"]
        assert schedule.next(BEGINNING) == utc("2024-01-01T02:00")
        assert schedule.prev(END_OF_TIME) == utc("2024-01-01T04:00")
        assert schedule.contains(utc("2024-01-01T02:00"))
        assert schedule.contains(utc("2024-01-01T04:00"))

    def test_there_is_nothing_before_the_start_or_past_the_end(self) -> None:
        schedule = hourly("2024-01-01T02:00", "2024-01-01T04:00")

        assert schedule.prev(utc("2024-01-01T02:00")) is None
        assert schedule.next(utc("2024-01-01T04:00")) is None
        assert schedule.prev(BEGINNING) is None
        assert schedule.next(END_OF_TIME) is None
        assert not schedule.contains(utc("2024-01-01T01:00"))
        assert not schedule.contains(utc("2024-01-01T05:00"))
        assert list_times(schedule, "2023-01-01", "2024-01-01T01:59") == []
        assert list_times(schedule, "2024-01-01T04:00", "2025-01-01") == []

    def test_bounds_off_the_ticks_are_no_ticks(self) -> None:
        schedule = hourly("2024-01-01T01:30", "2024-01-01T04:30")

        assert list_times(schedule, "2024-01-01", "2024-01-02") == ["02:00", "03:00", "04:00"]
        assert schedule.next(utc("2024-01-01")) == utc("2024-01-01T02:00")
        assert schedule.prev(utc("2024-01-02")) == utc("2024-01-01T04:00")

    def test_a_start_and_end_with_no_tick_between_them_leave_none(self) -> None:
        schedule = hourly("2024-01-01T01:10", "2024-01-01T01:20")

        assert schedule.next(BEGINNING) is None
        assert schedule.prev(END_OF_TIME) is None
        assert schedule.between(BEGINNING, END_OF_TIME) == []

    def test_the_rule_has_no_bounds(self) -> None:
        schedule = hourly("2024-01-01T02:00", "2024-01-01T04:00")

        assert schedule.rule.prev(utc("2024-01-01T02:00")) == utc("2024-01-01T01:00")
        assert schedule.rule.next(utc("2024-01-01T04:00")) == utc("2024-01-01T05:00")

    def test_an_end_before_the_start_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match="expected an end at or after the start"):
            hourly("2024-01-01T02:00", "2024-01-01T01:00")

    def test_equal_schedules_are_equal_and_make_one_key(self) -> None:
        assert hourly("2024-01-01") == hourly("2024-01-01")
        assert hourly("2024-01-01") != hourly("2024-01-02")
        assert len({hourly(), hourly(), hourly(minute=5)}) == 2


class TestDataInterval:
    def test_it_reaches_from_the_tick_before_to_the_tick(self) -> None:
        assert data_interval(hourly(), utc("2024-01-01T02:00")) == (utc("2024-01-01T01:00"), utc("2024-01-01T02:00"))

    def test_at_a_written_start_the_tick_before_is_the_rules(self) -> None:
        daily = Schedule(parse_every("1d", utc("2024-01-01"), UTC_ZONE), UTC_ZONE, start=utc("2024-01-01"))

        assert data_interval(daily, utc("2024-01-01")) == (utc("2023-12-31"), utc("2024-01-01"))

    def test_a_day_of_the_clocks_change_is_an_hour_shorter_or_longer(self) -> None:
        daily = Schedule(parse_cron("0 0 * * *", AMSTERDAM), AMSTERDAM)
        intervals = (data_interval(daily, utc(tick)) for tick in ("2024-03-31T22:00", "2024-10-27T23:00"))

        assert [end - start for start, end in intervals] == [timedelta(hours=23), timedelta(hours=25)]

    def test_the_first_tick_there_can_be_has_all_time_before_it(self) -> None:
        schedule = hourly()
        first = schedule.next(BEGINNING)
        assert first is not None

        assert data_interval(schedule, first) == (EARLIEST, first)


class TestFollow:
    def test_a_follower_has_the_ticks_and_zone_but_bounds_of_its_own(self) -> None:
        followed = Schedule(parse_cron("@daily", AMSTERDAM), AMSTERDAM, utc("2024-01-01"), utc("2024-02-01"))

        follower = follow(followed, start=utc("2024-05-01"))

        assert follower == Schedule(followed.rule, AMSTERDAM, utc("2024-05-01"), None)
        assert follow(followed).start is None
