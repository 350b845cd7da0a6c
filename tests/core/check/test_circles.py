"""Chains of runs among any few flows, against a search over all their runs; and what a chain of many flows costs."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.check import CheckedFlow, Finding, FindingKind, deadlocks
from sensord.core.check.circles import Circles, Look, make_case
from sensord.core.check.loops import Circle, find_level
from sensord.core.check.study import Study
from sensord.core.schedule import Schedule
from tests.core.check.flows import check, flow, on
from tests.core.mapping.timelines import at, cron
from tests.support.cases import share

SINCE, UNTIL = at("2025-03-28"), at("2025-04-01")
HOURLY = cron("0 * * * *")
MIDNIGHT = cron("0 0 * * *")

Run = tuple[str, int]

schedules = st.sampled_from(
    [
        cron(text, zone)
        for text in ("0 */6 * * *", "0 0 * * *", "0 12 * * *", "0 0,12 * * 1-5")
        for zone in ("UTC", "Asia/Tokyo")
    ]
)
keys: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"back": 1},
        {"strict": True},
        {"match": "next"},
        {"match": "next", "count": 2, "require": "any"},
        {"match": "same"},
        {"match": "same", "offset": "6h"},
        {"offset": "-12h"},
        {"match": "interval"},
        {"match": "interval", "within": "1d", "require": 2},
        {"match": "overlap"},
        {"match": "interval", "within": "1d", "require": "any"},
    ]
)


@st.composite
def worlds(draw: st.DrawFn) -> list[CheckedFlow]:
    names = ["a", "b", "c", "d"][: draw(st.integers(1, 4))]
    ours = {name: draw(schedules) for name in names}
    made = []
    for name in names:
        upstreams = draw(st.lists(st.sampled_from(names), max_size=2))
        made.append(flow(name, ours[name], *(on(upstream, **draw(keys)) for upstream in upstreams)))
    return made


def search(flows: list[CheckedFlow]) -> set[Run]:
    """The runs that wait for themselves: whoever is never free, and can be reached from itself among such."""
    named = {one.name: one for one in flows}
    needs: dict[Run, list[tuple[int, set[Run]]]] = {}
    for one in flows:
        for date in one.timeline.between(SINCE - timedelta(seconds=1), UNTIL):
            run = (one.name, int(date.timestamp()))
            needs[run] = []
            for sensor in one.sensors:
                found = make_case(one, sensor, named[sensor.upstream]).resolve(date)
                if found.problem is None:
                    awaited = {(sensor.upstream, int(upstream.timestamp())) for upstream in found.dates}
                    needs[run].append((found.need, awaited))
    left = set(needs)
    while free := {run for run in left if all(len(dates - left) >= need for need, dates in needs[run])}:
        left -= free
    waits = {
        run: {date for need, dates in needs[run] if len(dates - left) < need for date in dates & left} for run in left
    }
    return {run for run in left if run in reach(waits, run)}


def reach(waits: dict[Run, set[Run]], start: Run) -> set[Run]:
    found: set[Run] = set()
    edge = set(waits[start])
    while edge:
        found |= edge
        edge = {after for run in edge for after in waits[run]} - found
    return found


def told(flows: list[CheckedFlow]) -> list[Finding]:
    return [one for one in check(*flows, since=SINCE, until=UNTIL) if one.kind is FindingKind.DEADLOCK]


@given(worlds())
@share(2)
def test_a_deadlock_is_told_for_just_the_runs_that_wait_for_themselves(flows: list[CheckedFlow]) -> None:
    expected = search(flows)

    found = told(flows)

    # Who needs only some may be stuck just because of another circle, with itself among what it could have: the proof
    # tells the other alone.
    all_needed = all(sensor.require == "all" for one in flows for sensor in one.sensors)
    count = sum(one.count for one in found)
    assert count == len(expected) if all_needed else bool(expected) <= count <= len(expected)
    for one in found:
        assert one.counter_example is not None
        chain = [(name, int(date.timestamp())) for name, date in one.counter_example.chain]
        assert set(chain) <= expected
        assert (one.flow, one.counter_example.logical_date) == one.counter_example.chain[0]
    if expected and all_needed:
        starts = [one.counter_example.logical_date.timestamp() for one in found if one.counter_example]
        assert min(starts) == min(date for _, date in expected)


class TestLook:
    @pytest.mark.parametrize(
        ("keys", "look"),
        [
            ({}, Look.LEVEL),
            ({"back": 1}, Look.PAST),
            ({"offset": "-1h"}, Look.PAST),
            ({"match": "interval", "closed": "left"}, Look.PAST),
            ({"match": "interval", "within": "2h"}, Look.LEVEL),
            ({"match": "interval", "within": "2h", "require": "any"}, Look.PAST),
            ({"match": "next", "strict": True}, Look.AHEAD),
            ({"ahead": 1}, Look.AHEAD),
            ({"match": "same", "offset": "30m"}, Look.PAST),
        ],
        ids=str,
    )
    def test_of_an_hourly_flow_on_itself(self, keys: dict[str, Any], look: Look) -> None:
        one = flow("a", HOURLY, on("a", **keys))
        circles = Circles(Study(SINCE, UNTIL))
        assert circles.look(make_case(one, one.sensors[0], one)) is look


class TestManyFlows:
    def ring(self, size: int, schedule: Schedule, first: dict[str, Any], second: dict[str, Any]) -> list[CheckedFlow]:
        """Each waits for the next, the last for the first; the sensors of the first two are given."""
        given = {0: first, 1: second}
        return [flow(f"f{n:05}", schedule, on(f"f{(n + 1) % size:05}", **given.get(n, {}))) for n in range(size)]

    def test_a_ring_that_looks_back_once_is_legal(self) -> None:
        assert check(*self.ring(5000, HOURLY, {"back": 1}, {})) == []

    def test_a_ring_that_closes_is_one_finding_however_many_runs_it_has(self) -> None:
        (found,) = check(*self.ring(5000, HOURLY, {}, {}))
        assert (found.kind, found.count) == (FindingKind.DEADLOCK, 5000 * 17520)
        assert found.counter_example is not None
        assert len(found.counter_example.chain) == 5000
        assert found.message.endswith("waits for 4992 more, which waits for the first")

    def test_of_a_large_ring_that_looks_ahead_the_first_part_is_searched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deadlocks, "_MOST", 2000)
        (found,) = check(*self.ring(10, MIDNIGHT, {"match": "same", "offset": "1d"}, {"offset": "-1d"}))

        assert found.kind is FindingKind.DEADLOCK
        assert found.count == 99 * 10
        assert found.message.endswith("(searched until 2025-04-10 23:59+00:00 UTC)")

    def test_the_size_of_a_ring_is_its_runs_and_all_that_they_wait_for(self) -> None:
        minutely = flow("often", cron("* * * * *"), on("seldom", match="next"))
        hourly = flow("seldom", HOURLY, on("often", match="interval", within="2h"))
        circles = Circles(Study(at("2025-01-01 00:01"), at("2025-01-02")))

        (knot,) = circles.find_knots({one.name: one for one in (minutely, hourly)})

        assert circles.size(knot) == (1440 + 24) + (1440 * 1 + 24 * 120)


class TestLevel:
    """The instants at which the same sensors look level are taken together."""

    def test_circles_of_the_same_flows_are_counted_together(self) -> None:
        always, even = list(range(10)), list(range(0, 10, 2))
        found = find_level([(0, 1, always), (1, 0, even), (1, 2, always), (2, 0, [3, 5])])

        assert sorted(found, key=lambda circle: circle.chain) == [
            Circle(((0, 0), (1, 0)), 10),
            Circle(((0, 3), (1, 3), (2, 3)), 6),
        ]

    def test_the_first_of_them_is_shown_whichever_is_found_first(self) -> None:
        assert find_level([(0, 1, [5]), (1, 0, [3, 5]), (0, 1, [3])]) == [Circle(((0, 3), (1, 3)), 4)]

    def test_sensors_that_never_look_level_at_once_close_no_circle(self) -> None:
        assert find_level([(0, 1, [1, 3]), (1, 0, [2, 4])]) == []
        assert find_level([]) == []
