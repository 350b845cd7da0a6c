"""The answer of `sensord resolve`, as JSON and as text."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sensord.cli.instants import When, at_instant
from sensord.cli.render import Line, Span
from sensord.clock import Clock
from sensord.core import mapping
from sensord.core.flow import Flow, Sensor
from sensord.core.instant import format_instant
from sensord.core.schedule import data_interval
from sensord.errors import NotFound


def instant_of(date: When, flow: Flow, clock: Clock) -> datetime:
    """`latest` is the flow's last tick, which may be now; NotFound where it has had none."""
    if date != "latest":
        return at_instant(date, clock, lambda: flow.schedule.zone)
    tick = flow.schedule.prev(clock.now() + timedelta(microseconds=1))
    if tick is None:
        raise NotFound(f"{flow.name} has had no tick yet", hint=f"`sensord next {flow.name}` shows those to come")
    return tick


def shape(flow: Flow, at: datetime, flows: Mapping[str, Flow]) -> dict[str, Any]:
    """The answer for one date, as docs/reference/json.md has it."""
    start, end = data_interval(flow.schedule, at)
    return {
        "flow": flow.name,
        "logical_date": format_instant(at),
        "tick": flow.schedule.contains(at),
        "data_interval": {"start": format_instant(start), "end": format_instant(end)},
        "sensors": [_sensor(flow, sensor, at, flows) for sensor in flow.sensors],
    }


def lines(answer: dict[str, Any]) -> list[Line]:
    interval = answer["data_interval"]
    title = Span(f"{answer['flow']} {answer['logical_date']}", "bold")
    found: list[Line] = [
        [title, Span("" if answer["tick"] else " (no tick)", "yellow")],
        [Span(f"data interval: {interval['start']} to {interval['end']}")],
    ]
    for sensor in answer["sensors"]:
        found += [[], *_sensor_lines(sensor)]
    return found if answer["sensors"] else [*found, [Span("no sensors")]]


def _sensor(flow: Flow, sensor: Sensor, at: datetime, flows: Mapping[str, Flow]) -> dict[str, Any]:
    head = {"index": sensor.index, "upstream": sensor.upstream, "match": sensor.mapping.label}
    upstream = flows.get(sensor.upstream)
    if upstream is None:
        problem = {"kind": "unknown_flow", "message": f"expected a flow named {sensor.upstream!r}, got none"}
        return {**head, "logical_dates": [], "need": 0, "problem": problem}
    own = upstream.name == flow.name
    found = mapping.resolve(sensor.mapping, sensor.require, at, flow.schedule, upstream.schedule, own=own)
    trouble = {"kind": found.problem.kind.value, "message": found.problem.message} if found.problem else None
    dates = [format_instant(date) for date in found.dates]
    return {**head, "logical_dates": dates, "need": found.need, "problem": trouble}


def _sensor_lines(sensor: dict[str, Any]) -> list[Line]:
    dates, problem = sensor["logical_dates"], sensor["problem"]
    title = Span(f"sensor {sensor['index']} on {sensor['upstream']}, {sensor['match']}: ")
    found: list[Line] = [[title, Span(f"{sensor['need']} of {len(dates)} needed")]]
    found += [[Span(f"  {date}")] for date in dates]
    return [*found, [Span(f"  {problem['kind']}: {problem['message']}", "red")]] if problem else found
