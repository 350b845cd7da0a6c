"""The anchor: align floors in the downstream's zone, offset moves by its calendar."""

from zoneinfo import ZoneInfo

import pytest

from sensord.core.mapping import Unit, WeekStart
from sensord.core.mapping.anchor import floor
from tests.core.mapping.timelines import at, cron, days, every, mapped, refused

AMS = "Europe/Amsterdam"
HOURLY = cron("0 * * * *")
MIDNIGHT = cron("0 0 * * *")
MINUTES = cron("* * * * *")


class TestAlign:
    @pytest.mark.parametrize(
        ("unit", "expected"),
        [
            ("hour", "2025-08-13 15:00"),
            ("day", "2025-08-13 00:00"),
            ("week", "2025-08-11 00:00"),
            ("month", "2025-08-01 00:00"),
            ("quarter", "2025-07-01 00:00"),
            ("year", "2025-01-01 00:00"),
        ],
    )
    def test_floors_in_the_downstreams_zone(self, unit: str, expected: str) -> None:
        ours = cron("* * * * *", AMS)
        assert mapped(at("2025-08-13 15:20", AMS), ours, MINUTES, align=unit) == days(expected, zone=AMS)

    def test_a_week_may_begin_on_sunday(self) -> None:
        wednesday, sunday = at("2025-08-13"), at("2025-08-10")
        assert mapped(wednesday, MIDNIGHT, MIDNIGHT, align="week", week_start="sunday") == (sunday,)
        assert mapped(sunday, MIDNIGHT, MIDNIGHT, align="week", week_start="sunday") == (sunday,)
        assert mapped(sunday, MIDNIGHT, MIDNIGHT, align="week") == days("2025-08-04")

    def test_the_hour_that_comes_twice_is_floored_within_its_offset(self) -> None:
        ours = cron("* * * * *", AMS)
        assert mapped(at("2025-10-26 02:40+02:00"), ours, MINUTES, align="hour") == days("2025-10-26 02:00+02:00")
        assert mapped(at("2025-10-26 02:40+01:00"), ours, MINUTES, align="hour") == days("2025-10-26 02:00+01:00")

    def test_a_half_hour_zone_has_hours_of_its_own(self) -> None:
        kolkata = ZoneInfo("Asia/Kolkata")
        assert floor(at("2025-06-01 10:40", "Asia/Kolkata"), Unit.HOUR, kolkata) == at("2025-06-01 04:30")

    def test_a_midnight_that_does_not_exist_is_the_first_instant_after_the_gap(self) -> None:
        place = "America/Sao_Paulo"
        noon = at("2018-11-04 12:00", place)
        assert floor(noon, Unit.DAY, ZoneInfo(place)) == at("2018-11-04 01:00", place)

    def test_a_midnight_that_comes_twice_is_the_first(self) -> None:
        place = "America/Havana"
        assert floor(at("2025-11-02 00:30-05:00"), Unit.DAY, ZoneInfo(place)) == at("2025-11-02 00:00-04:00")

    def test_a_boundary_is_its_own_floor(self) -> None:
        for unit in Unit:
            monday = at("2024-01-01", AMS)  # a Monday, a month, a quarter and a year
            assert floor(monday, unit, ZoneInfo(AMS)) == monday
        assert floor(at("2023-01-01"), Unit.WEEK, ZoneInfo("UTC"), WeekStart.SUNDAY) == at("2023-01-01")


