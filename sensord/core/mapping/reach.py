"""T, the upstream's ticks from its start to its end, as a mapping sees them; for a flow's own dates without a start."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from sensord.core.ticks import Ticks, Timeline

INSTANT: Final = timedelta(microseconds=1)
"""The smallest step between instants: `prev(x + INSTANT)` is the last tick at or before x."""


class Reach(Ticks, Protocol):
    """What of a Timeline the upstream side needs; every Timeline is one."""

    @property
    def rule(self) -> Ticks: ...

    @property
    def zone(self) -> ZoneInfo: ...

    @property
    def start(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Unbegun:
    """A timeline as if it had no written start, for a sensor on the flow itself: what is before it is satisfied."""

    timeline: Timeline

    @property
    def rule(self) -> Ticks:
        return self.timeline.rule

    @property
    def zone(self) -> ZoneInfo:
        return self.timeline.zone

    @property
    def start(self) -> datetime | None:
        return None

    def next(self, at: datetime) -> datetime | None:
        tick = self.rule.next(at)
        return None if tick is None or self._ended(tick) else tick

    def prev(self, at: datetime) -> datetime | None:
        end = self.timeline.end
        return self.rule.prev(at if end is None or at <= end else end + INSTANT)

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        return [tick for tick in self.rule.between(after, until) if not self._ended(tick)]

    def contains(self, at: datetime) -> bool:
        return not self._ended(at) and self.rule.contains(at)

    def _ended(self, at: datetime) -> bool:
        return self.timeline.end is not None and at > self.timeline.end
