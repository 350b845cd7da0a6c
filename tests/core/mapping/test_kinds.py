"""The rows of the table of mappings, each with the case it is there for."""

from typing import Any

import pytest

from tests.core.mapping.timelines import at, cron, days, every, mapped, refused

AMS = "Europe/Amsterdam"
HOURLY = cron("0 * * * *")
DAILY = cron("0 2 * * *")
MIDNIGHT = cron("0 0 * * *")
WEEKDAYS = cron("0 6 * * 1-5")


class TestSame:
    def test_takes_the_upstream_run_of_the_same_date(self) -> None:
        date = at("2025-06-03 02:00")
        assert mapped(date, DAILY, HOURLY, match="same") == (date,)

    def test_finds_nothing_where_the_upstream_does_not_fire_and_names_the_nearest_ticks(self) -> None:
        message = refused(at("2025-06-03 03:00"), HOURLY, DAILY, match="same")

        assert message == (
            "the upstream has no tick at 2025-06-03 03:00+00:00 UTC; "
            "nearest: 2025-06-03 02:00+00:00 UTC and 2025-06-04 02:00+00:00 UTC"
        )

    def test_an_offset_names_another_date(self) -> None:
        assert mapped(at("2025-06-03 02:00"), DAILY, DAILY, match="same", offset="-1d") == days("2025-06-02 02:00")
        assert mapped(at("2025-06-03 06:00"), WEEKDAYS, DAILY, match="same", offset="-4h") == days("2025-06-03 02:00")

    def test_flows_in_different_zones_compare_by_instant(self) -> None:
        new_york = cron("0 20 * * *", "America/New_York")
        summer = at("2025-06-03 02:00", AMS)

        assert mapped(summer, cron("0 2 * * *", AMS), new_york, match="same") == (summer,)
        assert "2025-03-15 02:00+01:00 Europe/Amsterdam (2025-03-14 21:00-04:00 America/New_York" in refused(
            at("2025-03-15 02:00", AMS), cron("0 2 * * *", AMS), new_york, match="same"
        )


class TestLatest:
    def test_is_the_default_hourly_on_daily(self) -> None:
        assert mapped(at("2025-06-03 01:00"), HOURLY, DAILY) == days("2025-06-02 02:00")
        assert mapped(at("2025-06-03 02:00"), HOURLY, DAILY) == days("2025-06-03 02:00")
        assert mapped(at("2025-06-03 23:00"), HOURLY, DAILY) == days("2025-06-03 02:00")

    @pytest.mark.parametrize(
        "date", ["2025-03-30 02:00", "2025-03-30 03:00", "2025-10-26 02:00+02:00", "2025-06-01 02:00"]
    )
    def test_with_equal_schedules_is_same(self, date: str) -> None:
        hourly = cron("0 * * * *", AMS)
        assert mapped(at(date, AMS), hourly, hourly) == mapped(at(date, AMS), hourly, hourly, match="same")

    def test_strict_leaves_out_the_anchor_itself(self) -> None:
        assert mapped(at("2025-06-03 02:00"), HOURLY, DAILY, strict=True) == days("2025-06-02 02:00")
        assert mapped(at("2025-06-03 02:01"), HOURLY, DAILY, strict=True) == days("2025-06-03 02:00")

    def test_back_goes_upstream_ticks_back(self) -> None:
        assert mapped(at("2025-06-03 09:00"), HOURLY, DAILY, back=2) == days("2025-06-01 02:00")
        assert mapped(at("2025-06-09 06:00"), WEEKDAYS, WEEKDAYS, back=1) == days("2025-06-06 06:00")

    def test_ahead_goes_upstream_ticks_forward(self) -> None:
        assert mapped(at("2025-06-03 09:00"), HOURLY, DAILY, ahead=1) == days("2025-06-04 02:00")

    def test_count_takes_those_that_end_there(self) -> None:
        three = days("2025-06-01 02:00", "2025-06-02 02:00", "2025-06-03 02:00")
        assert mapped(at("2025-06-03 09:00"), HOURLY, DAILY, count=3) == three
        assert mapped(at("2025-06-04 09:00"), HOURLY, DAILY, count=3, back=1) == three

    def test_needs_a_base_within_the_upstreams_life(self) -> None:
        begun = cron("0 2 * * *", start="2025-06-03")
        assert "no tick at or before 2025-06-03 01:00+00:00 UTC" in refused(at("2025-06-03 01:00"), HOURLY, begun)
        assert "no tick before 2025-06-03 02:00" in refused(at("2025-06-03 02:00"), HOURLY, begun, strict=True)
        assert refused(at("2025-06-03 01:00"), HOURLY, begun, ahead=1)

    def test_steps_go_by_the_rule_and_what_lies_outside_is_left_out(self) -> None:
        begun = cron("0 2 * * *", start="2025-06-03 01:00", end="2025-06-05")

        assert mapped(at("2025-06-03 09:00"), HOURLY, begun, count=3) == days("2025-06-03 02:00")
        assert "before it begins" in refused(at("2025-06-03 09:00"), HOURLY, begun, back=1)
        assert mapped(at("2025-06-04 09:00"), HOURLY, begun, ahead=1, count=2) == days("2025-06-04 02:00")
        assert "after it has ended" in refused(at("2025-06-04 09:00"), HOURLY, begun, ahead=1)

    def test_after_the_upstreams_end_its_last_tick_stays_the_latest(self) -> None:
        ended = cron("0 2 * * *", end="2025-06-03 02:00")
        assert mapped(at("2026-01-01 00:00"), HOURLY, ended) == days("2025-06-03 02:00")

    def test_without_a_written_start_the_upstream_has_no_beginning(self) -> None:
        assert mapped(at("1970-01-01 00:00"), HOURLY, DAILY) == days("1969-12-31 02:00")
        assert mapped(at("2000-01-01 00:00"), HOURLY, every("1d", "2025-01-01", written=False)) == days("2000-01-01")


