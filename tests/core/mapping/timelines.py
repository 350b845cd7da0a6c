"""Short ways to write schedules, mappings and instants in these tests."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sensord.core.cron import parse_cron
from sensord.core.every import parse_every
from sensord.core.mapping import Mapping, Require, Resolution, build_mapping, resolve
from sensord.core.schedule import Schedule
from sensord.core.ticks import Ticks
from sensord.core.zone import resolve as resolve_wall


def at(text: str, zone: str = "UTC") -> datetime:
    """`at("2025-03-30 02:30", "Europe/Amsterdam")`: the instant of a wall time; a `+01:00` picks one of two."""
    instant = datetime.fromisoformat(text)
    return resolve_wall(instant, ZoneInfo(zone)) if instant.tzinfo is None else instant.astimezone(UTC)


def days(*texts: str, zone: str = "UTC") -> tuple[datetime, ...]:
    return tuple(at(text, zone) for text in texts)


def cron(expression: str, zone: str = "UTC", start: str | None = None, end: str | None = None) -> Schedule:
    """A cron schedule; `start` and `end` are wall times of its zone."""
    place = ZoneInfo(zone)
    return Schedule(
        parse_cron(expression, place), place, at(start, zone) if start else None, at(end, zone) if end else None
    )


def every(text: str, start: str, zone: str = "UTC", *, written: bool = True) -> Schedule:
    place = ZoneInfo(zone)
    return Schedule(parse_every(text, at(start, zone), place), place, at(start, zone) if written else None)


def mapping(zone: str = "UTC", **keys: Any) -> Mapping:
    return build_mapping(keys, zone=ZoneInfo(zone))


def mapped(
    date: datetime,
    downstream: Schedule,
    upstream: Schedule,
    *,
    require: Require = "all",
    own: bool = False,
    **keys: Any,
) -> tuple[datetime, ...]:
    """The dates that `keys` map `date` to; it is an error if there is a problem."""
    resolution = resolved(date, downstream, upstream, require=require, own=own, **keys)
    assert resolution.problem is None, resolution.problem
    return resolution.dates


def resolved(
    date: datetime,
    downstream: Schedule,
    upstream: Schedule,
    *,
    require: Require = "all",
    own: bool = False,
    **keys: Any,
) -> Resolution:
    return resolve(mapping(downstream.zone.key, **keys), require, date, downstream, upstream, own=own)


def refused(date: datetime, downstream: Schedule, upstream: Schedule, **keys: Any) -> str:
    """The message of the `no_match` that `keys` give for `date`."""
    resolution = resolved(date, downstream, upstream, **keys)
    assert resolution.problem is not None, resolution.dates
    assert (resolution.problem.kind, resolution.dates, resolution.need) == ("no_match", (), 0)
    return resolution.problem.message


@dataclass(frozen=True, slots=True)
class ListTicks:
    """Ticks that are written down one by one."""

    ticks: tuple[datetime, ...]

    def next(self, at: datetime) -> datetime | None:
        index = bisect_right(self.ticks, at)
        return self.ticks[index] if index < len(self.ticks) else None

    def prev(self, at: datetime) -> datetime | None:
        index = bisect_left(self.ticks, at)
        return self.ticks[index - 1] if index else None

    def between(self, after: datetime, until: datetime) -> Sequence[datetime]:
        return self.ticks[bisect_right(self.ticks, after) : bisect_right(self.ticks, until)]

    def contains(self, at: datetime) -> bool:
        return at in self.ticks


@dataclass(frozen=True, slots=True)
class ListTimeline(ListTicks):
    """Those of `whole` that lie between a start and an end."""

    zone: ZoneInfo
    whole: tuple[datetime, ...]
    start: datetime | None = None
    end: datetime | None = None
    rule: Ticks = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", ListTicks(self.whole))


def timeline(
    ticks: Sequence[datetime], zone: ZoneInfo, start: datetime | None = None, end: datetime | None = None
) -> ListTimeline:
    kept = tuple(t for t in ticks if (start is None or t >= start) and (end is None or t <= end))
    return ListTimeline(kept, zone, tuple(ticks), start, end)
