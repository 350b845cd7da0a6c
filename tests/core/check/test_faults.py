"""Planted faults between two flows, each found with its first counter-example and a proposal that mends it."""

from typing import Any

import pytest

from sensord.core.check import CheckedSensor, FindingKind, Severity, proof
from sensord.core.check.faults import Fault, find_faults
from sensord.core.check.study import Case, Study
from sensord.core.mapping import Mapping, MappingFunction, Match
from sensord.core.schedule import Schedule
from tests.core.check.flows import check, flow, on, one, pair
from tests.core.mapping.timelines import at, cron, every

AMS = "Europe/Amsterdam"
HOURLY = cron("0 * * * *")
MIDNIGHT = cron("0 0 * * *")


class TestNothingFound:
    def test_the_wrong_minute(self) -> None:
        found = one(*pair(cron("0 2 * * *"), cron("5 2 * * *"), match="same"))

        assert (found.severity, found.kind) == (Severity.ERROR, FindingKind.NO_MATCH)
        assert (found.flow, found.sensor_index, found.count) == ("down", 0, 730)
        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-01-01 02:00")
        assert found.message == (
            "the sensor on up finds nothing to wait for on every one of 730 ticks: "
            "the upstream has no tick at 2025-01-01 02:00+00:00 UTC; "
            "nearest: 2024-12-31 02:05+00:00 UTC and 2025-01-01 02:05+00:00 UTC"
        )
        assert found.suggestion == 'offset = "5m"'

    def test_the_wrong_zone(self) -> None:
        """Both say 02:00; in winter one is an hour before the other, in summer two."""
        found = one(*pair(cron("0 2 * * *", AMS), cron("0 2 * * *"), match="same"))

        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-01-01 02:00", AMS)
        assert found.counter_example.wall == "2025-01-01 02:00+01:00 Europe/Amsterdam"
        assert found.counter_example.upstream_wall == "2025-01-01 01:00+00:00 UTC"
        assert (found.count, found.suggestion) == (730, 'match = "latest"')

    def test_only_on_the_day_when_the_clocks_change(self) -> None:
        """Each real hour is a tick of the one; the other names its hours, and one of them comes twice."""
        named = cron(f"0 {','.join(str(hour) for hour in range(24))} * * *", AMS)

        found = one(*pair(cron("0 * * * *", AMS), named, match="same"))

        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-10-26 02:00+01:00")
        assert found.counter_example.wall == "2025-10-26 02:00+01:00 Europe/Amsterdam"
        assert (found.count, found.suggestion) == (2, 'match = "latest"')

    def test_a_number_that_a_short_day_does_not_hold(self) -> None:
        found = one(*pair(cron("0 0 * * *", AMS), HOURLY, match="interval", require=24))

        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-03-31", AMS)
        assert found.message.endswith("require = 24 can never be met: the mapping takes 23 ticks")
        assert (found.count, found.suggestion) == (2, "require = 23")

    def test_an_upstream_that_has_ended(self) -> None:
        found = one(*pair(MIDNIGHT, cron("0 0 * * *", end="2025-12-31 00:00"), match="same"))

        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2026-01-01")
        assert (found.count, found.suggestion) == (365, "end = 2025-12-31T00:00:00+00:00 in [schedule]")

    def test_an_upstream_that_begins_later(self) -> None:
        found = one(*pair(cron("0 8 * * *", AMS), cron("0 0 * * *", start="2025-02-01 00:00")))

        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-01-01 08:00", AMS)
        assert (found.count, found.suggestion) == (31, "start = 2025-02-01T08:00:00+01:00 in [schedule]")

    def test_only_where_there_is_no_29_february(self) -> None:
        """The 28th and a day is the 29th in leap years only."""
        ours, theirs = cron("0 0 28 * *"), cron("0 0 29 * *")
        keys: dict[str, Any] = {"match": "same", "offset": "1d"}
        leap = check(*pair(ours, theirs, **keys), since=at("2024-01-01"), until=at("2024-12-31"))

        found = one(*pair(ours, theirs, **keys), since=at("2024-01-01"))

        assert leap == []
        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-02-28")
        assert (found.count, found.suggestion) == (2, 'match = "latest"')

    def test_a_day_of_24_hours_that_misses_a_daily_tick(self) -> None:
        keys: dict[str, Any] = {"match": "interval", "within": "24h"}
        found = one(*pair(cron("30 0 * * *", AMS), cron("0 1 * * *", AMS), **keys))

        assert (found.severity, found.kind) == (Severity.ERROR, FindingKind.NO_MATCH)
        assert found.counter_example is not None
        assert found.counter_example.wall == "2025-10-27 00:30+01:00 Europe/Amsterdam"
        assert (found.count, found.suggestion) == (2, 'within = "1d"')

    def test_intervals_that_are_sometimes_empty(self) -> None:
        found = one(*pair(HOURLY, MIDNIGHT, match="interval"))
        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-01-01 01:00")
        assert (found.count, found.suggestion) == (17520 - 730, 'match = "latest"')

        weekend = one(*pair(MIDNIGHT, cron("0 0 * * 1-5"), match="interval"))
        assert weekend.counter_example is not None
        assert weekend.counter_example.logical_date == at("2025-01-04")
        assert weekend.count == 208

    def test_an_upstream_that_lives_in_another_time(self) -> None:
        ended = cron("0 0 * * *", end="2024-06-01 00:00")
        found = one(*pair(MIDNIGHT, ended, match="next"))
        assert (found.count, found.suggestion) == (730, 'match = "latest"')
        to_come = one(*pair(MIDNIGHT, cron("0 0 * * *", start="2030-01-01 00:00")))
        assert to_come.suggestion == 'on_missing = "skip", if a tick without a match is meant'

    def test_at_first_but_not_for_the_upstreams_start(self) -> None:
        """From Saturday to Friday, what fires on weekdays misses just the first two days."""
        weekdays = cron("0 0 * * 1-5", start="2020-01-01 00:00")
        found = one(*pair(MIDNIGHT, weekdays, match="same"), since=at("2025-01-04"), until=at("2025-01-10"))
        assert (found.count, found.suggestion) == (2, 'match = "latest"')

    def test_of_a_period_that_alignment_makes_empty(self) -> None:
        found = one(*pair(HOURLY, MIDNIGHT, match="overlap", align="day"))
        assert (found.kind, found.suggestion) == (FindingKind.NO_MATCH, 'match = "latest"')

    def test_aligned_to_an_upstream_that_has_not_begun(self) -> None:
        found = one(*pair(HOURLY, cron("0 0 * * *", start="2025-01-02 00:00"), match="same", align="upstream"))
        assert (found.count, found.suggestion) == (24, "start = 2025-01-02T00:00:00+00:00 in [schedule]")

    def test_a_function_that_raises(self) -> None:
        def fail_in_june(date: Any, _: Any) -> list[Any]:
            if date.month == 6:
                raise LookupError("no calendar for June")
            return [date]

        mapping = Mapping(Match.PYTHON, function=MappingFunction("calendars:f", fail_in_june))

        found = one(flow("up", MIDNIGHT), flow("down", MIDNIGHT, CheckedSensor(0, "up", mapping)))

        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-06-01")
        assert found.count == 60
        assert found.message.endswith("calendars:f raised LookupError: no calendar for June")

    def test_a_flow_that_is_none(self) -> None:
        found = one(flow("down", MIDNIGHT, on("upp")))
        assert (found.kind, found.counter_example, found.count) == (FindingKind.UNKNOWN_FLOW, None, 0)


