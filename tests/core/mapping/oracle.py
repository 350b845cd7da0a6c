"""A second reading of the table of mappings: every set by its definition, over ticks that are simply listed.

Shares with sensord only the Mapping value. It searches and compares; nothing is stepped or bisected.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sensord.core.duration import Duration
from sensord.core.mapping import Closed, Mapping, Match, Unit, WeekStart

MINUTE = timedelta(minutes=1)
# All offsets that the zones of these tests have had since 2011 are whole quarters of an hour.
OFFSETS = [timedelta(minutes=15 * quarter) for quarter in range(-12 * 4, 14 * 4 + 1)]


class NoMatch(Exception):
    """The definition gives the empty set, or one of its terms does not exist."""


@dataclass(frozen=True, slots=True)
class World:
    """All ticks of both rules, ascending, and the bounds of T."""

    downstream: list[datetime]
    upstream: list[datetime]
    zone: ZoneInfo
    start: datetime | None = None
    end: datetime | None = None

    @property
    def reach(self) -> list[datetime]:
        """T."""
        after = [t for t in self.upstream if self.start is None or t >= self.start]
        return [t for t in after if self.end is None or t <= self.end]


def expect(mapping: Mapping, at: datetime, world: World) -> list[datetime]:
    """The mapped set, ascending, never empty; NoMatch else."""
    match mapping.match:
        case Match.SAME:
            a = anchor(mapping, at, world)
            found = [t for t in world.reach if t == a]
        case Match.LATEST:
            a = anchor(mapping, at, world)
            base = last([t for t in world.reach if t < a or (t == a and not mapping.strict)])
            end = world.upstream.index(base) + mapping.ahead - mapping.back
            reached = end < len(world.upstream)
            found = pick(world, range(end - mapping.count + 1, end + 1)) if reached else []
        case Match.NEXT:
            a = anchor(mapping, at, world)
            base = first([t for t in world.reach if t > a or (t == a and not mapping.strict)])
            begin = world.upstream.index(base)
            found = pick(world, range(begin, begin + mapping.count))
        case Match.INTERVAL:
            left, right = ends(mapping, at, world)
            found = [t for t in world.reach if inside(mapping.closed, left, t, right)]
        case Match.OVERLAP:
            left, right = ends(mapping, at, world)
            found = [t for t in world.reach if t > left and begins_before(right, t, world)]
        case Match.PYTHON:
            raise AssertionError("functions have tests of their own")
    if not found:
        raise NoMatch
    return found


def inside(closed: Closed, left: datetime, t: datetime, right: datetime) -> bool:
    at_left, at_right = closed in (Closed.LEFT, Closed.BOTH), closed in (Closed.RIGHT, Closed.BOTH)
    return (
        (left < t < right)
        or (t == left and left < right and at_left)
        or (t == right and left < right and at_right)
        or (t == left == right and at_left and at_right)
    )


def begins_before(right: datetime, t: datetime, world: World) -> bool:
    earlier = [u for u in world.upstream if u < t]
    return not earlier or max(earlier) < right


def pick(world: World, places: range) -> list[datetime]:
    reach = set(world.reach)
    return [world.upstream[i] for i in places if 0 <= i < len(world.upstream) and world.upstream[i] in reach]


def first(ticks: list[datetime]) -> datetime:
    if not ticks:
        raise NoMatch
    return min(ticks)


def last(ticks: list[datetime]) -> datetime:
    if not ticks:
        raise NoMatch
    return max(ticks)


def ends(mapping: Mapping, at: datetime, world: World) -> tuple[datetime, datetime]:
    if mapping.within is not None:
        a = anchor(mapping, at, world)
        return move(a, mapping.within, world.zone, -1), a
    if isinstance(mapping.since, datetime):
        return mapping.since, anchor(mapping, at, world)
    if mapping.since is not None:
        a = anchor(mapping, at, world)
        held = a if mapping.closed is Closed.BOTH else a - timedelta(microseconds=1)
        return begin(mapping.since, held, world.zone, mapping.week_start), a
    right = at
    for _ in range(mapping.back):
        right = last([d for d in world.downstream if d < right])
    for _ in range(mapping.ahead):
        right = first([d for d in world.downstream if d > right])
    left = right
    for _ in range(mapping.count):
        left = last([d for d in world.downstream if d < left])
    aligned = align(mapping, left, world)
    aligned = world.start if aligned is None else aligned
    if aligned is None:
        raise NoMatch
    return shift(mapping, aligned, world.zone), anchor(mapping, right, world)


def anchor(mapping: Mapping, at: datetime, world: World) -> datetime:
    aligned = align(mapping, at, world)
    if aligned is None:
        raise NoMatch
    return shift(mapping, aligned, world.zone)


def align(mapping: Mapping, at: datetime, world: World) -> datetime | None:
    if mapping.align is None:
        return at
    if mapping.align == "upstream":
        return max((t for t in world.reach if t <= at), default=None)
    return begin(mapping.align, at, world.zone, mapping.week_start)


def shift(mapping: Mapping, at: datetime, zone: ZoneInfo) -> datetime:
    return at if mapping.offset is None else move(at, mapping.offset, zone, 1)


def begin(unit: Unit, at: datetime, zone: ZoneInfo, week_start: WeekStart) -> datetime:
    """The start of the period of the zone's calendar that holds `at`."""
    local = at.astimezone(zone)
    if unit is Unit.HOUR:
        return at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    day = local.date()
    while not opens(unit, day, week_start):
        day = date.fromordinal(day.toordinal() - 1)
    return instant_of(datetime(day.year, day.month, day.day), zone)


def opens(unit: Unit, day: date, week_start: WeekStart) -> bool:
    """Whether a period of this unit begins on that day."""
    months = {Unit.MONTH: range(1, 13), Unit.QUARTER: (1, 4, 7, 10), Unit.YEAR: (1,)}
    if unit is Unit.WEEK:
        return calendar.day_name[day.weekday()].lower() == week_start
    return unit is Unit.DAY or (day.day == 1 and day.month in months[unit])


def move(at: datetime, by: Duration, zone: ZoneInfo, sign: int) -> datetime:
    sign *= by.sign
    if by.years or by.months or by.weeks or by.days:
        local = at.astimezone(zone).replace(tzinfo=None)
        months = local.year * 12 + local.month - 1 + sign * (12 * by.years + by.months)
        year, month = months // 12, months % 12 + 1
        day = min(local.day, calendar.monthrange(year, month)[1])
        at = instant_of(local.replace(year=year, month=month, day=day) + sign * timedelta(7 * by.weeks + by.days), zone)
    return at + sign * by.clock


@lru_cache(100_000)  # the same wall times are asked for again and again, and each is a long search
def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant with this wall time; the first after the gap where there is none."""
    there = [local.replace(tzinfo=UTC) - offset for offset in OFFSETS]
    shown = [instant for instant in there if instant.astimezone(zone).replace(tzinfo=None) == local]
    if shown:
        return min(shown)
    instant = min(there).replace(second=0, microsecond=0)
    while instant.astimezone(zone).replace(tzinfo=None) < local:
        instant += MINUTE
    return instant
