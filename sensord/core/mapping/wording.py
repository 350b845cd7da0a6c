"""Instants in the messages of mappings: wall time with its offset and zone, for both sides where they differ."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


class Unmapped(Exception):
    """Nothing is mapped, and the text says why; internal to this room, `resolve` makes a trouble of it."""


class Unusable(Exception):
    """What a mapping function returned cannot stand for upstream runs; the text says why."""


def wall_time(at: datetime, zone: ZoneInfo) -> str:
    """`2025-10-26 02:30+02:00 Europe/Amsterdam`; UTC where the zone's calendar does not reach (years 1 and 9999)."""
    try:
        local = at.astimezone(zone)
        name = zone.key
    except OverflowError:
        local, name = at, "UTC"
    offset = local.utcoffset() or timedelta()
    seconds = "minutes" if not local.second else "seconds"
    text = local.replace(tzinfo=None).isoformat(" ", seconds if not local.microsecond else "microseconds")
    sign = "-" if offset < timedelta() else "+"
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{text}{sign}{minutes // 60:02}:{minutes % 60:02} {name}"


def both_times(at: datetime, downstream: ZoneInfo, upstream: ZoneInfo) -> str:
    """The wall time of the downstream and, where its zone is another, that of the upstream."""
    ours = wall_time(at, downstream)
    if downstream.key == upstream.key:
        return ours
    return f"{ours} ({wall_time(at, upstream)} for the upstream)"