class TestSettledMisses:
    def test_now_and_then_are_meant(self) -> None:
        assert check(*pair(MIDNIGHT, cron("0 0 * * 1-5"), match="interval", misses_settled=True)) == []

    def test_always_is_odd(self) -> None:
        found = one(*pair(cron("0 2 * * *"), cron("5 2 * * *"), match="same", misses_settled=True))
        assert found.severity is Severity.WARNING


class TestTooMuch:
    def test_a_thousand_is_a_warning(self) -> None:
        found = one(*pair(MIDNIGHT, HOURLY, match="interval", within="42d"))
        assert (found.severity, found.kind, found.count) == (Severity.WARNING, FindingKind.TOO_MANY, 730)
        assert "up to 1,008" in found.message

    def test_ten_thousand_is_an_error(self) -> None:
        found = one(*pair(MIDNIGHT, cron("* * * * *"), match="interval", within="7d"), until=at("2025-01-10"))
        assert (found.severity, found.kind, found.count) == (Severity.ERROR, FindingKind.MAPPING_ERROR, 10)

    def test_a_period_of_millions_is_not_listed_first(self) -> None:
        seconds = every("1s", "2000-01-01")
        found = one(*pair(MIDNIGHT, seconds, match="interval", since="2000-01-01"), until=at("2025-01-03"))
        assert (found.kind, found.count) == (FindingKind.MAPPING_ERROR, 3)


