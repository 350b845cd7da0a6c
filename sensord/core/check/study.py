"""The horizon, and what is known of the flows' ticks within it: each pair of schedules is worked out once."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from sensord.core.check.downstream import Downstream
from sensord.core.check.profile import Profile, list_profile
from sensord.core.check.rhythm import FURTHEST, Piece, Rhythm, cut, find_rhythm
from sensord.core.check.strip import TooDense
from sensord.core.check.upstream import Upstream, is_range
from sensord.core.check.walls import Walls
from sensord.core.duration import Duration
from sensord.core.instant import to_micros
from sensord.core.mapping import Mapping, Require, Resolution, resolve
from sensord.core.mapping.reach import INSTANT, Unbegun
from sensord.core.ticks import Timeline
from sensord.core.zone import EARLIEST, LATEST, offset_changes
from sensord.errors import InvalidValue

_MOST_TICKS = 3_000_000
"""Ticks kept for later, of all flows together."""

_MARGIN = timedelta(microseconds=FURTHEST) + timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Case:
    """All of a sensor that decides what the proof finds; sensors that share it share the findings."""

    downstream: Timeline
    upstream: Timeline
    mapping: Mapping
    require: Require
    own: bool
    timeout: Duration | None = None
    misses_settled: bool = False

    def remapped(self, mapping: Mapping) -> "Case":
        return replace(self, mapping=mapping)

    def resolve(self, at: datetime) -> Resolution:
        return resolve(self.mapping, self.require, at, self.downstream, self.upstream, own=self.own)

    def need(self, size: int) -> int:
        """How many of `size` mapped ticks are needed."""
        return size if self.require == "all" else 1 if self.require == "any" else self.require


class Study:
    """Both ends of the horizon belong to it. thorough: look at each date, also where others are like it."""

    def __init__(self, since: datetime, until: datetime, *, thorough: bool = False) -> None:
        self.since = since
        self.until = until
        self._inside = not thorough and since - EARLIEST > _MARGIN and LATEST - until > _MARGIN
        self._walls: dict[ZoneInfo, Walls] = {}
        self._changes: dict[ZoneInfo, list[tuple[int, int]]] = {}
        self._rhythms: dict[Case, Rhythm | None] = {}
        self._pieces: dict[Rhythm | None, tuple[Piece, ...]] = {}
        self._downstreams: _Kept[Downstream] = _Kept(_MOST_TICKS // 3)
        self._upstreams: _Kept[Upstream] = _Kept(_MOST_TICKS)

    def walls(self, zone: ZoneInfo) -> Walls:
        return self._walls.setdefault(zone, Walls(zone))

    def rhythm(self, case: Case) -> Rhythm | None:
        """By which few dates stand for all; None where each must be looked at."""
        if not self._inside:
            return None
        if case not in self._rhythms:
            ours, theirs = case.downstream, case.upstream
            found = find_rhythm(case.mapping, ours, theirs, own=case.own, timeout=case.timeout)
            self._rhythms[case] = found and self._narrow(found)
        return self._rhythms[case]

    def downstream(self, case: Case) -> Downstream:
        """The logical dates of the case that are looked at; they stand for all in the horizon."""
        return self.dates(case.downstream, self.rhythm(case))

    def count(self, timeline: Timeline) -> int:
        """How many logical dates it has in the horizon."""
        return self.dates(timeline, self.rhythm(Case(timeline, timeline, Mapping(), "all", own=True))).total

    def dates(self, timeline: Timeline, rhythm: Rhythm | None) -> Downstream:
        def make() -> Downstream:
            return Downstream(timeline, self.pieces(rhythm), self.walls(timeline.zone))

        return self._downstreams.get((timeline, rhythm), make)

    def upstream(self, timeline: Timeline, *, own: bool) -> Upstream:
        return self._upstreams.get((timeline, own), lambda: Upstream(timeline, own=own))

    def profile(self, case: Case) -> Profile:
        """Of the dates of `downstream`."""
        return self.measure(case, self.rhythm(case))

    def measure(self, case: Case, rhythm: Rhythm | None) -> Profile:
        """Of the dates that are looked at by a rhythm which holds for this case, maybe among others."""
        downstream = self.dates(case.downstream, rhythm)
        if is_range(case.mapping) and downstream.ticks:
            upstream = self.upstream(case.upstream, own=case.own)
            try:
                return upstream.measure(case.mapping, downstream.find_ends(case.mapping))
            except (TooDense, OverflowError, InvalidValue):
                pass  # too long for a list, or at the end of the calendar: one by one, each with its own answer
        reach = Unbegun(case.upstream) if case.own else case.upstream
        return list_profile(case.mapping, downstream.dates, case.downstream, reach)

    def pieces(self, rhythm: Rhythm | None) -> tuple[Piece, ...]:
        """The horizon as stretches that follow one another."""
        if rhythm not in self._pieces:
            since, until = to_micros(self.since), to_micros(self.until) + 1
            if rhythm is None:
                self._pieces[None] = (Piece(since, until, until),) if since < until else ()
            else:
                breaks = [(bound, bound) for bound in rhythm.bounds]
                breaks += [change for zone in rhythm.zones for change in self._find_changes(zone)]
                self._pieces[rhythm] = cut(since, until, breaks, rhythm)
        return self._pieces[rhythm]

    def _narrow(self, rhythm: Rhythm) -> Rhythm:
        """Without the bounds that are out of sight: more cases are then alike."""
        low, high = to_micros(self.since) - rhythm.reach, to_micros(self.until) + rhythm.reach
        bounds = frozenset(bound for bound in rhythm.bounds if low <= bound <= high)
        zones = frozenset(zone for zone in rhythm.zones if self._find_changes(zone))
        return replace(rhythm, bounds=bounds, zones=zones)

    def _find_changes(self, zone: ZoneInfo) -> list[tuple[int, int]]:
        """Of each change of the clock the time in which wall times may come twice or never, from and to."""
        if zone not in self._changes:
            found = offset_changes(zone, self.since - _MARGIN, self.until + _MARGIN)
            near = [(to_micros(one.at), abs(one.after - one.before) // INSTANT) for one in found]
            self._changes[zone] = [(at - length, at + length) for at, length in near]
        return self._changes[zone]


class _Weighty(Protocol):
    @property
    def weight(self) -> int: ...


_W = TypeVar("_W", bound=_Weighty)


class _Kept(Generic[_W]):
    """What was last asked for, as far as its weight allows; always the last one.

    Things grow while they are worked with, so each is weighed again when the next one is asked for.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[object, _W] = OrderedDict()
        self._weights: dict[object, int] = {}
        self._total = 0

    def get(self, key: object, make: Callable[[], _W]) -> _W:
        self._weigh()
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            while self._kept and self._total > self._most:
                self._total -= self._weights.pop(self._kept.popitem(last=False)[0])
            self._kept[key] = make()
        return self._kept[key]

    def _weigh(self) -> None:
        """The last one anew."""
        if self._kept:
            key = next(reversed(self._kept))
            weight = self._kept[key].weight
            self._total += weight - self._weights.get(key, 0)
            self._weights[key] = weight
