"""What a backfill fills: the ticks of one flow between two dates, what their runs wait for, and what hangs on them.

Pure, and in batches: a few ticks at a time, so that years of minutes hold nobody up. Which of the dates have runs
already is for the store to say.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sensord.core.duration import Duration
from sensord.core.flow import Flow, Sensor
from sensord.core.mapping.resolve import Trouble, map_dates
from sensord.core.mapping.spec import Mapping as SensorMapping
from sensord.core.mapping.spec import Match, Unit
from sensord.core.ticks import Ticks, Timeline

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
_UNITS = {Unit.HOUR: 1, Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31, Unit.QUARTER: 92, Unit.YEAR: 366}
"""The most days that each may have."""

_FUNCTION = timedelta(days=31)
"""How far a mapping function is taken to reach: nobody can tell from outside."""


@dataclass(frozen=True, slots=True)
class Batch:
    """dates: of each flow, ascending. reached: the last tick that was looked at; None where none was left."""

    dates: Mapping[str, Sequence[datetime]]
    reached: datetime | None


@dataclass(slots=True)
class Spread:
    """flows, timelines: all, by name. since, until: the dates of the flow `root`, both inclusive; none is later than
    `now`. upstream: with all that its runs wait for, transitively. downs: the flows downstream that are filled too.
    """

    flows: Mapping[str, Flow]
    timelines: Mapping[str, Timeline]
    root: str
    since: datetime
    until: datetime
    now: datetime
    upstream: bool = False
    downs: Sequence[str] = ()
    _places: dict[str, int] = field(default_factory=dict)
    _hit: dict[tuple[str, datetime], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ups = order(self.root, self._above) if self.upstream else [self.root]
        self._places = {name: place for place, name in enumerate(ups)}

    def batch(self, name: str, after: datetime, until: datetime, most: int) -> Batch:
        """Of the root, or of one of `downs`: the next ticks after `after` and up to `until`; at most about `most` dates
        of all flows together.
        """
        chosen: dict[str, set[datetime]] = {}
        reached = None
        for looked, tick in enumerate(ticks(self.timelines[name], after, min(until, self.now)), 1):
            reached = tick
            if name != self.root:
                if self._is_hit(name, tick):
                    chosen.setdefault(name, set()).add(tick)
            else:
                self._add(tick, chosen)
            if looked >= most or sum(map(len, chosen.values())) >= most:
                break
        self._hit.clear()
        return Batch({flow: sorted(dates) for flow, dates in chosen.items()}, reached)

    def legs(self) -> Iterator[tuple[str, datetime, datetime]]:
        """The root and `downs`, each with the dates between which its ticks are."""
        spans = {self.root: (self.since, min(self.until, self.now))}
        for name in self.downs:
            found = [
                widen(sensor.mapping, *spans[sensor.upstream], self.timelines[name], self.timelines[sensor.upstream])
                for sensor in self.flows[name].sensors
                if sensor.upstream in spans
            ]
            if found:
                since, until = min(one for one, _ in found), max(one for _, one in found)
                spans[name] = since, min(until, self.now)
        for name, (since, until) in spans.items():
            yield name, since, until

    def _above(self, name: str) -> list[str]:
        return [one for one in dict.fromkeys(s.upstream for s in self.flows[name].sensors) if one in self.flows]

    def _add(self, tick: datetime, chosen: dict[str, set[datetime]]) -> None:
        """A tick of the root, and with `upstream` what it stands on. Flows that wait for themselves, or in a circle,
        are not followed round: that would go back to the beginning of time.
        """
        chosen.setdefault(self.root, set()).add(tick)
        ahead = [(self.root, tick)]
        while ahead:
            name, at = ahead.pop()
            for sensor in self.flows[name].sensors:
                place = self._places.get(sensor.upstream)
                if place is None or place <= self._places[name]:
                    continue
                known = chosen.setdefault(sensor.upstream, set())
                for date in self._dates(name, sensor, at):
                    if date <= self.now and date not in known:
                        known.add(date)
                        ahead.append((sensor.upstream, date))

    def _is_hit(self, name: str, at: datetime) -> bool:
        """Whether a sensor of the run maps to a date that is filled."""
        if name == self.root:
            return self.since <= at <= self.until
        known = self._hit.get((name, at))
        if known is None:
            before = {self.root, *self.downs[: self.downs.index(name)]}
            known = self._hit[name, at] = any(
                self._is_hit(sensor.upstream, date)
                for sensor in self.flows[name].sensors
                if sensor.upstream in before
                for date in self._dates(name, sensor, at)
            )
        return known

    def _dates(self, name: str, sensor: Sensor, at: datetime) -> tuple[datetime, ...]:
        dates = map_dates(sensor.mapping, at, self.timelines[name], self.timelines[sensor.upstream])
        return () if isinstance(dates, Trouble) else dates


def ticks(timeline: Timeline, after: datetime, until: datetime) -> Iterator[datetime]:
    """The ticks with after < t <= until: also those before a written start, but none past an end."""
    at: datetime | None = after
    while at is not None:
        tick = timeline.rule.next(at)
        if tick is not None and (timeline.start is None or tick >= timeline.start):
            tick = timeline.next(at)
        if tick is None or tick > until:
            return
        yield tick
        at = tick


def downstream_of(root: str, flows: Mapping[str, Flow]) -> list[str]:
    """All flows that wait for the root, near or far, each after those that it waits for, as far as that can be."""
    below: dict[str, list[str]] = {}
    for name, flow in flows.items():
        for upstream in flow.upstreams - {name}:
            below.setdefault(upstream, []).append(name)
    return order(root, lambda name: sorted(below.get(name, ())))[1:]


def order(root: str, following: Callable[[str], Sequence[str]]) -> list[str]:
    """All that can be reached from the root, itself first, each after those that lead to it; what leads back in a
    circle does not count.
    """
    done: list[str] = []
    seen = {root}
    stack = [(root, iter(following(root)))]
    while stack:
        name, others = stack[-1]
        other = next((one for one in others if one not in seen), None)
        if other is None:
            done.append(name)
            stack.pop()
        else:
            seen.add(other)
            stack.append((other, iter(following(other))))
    return done[::-1]


def widen(
    mapping: SensorMapping, since: datetime, until: datetime, downstream: Timeline, upstream: Timeline
) -> tuple[datetime, datetime]:
    """Between which dates all downstream ticks are that map into [since, until]; others may be there, too."""
    steps = mapping.back + mapping.ahead + mapping.count + 1
    rule = upstream.rule if mapping.match in (Match.LATEST, Match.NEXT) else downstream.rule
    since, until = _walk(rule, since, -steps), _walk(rule, until, steps)
    span = DAY + _longest(mapping.offset) + _longest(mapping.within)
    if isinstance(mapping.align, Unit):
        span += DAY * _UNITS[mapping.align]
    if isinstance(mapping.since, Unit):
        span += DAY * _UNITS[mapping.since]
    if mapping.match is Match.PYTHON:
        span += _FUNCTION
    since, until = _shift(since, -span), _shift(until, span)
    since = _walk(upstream.rule, _walk(downstream.rule, since, -1), -1)
    until = _walk(upstream.rule, _walk(downstream.rule, until, 1), 1)
    return since, (_LAST if isinstance(mapping.since, datetime) else until)


_FIRST = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
_LAST = datetime.fromisoformat("9999-12-30T00:00:00+00:00")
_ALL_DAYS = 4_000_000


def _walk(rule: Ticks, at: datetime, steps: int) -> datetime:
    for _ in range(abs(steps)):
        tick = rule.next(at) if steps > 0 else rule.prev(at)
        if tick is None:
            return at
        at = tick
    return at


def _shift(at: datetime, span: timedelta) -> datetime:
    try:
        return min(max(at + span, _FIRST), _LAST)
    except OverflowError:
        return _LAST if span > timedelta() else _FIRST


def _longest(duration: Duration | None) -> timedelta:
    """A length that it never exceeds, whatever the calendar."""
    if duration is None:
        return timedelta()
    days = duration.years * 366 + duration.months * 31 + duration.weeks * 7 + duration.days
    return timedelta(days=min(days, _ALL_DAYS)) + duration.clock
