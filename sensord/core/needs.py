"""What a run waits for: the flow's sensors, each mapped to upstream logical dates by the schedules in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sensord.core.flow import Flow, Sensor
from sensord.core.mapping import resolve
from sensord.core.run import Reason
from sensord.core.schedule import Schedule
from sensord.core.ticks import Timeline
from sensord.errors import InvalidValue

FAR = datetime(9999, 12, 31, tzinfo=UTC)
"""A deadline that is further away than the calendar goes."""


@dataclass(frozen=True, slots=True)
class Need:
    """The upstream logical dates (ascending) that one sensor maps to, and how many of them must be accepted.

    problem: why it maps to nothing; `message` says it in words. A need of 0 without a problem is satisfied.
    """

    sensor: Sensor
    dates: tuple[datetime, ...]
    need: int
    problem: Reason | None = None
    message: str | None = None


def needs(flow: Flow, at: datetime, timelines: Mapping[str, Timeline], first_at: datetime | None) -> list[Need]:
    """One Need for each sensor of the run of `flow` at logical date `at`.

    `timelines` holds the schedules by flow name, `flow`'s own among them. `first_at` is the flow's first logical date:
    a sensor on the flow itself takes what lies before it for done.
    """
    return [_need(flow, sensor, at, timelines, first_at or at) for sensor in flow.sensors]


def deadline(flow: Flow, sensor: Sensor, at: datetime, since: datetime) -> datetime:
    """When `timeout` of a sensor (which has one) is over for the run at `at`, that waits for it since then.

    It counts from the later of the two; what is longer than a day keeps the wall time of the flow's zone.
    """
    if sensor.timeout is None:
        raise TypeError(f"expected a sensor with a timeout, got {sensor!r}")
    try:
        return min(sensor.timeout.add(max(at, since), flow.schedule.zone), FAR)
    except InvalidValue:
        return FAR


def _need(flow: Flow, sensor: Sensor, at: datetime, timelines: Mapping[str, Timeline], first_at: datetime) -> Need:
    upstream = timelines.get(sensor.upstream)
    if upstream is None:
        message = f"expected a flow named {sensor.upstream!r}, got none"
        return Need(sensor, (), 0, Reason.NO_MATCH, message)
    on_itself = sensor.upstream == flow.name
    if on_itself:
        upstream = _since(upstream, first_at)
    found = resolve(sensor.mapping, sensor.require, at, timelines[flow.name], upstream, own=on_itself)
    if found.problem:
        return Need(sensor, (), 0, Reason(found.problem.kind), found.problem.message)
    return Need(sensor, found.dates, found.need)


def _since(timeline: Timeline, first_at: datetime) -> Schedule:
    """The flow's own ticks from its first logical date on, whatever start is or was written."""
    end = timeline.end if timeline.end and timeline.end >= first_at else None
    return Schedule(timeline.rule, timeline.zone, first_at, end)
