"""A flow's ticks within the horizon, or those that stand for them all, and the ends of their periods: all of a mapping
that asks no upstream.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import sub

from sensord.core.check.rhythm import Piece
from sensord.core.check.strip import Strip
from sensord.core.check.walls import HOUR, Walls
from sensord.core.duration import Duration
from sensord.core.instant import from_micros, to_micros
from sensord.core.mapping import Closed, Mapping, Match, Unit
from sensord.core.ticks import Timeline
from sensord.errors import InvalidValue

LONGEST_DAY = 25 * HOUR
_NEVER = 1 << 62


@dataclass(frozen=True)
class Ends:
    """Of each logical date in `ticks`: the anchor or right end, and the left end where the kind has one. Microseconds,
    never empty. parts: the positions, from and to, of dates that follow one another. Compared by identity.
    """

    ticks: list[int]
    rights: list[int]
    lefts: list[int] | None
    parts: list[tuple[int, int]]

    @cached_property
    def stretches(self) -> list[tuple[int, int]]:
        """Of each part, the time from the first end to the last."""
        sides = [self.rights] if self.lefts is None else [self.rights, self.lefts]
        lows, highs = (
            [[most(side[first:behind]) for side in sides] for first, behind in self.parts] for most in (min, max)
        )
        return [(min(low), max(high)) for low, high in zip(lows, highs, strict=True)]

    @cached_property
    def lead(self) -> int:
        """How far the right end goes ahead of the date, at most."""
        return max(right - tick for right, tick in zip(self.rights, self.ticks, strict=True))

    @cached_property
    def lengths(self) -> tuple[int, int]:
        """The shortest and the longest way from left to right end."""
        assert self.lefts is not None
        lengths = [right - left for right, left in zip(self.rights, self.lefts, strict=True)]
        return min(lengths), max(lengths)

    @cached_property
    def ascends(self) -> bool:
        """Whether no right end is before that of an earlier date, as a change of the clock can make it."""
        return self.rights == sorted(self.rights)

    @cached_property
    def distinct(self) -> frozenset[int]:
        return frozenset(self.rights)


@dataclass(frozen=True, slots=True)
class Limits:
    """odd: of each date the instant past which a wait is odd: its deadline or, at the latest, the longest day after it.
    least: the shortest time from a date until then.
    """

    odd: list[int]
    least: int


class Downstream:
    """The logical dates of a timeline in some pieces of the horizon, ascending, and what mappings make of them; kept
    for the next mapping.
    """

    def __init__(self, timeline: Timeline, pieces: Sequence[Piece], walls: Walls) -> None:
        self.timeline = timeline
        self.dates: list[datetime] = []
        self.parts: list[tuple[int, int]] = []
        self._pieces: list[Piece] = []
        for piece in pieces:
            first = len(self.dates)
            self.dates += timeline.between(from_micros(piece.low - 1), from_micros(piece.high - 1))
            if first < len(self.dates):
                self.parts.append((first, len(self.dates)))
                self._pieces.append(piece)
        self.ticks = [to_micros(date) for date in self.dates]
        self._walls = walls
        self._strip = Strip(timeline.rule)
        self._placed: dict[object, list[int]] = {}
        self._ends: dict[object, Ends] = {}
        self._moved: dict[Duration, list[int]] = {}
        self._limits: dict[Duration | None, Limits] = {}

    @property
    def weight(self) -> int:
        """About how many numbers are held."""
        return len(self.ticks) * (1 + len(self._placed) + len(self._ends)) + len(self._strip.ticks)

    @property
    def total(self) -> int:
        """How many logical dates the horizon has."""
        return sum(self.numbers)

    @cached_property
    def numbers(self) -> list[int]:
        """How many dates of the horizon each stands for, itself among them."""
        return [piece.count(tick) for piece, tick in self._placed_in()]

    @cached_property
    def lasts(self) -> list[int]:
        """The last date that each stands for."""
        return [piece.last(tick) for piece, tick in self._placed_in()]

    def count(self, positions: Iterable[int]) -> int:
        """How many dates of the horizon those at these positions stand for."""
        return sum(self.numbers[position] for position in positions)

    def _placed_in(self) -> Iterator[tuple[Piece, int]]:
        for piece, (first, behind) in zip(self._pieces, self.parts, strict=True):
            yield from ((piece, tick) for tick in self.ticks[first:behind])

    def move(self, by: Duration) -> list[int]:
        """The instants so long after each date; past all others where the calendar ends before."""
        if by not in self._moved:
            try:
                self._moved[by] = self._walls.move(self.ticks, by)
            except (OverflowError, InvalidValue):
                self._moved[by] = [_NEVER] * len(self.ticks)
        return self._moved[by]

    def find_limits(self, timeout: Duration | None) -> Limits:
        if timeout not in self._limits:
            days = [tick + LONGEST_DAY for tick in self.ticks]
            odd = days if timeout is None else list(map(min, days, self.move(timeout)))
            self._limits[timeout] = Limits(odd, min(map(sub, odd, self.ticks)))
        return self._limits[timeout]

    def find_ends(self, mapping: Mapping) -> Ends:
        """Raises TooDense, and OverflowError or InvalidValue where the calendar ends."""
        period = mapping.match in (Match.INTERVAL, Match.OVERLAP)
        own = period and mapping.within is None and mapping.since is None
        key = (
            (mapping.align, mapping.offset, mapping.week_start),
            (own, mapping.steps, mapping.count) if own else (period, mapping.within, mapping.since),
            mapping.since is not None and mapping.closed is Closed.BOTH,
        )
        if key not in self._ends:
            rights = self._place(mapping, mapping.steps if own else 0)
            lefts = self._place(mapping, mapping.steps - mapping.count) if own else None
            lefts = self._begin(mapping, rights) if period and not own else lefts
            self._ends[key] = Ends(self.ticks, rights, lefts, self.parts)
        return self._ends[key]

    def _begin(self, mapping: Mapping, rights: list[int]) -> list[int]:
        if mapping.within is not None:
            return self._walls.move(rights, mapping.within.negated())
        if isinstance(mapping.since, Unit):
            held = rights if mapping.closed is Closed.BOTH else [right - 1 for right in rights]
            return self._walls.floor(held, mapping.since, mapping.week_start)
        assert mapping.since is not None
        return [to_micros(mapping.since)] * len(rights)

    def _place(self, mapping: Mapping, steps: int) -> list[int]:
        """`offset(align(...))` of the tick so many steps from each date."""
        key = (mapping.align, mapping.week_start, mapping.offset, steps)
        if key not in self._placed:
            placed = self._step(steps)
            if isinstance(mapping.align, Unit):
                placed = self._walls.floor(placed, mapping.align, mapping.week_start)
            if mapping.offset is not None:
                placed = self._walls.move(placed, mapping.offset)
            self._placed[key] = placed
        return self._placed[key]

    def _step(self, steps: int) -> list[int]:
        if not steps or not self.ticks:
            return self.ticks
        stretches = [(self.ticks[first], self.ticks[behind - 1]) for first, behind in self.parts]
        self._strip.cover(stretches, abs(steps))
        place = self._strip.places
        positions = [place[tick] + steps for tick in self.ticks]
        if positions[0] < 0 or positions[-1] >= len(self._strip.ticks):
            raise OverflowError("the calendar ends there")
        return [self._strip.ticks[position] for position in positions]
