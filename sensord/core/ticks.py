"""What everything else asks of a schedule, whatever kind it is: its ticks, forwards and backwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Ticks(Protocol):
    """A strictly increasing set of instants (aware, UTC). `next(prev(x)) == x` for every tick x."""

    def next(self, at: datetime) -> datetime | None:
        """The first tick after `at` (exclusive), None where there is none."""
        ...

    def prev(self, at: datetime) -> datetime | None:
        """The last tick before `at` (exclusive), None where there is none."""
        ...

    def between(self, after: datetime, until: datetime) -> Sequence[datetime]:
        """All ticks with `after < t <= until`, ascending."""
        ...

    def contains(self, at: datetime) -> bool: ...


class Timeline(Ticks, Protocol):
    """The ticks from the *written* start to the end; `rule` has those before and past them too."""

    @property
    def rule(self) -> Ticks: ...

    @property
    def zone(self) -> ZoneInfo: ...

    @property
    def start(self) -> datetime | None:
        """The written start, inclusive; None where none is written."""
        ...

    @property
    def end(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a rule's ticks repeat: while the UTC offset of `zone` stays (None: always), those of any `length` of time are
    those of the `length` before it, moved by as much, and at least `number`.
    """

    length: timedelta
    number: int
    zone: ZoneInfo | None