class TestNext:
    def test_takes_the_run_that_closes_my_day(self) -> None:
        assert mapped(at("2025-06-03 09:00"), HOURLY, MIDNIGHT, match="next") == days("2025-06-04")
        assert mapped(at("2025-06-03 00:00"), HOURLY, MIDNIGHT, match="next") == days("2025-06-03")

    def test_strict_leaves_out_the_anchor_itself(self) -> None:
        assert mapped(at("2025-06-03 00:00"), HOURLY, MIDNIGHT, match="next", strict=True) == days("2025-06-04")

    def test_count_takes_those_that_begin_there(self) -> None:
        two = days("2025-06-04", "2025-06-05")
        assert mapped(at("2025-06-03 09:00"), HOURLY, MIDNIGHT, match="next", count=2) == two

    def test_before_the_upstreams_start_takes_its_first_tick(self) -> None:
        begun = cron("0 0 * * *", start="2025-06-10 00:00")
        assert mapped(at("2025-06-03 09:00"), HOURLY, begun, match="next") == days("2025-06-10")

    def test_finds_nothing_past_the_upstreams_end(self) -> None:
        ended = cron("0 0 * * *", end="2025-06-04 00:00")
        assert mapped(at("2025-06-04 00:00"), HOURLY, ended, match="next", count=2) == days("2025-06-04")
        assert "no tick from 2025-06-04 09:00" in refused(at("2025-06-04 09:00"), HOURLY, ended, match="next")
        assert "no tick after 2025-06-04" in refused(at("2025-06-04 00:00"), HOURLY, ended, match="next", strict=True)


