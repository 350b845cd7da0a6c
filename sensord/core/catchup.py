"""Catchup: of the ticks that have come, those that get a run, and those that are passed over.

A tick is missed if a later one of its flow is already due when it is planned, or if it passed during a pause. However
many were missed, they are not counted one by one: the cursor jumps. Knows a timeline and a cursor, and no store.
"""

from datetime import datetime, timedelta

from sensord.core.flow import Catchup, Flow
from sensord.core.ticks import Timeline

_MICROSECOND = timedelta(microseconds=1)


def choose(flow: Flow, timeline: Timeline, after: datetime, now: datetime, most: int) -> tuple[datetime, ...]:
    """The ticks to run next of those with `after < t <= now`, ascending, at most `most`; the last one is where the
    flow's cursor goes. What lies before them and after `after` is passed over.
    """
    newest = timeline.prev(now + _MICROSECOND)
    if newest is None or newest <= after:
        return ()
    at: datetime | None = _floor(flow, timeline, after, timeline.prev(newest), now)
    ticks: list[datetime] = []
    while at and at < newest and len(ticks) < most:
        at = timeline.next(at)
        if at:
            ticks.append(at)
    return tuple(ticks)


def pass_over(flow: Flow, timeline: Timeline, after: datetime, now: datetime) -> datetime:
    """Where the cursor of a flow goes, from `after`, that was held until `now`: to the last tick that is not run. All
    that have come meanwhile were missed, the newest, too.
    """
    newest = timeline.prev(now + _MICROSECOND)
    passed = timeline.prev(_floor(flow, timeline, after, newest, now) + _MICROSECOND)
    return passed if passed and passed > after else after


def _floor(flow: Flow, timeline: Timeline, after: datetime, missed_to: datetime | None, now: datetime) -> datetime:
    """The instant up to which nothing is run: `after` or later. missed_to: the last of the missed ticks."""
    if missed_to is None or missed_to <= after:
        return after
    floor = after
    match flow.catchup:
        case Catchup.ALL:
            pass
        case Catchup.LATEST:
            floor = max(after, missed_to - _MICROSECOND)
        case Catchup.NONE:
            floor = max(after, min(missed_to, now - flow.late_limit))
    match flow.catchup_limit:
        case None:
            return floor
        case timedelta() as age:
            return max(floor, min(missed_to, now - age - _MICROSECOND))
        case int(number):
            return _before(timeline, floor, missed_to, number)


def _before(timeline: Timeline, floor: datetime, last: datetime, number: int) -> datetime:
    """The tick before the `number` newest up to `last`, or `floor` where there are not so many after that."""
    at = last
    for _ in range(number):
        before = timeline.prev(at)
        if before is None or before <= floor:
            return floor
        at = before
    return at
