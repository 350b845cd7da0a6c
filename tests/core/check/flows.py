"""Short ways to write flows for the proof, and to ask for its findings."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sensord.core.check import CheckedFlow, CheckedSensor, Finding, prove
from sensord.core.duration import parse_duration
from sensord.core.mapping import Require, build_mapping
from sensord.core.schedule import Schedule
from tests.core.mapping.timelines import at

SINCE, UNTIL = at("2025-01-01"), at("2026-12-31 23:59")


def on(
    upstream: str,
    *,
    require: Require = "all",
    timeout: str | None = None,
    zone: str = "UTC",
    skips_settled: bool = False,
    misses_settled: bool = False,
    **keys: Any,
) -> CheckedSensor:
    mapping = build_mapping(keys, zone=ZoneInfo(zone))
    deadline = parse_duration(timeout) if timeout else None
    return CheckedSensor(0, upstream, mapping, require, deadline, skips_settled, misses_settled)


def flow(name: str, schedule: Schedule, *sensors: CheckedSensor, may_skip: bool = False) -> CheckedFlow:
    numbered = (
        CheckedSensor(i, s.upstream, s.mapping, s.require, s.timeout, s.skips_settled, s.misses_settled)
        for i, s in enumerate(sensors)
    )
    return CheckedFlow(name, schedule, tuple(numbered), may_skip)


def check(*flows: CheckedFlow, since: datetime = SINCE, until: datetime = UNTIL) -> list[Finding]:
    return prove(flows, since, until)


def one(*flows: CheckedFlow, since: datetime = SINCE, until: datetime = UNTIL) -> Finding:
    """The only finding."""
    found = check(*flows, since=since, until=until)
    assert len(found) == 1, found
    return found[0]


def pair(
    ours: Schedule, theirs: Schedule, *, may_skip: bool = False, own: bool = False, **keys: Any
) -> tuple[CheckedFlow, ...]:
    """The flow `down` with one sensor, on `up` or on itself."""
    if own:
        return (flow("down", ours, on("down", **keys), may_skip=may_skip),)
    return flow("up", theirs, may_skip=may_skip), flow("down", ours, on("up", **keys))
