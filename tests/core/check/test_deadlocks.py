"""Runs that wait for themselves, at the level of ticks; and the look-alikes that do not."""

from typing import Any

import pytest

from sensord.core.check import CheckedFlow, Finding, FindingKind, Severity
from tests.core.check.flows import check, flow, on
from tests.core.mapping.timelines import at, cron

AMS = "Europe/Amsterdam"
HOURLY = cron("0 * * * *")
MIDNIGHT = cron("0 0 * * *")
DAILY = cron("0 2 * * *")


def circle(*flows: CheckedFlow, **keys: Any) -> Finding:
    """The only deadlock; warnings about long waits beside it are no concern here."""
    found = [one for one in check(*flows, **keys) if one.severity is Severity.ERROR]
    assert [one.kind for one in found] == [FindingKind.DEADLOCK], found
    return found[0]


class TestDeadlock:
    def test_of_two_flows_on_the_same_ticks(self) -> None:
        found = circle(flow("a", DAILY, on("b")), flow("b", DAILY, on("a")))

        assert (found.flow, found.sensor_index, found.count) == ("a", 0, 2 * 730)
        assert found.counter_example is not None
        first = at("2025-01-01 02:00")
        assert found.counter_example.logical_date == first
        assert found.counter_example.chain == (("a", first), ("b", first))
        assert found.message == (
            "waits for itself: a 2025-01-01 02:00+00:00 UTC waits for b 2025-01-01 02:00+00:00 UTC, "
            "which waits for the first"
        )
        assert found.suggestion == "strict = true in the sensor of a on b"

    def test_of_a_flow_on_itself(self) -> None:
        found = circle(flow("a", HOURLY, on("b"), on("a")), flow("b", HOURLY))
        assert (found.flow, found.sensor_index, found.count) == ("a", 1, 17520)
        assert found.suggestion == "back = 1 in the sensor of a on a"

    @pytest.mark.parametrize(
        ("keys", "suggestion"),
        [
            ({"match": "interval"}, "back = 1"),
            ({"match": "overlap"}, "back = 1"),
            ({"match": "interval", "within": "2d"}, 'closed = "left"'),
            ({"match": "same"}, 'match = "latest", strict = true'),
            ({"count": 3}, "back = 1"),
        ],
        ids=str,
    )
    def test_of_a_flow_on_periods_that_hold_its_own_tick(self, keys: dict[str, Any], suggestion: str) -> None:
        found = circle(flow("a", DAILY, on("a", **keys)))
        assert (found.count, found.suggestion) == (730, f"{suggestion} in the sensor of a on a")

    def test_through_a_chain_of_three_with_a_step_forward_and_back(self) -> None:
        """a waits for the day's last b, that for c of the same hour, and that for the a before it."""
        found = circle(
            flow("a", MIDNIGHT, on("b", offset="23h", match="same")),
            flow("b", HOURLY, on("c")),
            flow("c", HOURLY, on("a")),
        )

        midnight, evening = at("2025-01-01"), at("2025-01-01 23:00")
        assert found.counter_example is not None
        assert found.counter_example.chain == (("a", midnight), ("b", evening), ("c", evening))
        assert found.count == 3 * 730

    def test_only_on_the_ticks_where_it_closes(self) -> None:
        """The weekly one meets the daily one on Mondays."""
        found = circle(flow("daily", MIDNIGHT, on("weekly")), flow("weekly", cron("0 0 * * 1"), on("daily")))

        assert found.counter_example is not None
        assert found.counter_example.logical_date == at("2025-01-06")
        assert found.count == 2 * 104

    def test_only_on_the_day_when_clocks_change(self) -> None:
        """02:30 is skipped on that day, and fires at 03:00, where the other one is."""
        early, late = cron("30 2 * * *", AMS), cron("0 3 * * *", AMS)

        found = circle(flow("early", early, on("late")), flow("late", late, on("early")))

        assert found.counter_example is not None
        assert found.counter_example.wall == "2025-03-30 03:00+02:00 Europe/Amsterdam"
        assert found.count == 2 * 2

    def test_that_closes_by_two_sensors_is_mended_where_both_meet(self) -> None:
        """To look back in one of a's two sensors would leave the other."""
        found = circle(flow("a", DAILY, on("b"), on("b", match="same")), flow("b", DAILY, on("a")))
        assert found.suggestion == "strict = true in the sensor of b on a"

    def test_that_no_single_sensor_mends(self) -> None:
        assert circle(flow("a", DAILY, on("a"), on("a", match="same"))).suggestion is None

    def test_two_circles_are_two_findings(self) -> None:
        found = check(
            flow("a", DAILY, on("b")),
            flow("b", DAILY, on("a")),
            flow("c", DAILY, on("d"), on("a")),
            flow("d", DAILY, on("c")),
        )
        assert [(one.kind, one.flow, one.count) for one in found] == [
            (FindingKind.DEADLOCK, "a", 1460),
            (FindingKind.DEADLOCK, "c", 1460),
        ]

    def test_who_only_waits_behind_a_circle_is_not_counted(self) -> None:
        found = circle(flow("a", DAILY, on("b")), flow("b", DAILY, on("a")), flow("c", DAILY, on("a")))
        assert (found.flow, found.count) == ("a", 1460)

    def test_a_number_that_cannot_do_without_the_stuck_one(self) -> None:
        keys: dict[str, Any] = {"match": "interval", "within": "3d"}
        assert circle(flow("a", MIDNIGHT, on("a", require=3, **keys))).count == 730
        assert check(flow("a", MIDNIGHT, on("a", require=2, **keys))) == []

    def test_two_alternatives_that_are_both_stuck(self) -> None:
        """Any of two ticks would do, and each of them waits for this one."""
        either: dict[str, Any] = {"match": "next", "count": 2, "require": "any"}
        found = circle(
            flow("a", MIDNIGHT, on("b", **either)),
            flow("b", cron("0 1,2 * * *"), on("a")),
        )
        assert found.count == 3 * 730


