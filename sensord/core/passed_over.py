"""What a run goes on without: the upstream runs that its sensors passed over, and what there is in their place.

Recorded when the run is released, as JSON, handed to its command and shown to people. Knows no database.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sensord.core.flow import Flow, Policy, Sensor
from sensord.core.instant import format_instant
from sensord.core.run import State
from sensord.core.sensor import masks

MOST = 100
"""Upstream runs of one sensor that are recorded: the newest; the others are counted."""


class Cause(StrEnum):
    """By what an upstream run was passed over: one of the sensor's policies, or a person."""

    ON_FAILURE = "on_failure"
    ON_SKIPPED = "on_skipped"
    ON_MISSING = "on_missing"
    ON_TIMEOUT = "on_timeout"
    BY_OPERATOR = "by_operator"


@dataclass(frozen=True, slots=True)
class PassedRun:
    """An upstream run, in the state that it had then (ABSENT: there was none yet). Without a date, no tick matched."""

    logical_at: datetime | None
    state: State
    cause: Cause


@dataclass(frozen=True, slots=True)
class Passed:
    """What one sensor passed over: `runs`, ascending, never empty, of which the oldest are left out where they are
    many. first_at: the date of the first of all. instead: the latest accepted upstream run before that.
    """

    sensor: Sensor
    runs: tuple[PassedRun, ...]
    first_at: datetime | None
    omitted: int = 0
    instead: tuple[datetime, State] | None = None


def may_proceed(flow: Flow) -> bool:
    """Whether any policy of its sensors lets a run go on without what it waited for."""
    return any(
        Policy.PROCEED in (sensor.on_failure, sensor.on_skipped, sensor.on_missing)
        or (sensor.timeout is not None and sensor.on_timeout is Policy.PROCEED)
        for sensor in flow.sensors
    )


def find_passed(
    flow: Flow,
    mapped: Mapping[int, Sequence[tuple[datetime, State]]],
    timed_out: Collection[int],
    missing: Collection[int],
    *,
    by_operator: bool = False,
) -> list[Passed]:
    """What the sensors of a run pass over that is released now; nothing for those that have what they need.

    mapped: by sensor, the upstream runs in ascending order, with their states. timed_out: the sensors that went on at
    their deadline. missing: those that mapped to nothing. by_operator: the run goes on whatever it waits for.
    """
    found = []
    for sensor in flow.sensors:
        late = Cause.ON_TIMEOUT if sensor.index in timed_out else Cause.BY_OPERATOR if by_operator else None
        if sensor.index in missing:
            cause = Cause.ON_MISSING if sensor.on_missing is Policy.PROCEED else late
            passed = [PassedRun(None, State.ABSENT, cause)] if cause else []
        else:
            passed = _find(sensor, mapped.get(sensor.index, ()), late)
        if passed:
            found.append(Passed(sensor, tuple(passed[-MOST:]), passed[0].logical_at, max(0, len(passed) - MOST)))
    return found


def _find(sensor: Sensor, runs: Sequence[tuple[datetime, State]], late: Cause | None) -> list[PassedRun]:
    """late: by what those are passed over that no other policy speaks of."""
    accepted = sum(state in sensor.accept for _, state in runs)
    if accepted >= (len(runs) if sensor.require == "all" else 1 if sensor.require == "any" else sensor.require):
        return []
    counts = masks(sensor).counts
    found = []
    for at, state in runs:
        if state in sensor.accept:
            continue
        by_policy = Cause.ON_SKIPPED if state is State.SKIPPED else Cause.ON_FAILURE
        cause = by_policy if counts & 1 << state else late
        if cause:
            found.append(PassedRun(at, state, cause))
    return found


def write_passed(found: Sequence[Passed]) -> str:
    """As the run records it: JSON, a list with one entry for each sensor that passed something over."""
    return json.dumps([_shape(one) for one in found], separators=(",", ":"))


def read_passed(text: str | None) -> list[dict[str, Any]]:
    """What `write_passed` wrote: `sensor`, `upstream`, `passed_over`, `instead`, where it applies
    `passed_over_omitted`.
    """
    return list(json.loads(text)) if text else []


def label(state: State) -> str:
    """The name of an upstream run's state; `missing` where there is none yet."""
    return "missing" if state is State.ABSENT else state.label


def _shape(one: Passed) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "sensor": one.sensor.index,
        "upstream": one.sensor.upstream,
        "passed_over": [
            {
                "logical_date": format_instant(run.logical_at) if run.logical_at else None,
                "state": label(run.state),
                "cause": run.cause.value,
            }
            for run in one.runs
        ],
        "instead": None,
    }
    if one.omitted:
        entry["passed_over_omitted"] = one.omitted
    if one.instead:
        at, state = one.instead
        entry["instead"] = {"logical_date": format_instant(at), "state": state.label}
    return entry