class TestOdd:
    def test_an_upstream_after_the_deadline(self) -> None:
        found = one(*pair(HOURLY, cron("0 2 * * *"), match="next", timeout="3h"))

        assert (found.severity, found.kind) == (Severity.WARNING, FindingKind.LATE_UPSTREAM)
        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-01-01 03:00")
        assert found.counter_example.dates == (at("2025-01-02 02:00"),)
        assert (found.count, found.suggestion) == (730 * 20, 'timeout = "24h"')

    def test_a_deadline_of_a_day_that_has_23_hours(self) -> None:
        """From one midnight to the next, only the deadline in hours of the clock is late on the short day."""
        ours, theirs = cron("0 0 * * *", AMS), cron("0 0 * * *", AMS)
        keys: dict[str, Any] = {"match": "next", "strict": True}
        assert check(*pair(ours, theirs, timeout="1d", **keys)) == []
        found = one(*pair(ours, theirs, timeout="24h", **keys))
        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-10-26", AMS)
        assert (found.count, found.suggestion) == (2, 'timeout = "26h"')

    def test_a_wait_of_more_than_a_day(self) -> None:
        found = one(*pair(MIDNIGHT, cron("0 6 * * 1-5"), match="next"))

        assert (found.severity, found.kind) == (Severity.WARNING, FindingKind.LONG_WAIT)
        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-01-04")
        assert found.counter_example.dates == (at("2025-01-06 06:00"),)
        assert (found.count, found.suggestion) == (208, 'match = "latest"')

    def test_a_wait_for_a_tick_that_is_meant_to_be_far_off_has_no_mending(self) -> None:
        found = one(*pair(MIDNIGHT, MIDNIGHT, match="next", offset="3d"))
        assert (found.kind, found.count, found.suggestion) == (FindingKind.LONG_WAIT, 730, None)

    def test_a_wait_that_the_deadline_ends_first_is_told_once(self) -> None:
        found = one(*pair(MIDNIGHT, cron("0 6 * * 1-5"), match="next", timeout="12h"))
        assert (found.kind, found.count) == (FindingKind.LATE_UPSTREAM, 208)

    def test_of_any_the_first_decides(self) -> None:
        keys: dict[str, Any] = {"match": "next", "count": 3}
        assert check(*pair(HOURLY, cron("0 */12 * * *"), require="any", **keys)) == []
        assert one(*pair(HOURLY, cron("0 */12 * * *"), **keys)).kind is FindingKind.LONG_WAIT

    def test_a_day_of_24_hours_that_holds_two_daily_ticks(self) -> None:
        daily = cron("0 2 * * *", AMS)
        found = one(*pair(daily, daily, match="interval", within="24h"))

        assert (found.severity, found.kind) == (Severity.WARNING, FindingKind.UNEVEN)
        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-03-31 02:00", AMS)
        assert found.counter_example.dates == (at("2025-03-30 03:00", AMS), at("2025-03-31 02:00", AMS))
        assert (found.count, found.suggestion) == (2, 'within = "1d"')

    def test_all_runs_of_a_flow_whose_catchup_may_skip(self) -> None:
        found = one(*pair(HOURLY, MIDNIGHT, may_skip=True))
        assert (found.severity, found.kind) == (Severity.WARNING, FindingKind.SKIPPED_UPSTREAM)
        assert (found.flow, found.sensor_index, found.counter_example) == ("down", 0, None)
        assert found.suggestion


