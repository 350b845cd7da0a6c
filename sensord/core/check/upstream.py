"""An upstream's ticks as positions in a strip, and the profiles found by bisection among them.

Every kind but `python` and `align = "upstream"` takes neighbours among the upstream rule's ticks, so two positions say
which. What a kind means is sensord/core/mapping's to say: this only finds the same dates faster, and tests hold it to
that.
"""

from bisect import bisect_left, bisect_right

from sensord.core.check.downstream import Ends
from sensord.core.check.profile import RangeProfile
from sensord.core.check.strip import Strip
from sensord.core.instant import to_micros
from sensord.core.mapping import Closed, Mapping, Match
from sensord.core.mapping.spec import UPSTREAM
from sensord.core.ticks import Timeline


def is_range(mapping: Mapping) -> bool:
    """Whether its dates are a range of the upstream's ticks."""
    return mapping.match is not Match.PYTHON and mapping.align != UPSTREAM


class Upstream:
    """The ticks that are mapped to: of one flow, as all others or, `own`, as the flow itself sees it."""

    def __init__(self, timeline: Timeline, *, own: bool) -> None:
        self.timeline = timeline
        self.start = None if own else timeline.start
        self._strip = Strip(timeline.rule)

    @property
    def weight(self) -> int:
        """How many ticks are held."""
        return len(self._strip.ticks)

    def cover(self, mapping: Mapping, ends: Ends) -> Strip:
        """The strip with all ticks that the mapping can reach. Raises TooDense or OverflowError."""
        # The last tick of an upstream that has ended is the latest for ever, the first of one to come the next.
        far = {Match.LATEST: self.timeline.end, Match.NEXT: self.start}.get(mapping.match)
        stretches = ends.stretches if far is None else [*ends.stretches, (to_micros(far), to_micros(far))]
        self._strip.cover(stretches, abs(mapping.steps) + mapping.count + 2)
        return self._strip

    def measure(self, mapping: Mapping, ends: Ends) -> RangeProfile:
        """The profile of a mapping for which `is_range` holds. Raises as `cover` does."""
        strip = self.cover(mapping, ends)
        first, behind = strip.within(self.start, self.timeline.end)
        lows, highs = _find(mapping, ends.rights, ends.lefts or [], strip.ticks, first, behind)
        sizes = [high - low if high > low else 0 for low, high in zip(lows, highs, strict=True)]
        return RangeProfile(strip.ticks, lows, sizes)

    def is_cut(self, mapping: Mapping, ends: Ends, strip: Strip) -> bool:
        """Whether the start or the end of T may matter: it does for the first period if for any, or for the last."""
        first, behind = strip.within(self.start, self.timeline.end)
        if (first, behind) == (0, len(strip.ticks)):
            return False
        rights = [min(ends.rights), max(ends.rights)]
        lefts = [min(ends.lefts), max(ends.lefts)] if ends.lefts else []
        whole = _find(mapping, rights, lefts, strip.ticks, 0, len(strip.ticks))
        return _find(mapping, rights, lefts, strip.ticks, first, behind) != whole


def _find(
    mapping: Mapping, rights: list[int], lefts: list[int], ticks: list[int], first: int, behind: int
) -> tuple[list[int], list[int]]:
    """Positions [low, high) in `ticks`, of which T is [first, behind); high is not above low where nothing is found."""
    match mapping.match:
        case Match.SAME:
            lows = [bisect_left(ticks, at) for at in rights]
            return _clip(lows, [low + (ticks[low] == at) for low, at in zip(lows, rights, strict=True)], first, behind)
        case Match.LATEST:
            search = bisect_left if mapping.strict else bisect_right
            bases = [search(ticks, at) - 1 for at in rights]
            if max(bases) >= behind:
                bases = [min(base, behind - 1) for base in bases]
            return _based(bases, mapping.steps - mapping.count + 1, mapping.count, first, behind)
        case Match.NEXT:
            search = bisect_right if mapping.strict else bisect_left
            bases = [search(ticks, at) for at in rights]
            if min(bases) < first:
                bases = [max(base, first) for base in bases]
            return _based(bases, 0, mapping.count, first, behind)
        case Match.INTERVAL:
            opening = bisect_right if mapping.closed is Closed.RIGHT else bisect_left
            closing = bisect_left if mapping.closed is Closed.LEFT else bisect_right
            return _clip([opening(ticks, at) for at in lefts], [closing(ticks, at) for at in rights], first, behind)
        case Match.OVERLAP:
            lows, highs = [bisect_right(ticks, at) for at in lefts], [bisect_left(ticks, at) + 1 for at in rights]
            return _clip(lows, highs, first, behind)
        case Match.PYTHON:
            raise AssertionError("a function's dates are no range")


def _based(bases: list[int], steps: int, count: int, first: int, behind: int) -> tuple[list[int], list[int]]:
    """`count` ticks from so many steps after a base in T; nothing where the base is not in T."""
    if min(bases) >= first and max(bases) + max(steps, 0) < behind:
        lows = [base + steps for base in bases]
    else:
        lows = [min(base + steps, behind) if first <= base < behind else behind for base in bases]
    return _clip(lows, [low + count for low in lows], first, behind)


def _clip(lows: list[int], highs: list[int], first: int, behind: int) -> tuple[list[int], list[int]]:
    if min(lows) < first:
        lows = [max(low, first) for low in lows]
    if max(highs) > behind:
        highs = [min(high, behind) for high in highs]
    return lows, highs