class TestInterval:
    def test_daily_on_24_hourly_runs_is_open_on_the_left(self) -> None:
        found = mapped(at("2025-06-03 00:00"), MIDNIGHT, HOURLY, match="interval")

        assert (found[0], found[-1], len(found)) == (at("2025-06-02 01:00"), at("2025-06-03 00:00"), 24)

    @pytest.mark.parametrize(("day", "hours"), [("2025-03-31", 23), ("2025-10-27", 25), ("2025-06-03", 24)])
    def test_a_day_of_23_or_25_hours_holds_as_many_runs(self, day: str, hours: int) -> None:
        daily, hourly = cron("0 0 * * *", AMS), cron("0 * * * *", AMS)
        assert len(mapped(at(day, AMS), daily, hourly, match="interval")) == hours

    def test_back_and_ahead_go_downstream_ticks(self) -> None:
        ours, theirs = cron("0 6 * * 1-5"), MIDNIGHT
        monday = at("2025-06-09 06:00")
        weekend = days("2025-06-07", "2025-06-08", "2025-06-09")

        assert mapped(monday, ours, theirs, match="interval") == weekend
        assert mapped(at("2025-06-10 06:00"), ours, theirs, match="interval", back=1) == weekend
        assert mapped(at("2025-06-06 06:00"), ours, theirs, match="interval", ahead=1) == weekend

    def test_count_takes_several_downstream_intervals_together(self) -> None:
        found = mapped(at("2025-06-09 06:00"), WEEKDAYS, MIDNIGHT, match="interval", count=2)
        assert found == days("2025-06-06", "2025-06-07", "2025-06-08", "2025-06-09")

    def test_back_and_count_go_together(self) -> None:
        found = mapped(at("2025-06-03 02:00"), DAILY, MIDNIGHT, match="interval", back=2, count=2)
        assert found == days("2025-05-31", "2025-06-01")

    def test_the_downstream_tick_before_comes_from_the_rule_also_before_a_written_start(self) -> None:
        begun = cron("0 0 * * *", start="2025-06-03 00:00")
        assert len(mapped(at("2025-06-03 00:00"), begun, HOURLY, match="interval")) == 24

    def test_align_and_then_offset_apply_to_both_ends(self) -> None:
        weekly = cron("30 7 * * 1")
        found = mapped(at("2025-06-09 07:30"), weekly, MIDNIGHT, match="interval", align="day", offset="-1d")
        assert (found[0], found[-1], len(found)) == (at("2025-06-02"), at("2025-06-08"), 7)

    def test_an_interval_that_alignment_makes_empty_is_no_match(self) -> None:
        assert "which is empty" in refused(at("2025-06-03 05:00"), HOURLY, HOURLY, match="interval", align="day")

    def test_off_the_ticks_the_interval_ends_at_the_date_itself(self) -> None:
        assert mapped(at("2025-06-03 01:30"), DAILY, MIDNIGHT, match="interval") == days("2025-06-03")

    def test_finds_nothing_between_upstream_ticks(self) -> None:
        message = refused(at("2025-06-03 05:00"), HOURLY, DAILY, match="interval")
        says = "no upstream tick lies in (2025-06-03 04:00+00:00 UTC, 2025-06-03 05:00+00:00 UTC]"
        assert message == says

    @pytest.mark.parametrize(
        ("closed", "expected"),
        [
            ("right", ["2025-06-03"]),
            ("left", ["2025-06-02"]),
            ("both", ["2025-06-02", "2025-06-03"]),
        ],
    )
    def test_closed_says_which_ends_belong(self, closed: str, expected: list[str]) -> None:
        assert mapped(at("2025-06-03"), MIDNIGHT, MIDNIGHT, match="interval", closed=closed) == days(*expected)
        assert mapped(at("2025-06-03"), DAILY, MIDNIGHT, match="interval", within="1d", closed=closed) == days(
            *expected
        )


