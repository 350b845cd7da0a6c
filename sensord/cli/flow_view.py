"""A flow for people and for JSON: its row in the database together with its definition."""

import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sensord.cli.render import Cell, Column, Line, Span, span_of, table
from sensord.cli.shapes import moment, problem_shape
from sensord.config.body import flow_from_body, write_mapping
from sensord.core.cron import CronTicks
from sensord.core.every import EveryTicks
from sensord.core.flow import SUCCESS_ONLY, Flow, Policy, Sensor
from sensord.core.instant import format_instant
from sensord.errors import Problem
from sensord.store.reads import flows


class View(NamedTuple):
    row: flows.Flow
    flow: Flow


def read(row: flows.Flow, body: str) -> View:
    return View(row, flow_from_body(row.name, body))


def rule_of(flow: Flow) -> dict[str, str]:
    """The schedule's rule as the file has it: `cron` or `every`, and whom it follows."""
    match flow.schedule.rule:
        case CronTicks() as cron:
            rule = {"cron": cron.expression}
        case EveryTicks() as every:
            rule = {"every": str(every.step)}
        case other:
            raise TypeError(f"expected cron or every, got {other!r}")
    return {"follow": flow.follow} if flow.follow else rule


def flow_shape(view: View) -> dict[str, Any]:
    row, flow = view
    schedule = flow.schedule
    return {
        "flow": row.name,
        "state": row.label,
        "description": flow.description,
        "owner": flow.owner,
        "tags": list(flow.tags),
        "schedule": {
            **rule_of(flow),
            "timezone": schedule.zone.key,
            "start": moment(schedule.start),
            "end": moment(schedule.end),
        },
        "upstreams": sorted(flow.upstreams),
        "max_active": flow.max_active,
        "priority": flow.priority,
        "pool": flow.pool,
        "user": flow.command.user,
        "planned_to": moment(row.planned_to),
        "paused_at": moment(row.paused_at),
        "removed_at": moment(row.removed_at),
    }


def detail_shape(view: View, downstreams: Sequence[str], problems: Sequence[Problem], now: datetime) -> dict[str, Any]:
    command = view.flow.command
    return flow_shape(view) | {
        "next_tick": moment(next_tick(view, now)),
        "command": [str(one) for one in command.argv] if command.argv else str(command.shell_text),
        "sensors": [_sensor_shape(sensor) for sensor in view.flow.sensors],
        "downstreams": list(downstreams),
        "problems": [problem_shape(problem) for problem in problems],
    }


def next_tick(view: View, now: datetime) -> datetime | None:
    """The first tick to come; None for a flow that plans none."""
    return view.flow.schedule.next(now) if view.row.label == "active" else None


def flow_table(views: Sequence[View]) -> None:
    columns = [
        Column("FLOW"),
        Column("STATE"),
        Column("SCHEDULE", flex=True),
        Column("OWNER", spare=True),
        Column("UPSTREAMS", flex=True),
    ]
    rows: list[list[Cell]] = [
        [row.name, _state(row), schedule_words(flow), flow.owner or "", ", ".join(sorted(flow.upstreams))]
        for row, flow in views
    ]
    table(columns, rows)


def schedule_words(flow: Flow) -> str:
    """`cron 0 2 * * * Europe/Amsterdam`."""
    ((key, value),) = rule_of(flow).items()
    zone = flow.schedule.zone.key
    return f"{key} {value}" + ("" if zone == "UTC" else f" {zone}")


def detail_lines(view: View, downstreams: Sequence[str], problems: Sequence[Problem], now: datetime) -> list[Line]:
    flow, upcoming = view.flow, next_tick(view, now)
    shell = flow.command.shell_text
    facts = {
        "about": flow.description,
        "owner": flow.owner,
        "tags": ", ".join(flow.tags),
        "schedule": schedule_words(flow),
        "next tick": f"{format_instant(upcoming)}, in {span_of(upcoming - now)}" if upcoming else "none",
        "command": shlex.join(map(str, flow.command.argv)) if flow.command.argv else str(shell),
        "as user": flow.command.user,
        "at once": f"{flow.max_active}, priority {flow.priority}" + (f", in pool {flow.pool}" if flow.pool else ""),
        "waited for by": ", ".join(downstreams) or "nobody",
    }
    lines: list[Line] = [[Span(f"{flow.name}: ", "bold"), _state(view.row)]]
    lines += [[Span(f"  {name:13} "), Span(value)] for name, value in facts.items() if value]
    lines += [[Span(f"  sensor {sensor.index:<6} "), Span(_sensor_words(sensor))] for sensor in flow.sensors]
    return lines + [[Span("  error         ", "bold red"), Span(str(problem))] for problem in problems]


def _state(row: flows.Flow) -> Span:
    return Span(row.label, "green" if row.label == "active" else "yellow")


def _sensor_words(sensor: Sensor) -> str:
    """What its table in the file comes to: all that is not the default, and on_failure."""
    words = [sensor.upstream, sensor.mapping.label]
    words += [key if value is True else f"{key} {value}" for key, value in _mapping_keys(sensor).items()]
    words += [f"require {sensor.require}"] if sensor.require != "all" else []
    words += [f"accept {' '.join(_accepted(sensor))}"] if sensor.accept != SUCCESS_ONLY else []
    words += [f"on_failure {sensor.on_failure.value}"]
    words += [f"on_skipped {sensor.on_skipped.value}"] if sensor.on_skipped is not Policy.SKIP else []
    words += [f"on_missing {sensor.on_missing.value}"] if sensor.on_missing is not Policy.FAIL else []
    words += [f"timeout {sensor.timeout}", f"then {sensor.on_timeout.value}"] if sensor.timeout else []
    return ", ".join(words)


def _accepted(sensor: Sensor) -> list[str]:
    return [state.label for state in sorted(sensor.accept)]


def _mapping_keys(sensor: Sensor) -> dict[str, Any]:
    """Of its mapping, as the file has them, all but `match`."""
    return {key: value for key, value in write_mapping(sensor.mapping).items() if key != "match"}


def _sensor_shape(sensor: Sensor) -> dict[str, Any]:
    return {
        "index": sensor.index,
        "upstream": sensor.upstream,
        "match": sensor.mapping.label,
        "mapping": _mapping_keys(sensor),
        "require": sensor.require,
        "accept": _accepted(sensor),
        "on_failure": sensor.on_failure.value,
        "on_skipped": sensor.on_skipped.value,
        "on_missing": sensor.on_missing.value,
        "timeout": str(sensor.timeout) if sensor.timeout else None,
        "on_timeout": sensor.on_timeout.value if sensor.timeout else None,
    }
