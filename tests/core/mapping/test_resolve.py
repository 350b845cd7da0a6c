"""What a sensor needs of the mapped dates; a sensor on the flow itself; and that no date is ever an exception."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sensord.core.mapping import Mapping, Match, Require, Resolution, TroubleKind, resolve
from tests.core.mapping.timelines import at, cron, days, every, mapping, refused, resolved

HOURLY = cron("0 * * * *")
DAILY = cron("0 2 * * *")
MIDNIGHT = cron("0 0 * * *")


class TestRequire:
    @pytest.mark.parametrize(("require", "need"), [("all", 24), ("any", 1), (5, 5), (24, 24)])
    def test_says_how_many_are_needed(self, require: Require, need: int) -> None:
        resolution = resolved(at("2025-06-03"), MIDNIGHT, HOURLY, match="interval", require=require)
        assert (resolution.need, len(resolution.dates), resolution.problem) == (need, 24, None)

    @pytest.mark.parametrize(("require", "need"), [("all", 1), ("any", 1), (1, 1)])
    def test_says_so_for_a_plain_mapping_too(self, require: Require, need: int) -> None:
        resolution = resolved(at("2025-06-03"), MIDNIGHT, HOURLY, require=require)
        assert resolution == Resolution(days("2025-06-03"), need)

    @pytest.mark.parametrize("keys", [{}, {"match": "interval", "within": "2h"}])
    def test_more_than_there_are_is_no_match(self, keys: dict[str, Any]) -> None:
        resolution = resolved(at("2025-06-03"), MIDNIGHT, HOURLY, require=3, **keys)

        assert resolution.problem is not None
        assert resolution.problem.kind is TroubleKind.NO_MATCH
        assert resolution.problem.message.startswith("require = 3 can never be met: the mapping takes")
        assert resolution.need == 3

    def test_nothing_of_nothing_is_never_all(self) -> None:
        for require in ("all", "any", 1):
            resolution = resolved(at("2025-06-03 05:00"), HOURLY, DAILY, match="interval", require=require)
            assert (resolution.dates, resolution.need) == ((), 0)
            assert resolution.problem is not None

    def test_what_a_written_start_or_end_leaves_is_the_set(self) -> None:
        begun = cron("0 * * * *", start="2025-06-02 20:00", end="2025-06-02 23:00")
        resolution = resolved(at("2025-06-03"), MIDNIGHT, begun, match="interval")
        assert (len(resolution.dates), resolution.need, resolution.problem) == (4, 4, None)


class TestTooMany:
    def test_over_a_thousand_is_a_warning(self) -> None:
        minutes = cron("* * * * *")
        fits = resolved(at("2025-06-03"), MIDNIGHT, minutes, match="interval", within="1000m")
        over = resolved(at("2025-06-03"), MIDNIGHT, minutes, match="interval", within="1001m")

        assert (fits.warning, len(fits.dates)) == (None, 1000)
        assert (over.warning, over.problem) == ("the mapping takes 1,001 upstream ticks", None)

    def test_over_ten_thousand_is_an_error(self) -> None:
        minutes = cron("* * * * *")
        fits = resolved(at("2025-06-03"), MIDNIGHT, minutes, match="interval", within="10000m")
        over = resolved(at("2025-06-03"), MIDNIGHT, minutes, match="interval", within="10001m")

        assert (fits.problem, len(fits.dates)) == (None, 10_000)
        assert over.problem is not None
        assert (over.problem.kind, over.dates, over.need) == (TroubleKind.MAPPING_ERROR, (), 0)

    @pytest.mark.parametrize("match", ["interval", "overlap"])
    def test_millions_are_not_listed_first(self, match: str) -> None:
        seconds = every("1s", "2000-01-01")
        over = resolved(at("2025-06-03"), MIDNIGHT, seconds, match=match, since="2000-01-01")
        assert over.problem is not None
        assert over.problem.kind is TroubleKind.MAPPING_ERROR


class TestOwn:
    """A sensor on the flow itself: dates before its first run are satisfied."""

    DAILY = cron("0 2 * * *", start="2025-06-01 00:00")
    FIRST, SECOND = days("2025-06-01 02:00", "2025-06-02 02:00")

    @pytest.mark.parametrize(
        "keys", [{"back": 1}, {"strict": True}, {"match": "same", "offset": "-1d"}, {"match": "interval", "back": 1}]
    )
    def test_the_first_run_waits_for_nobody_and_the_second_for_the_first(self, keys: dict[str, Any]) -> None:
        assert resolved(self.FIRST, self.DAILY, self.DAILY, own=True, **keys) == Resolution((), 0)
        assert resolved(self.SECOND, self.DAILY, self.DAILY, own=True, **keys) == Resolution((self.FIRST,), 1)

    def test_the_same_sensor_on_another_flow_finds_nothing(self) -> None:
        assert refused(self.FIRST, self.DAILY, self.DAILY, strict=True)

    @pytest.mark.parametrize(("require", "need"), [("all", 1), ("any", 0), (2, 0), (3, 1)])
    def test_satisfied_dates_are_taken_off_the_need(self, require: Require, need: int) -> None:
        """Of the three dates before the second run, two lie before the first."""
        resolution = resolved(self.SECOND, self.DAILY, self.DAILY, own=True, back=1, count=3, require=require)
        assert resolution == Resolution((self.FIRST,), need)

    def test_what_the_rule_never_fires_is_no_match_for_it_too(self) -> None:
        resolution = resolved(self.FIRST, self.DAILY, self.DAILY, own=True, match="same", offset="-3h")
        assert resolution.problem is not None
        assert resolution.problem.kind is TroubleKind.NO_MATCH

    def test_require_above_the_set_is_no_match_for_it_too(self) -> None:
        resolution = resolved(self.FIRST, self.DAILY, self.DAILY, own=True, back=1, count=3, require=4)
        assert resolution.problem is not None

    def test_without_a_written_start_all_dates_are_mapped(self) -> None:
        assert resolved(self.FIRST, DAILY, DAILY, own=True, back=1) == Resolution(days("2025-05-31 02:00"), 1)

    def test_its_end_is_kept(self) -> None:
        ended = cron("0 2 * * *", start="2025-06-01 00:00", end="2025-06-02 02:00")
        assert resolved(self.SECOND, ended, ended, own=True, match="next", strict=True).problem is not None
        assert resolved(self.SECOND, ended, ended, own=True, match="next", count=2).dates == (self.SECOND,)
        late = resolved(at("2025-07-01 00:00"), ended, ended, own=True)
        assert late.dates == (self.SECOND,)
        overlapping = resolved(self.SECOND, ended, ended, own=True, match="overlap", count=3)
        assert overlapping == Resolution((self.FIRST, self.SECOND), 2)


class TestAnyDate:
    EDGES = (
        datetime.min.replace(tzinfo=UTC),
        datetime(1, 1, 3, tzinfo=UTC),
        datetime(9999, 12, 30, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    )
    KEYS: tuple[dict[str, Any], ...] = (
        {},
        {"strict": True},
        {"match": "same"},
        {"match": "next"},
        {"match": "interval"},
        {"match": "overlap"},
        {"count": 4000, "back": 10},
        {"ahead": 9},
        {"offset": "1y"},
        {"offset": "-26h"},
        {"align": "week"},
        {"align": "hour", "offset": "-1y"},
        {"match": "interval", "within": "9000y"},
        {"match": "overlap", "within": "30d1h"},
        {"match": "interval", "since": "year"},
        {"match": "interval", "align": "upstream"},
        {"match": "interval", "closed": "both", "ahead": 3},
    )

    @pytest.mark.parametrize("date", EDGES)
    @pytest.mark.parametrize("keys", KEYS, ids=str)
    @pytest.mark.parametrize("own", [False, True])
    def test_is_answered_also_where_the_calendar_ends(self, date: datetime, keys: dict[str, Any], own: bool) -> None:
        ours, theirs = cron("0 3 * * *", "Pacific/Auckland"), cron("0 * * * *", "America/Adak")
        resolution = resolved(date, ours, theirs, own=own, **keys)

        assert resolution.dates or resolution.problem
        assert list(resolution.dates) == sorted(set(resolution.dates))


class TestValue:
    def test_equal_mappings_are_one_key(self) -> None:
        first = mapping(match="interval", within="1d", closed="left")
        second = mapping(match="interval", within="1d", closed="left")
        assert len({first, second}) == 1
        assert first != mapping(match="interval", within="24h", closed="left")

    @pytest.mark.parametrize("match", [Match.LATEST, Match.SAME])
    def test_the_short_way_gives_what_the_long_way_gives(self, match: Match) -> None:
        """An offset of nothing sends the same question the long way."""
        ours, theirs = cron("0 */6 * * *"), cron("30 */3 * * *")
        date = at("2025-06-03")
        for _ in range(40):
            date += timedelta(minutes=15)
            short = resolve(Mapping(match), "all", date, ours, theirs)
            long = resolve(mapping(match=match.value, offset="0s"), "all", date, ours, theirs)
            assert short == long