LEGAL: list[tuple[str, Schedule, Schedule, dict[str, Any]]] = [
    ("the same minute", cron("5 2 * * *"), cron("5 2 * * *"), {"match": "same"}),
    ("another minute with its offset", cron("0 2 * * *"), cron("5 2 * * *"), {"match": "same", "offset": "5m"}),
    ("the same instant in two zones", cron("0 2 * * *", "Asia/Kolkata"), cron("30 20 * * *"), {"match": "same"}),
    ("another zone, the last before", cron("0 2 * * *", AMS), cron("0 2 * * *"), {}),
    ("a finer upstream on days of any length", cron("0 0 * * *", AMS), HOURLY, {"match": "interval"}),
    ("as many as the shortest day has", cron("0 0 * * *", AMS), HOURLY, {"match": "interval", "require": 23}),
    ("a day by the calendar", cron("30 0 * * *", AMS), cron("0 1 * * *", AMS), {"match": "interval", "within": "1d"}),
    (
        "24 hours where days are not even either",
        cron("0 0 * * *", AMS),
        cron(f"0 {','.join(str(hour) for hour in range(24))} * * *", AMS),
        {"match": "interval", "within": "24h"},
    ),
    ("24 hours of hours", cron("0 0 * * *", AMS), HOURLY, {"match": "interval", "within": "24h"}),
    ("24 hours in a zone without changes", MIDNIGHT, MIDNIGHT, {"match": "interval", "within": "24h"}),
    ("the last tick of an ended upstream", MIDNIGHT, cron("0 0 1 * *", end="2024-06-01 00:00"), {}),
    (
        "an upstream that begins with us",
        cron("0 0 * * *", start="2025-06-01 00:00"),
        cron("0 0 * * *", start="2025-06-01 00:00"),
        {},
    ),
    (
        "what a start leaves of a week",
        cron("0 0 * * *"),
        cron("0 0 * * *", start="2024-12-31 00:00"),
        {"match": "interval", "within": "7d"},
    ),
    ("29 February, clamped", MIDNIGHT, MIDNIGHT, {"match": "same", "offset": "-1y"}),
    ("the run that closes my day", cron("0 * * * *", AMS), cron("0 0 * * *", AMS), {"match": "next"}),
    ("the day that holds my hour", cron("*/15 * * * *", AMS), cron("0 2 * * *", AMS), {"match": "overlap"}),
    ("weekdays on weekdays", cron("0 6 * * 1-5"), cron("0 5 * * 1-5"), {}),
    ("a deadline after the upstream", HOURLY, cron("0 2 * * *"), {"match": "next", "timeout": "23h"}),
    ("some of a flow that may skip", MIDNIGHT, HOURLY, {"match": "interval", "require": "any", "may_skip": True}),
    ("all of one, with skips settled", HOURLY, MIDNIGHT, {"may_skip": True, "skips_settled": True}),
    ("a flow that may skip on itself", HOURLY, HOURLY, {"own": True, "back": 1, "may_skip": True}),
    ("month to date", MIDNIGHT, MIDNIGHT, {"match": "interval", "since": "month"}),
    ("aligned to the upstream", HOURLY, cron("0 3 * * *"), {"match": "same", "align": "upstream"}),
    ("schedules that do not line up", MIDNIGHT, every("7h", "2025-01-01"), {"match": "overlap"}),
    ("no tick at all in the horizon", cron("0 0 * * *", end="2024-01-01 00:00"), HOURLY, {"match": "same"}),
]


@pytest.mark.parametrize(("ours", "theirs", "keys"), [case[1:] for case in LEGAL], ids=[case[0] for case in LEGAL])
def test_what_is_legal_passes_without_a_word(ours: Schedule, theirs: Schedule, keys: dict[str, Any]) -> None:
    assert check(*pair(ours, theirs, **keys)) == []


class TestOwn:
    """A sensor on the flow itself: dates before its first run are satisfied."""

    BEGUN = cron("0 2 * * *", start="2025-06-01 00:00")

    @pytest.mark.parametrize(
        "keys",
        [{"back": 1}, {"strict": True}, {"count": 3, "back": 1, "require": 3}, {"match": "same", "offset": "-1d"}],
        ids=str,
    )
    def test_the_first_run_has_all_it_needs(self, keys: dict[str, Any]) -> None:
        assert check(flow("f", self.BEGUN, on("f", **keys))) == []

    def test_what_the_rule_never_fires_is_found(self) -> None:
        found = one(flow("f", self.BEGUN, on("f", match="same", offset="-3h")))
        assert found.kind is FindingKind.NO_MATCH


def test_all_findings_are_told_in_order_of_flow_and_sensor() -> None:
    late = cron("5 2 * * *")
    found = check(
        flow("up", late),
        flow("b", cron("0 2 * * *"), on("up"), on("up", match="same")),
        flow("a", cron("0 2 * * *"), on("up", match="same"), on("nobody")),
    )
    assert [(one.flow, one.sensor_index, one.kind.value) for one in found] == [
        ("a", 0, "no_match"),
        ("a", 1, "unknown_flow"),
        ("b", 1, "no_match"),
    ]


def test_sensors_that_are_alike_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Case] = []

    def look(case: Case, study: Study) -> list[Fault]:
        looked.append(case)
        return find_faults(case, study)

    monkeypatch.setattr(proof, "find_faults", look)
    flows = [flow(f"down{n}", HOURLY, on(f"up{n % 7}"), on("up0", match="same")) for n in range(500)]

    found = check(*(flow(f"up{n}", MIDNIGHT) for n in range(7)), *flows)

    assert len(looked) == 2
    assert len(found) == 500
