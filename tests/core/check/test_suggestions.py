"""What is proposed mends what was found: each proposal is written into the flow, and the proof is asked again."""

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.check import CheckedFlow, Finding, FindingKind, Severity
from sensord.core.check.suggest import LAST_RESORT
from sensord.core.duration import parse_duration
from sensord.core.mapping import Mapping, build_mapping, read_require
from sensord.core.schedule import Schedule
from tests.core.check.flows import check, flow, on, pair
from tests.core.check.test_circles import worlds
from tests.core.check.test_profile import MIDDLES, schedules
from tests.core.mapping.timelines import at, cron
from tests.support.cases import share

AMS = "Europe/Amsterdam"


def follow(finding: Finding, flows: list[CheckedFlow]) -> list[CheckedFlow]:
    """The flows as they are when somebody does what the finding says."""
    assert finding.suggestion is not None
    text, _, place = finding.suggestion.partition(" in the sensor of ")
    changes = tomllib.loads(text.removesuffix(" in [schedule]").removesuffix(" instead of ahead").replace(", ", "\n"))
    name, upstream = place.split(" on ") if place else (finding.flow, None)
    return [one if one.name != name else write(one, finding.sensor_index, upstream, changes) for one in flows]


def write(one: CheckedFlow, index: int | None, upstream: str | None, changes: dict[str, Any]) -> CheckedFlow:
    if changes.keys() <= {"start", "end"}:
        assert isinstance(one.timeline, Schedule)
        return replace(
            one, timeline=replace(one.timeline, **{key: day.astimezone(UTC) for key, day in changes.items()})
        )
    sensors = list(one.sensors)
    for n, sensor in enumerate(sensors):
        if (upstream is None and sensor.index == index) or sensor.upstream == upstream:
            if "require" in changes:
                sensor = replace(sensor, require=read_require(changes["require"]))
            elif "timeout" in changes:
                sensor = replace(sensor, timeout=parse_duration(changes["timeout"]))
            else:
                sensor = replace(sensor, mapping=change(sensor.mapping, changes))
            sensors[n] = sensor
    return replace(one, sensors=tuple(sensors))


def change(mapping: Mapping, changes: dict[str, Any]) -> Mapping:
    """The mapping with these keys; those that do not go with another kind are taken out, as a person would."""
    written = build_mapping({"match": mapping.match.value, **changes})
    read = {key: getattr(written, key) for key in changes}
    if "ahead" not in changes and "back" in changes:
        read["ahead"] = 0
    if read.get("match", mapping.match) is not mapping.match and written.match.value == "latest":
        kept: dict[str, Any] = {"align": mapping.align, "offset": mapping.offset, "week_start": mapping.week_start}
        return replace(written, **(kept if "strict" not in changes else {}))
    if read.get("match", mapping.match) is not mapping.match:
        read["closed"] = written.closed
    return replace(mapping, **read)


keys: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"match": "same"},
        {"match": "same", "offset": "-1d"},
        {"match": "interval"},
        {"match": "interval", "within": "24h"},
        {"match": "interval", "within": "48h", "require": 2},
        {"match": "interval", "closed": "left", "count": 2},
        {"match": "overlap", "require": 3},
        {"match": "next", "require": 2, "count": 2},
        {"align": "upstream"},
        {},
        {"back": 2},
    ]
)


@given(st.data(), st.sampled_from(MIDDLES), keys)
@share(1.5)
def test_a_sensor_that_found_nothing_finds_all_its_ticks(
    data: st.DataObject, middle: datetime, given: dict[str, Any]
) -> None:
    flows = list(pair(data.draw(schedules(middle)), data.draw(schedules(middle)), **given))
    week = at("2025-01-08") - at("2025-01-01")
    around = {"since": middle - week, "until": middle + week}
    for finding in check(*flows, **around):
        if finding.kind is FindingKind.NO_MATCH and finding.suggestion != LAST_RESORT:
            assert [one for one in check(*follow(finding, flows), **around) if one.severity is Severity.ERROR] == []


@given(worlds())
def test_a_circle_that_is_mended_is_gone(flows: list[CheckedFlow]) -> None:
    around = {"since": at("2025-03-28"), "until": at("2025-04-01")}
    for finding in check(*flows, **around):
        if finding.kind is FindingKind.DEADLOCK and finding.suggestion is not None and unique(finding, flows):
            assert finding.counter_example is not None
            names = {name for name, _ in finding.counter_example.chain}
            left = [one for one in check(*follow(finding, flows), **around) if one.kind is FindingKind.DEADLOCK]
            assert not any(
                one.counter_example and {name for name, _ in one.counter_example.chain} == names for one in left
            )


def unique(finding: Finding, flows: list[CheckedFlow]) -> bool:
    """Whether the flow that the proposal is for has only one sensor on that upstream."""
    name, upstream = re.split(r" in the sensor of | on ", str(finding.suggestion))[-2:]
    return sum(sensor.upstream == upstream for one in flows if one.name == name for sensor in one.sensors) == 1


@pytest.mark.parametrize(
    "flows",
    [
        pair(cron("0 * * * *"), cron("0 2 * * *"), match="next", timeout="3h"),
        pair(cron("0 0 * * *"), cron("0 6 * * 1-5"), match="next"),
        pair(cron("0 2 * * *", AMS), cron("0 2 * * *", AMS), match="interval", within="24h"),
        pair(cron("0 2 * * *", AMS), cron("0 2 * * *", AMS), match="overlap", within="48h"),
        (flow("a", cron("0 2 * * *"), on("a", ahead=1)),),
        (flow("a", cron("0 2 * * *"), on("a", match="next", strict=True)),),
    ],
    ids=["late", "long", "uneven", "uneven overlap", "ahead of itself", "after itself"],
)
def test_what_is_odd_is_so_no_more(flows: tuple[CheckedFlow, ...]) -> None:
    found = check(*flows)
    assert found
    mended = follow(next(one for one in found if one.suggestion), list(flows))
    assert check(*mended) == []
