"""A mapping as a value: frozen, hashable, complete. It is not checked here; `build` reads and refuses."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from sensord.core.duration import Duration
from sensord.core.mapping.function import MappingFunction

UPSTREAM: Final = "upstream"
"""The value of `align` that floors to the upstream's own ticks."""

WARN_ABOVE: Final = 1_000
REFUSE_ABOVE: Final = 10_000
"""How many mapped ticks are too many. The same number bounds `back`, `ahead` and `count`."""


class Match(StrEnum):
    SAME = "same"
    LATEST = "latest"
    NEXT = "next"
    INTERVAL = "interval"
    OVERLAP = "overlap"
    PYTHON = "python"


class Unit(StrEnum):
    """A period of the calendar that an instant can be floored to."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Closed(StrEnum):
    """Which ends of an interval belong to it."""

    RIGHT = "right"
    LEFT = "left"
    BOTH = "both"


class WeekStart(StrEnum):
    MONDAY = "monday"
    SUNDAY = "sunday"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Downstream logical date -> set of upstream logical dates.

    back, ahead: steps, at most one of them above 0; count: at least 1. since: a unit, or an aware UTC instant.
    function is set if and only if match is `python`. plain: no option is set at all, so that there is a short way.
    """

    match: Match = Match.LATEST
    align: Unit | Literal["upstream"] | None = None
    offset: Duration | None = None
    back: int = 0
    ahead: int = 0
    count: int = 1
    strict: bool = False
    within: Duration | None = None
    since: Unit | datetime | None = None
    closed: Closed = Closed.RIGHT
    week_start: WeekStart = WeekStart.MONDAY
    function: MappingFunction | None = None
    plain: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        anchored = self.align is not None or self.offset is not None
        stepped = bool(self.back or self.ahead) or self.count != 1 or self.strict
        bounded = self.within is not None or self.since is not None or self.closed is not Closed.RIGHT
        plain = not (anchored or stepped or bounded or self.function)
        object.__setattr__(self, "plain", plain)

    @property
    def steps(self) -> int:
        """Signed: `back` is negative, `ahead` positive."""
        return self.ahead - self.back

    @property
    def label(self) -> str:
        """What the config file says after `match =`."""
        return f"python:{self.function.name}" if self.function else self.match.value
