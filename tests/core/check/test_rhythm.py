"""A few stretches of a long horizon, each standing for many like it, give just what every tick of it gives."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.check import CheckedFlow, CheckedSensor, prove
from sensord.core.cron import parse_cron
from sensord.core.duration import Duration
from sensord.core.every import parse_every
from sensord.core.mapping import Require, build_mapping
from sensord.core.schedule import Schedule
from sensord.core.zone import parse_zone
from tests.core.mapping.test_properties import mappings
from tests.core.mapping.timelines import at
from tests.support.cases import share

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = [
    "Europe/Amsterdam",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kolkata",
    "UTC",
]
# Before changes of these zones' clocks, and a day that Apia skips.
SINCES = [at(day) for day in ("2025-03-01", "2025-09-20", "2024-02-20", "2025-01-01", "2024-03-31", "2011-11-20")]
DENSE = ["* * * * *", "*/7 * * * *", "0-59/5 0-23 * * *"]
USUAL = [
    "0 * * * *",
    "30 */2 * * *",
    "15 0-23 * * *",
    "30 2 * * *",
    "0 0 * * *",
    "15 1,13 * * *",
    "*/30 2 * * *",
    "0 6 * * 1-5",
    "30 */6 * * 0,3",
    "0 3 * * 5L",
    "0 0 1 * *",
    "0 0 */2 * 1",
    "0 0 29 2 *",
]
STEPS = ["90m", "7h", "36h", "1d", "2d", "1w", "1mo"]
NEAR: list[dict[str, Any]] = [
    {},
    {},
    {"back": 1},
    {"strict": True},
    {"ahead": 1},
    {"match": "same"},
    {"match": "same", "offset": "-1h"},
    {"match": "same", "align": "day"},
    {"match": "next"},
    {"match": "next", "count": 3},
    {"align": "week", "week_start": "sunday"},
    {"match": "interval"},
    {"match": "interval", "within": "24h"},
    {"match": "interval", "within": "1d", "closed": "left"},
    {"match": "interval", "since": "week", "closed": "both"},
    {"match": "overlap"},
    {"match": "overlap", "back": 1, "count": 2},
]
"""Mappings as people write them: chains of them close circles, and their periods are short."""

REQUIRES: list[Require] = ["all", "all", "any", 1, 2, 24]


@st.composite
def schedules(draw: st.DrawFn, since: datetime, length: timedelta) -> Schedule:
    zone = parse_zone(draw(st.sampled_from(ZONES)))
    near = st.none() | st.integers(-20, length // HOUR + 20).map(lambda hours: since + hours * HOUR)
    crons = [*USUAL, *(DENSE if length <= 10 * DAY else [])]
    rule = draw(
        st.sampled_from(crons).map(lambda text: parse_cron(text, zone))
        | st.sampled_from(STEPS).map(lambda text: parse_every(text, since + draw(st.integers(-99, 99)) * HOUR, zone))
    )
    start, end = draw(st.none() | near), draw(st.none() | near)
    if start is not None and end is not None and end < start:
        start, end = end, start
    return Schedule(rule, zone, start, end)


@st.composite
def horizons(draw: st.DrawFn) -> tuple[datetime, timedelta]:
    shift = draw(st.sampled_from([timedelta(), timedelta(hours=5, microseconds=7), timedelta(minutes=35)]))
    return draw(st.sampled_from(SINCES)) + shift, draw(
        st.integers(3, 10) | st.integers(10, 60) | st.integers(60, 400)
    ) * DAY


@st.composite
def sensors(draw: st.DrawFn, index: int, upstreams: list[str]) -> CheckedSensor:
    timeout = draw(st.sampled_from([None, Duration(days=1), Duration(clock=3 * HOUR), Duration(months=1)]))
    upstream, require = draw(st.sampled_from(upstreams)), draw(st.sampled_from(REQUIRES))
    wanted = draw(st.sampled_from(NEAR).map(lambda keys: build_mapping(keys)) | mappings())
    return CheckedSensor(index, upstream, wanted, require, timeout, misses_settled=draw(st.booleans()))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[CheckedFlow], dict[str, Any]]:
    """Up to four flows, each with sensors on any of them, itself among these."""
    since, length = draw(horizons())
    names = ["a", "b", "c", "d"][: draw(st.integers(1, 4))]
    given_schedules = draw(st.lists(schedules(since, length), min_size=1, max_size=3))
    flows = []
    for name in names:
        listed = [draw(sensors(index, names)) for index in range(draw(st.integers(0, 2)))]
        flows.append(CheckedFlow(name, draw(st.sampled_from(given_schedules)), tuple(listed)))
    return flows, {"since": since, "until": since + length}


@given(worlds())
@share(0.5)
def test_the_findings_are_those_of_a_look_at_every_tick(world: tuple[list[CheckedFlow], dict[str, Any]]) -> None:
    flows, horizon = world
    assert prove(flows, **horizon) == prove(flows, **horizon, thorough=True)
