"""The horizon, and what is known of the flows' ticks within it: each pair of schedules is worked out once."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from sensord.core.check.downstream import Downstream
from sensord.core.check.profile import Profile, list_profile
from sensord.core.check.strip import TooDense
from sensord.core.check.upstream import Upstream, is_range
from sensord.core.check.walls import Walls
from sensord.core.duration import Duration
from sensord.core.mapping import Mapping, Require, Resolution, resolve
from sensord.core.mapping.reach import INSTANT, Unbegun
from sensord.core.ticks import Timeline
from sensord.errors import InvalidValue

_MOST_TICKS = 3_000_000
"""Ticks kept for later, of all flows together."""


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
    """Both ends of the horizon belong to it."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since = since
        self.until = until
        self._walls: dict[ZoneInfo, Walls] = {}
        self._downstreams: _Kept[Downstream] = _Kept(_MOST_TICKS // 3)
        self._upstreams: _Kept[Upstream] = _Kept(_MOST_TICKS)

    def walls(self, zone: ZoneInfo) -> Walls:
        return self._walls.setdefault(zone, Walls(zone))

    def downstream(self, timeline: Timeline) -> Downstream:
        def make() -> Downstream:
            dates = timeline.between(self.since - INSTANT, self.until)
            return Downstream(timeline, dates, self.walls(timeline.zone))

        return self._downstreams.get(timeline, make)

    def upstream(self, timeline: Timeline, *, own: bool) -> Upstream:
        return self._upstreams.get((timeline, own), lambda: Upstream(timeline, own=own))

    def profile(self, case: Case) -> Profile:
        """Of all the downstream's logical dates in the horizon."""
        downstream = self.downstream(case.downstream)
        if is_range(case.mapping) and downstream.ticks:
            upstream = self.upstream(case.upstream, own=case.own)
            try:
                return upstream.measure(case.mapping, downstream.find_ends(case.mapping))
            except (TooDense, OverflowError, InvalidValue):
                pass  # too long for a list, or at the end of the calendar: one by one, each with its own answer
        reach = Unbegun(case.upstream) if case.own else case.upstream
        return list_profile(case.mapping, downstream.dates, case.downstream, reach)


class _Weighty(Protocol):
    @property
    def weight(self) -> int: ...


_W = TypeVar("_W", bound=_Weighty)


class _Kept(Generic[_W]):
    """What was last asked for, as far as its weight allows; always the last one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[object, _W] = OrderedDict()

    def get(self, key: object, make: Callable[[], _W]) -> _W:
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            while self._kept and sum(item.weight for item in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
            self._kept[key] = make()
        return self._kept[key]
