"""A schedule as part of a stored definition. By itself, for reads that need ticks and no more of a flow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sensord.core.cron import CronTicks, parse_cron
from sensord.core.every import EveryTicks, parse_every
from sensord.core.schedule import Schedule
from sensord.core.ticks import Ticks
from sensord.core.zone import parse_zone


def write_schedule(schedule: Schedule) -> dict[str, Any]:
    """Texts alone; what a schedule has not is left out."""
    match schedule.rule:
        case CronTicks() as cron:
            seconds = len(cron.expression.split()) == 6
            rule = {"cron": cron.expression, "seconds": seconds}
        case EveryTicks() as every:
            rule = {"every": str(every.step), "anchor": every.start.isoformat()}
        case _:
            raise TypeError(f"expected a rule that can be written, got {schedule.rule!r}")
    start, end = schedule.start, schedule.end
    written = {
        "timezone": schedule.zone.key if schedule.zone.key != "UTC" else None,
        "start": start and start.isoformat(),
        "end": end and end.isoformat(),
    }
    return {key: value for key, value in (rule | written).items() if value}


def read_schedule(written: Mapping[str, Any]) -> Schedule:
    """The schedule that `write_schedule` was given."""
    zone = parse_zone(written.get("timezone", "UTC"))
    rule: Ticks
    if "cron" in written:
        rule = parse_cron(written["cron"], zone, seconds=written.get("seconds", False))
    else:
        rule = parse_every(written["every"], datetime.fromisoformat(written["anchor"]), zone)
    bounds = {key: datetime.fromisoformat(written[key]) for key in ("start", "end") if key in written}
    return Schedule(rule, zone, **bounds)