class TestWithin:
    def test_reaches_back_from_the_date(self) -> None:
        found = mapped(at("2025-06-08 02:00"), DAILY, DAILY, match="interval", within="7d")
        assert (found[0], found[-1], len(found)) == (at("2025-06-02 02:00"), at("2025-06-08 02:00"), 7)

    def test_24_hours_miss_a_daily_tick_on_the_25_hour_day_and_one_day_does_not(self) -> None:
        ours, theirs = cron("30 0 * * *", AMS), cron("0 1 * * *", AMS)
        monday = at("2025-10-27 00:30", AMS)

        assert "2025-10-26 01:30+02:00 Europe/Amsterdam" in refused(
            monday, ours, theirs, match="interval", within="24h"
        )
        assert mapped(monday, ours, theirs, match="interval", within="1d") == days("2025-10-26 01:00", zone=AMS)

    def test_24_hours_hold_two_daily_ticks_on_the_23_hour_day(self) -> None:
        ours, theirs = cron("30 1 * * *", AMS), cron("0 1 * * *", AMS)
        monday = at("2025-03-31 00:30", AMS)
        assert len(mapped(monday, ours, theirs, match="interval", within="24h")) == 1
        sunday = mapped(at("2025-03-31 01:30", AMS), ours, cron("45 0 * * *", AMS), match="interval", within="24h")
        assert sunday == days("2025-03-30 00:45", "2025-03-31 00:45", zone=AMS)

    def test_a_month_clamps(self) -> None:
        found = mapped(at("2025-03-31"), MIDNIGHT, MIDNIGHT, match="interval", within="1mo")
        assert (found[0], found[-1]) == (at("2025-03-01"), at("2025-03-31"))

    def test_counts_from_the_anchor(self) -> None:
        found = mapped(at("2025-06-03 14:00"), HOURLY, HOURLY, match="interval", within="1d", align="day")
        assert (found[0], found[-1]) == (at("2025-06-02 01:00"), at("2025-06-03 00:00"))

    def test_in_a_mixed_one_the_calendar_part_goes_first(self) -> None:
        """A day before Monday 02:30 is the first of Sunday's two 02:30; an hour before that is the open left end."""
        monday = at("2025-10-27 02:30", AMS)
        hourly = cron("30 * * * *", AMS)
        found = mapped(monday, hourly, hourly, match="interval", within="1d1h")
        assert found[0] == at("2025-10-26 02:30+02:00")


class TestSince:
    def test_month_to_date(self) -> None:
        found = mapped(at("2025-06-17"), MIDNIGHT, MIDNIGHT, match="interval", since="month")
        assert (found[0], found[-1], len(found)) == (at("2025-06-02"), at("2025-06-17"), 16)

    def test_the_period_is_the_one_that_holds_the_instant_just_before(self) -> None:
        found = mapped(at("2025-07-01"), MIDNIGHT, MIDNIGHT, match="interval", since="month")
        assert (found[0], found[-1], len(found)) == (at("2025-06-02"), at("2025-07-01"), 30)

    def test_with_both_ends_it_is_the_period_that_holds_the_date_itself(self) -> None:
        on_the_first = mapped(at("2025-07-01"), MIDNIGHT, MIDNIGHT, match="interval", since="month", closed="both")
        assert on_the_first == days("2025-07-01")
        later = mapped(at("2025-07-03"), MIDNIGHT, MIDNIGHT, match="interval", since="month", closed="both")
        assert later == days("2025-07-01", "2025-07-02", "2025-07-03")

    def test_closed_left_takes_the_beginning_and_leaves_the_date(self) -> None:
        found = mapped(at("2025-07-01"), MIDNIGHT, MIDNIGHT, match="interval", since="month", closed="left")
        assert (found[0], found[-1], len(found)) == (at("2025-06-01"), at("2025-06-30"), 30)

    @pytest.mark.parametrize(
        ("since", "first"),
        [("hour", "2025-08-13 15:30"), ("day", "2025-08-13"), ("week", "2025-08-11"), ("quarter", "2025-07-01")],
    )
    def test_any_period_of_the_calendar_in_the_downstreams_zone(self, since: str, first: str) -> None:
        half_hourly = cron("*/30 * * * *", AMS)
        found = mapped(at("2025-08-13 16:00", AMS), half_hourly, half_hourly, match="interval", since=since)
        period = at("2025-08-13 15:00", AMS) if since == "hour" else at(first, AMS)
        assert found[0] == half_hourly.next(period)

    def test_week_start_moves_the_week(self) -> None:
        keys: dict[str, Any] = {"match": "interval", "since": "week"}
        date = at("2025-06-04")
        assert mapped(date, MIDNIGHT, MIDNIGHT, **keys)[0] == at("2025-06-03")
        assert mapped(date, MIDNIGHT, MIDNIGHT, week_start="sunday", **keys)[0] == at("2025-06-02")

    def test_a_fixed_instant_is_in_the_flows_zone(self) -> None:
        daily = cron("0 0 * * *", AMS)
        found = mapped(at("2025-06-04", AMS), daily, daily, match="interval", since="2025-06-01")
        assert found == days("2025-06-02", "2025-06-03", "2025-06-04", zone=AMS)
        found = mapped(at("2025-06-02", AMS), daily, daily, match="interval", since="2025-05-31T20:00:00Z")
        assert found == days("2025-06-01", "2025-06-02", zone=AMS)

    def test_finds_nothing_before_a_fixed_instant(self) -> None:
        assert "which is empty" in refused(at("2025-05-01"), MIDNIGHT, MIDNIGHT, match="interval", since="2025-06-01")


