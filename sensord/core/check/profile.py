"""How many upstream ticks a mapping takes on every downstream tick of the horizon, and which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sensord.core.instant import to_micros
from sensord.core.mapping import Mapping, Require, Trouble
from sensord.core.mapping.reach import Reach
from sensord.core.mapping.resolve import map_dates
from sensord.core.ticks import Timeline


class Profile(Protocol):
    """Of the i-th logical date. Dates before the start of the flow itself are in it too: they are satisfied."""

    sizes: list[int]
    """How many ticks are mapped; 0 where none is, for whatever reason."""

    def dates(self, i: int) -> Sequence[int]:
        """The mapped dates, ascending."""
        ...

    def lasts(self, need: Require) -> list[int]:
        """The date of the last run that is needed if the earliest are taken; meaningless where there are too few."""
        ...


@dataclass(slots=True)
class RangeProfile:
    """The i-th date takes `ticks[lows[i] : lows[i] + sizes[i]]`; no low is beyond the end of `ticks`."""

    ticks: list[int]
    lows: list[int]
    sizes: list[int]

    def dates(self, i: int) -> Sequence[int]:
        return self.ticks[self.lows[i] : self.lows[i] + self.sizes[i]]

    def lasts(self, need: Require) -> list[int]:
        if need == "all":
            return [self.ticks[low + size - 1] for low, size in zip(self.lows, self.sizes, strict=True)]
        step = 0 if need == "any" else need - 1
        padded = [*self.ticks, *[0] * (step + 1)]
        return [padded[low + step] for low in self.lows]


@dataclass(slots=True)
class ListedProfile:
    """Each date resolved by itself: for what is no range of ticks, or would be too long a one."""

    listed: list[tuple[int, ...]]
    sizes: list[int]

    def dates(self, i: int) -> Sequence[int]:
        return self.listed[i]

    def lasts(self, need: Require) -> list[int]:
        step = -1 if need == "all" else 0 if need == "any" else need - 1
        return [dates[step] if len(dates) > step and dates else 0 for dates in self.listed]


def list_profile(mapping: Mapping, dates: Sequence[datetime], downstream: Timeline, upstream: Reach) -> ListedProfile:
    """The slow way."""
    listed = []
    for date in dates:
        found = map_dates(mapping, date, downstream, upstream)
        listed.append(() if isinstance(found, Trouble) else tuple(to_micros(tick) for tick in found))
    return ListedProfile(listed, [len(found) for found in listed])
