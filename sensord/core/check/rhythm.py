"""How often what a sensor maps comes again, and how far from a date it looks: so that of a long horizon only a few
stretches need be looked at.

Two dates that are a whole number of periods apart have upstream dates that are just as far apart, unless a *break* lies
within reach of either, or between them: a change of a clock, a written start or end. Before an upstream's start and
past its end this holds of what the proof asks, how many dates there are and whether these come too late, though `next`
and `latest` then take the same ones again and again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import lcm
from zoneinfo import ZoneInfo

from sensord.core.check.walls import DAY, HOUR
from sensord.core.cron import CronTicks
from sensord.core.duration import Duration
from sensord.core.every import EveryTicks
from sensord.core.instant import to_micros
from sensord.core.mapping import Mapping, Match, Unit
from sensord.core.mapping.spec import UPSTREAM
from sensord.core.ticks import Pattern, Ticks, Timeline

FURTHEST = 2048 * HOUR
"""Who looks further has no rhythm: a horizon has too little room between the breaks."""

_MICROSECOND = timedelta(microseconds=1)
_UNITS = {Unit.HOUR: HOUR, Unit.DAY: DAY, Unit.WEEK: 7 * DAY}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """period, reach: microseconds. zones: whose changes are breaks. bounds: the written starts and ends that are."""

    period: int
    reach: int
    zones: frozenset[ZoneInfo]
    bounds: frozenset[int]


@dataclass(frozen=True, slots=True)
class Piece:
    """Instants `low <= t < high` and those that are like them: a whole number of `high - low` later, before `until`."""

    low: int
    high: int
    until: int

    def count(self, at: int) -> int:
        """How many instants `at` stands for, itself among them."""
        return (self.until - at - 1) // (self.high - self.low) + 1

    def last(self, at: int) -> int:
        """The last of these."""
        return at + (self.count(at) - 1) * (self.high - self.low)


def find_rhythm(
    mapping: Mapping, ours: Timeline, theirs: Timeline, *, own: bool, timeout: Duration | None
) -> Rhythm | None:
    """Of the sensor with this mapping; None where months, years, a fixed instant or a function decide."""
    downstream, upstream = _pattern(ours.rule), _pattern(theirs.rule)
    moves = [_measure(length) for length in (mapping.offset, mapping.within, timeout) if length is not None]
    units = [unit for unit in (mapping.align, mapping.since) if unit is not None and unit != UPSTREAM]
    if downstream is None or upstream is None or mapping.match is Match.PYTHON:
        return None
    if None in moves or not all(unit in _UNITS for unit in units):
        return None
    floors = [_UNITS[unit] for unit in units if isinstance(unit, Unit)]
    start = None if own else theirs.start
    reach = sum(length for length in moves if length is not None) + sum(floors) + 2 * HOUR
    reach += _steps(mapping, downstream, upstream)
    if mapping.match is Match.NEXT and start is not None:
        reach += 2 * DAY  # more than the wait that is odd, so that before it all are
    wider = HOUR << max(0, (reach - 1) // HOUR).bit_length()  # a few lengths only, so that many sensors share theirs
    if wider > FURTHEST:
        return None
    zones = {zone for zone in (downstream.zone, upstream.zone) if zone is not None}
    bounds = {to_micros(at) for at in (ours.start, ours.end, start, theirs.end) if at is not None}
    period = lcm(_micros(downstream.length), _micros(upstream.length), *floors)
    return Rhythm(period, wider, frozenset({*zones, ours.zone}), frozenset(bounds))


def join(rhythms: Iterable[Rhythm | None]) -> Rhythm | None:
    """What holds for all of several sensors at once."""
    found = list(rhythms)
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    return Rhythm(
        lcm(*(one.period for one in known)),
        max(one.reach for one in known),
        frozenset().union(*(one.zones for one in known)),
        frozenset().union(*(one.bounds for one in known)),
    )


def cut(since: int, until: int, breaks: Sequence[tuple[int, int]], rhythm: Rhythm) -> tuple[Piece, ...]:
    """The horizon `since <= t < until`: as it is around each break (from, to), of the rest one period at a time."""
    pieces: list[Piece] = []
    at = since
    for low, high in sorted(breaks):
        first, behind = max(at, low - rhythm.reach), min(until, high + rhythm.reach + 1)
        if first < behind:
            pieces += [*_repeat(at, first, rhythm.period), Piece(first, behind, behind)]
            at = behind
    return (*pieces, *_repeat(at, until, rhythm.period))


def _repeat(low: int, high: int, period: int) -> list[Piece]:
    if high - low >= 2 * period:
        return [Piece(low, low + period, high)]
    return [Piece(low, high, high)] if low < high else []


def _steps(mapping: Mapping, downstream: Pattern, upstream: Pattern) -> int:
    """How far the mapping's steps from tick to tick lead, of both schedules together."""
    aligned = _span(upstream, 1) if mapping.align == UPSTREAM else 0
    match mapping.match:
        case Match.LATEST | Match.NEXT:
            return aligned + _span(upstream, abs(mapping.steps) + mapping.count + 1)
        case Match.INTERVAL | Match.OVERLAP if mapping.within is None and mapping.since is None:
            return aligned + _span(upstream, 2) + _span(downstream, abs(mapping.steps) + mapping.count)
        case _:
            return aligned + _span(upstream, 2)


def _span(pattern: Pattern, steps: int) -> int:
    """No less than so many steps take."""
    return (steps // pattern.number + 1) * _micros(pattern.length)


def _pattern(rule: Ticks) -> Pattern | None:
    return rule.pattern if isinstance(rule, CronTicks | EveryTicks) else None


def _measure(length: Duration) -> int | None:
    if length.years or length.months:
        return None
    return (7 * length.weeks + length.days) * DAY + _micros(length.clock)


def _micros(length: timedelta) -> int:
    return length // _MICROSECOND