class TestOverlap:
    def test_hourly_on_the_day_that_holds_it(self) -> None:
        for hour in (1, 5, 23):
            date = at(f"2025-06-03 {hour:02}:00")
            assert mapped(date, HOURLY, MIDNIGHT, match="overlap") == days("2025-06-04")
        assert mapped(at("2025-06-04 00:00"), HOURLY, MIDNIGHT, match="overlap") == days("2025-06-04")

    def test_schedules_that_do_not_line_up(self) -> None:
        """Every 7 hours from midnight: the day from 24 to 48 h is covered by the intervals that end at 28 ... 49 h."""
        sevens = every("7h", "2025-06-01 00:00")
        found = mapped(at("2025-06-03"), MIDNIGHT, sevens, match="overlap")
        assert found == days("2025-06-02 04:00", "2025-06-02 11:00", "2025-06-02 18:00", "2025-06-03 01:00")

    def test_an_interval_that_only_touches_does_not_overlap(self) -> None:
        found = mapped(at("2025-06-03"), MIDNIGHT, HOURLY, match="overlap")
        assert (found[0], found[-1]) == (at("2025-06-02 01:00"), at("2025-06-03 00:00"))

    def test_the_upstream_tick_before_comes_from_the_rule_also_before_a_written_start(self) -> None:
        begun = cron("0 0 * * *", start="2025-06-04 00:00")
        assert mapped(at("2025-06-03 05:00"), HOURLY, begun, match="overlap") == days("2025-06-04")
        assert refused(at("2025-06-03 00:00"), HOURLY, begun, match="overlap")

    def test_a_data_interval_that_closes_past_the_end_is_left_out(self) -> None:
        ended = cron("0 0 * * *", end="2025-06-03 12:00")
        assert "no data interval" in refused(at("2025-06-03 05:00"), HOURLY, ended, match="overlap")

    def test_an_empty_period_overlaps_only_what_spans_it_whole(self) -> None:
        keys: dict[str, Any] = {"match": "overlap", "since": "2025-06-10"}
        assert "which is empty" in refused(at("2025-06-03 05:00"), HOURLY, MIDNIGHT, **keys)
        assert mapped(at("2025-06-03 05:00"), HOURLY, cron("0 0 1 * *"), **keys) == days("2025-07-01")

    def test_takes_the_same_ends_as_interval(self) -> None:
        found = mapped(at("2025-06-03 05:00"), HOURLY, MIDNIGHT, match="overlap", within="2d")
        assert found == days("2025-06-02", "2025-06-03", "2025-06-04")
        assert mapped(at("2025-06-03 05:00"), HOURLY, MIDNIGHT, match="overlap", since="month")[0] == at("2025-06-02")
        assert mapped(at("2025-06-03 05:00"), HOURLY, MIDNIGHT, match="overlap", back=5) == days("2025-06-03")
        assert mapped(at("2025-06-03 23:00"), HOURLY, MIDNIGHT, match="overlap", ahead=2) == days("2025-06-05")
        two = mapped(at("2025-06-04 01:00"), HOURLY, MIDNIGHT, match="overlap", count=2)
        assert two == days("2025-06-04", "2025-06-05")