class TestAlignUpstream:
    def test_floors_to_the_upstreams_last_tick(self) -> None:
        weekly = cron("0 3 * * 1")
        found = mapped(at("2025-06-05 12:00"), HOURLY, weekly, match="same", align="upstream")
        assert found == days("2025-06-02 03:00")
        assert mapped(at("2025-06-02 03:00"), HOURLY, weekly, match="same", align="upstream") == days(
            "2025-06-02 03:00"
        )

    def test_an_offset_counts_from_that_tick(self) -> None:
        weekly = cron("0 3 * * 1")
        found = mapped(at("2025-06-05 12:00"), HOURLY, weekly, match="same", align="upstream", offset="-1w")
        assert found == days("2025-05-26 03:00")

    def test_none_is_no_match(self) -> None:
        begun = cron("0 3 * * *", start="2025-06-05 00:00")
        message = refused(at("2025-06-05 02:00"), HOURLY, begun, align="upstream")
        assert message == "no upstream tick to align to at or before 2025-06-05 02:00+00:00 UTC"

    def test_an_interval_runs_between_upstream_ticks(self) -> None:
        theirs, ours = cron("0 3 * * *"), cron("0 12 * * 1")
        found = mapped(at("2025-06-09 12:00"), ours, theirs, match="interval", align="upstream")
        assert (found[0], found[-1], len(found)) == (at("2025-06-03 03:00"), at("2025-06-09 03:00"), 7)

    def test_its_left_end_is_the_upstreams_start_where_no_tick_is_before(self) -> None:
        begun, ours = cron("0 3 * * *", start="2025-06-05 00:00"), cron("0 12 * * 1")
        found = mapped(at("2025-06-09 12:00"), ours, begun, match="interval", align="upstream")
        assert (found[0], found[-1], len(found)) == (at("2025-06-05 03:00"), at("2025-06-09 03:00"), 5)
        overlapping = mapped(at("2025-06-09 12:00"), ours, begun, match="overlap", align="upstream")
        assert overlapping == found

    def test_a_first_tick_at_the_start_itself_is_that_open_end(self) -> None:
        begun, ours = every("1d", "2025-06-05 00:00"), cron("0 12 * * 1")
        found = mapped(at("2025-06-09 12:00"), ours, begun, match="interval", align="upstream")
        assert found[0] == at("2025-06-06")
        both = mapped(at("2025-06-09 12:00"), ours, begun, match="interval", align="upstream", closed="both")
        assert both[0] == at("2025-06-05")


class TestOffset:
    def test_calendar_units_keep_the_wall_time(self) -> None:
        daily = cron("0 9 * * *", AMS)
        monday = at("2025-03-31 09:00", AMS)
        assert mapped(monday, daily, daily, match="same", offset="-2d") == days("2025-03-29 09:00", zone=AMS)
        assert refused(monday, daily, daily, match="same", offset="-48h")

    def test_months_clamp(self) -> None:
        assert mapped(at("2025-03-31"), MIDNIGHT, MIDNIGHT, offset="-1mo") == days("2025-02-28")
        assert mapped(at("2024-02-29"), MIDNIGHT, MIDNIGHT, offset="1y") == days("2025-02-28")

    def test_in_a_gap_it_is_the_first_instant_after_it(self) -> None:
        minutes = cron("* * * * *", AMS)
        found = mapped(at("2025-03-29 02:30", AMS), minutes, minutes, match="same", offset="1d")
        assert found == days("2025-03-30 03:00", zone=AMS)

    def test_in_an_overlap_it_is_the_first(self) -> None:
        minutes = cron("* * * * *", AMS)
        found = mapped(at("2025-10-27 02:30", AMS), minutes, minutes, match="same", offset="-1d")
        assert found == days("2025-10-26 02:30+02:00")

    def test_the_sign_covers_all_of_a_mixed_one_and_the_calendar_part_goes_first(self) -> None:
        """A day before 27 October 03:00 is 03:00+01:00; two exact hours before that is 02:00+02:00."""
        minutes = cron("* * * * *", AMS)
        found = mapped(at("2025-10-27 03:00", AMS), minutes, minutes, match="same", offset="-1d2h")
        assert found == days("2025-10-26 02:00+02:00")
        six_days_and_a_second = mapped(at("2025-06-10"), MIDNIGHT, MIDNIGHT, offset="-6d1s")
        assert six_days_and_a_second == days("2025-06-03")

    def test_goes_after_align(self) -> None:
        found = mapped(at("2025-06-03 14:00"), HOURLY, HOURLY, match="same", align="month", offset="-1d")
        assert found == days("2025-05-31")

    def test_the_zone_is_the_downstreams(self) -> None:
        ours, theirs = cron("0 0 * * *", "America/New_York"), HOURLY
        found = mapped(at("2025-06-03 15:00", "America/New_York"), ours, theirs, match="same", align="day")
        assert found == days("2025-06-03 04:00")