LEGAL: list[tuple[str, list[CheckedFlow]]] = [
    ("my own run before", [flow("a", HOURLY, on("a", back=1))]),
    ("my own runs of the last days", [flow("a", HOURLY, on("a", match="interval", within="3d", closed="left"))]),
    ("the other's run before", [flow("a", DAILY, on("b")), flow("b", DAILY, on("a", strict=True))]),
    ("yesterday's", [flow("a", DAILY, on("b")), flow("b", DAILY, on("a", match="same", offset="-1d"))]),
    (
        "a circle that closes an hour earlier",
        [flow("a", HOURLY, on("b")), flow("b", HOURLY, on("c")), flow("c", HOURLY, on("a", offset="-1h"))],
    ),
    (
        "forward, and further back",
        [
            flow("a", MIDNIGHT, on("b", match="same", offset="5h")),
            flow("b", cron("0 5 * * *"), on("a", strict=True, offset="-6h")),
        ],
    ),
    (
        "each other, on different days",
        [
            flow("a", cron("0 0 * * 1,2"), on("b", match="same", misses_settled=True)),
            flow("b", cron("0 0 * * 1,3"), on("a", strict=True)),
        ],
    ),
    ("without a circle at all", [flow("a", DAILY, on("b"), on("c")), flow("b", DAILY, on("c")), flow("c", DAILY)]),
    (
        "some other run will do",
        [flow("a", MIDNIGHT, on("a", match="interval", within="2d", require="any"))],
    ),
    (
        "either of two, of which one is free",
        [
            flow("a", MIDNIGHT, on("b", match="next", count=2, require="any")),
            flow("b", cron("0 1,2 * * *"), on("a", match="same", offset="-1h", misses_settled=True)),
        ],
    ),
]


@pytest.mark.parametrize("flows", [case[1] for case in LEGAL], ids=[case[0] for case in LEGAL])
def test_what_is_legal_passes_without_a_word(flows: list[CheckedFlow]) -> None:
    assert check(*flows) == []


class TestEndless:
    def test_each_run_waits_for_the_next(self) -> None:
        found = [
            one
            for one in check(flow("a", DAILY, on("a", match="next", strict=True)))
            if one.kind is FindingKind.ENDLESS
        ]

        assert len(found) == 1
        assert (found[0].severity, found[0].flow, found[0].sensor_index) == (Severity.ERROR, "a", 0)
        assert found[0].counter_example is not None
        assert found[0].counter_example.logical_date == at("2025-01-01 02:00")
        assert found[0].counter_example.chain[1] == ("a", at("2025-01-02 02:00"))
        assert found[0].suggestion == 'match = "latest", strict = true in the sensor of a on a'

    def test_through_another_flow(self) -> None:
        found = check(
            flow("a", MIDNIGHT, on("b", match="next", strict=True)),
            flow("b", cron("0 12 * * *"), on("a", match="next")),
        )
        assert [(one.kind, one.flow) for one in found] == [(FindingKind.ENDLESS, "a")]

    def test_that_no_single_sensor_mends(self) -> None:
        twice = (on("a", match="next", strict=True), on("a", ahead=1))
        (found,) = [one for one in check(flow("a", DAILY, *twice)) if one.kind is FindingKind.ENDLESS]
        assert found.suggestion is None

    def test_who_needs_more_than_there_are_waits_for_nobody(self) -> None:
        found = check(flow("a", DAILY, on("a", match="next", strict=True, count=2, require=3)))
        assert [one.kind for one in found] == [FindingKind.NO_MATCH]

    def test_a_short_horizon_is_no_reason(self) -> None:
        flows = [
            flow("a", MIDNIGHT, on("b", match="next")),
            flow("b", cron("0 1 * * *"), on("a", strict=True, offset="-2h")),
        ]
        assert check(*flows, until=at("2025-01-01 00:30")) == []

    def test_a_chain_of_many_steps_that_then_turns_back_is_legal(self) -> None:
        """Seven flows, each an hour ahead of the one before it; the last looks further back than all of these."""
        ahead = [flow(f"f{n}", HOURLY, on(f"f{n + 1}", match="same", offset="1h")) for n in range(6)]
        assert check(*ahead, flow("f6", HOURLY, on("f0", match="same", offset="-7h"))) == []

    def test_a_wait_past_the_horizon_that_ends_is_legal(self) -> None:
        """a waits for tomorrow's b, and that for an a before it."""
        flows = [
            flow("a", cron("0 */12 * * *"), on("b", match="next")),
            flow("b", cron("0 1 * * *"), on("a", strict=True, offset="-14h")),
        ]
        assert check(*flows) == []
