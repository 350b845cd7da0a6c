"""Runs that wait for themselves through a chain of flows, and chains that never come to an end.

Only flows that are strongly connected can hold such a chain. Of these, sensors that only look to the past are dropped
where no sensor of the same component looks ahead, since time never turns back along a chain without one.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from sensord.core.check.graph import find_components
from sensord.core.check.loops import Circle, find_level, group_stuck
from sensord.core.check.rhythm import Rhythm, join
from sensord.core.check.study import Case, Study
from sensord.core.check.subject import CheckedFlow, CheckedSensor
from sensord.core.check.waits import Gate, Tick, find_stuck
from sensord.core.instant import to_micros
from sensord.core.mapping.spec import REFUSE_ABOVE

BEYOND: Tick = (-1, 0)
"""Stands for every tick past the horizon, where these are not taken as settled."""


class Look(Enum):
    """Where a sensor looks: only before its own tick, as far as it needs; at it as well; or also ahead of it."""

    PAST = auto()
    LEVEL = auto()
    AHEAD = auto()


@dataclass(frozen=True, slots=True)
class Link:
    """A sensor whose flow and upstream are in one component; these by their numbers in it."""

    flow: int
    upstream: int
    sensor: CheckedSensor
    case: Case


@dataclass(frozen=True, slots=True)
class Knot:
    """Flows that hang together, in order of name, and the sensors by which they do."""

    flows: tuple[CheckedFlow, ...]
    links: tuple[Link, ...]


class Circles:
    """The knots among flows, and what is stuck in them."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._looks: dict[Case, Look] = {}
        self._levels: dict[tuple[Case, Rhythm | None], list[int]] = {}

    def find_knots(self, flows: Mapping[str, CheckedFlow]) -> list[Knot]:
        """Those in which a run might wait for itself: connected by sensors that look level or ahead."""
        found: list[Knot] = []
        for flow_names in find_components(flows, lambda name: _upstreams(flows[name], flows)):
            knot = _tie([flows[name] for name in flow_names])
            found += [knot] if self.looks_ahead(knot) else self._drop_past(knot)
        return found

    def _drop_past(self, knot: Knot) -> Iterator[Knot]:
        level: dict[int, set[int]] = defaultdict(set)
        for link in knot.links:
            if self.look(link.case) is Look.LEVEL:
                level[link.flow].add(link.upstream)
        for numbers in find_components(range(len(knot.flows)), lambda number: level[number]):
            smaller = _tie([knot.flows[number] for number in numbers])
            links = tuple(link for link in smaller.links if self.look(link.case) is Look.LEVEL)
            yield Knot(smaller.flows, links)

    def look(self, case: Case) -> Look:
        if case not in self._looks:
            self._looks[case] = self._find_look(case)
        return self._looks[case]

    def _find_look(self, case: Case) -> Look:
        profile, ticks = self._study.profile(case), self._study.downstream(case).ticks
        at_all = zip(profile.sizes, profile.lasts("all"), ticks, strict=True)
        if any(last > tick for size, last, tick in at_all if 0 < size <= REFUSE_ABOVE):
            return Look.AHEAD
        return Look.LEVEL if self._level(case, self._study.rhythm(case)) else Look.PAST

    def find_circles(self, knot: Knot) -> list[Circle]:
        """One for each set of flows that wait for themselves."""
        if self.looks_ahead(knot):
            return group_stuck(self.find_stuck(knot))
        rhythm = self._rhythm(knot)
        pieces = self._study.pieces(rhythm)
        starts = [piece.low for piece in pieces]
        links = [(link.flow, link.upstream, self._level(link.case, rhythm)) for link in knot.links]
        return find_level(links, lambda at: pieces[bisect_right(starts, at) - 1].count(at))

    def _rhythm(self, knot: Knot) -> Rhythm | None:
        """Of all its sensors together. Where one looks ahead each run is followed by itself."""
        return None if self.looks_ahead(knot) else join(self._study.rhythm(link.case) for link in knot.links)

    def looks_ahead(self, knot: Knot) -> bool:
        return any(self.look(link.case) is Look.AHEAD for link in knot.links)

    def _level(self, case: Case, rhythm: Rhythm | None) -> list[int]:
        """The dates, of those that the rhythm looks at, at which it cannot do without the upstream's run of its own."""
        key = case, rhythm
        if key not in self._levels:
            profile, ticks = self._study.measure(case, rhythm), self._study.dates(case.downstream, rhythm).ticks
            at_all = zip(profile.sizes, profile.lasts("all"), ticks, strict=True)
            self._levels[key] = [
                tick
                for size, last, tick in at_all
                if 0 < size <= REFUSE_ABOVE and last == tick and case.need(size) == size
            ]
        return self._levels[key]

    def find_stuck(self, knot: Knot, *, beyond: bool = False) -> dict[Tick, list[Tick]]:
        """The runs that never start, each with those that it waits for.

        beyond: what waits for ticks past the horizon is stuck too, by waiting for BEYOND.
        """
        runs = [(number, tick) for number, flow in enumerate(knot.flows) for tick in self._ticks(flow)]
        gates = (gate for link in knot.links for gate in self._gates(link, beyond=beyond))
        if not beyond:
            return find_stuck(runs, gates)
        return find_stuck([BEYOND, *runs], [Gate(BEYOND, 1, (BEYOND,)), *gates])

    def find_link(self, knot: Knot, run: Tick, awaited: Tick) -> Link:
        """The sensor by which the run waits for the other."""
        rhythm = self._rhythm(knot)
        for link in knot.links:
            if (link.flow, link.upstream) == (run[0], awaited[0]):
                position = bisect_left(self._study.dates(link.case.downstream, rhythm).ticks, run[1])
                if awaited[1] in self._study.measure(link.case, rhythm).dates(position):
                    return link
        raise ValueError(f"expected a run that waits for {awaited}, got {run}")

    def size(self, knot: Knot) -> int:
        """How many runs it has in the horizon, and how many others these wait for: what following them all takes."""
        runs = sum(self._study.count(flow.timeline) for flow in knot.flows)
        return runs + sum(self._count_waits(link.case) for link in knot.links)

    def _count_waits(self, case: Case) -> int:
        sizes, numbers = self._study.profile(case).sizes, self._study.downstream(case).numbers
        return sum(size * number for size, number in zip(sizes, numbers, strict=True) if size <= REFUSE_ABOVE)

    def _ticks(self, flow: CheckedFlow) -> Sequence[int]:
        return self._study.dates(flow.timeline, None).ticks

    def _gates(self, link: Link, *, beyond: bool) -> Iterator[Gate]:
        profile, until = self._study.measure(link.case, None), to_micros(self._study.until)
        for i, tick in enumerate(self._study.dates(link.case.downstream, None).ticks):
            size = profile.sizes[i]
            need = link.case.need(size)
            if 0 < need <= size <= REFUSE_ABOVE:
                dates = profile.dates(i)
                if beyond and dates[-1] > until:
                    places = tuple((link.upstream, date) if date <= until else BEYOND for date in dates)
                else:
                    places = tuple((link.upstream, date) for date in dates)
                yield Gate((link.flow, tick), need, places)


def make_case(flow: CheckedFlow, sensor: CheckedSensor, upstream: CheckedFlow) -> Case:
    """What decides which ticks the sensor waits for."""
    own = flow.name == upstream.name
    return Case(flow.timeline, upstream.timeline, sensor.mapping, sensor.require, own)


def _upstreams(flow: CheckedFlow, flows: Mapping[str, CheckedFlow]) -> Iterable[str]:
    return [sensor.upstream for sensor in flow.sensors if sensor.upstream in flows]


def _tie(flows: Iterable[CheckedFlow]) -> Knot:
    ordered = tuple(sorted(flows, key=lambda flow: flow.name))
    numbers = {flow.name: number for number, flow in enumerate(ordered)}
    links = tuple(
        Link(
            numbers[flow.name],
            numbers[sensor.upstream],
            sensor,
            make_case(flow, sensor, ordered[numbers[sensor.upstream]]),
        )
        for flow in ordered
        for sensor in flow.sensors
        if sensor.upstream in numbers
    )
    return Knot(ordered, links)
