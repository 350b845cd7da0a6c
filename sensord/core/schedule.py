"""A flow's schedule: a rule's ticks between a written start and end; and the schedules that a flow has had over time.

The rules themselves are core/cron.py's and core/every.py's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import overload
from zoneinfo import ZoneInfo

from sensord.core.ticks import Ticks, Timeline
from sensord.core.zone import EARLIEST
from sensord.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Schedule:
    """The ticks of `rule` with `start <= t <= end`. Both are instants; None leaves that side open."""

    rule: Ticks
    zone: ZoneInfo
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise InvalidValue(
                f"expected an end at or after the start, {self.start.isoformat()}, got {self.end.isoformat()}"
            )

    def next(self, at: datetime) -> datetime | None:
        if self.start is not None and at < self.start:
            tick = self.start if self.rule.contains(self.start) else self.rule.next(self.start)
        else:
            tick = self.rule.next(at)
        return None if tick is None or (self.end is not None and tick > self.end) else tick

    def prev(self, at: datetime) -> datetime | None:
        if self.end is not None and at > self.end:
            tick = self.end if self.rule.contains(self.end) else self.rule.prev(self.end)
        else:
            tick = self.rule.prev(at)
        return None if tick is None or (self.start is not None and tick < self.start) else tick

    def between(self, after: datetime, until: datetime) -> Sequence[datetime]:
        if self.end is not None and until > self.end:
            until = self.end
        if self.start is None or after >= self.start:
            return self.rule.between(after, until)
        if until < self.start:
            return []
        ticks = self.rule.between(self.start, until)
        return [self.start, *ticks] if self.rule.contains(self.start) else ticks

    def contains(self, at: datetime) -> bool:
        early = self.start is not None and at < self.start
        late = self.end is not None and at > self.end
        return not early and not late and self.rule.contains(at)


@dataclass(frozen=True, slots=True)
class SplicedTicks:
    """Ticks that follow one rule up to and including an instant, and the next after it.

    `cuts`, ascending, are these instants: one fewer than there are `parts`.
    """

    cuts: tuple[datetime, ...]
    parts: tuple[Ticks, ...]

    def next(self, at: datetime) -> datetime | None:
        index = bisect_right(self.cuts, at)
        while True:
            tick = self.parts[index].next(at)
            if index == len(self.cuts) or (tick is not None and tick <= self.cuts[index]):
                return tick
            at = self.cuts[index]
            index += 1

    def prev(self, at: datetime) -> datetime | None:
        index = bisect_left(self.cuts, at)
        tick = self.parts[index].prev(at)
        while index > 0 and (tick is None or tick <= self.cuts[index - 1]):
            index -= 1
            part, cut = self.parts[index], self.cuts[index]
            tick = cut if part.contains(cut) else part.prev(cut)
        return tick

    def between(self, after: datetime, until: datetime) -> Sequence[datetime]:
        first, last = bisect_right(self.cuts, after), bisect_left(self.cuts, until)
        if first >= last:
            return self.parts[last].between(after, until)
        ticks: list[datetime] = []
        for index in range(first, last + 1):
            since = after if index == first else self.cuts[index - 1]
            ticks += self.parts[index].between(since, until if index == last else self.cuts[index])
        return ticks

    def contains(self, at: datetime) -> bool:
        return self.parts[bisect_left(self.cuts, at)].contains(at)


@dataclass(frozen=True, slots=True)
class ScheduleHistory:
    """The schedules of a flow, each with the instant after which it holds; None for the first, which held from ever.

    At that instant itself the schedule before still holds. ValueError where the instants do not ascend.
    """

    segments: tuple[tuple[datetime | None, Schedule], ...]
    rule: Ticks = field(init=False, repr=False, compare=False)
    _ticks: SplicedTicks = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.segments or self.segments[0][0] is not None:
            raise ValueError("expected a first schedule without an instant, since it holds from the beginning")
        later = tuple(at for at, _ in self.segments[1:] if at is not None)
        if len(later) != len(self.segments) - 1 or list(later) != sorted(set(later)):
            raise ValueError(f"expected ascending instants for the later schedules, got {later}")
        schedules = tuple(schedule for _, schedule in self.segments)
        object.__setattr__(self, "_ticks", SplicedTicks(later, schedules))
        object.__setattr__(self, "rule", SplicedTicks(later, tuple(schedule.rule for schedule in schedules)))

    @property
    def current(self) -> Schedule:
        return self.segments[-1][1]

    @property
    def zone(self) -> ZoneInfo:
        """The current schedule's."""
        return self.current.zone

    @property
    def start(self) -> datetime | None:
        return self.segments[0][1].start

    @property
    def end(self) -> datetime | None:
        return self.current.end

    def in_force(self, at: datetime) -> Schedule:
        """The schedule that holds at the instant `at`."""
        return self.segments[bisect_left(self._ticks.cuts, at)][1]

    def changed(self, at: datetime, schedule: Schedule) -> "ScheduleHistory":
        """This, with `schedule` in force after `at`; the same object where that is what holds already."""
        return self if schedule == self.current else ScheduleHistory((*self.segments, (at, schedule)))

    def next(self, at: datetime) -> datetime | None:
        return self._ticks.next(at)

    def prev(self, at: datetime) -> datetime | None:
        return self._ticks.prev(at)

    def between(self, after: datetime, until: datetime) -> Sequence[datetime]:
        return self._ticks.between(after, until)

    def contains(self, at: datetime) -> bool:
        return self._ticks.contains(at)


def data_interval(schedule: Timeline, tick: datetime) -> tuple[datetime, datetime]:
    """(the tick before by the rule, the tick), also before a written start; the very first has all time before it."""
    return schedule.rule.prev(tick) or EARLIEST, tick


@overload
def follow(followed: Schedule, start: datetime | None = None, end: datetime | None = None) -> Schedule: ...
@overload
def follow(
    followed: ScheduleHistory, start: datetime | None = None, end: datetime | None = None
) -> ScheduleHistory: ...
def follow(
    followed: Schedule | ScheduleHistory, start: datetime | None = None, end: datetime | None = None
) -> Schedule | ScheduleHistory:
    """The followed one's ticks, zone and history, with a start and end of its own."""
    if isinstance(followed, Schedule):
        return Schedule(followed.rule, followed.zone, start, end)
    return ScheduleHistory(tuple((at, follow(schedule, start, end)) for at, schedule in followed.segments))
