"""A flow from the tables of its file: what the values mean, and whether they go together.

Whether the other flows that it names exist is for `link` to say.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sensord.config.build_catchup import build_catchup
from sensord.config.build_command import build_command
from sensord.config.build_limits import build_limits, read_age
from sensord.config.build_sensors import build_sensors
from sensord.config.merge import RULES
from sensord.config.params import check_params
from sensord.config.report import Report
from sensord.config.tables import FlowTable, RunTable, ScheduleTable
from sensord.core.cron import parse_cron
from sensord.core.cron_parse import parse_rule
from sensord.core.duration import parse_duration
from sensord.core.every import parse_every
from sensord.core.flow import First, Flow
from sensord.core.instant import format_instant
from sensord.core.mapping import Loader
from sensord.core.schedule import Schedule
from sensord.core.ticks import Ticks
from sensord.core.zone import parse_zone, resolve
from sensord.errors import InvalidValue

T = TypeVar("T")
_UTC = ZoneInfo("UTC")
_TABLE = ("schedule",)
_BLANKS = re.compile(r"[ \t]+")  # however an expression is aligned, it is the same rule


def build_flow(
    name: str, table: FlowTable, report: Report, *, load: Loader, followed: Schedule | None = None
) -> Flow | None:
    """The flow `name`; None where something is wrong, which goes to `report`, all of it.

    followed: the schedule of the flow that `follow` names; None where it has none or is unknown (said by the caller).
    """
    schedule_table, run = table.schedule or ScheduleTable(), table.run or RunTable()
    zone = followed.zone if followed else _read_zone(schedule_table, report)
    schedule = _build_schedule(schedule_table, zone, followed, report)
    params = table.params or {}
    check_params(params, report)
    command = build_command(run, params, report)
    limits = build_catchup(schedule_table, report) | build_limits(run, report)
    retention = read_age(table.retention, report)
    sensors = build_sensors(name, table.sensors or [], zone, load, report)
    if schedule is None or command is None or report.problems:
        return None
    written: dict[str, Any] = {
        "description": table.description or None,
        "owner": table.owner or None,
        "tags": tuple(table.tags or ()),
        "follow": schedule_table.follow,
        "first": First(schedule_table.first) if schedule_table.first else None,
        "max_active": run.max_active,
        "priority": run.priority,
        "pool": run.pool,
        "executor": run.executor,
        "queue": run.queue,
        "retention": retention,
    }
    options = {key: value for key, value in written.items() if value is not None}
    return Flow(name=name, schedule=schedule, command=command, sensors=sensors, **limits, **options)


def _read_zone(table: ScheduleTable, report: Report) -> ZoneInfo:
    """UTC where it cannot be read, so that what hangs on it is checked all the same."""
    return _try(report, "timezone", lambda: parse_zone(table.timezone or "UTC")) or _UTC


def _build_schedule(table: ScheduleTable, zone: ZoneInfo, followed: Schedule | None, report: Report) -> Schedule | None:
    _refuse_strays(table, report)
    start, end = _instant(table, "start", zone, report), _instant(table, "end", zone, report)
    rule = followed.rule if followed else _build_rule(table, zone, start, report)
    if start and end and end < start:
        message = f"expected an end at or after the start, {format_instant(start)}, got {format_instant(end)}"
        report.at_value((*_TABLE, "end"), message)
        return None
    return Schedule(rule, zone, start, end) if rule else None


def _refuse_strays(table: ScheduleTable, report: Report) -> None:
    """One kind of rule, and only the keys that go with it."""
    kinds = [kind for kind in RULES if getattr(table, kind) is not None]
    said = any(report.said((*_TABLE, kind)) for kind in RULES)
    if not kinds and not said:
        report.missing(_TABLE, "cron", "expected one of cron, every and follow, got none", 'such as cron = "@daily"')
    for extra in kinds[1:]:
        report.at_key((*_TABLE, extra), f"expected one of cron, every and follow, got {kinds[0]} and {extra}")
    if table.seconds is not None and kinds and "cron" not in kinds:
        report.at_key((*_TABLE, "seconds"), f"expected seconds only with cron, got it with {kinds[0]}")
    if table.timezone is not None and kinds == ["follow"]:
        hint = f'the zone is that of "{table.follow}"'
        report.at_key((*_TABLE, "timezone"), "expected no timezone with follow, got one", hint)
    if table.first is not None and table.start is not None:
        hint = "a flow with a start begins there"
        report.at_key((*_TABLE, "first"), "expected first only without a start, got both", hint)


def _build_rule(table: ScheduleTable, zone: ZoneInfo, start: datetime | None, report: Report) -> Ticks | None:
    if table.cron is not None:
        expression = _BLANKS.sub(" ", table.cron).strip(" ")
        seconds = bool(table.seconds) and not expression.startswith("@")
        return _try(report, "cron", lambda: _parse_cron(table.cron or "", expression, zone, seconds=seconds))
    if table.every is None:
        return None
    every = table.every
    if start is None:
        hint = "ticks are counted from it: start = 2025-01-01T06:00:00"
        report.missing(_TABLE, "start", "expected a start with every, got none", hint)
        _try(report, "every", lambda: parse_duration(every))
        return None
    return _try(report, "every", lambda: parse_every(every, start, zone))


def _parse_cron(written: str, expression: str, zone: ZoneInfo, *, seconds: bool) -> Ticks:
    try:
        return parse_cron(expression, zone, seconds=seconds)
    except InvalidValue:
        parse_rule(written, seconds=seconds)  # says the same, and where in what is written
        raise


def _instant(table: ScheduleTable, key: str, zone: ZoneInfo, report: Report) -> datetime | None:
    """A naive time is in the flow's zone; a date alone is its midnight."""
    value: datetime | date | None = getattr(table, key)
    return None if value is None else _try(report, key, lambda: to_instant(value, zone))


def to_instant(value: datetime | date, zone: ZoneInfo) -> datetime:
    """InvalidValue where it falls outside the years 1 to 9999."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if value.tzinfo is None:
        return resolve(value, zone)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(f"expected an instant within the years 1 to 9999, got {value.isoformat()}") from None


def _try(report: Report, key: str, make: Callable[[], T]) -> T | None:
    try:
        return make()
    except InvalidValue as error:
        report.refuse((*_TABLE, key), error)
        return None
