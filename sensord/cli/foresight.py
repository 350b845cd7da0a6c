"""What a tick to come will wait for, and when a run may start and be done if all goes as it did before."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sensord.cli.explain import SensorView, view_sensors
from sensord.core.flow import Flow
from sensord.core.instant import to_micros
from sensord.core.needs import deadline, needs
from sensord.core.run import State
from sensord.core.sensor import Verdict, masks
from sensord.core.ticks import Timeline
from sensord.store.database import Database
from sensord.store.reads import flows, history, waits
from sensord.store.reads.history import Pace
from sensord.store.reads.waits import Expected, Gate, Upstream

MOST = 50
"""Upstream flows of whose past runs an estimate is made; with more of them there is none."""


class Estimate(NamedTuple):
    """last: the upstream run, as (flow, logical date), that comes last. finished_at: None where no run is known."""

    released_at: datetime
    finished_at: datetime | None
    last: tuple[str, datetime] | None


def foresee(db: Database, definition: Flow, at: datetime, now: datetime) -> list[SensorView]:
    """The sensors of a run that is not there yet, as they would stand now; by the current definitions."""
    from sensord.config.body import flow_from_body

    rows = {name: flow for name in {*definition.upstreams, definition.name} if (flow := flows.find(db, name))}
    timelines: dict[str, Timeline] = {
        name: flow_from_body(name, flows.body(db, flow)).schedule for name, flow in rows.items()
    }
    expected: list[Expected] = []
    gates: list[Gate] = []
    first_at = history.first_date(db, rows[definition.name].id)
    for need in needs(definition, at, timelines, first_at):
        sensor, counts = need.sensor, masks(need.sensor).counts
        expected += [Expected(sensor.index, rows[sensor.upstream].id, to_micros(date), counts) for date in need.dates]
        if sensor.require != "all" or need.problem:
            gates.append(Gate(0, sensor.index, need.need, 0, len(need.dates), need.message))
    deadlines = {one.index: deadline(definition, one, at, at) for one in definition.sensors if one.timeout}
    return view_sensors(definition, waits.expected(db, expected), gates, deadlines, now)


def estimate(db: Database, flow: str, at: datetime, views: Sequence[SensorView], now: datetime) -> Estimate | None:
    """None where a sensor is blocked, or waits for flows that are paused, or gone, or of which no past run is known."""
    if any(view.standing.verdict in (Verdict.BLOCKED, Verdict.IMPOSSIBLE) for view in views):
        return None
    if any(one.held and not one.counts for view in views for one in view.upstreams):
        return None
    names = {one.flow for view in views for one in view.upstreams if not one.counts}
    if len(names) > MOST:
        return None
    paces = history.paces(db, {*names, flow})
    if not names <= paces.keys():
        return None
    ends = [end for view in views if (end := _end(view, paces, now))]
    last = max(ends, default=None)
    released_at = max([at, *([last[0]] if last else [])])
    released_at = max(released_at, now) if at <= now else released_at
    own = paces.get(flow)
    return Estimate(released_at, released_at + own.takes if own else None, last[1:] if last else None)


def _end(view: SensorView, paces: Mapping[str, Pace], now: datetime) -> tuple[datetime, str, datetime] | None:
    """When the sensor has all that it needs, and by which upstream run; None where it has it already."""
    missing = view.standing.need - view.standing.counted
    if view.standing.verdict is Verdict.SATISFIED or missing <= 0:
        return None
    ends = sorted(
        (_end_of(one, paces[one.flow], now), one.flow, one.logical_at) for one in view.upstreams if not one.counts
    )
    return ends[min(missing, len(ends)) - 1]


def _end_of(one: Upstream, pace: Pace, now: datetime) -> datetime:
    if one.run and one.run.state in (State.STARTING, State.RUNNING) and one.run.started_at:
        return max(now, one.run.started_at + pace.takes)
    if one.run and one.run.state is State.QUEUED:  # what it waits for from now on, its flow's past does not tell
        return now + pace.takes
    return max(now + pace.takes, one.logical_at + pace.lands)
