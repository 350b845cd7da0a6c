"""The anchor `offset(align(D))` and the two ends of an interval; the ticks between them are `select`'s.

Where the text leaves a choice: an interval's ends are each floored by the rule for D, so `align = "hour"` takes the
offset in force at that end; `since` excludes the anchor's own instant except where both ends are closed.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sensord.core.mapping.reach import INSTANT, Reach
from sensord.core.mapping.spec import UPSTREAM, Closed, Mapping, Unit, WeekStart
from sensord.core.mapping.wording import Unmapped, both_times
from sensord.core.ticks import Ticks, Timeline
from sensord.core.zone import resolve, wall


def floor(at: datetime, unit: Unit, zone: ZoneInfo, week_start: WeekStart = WeekStart.MONDAY) -> datetime:
    """The first instant of the period that holds `at`, by the calendar of `zone`.

    An hour is counted within the UTC offset in force at `at`. A period whose first wall time falls in a gap begins at
    the first instant after it; one whose first wall time comes twice begins at the first.
    """
    local = wall(at, zone)
    day = local.date()
    match unit:
        case Unit.HOUR:
            return at - (local - local.replace(minute=0, second=0, microsecond=0))
        case Unit.DAY:
            first = day
        case Unit.WEEK:
            passed = day.weekday() if week_start is WeekStart.MONDAY else day.isoweekday() % 7
            first = day - timedelta(days=passed)
        case Unit.MONTH:
            first = day.replace(day=1)
        case Unit.QUARTER:
            first = date(day.year, day.month - (day.month - 1) % 3, 1)
        case Unit.YEAR:
            first = date(day.year, 1, 1)
    return resolve(datetime.combine(first, time()), zone)


def anchor(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> datetime:
    """`offset(align(at))`. Raises Unmapped where `align = "upstream"` finds no tick."""
    aligned = _align(mapping, at, downstream.zone, upstream)
    if aligned is None:
        when = both_times(at, downstream.zone, downstream.zone)
        raise Unmapped(f"no upstream tick to align to at or before {when}")
    return _offset(mapping, aligned, downstream.zone)


def ends(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, datetime]:
    """The ends of the period that `interval` and `overlap` look into; left may be at or after right: an empty one.

    Raises Unmapped where an end does not exist.
    """
    zone = downstream.zone
    if mapping.within is None and mapping.since is None:
        return _own_interval(mapping, at, downstream, upstream)
    right = anchor(mapping, at, downstream, upstream)
    if mapping.within is not None:
        return mapping.within.negated().add(right, zone), right
    if isinstance(mapping.since, datetime):
        return mapping.since, right
    assert mapping.since is not None
    inside = right if mapping.closed is Closed.BOTH else right - INSTANT
    return floor(inside, mapping.since, zone, mapping.week_start), right


def step(ticks: Ticks, at: datetime, steps: int) -> datetime | None:
    """`steps` ticks forward (back where negative) from `at`, by the rule; None where the rule does not reach."""
    here: datetime | None = at
    for _ in range(abs(steps)):
        if here is None:
            return None
        here = ticks.next(here) if steps > 0 else ticks.prev(here)
    return here


def _own_interval(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, datetime]:
    """Whole data intervals of the downstream: those that end at the right end, `count` of them together."""
    last = step(downstream.rule, at, mapping.steps)
    first = None if last is None else step(downstream.rule, last, -mapping.count)
    if last is None or first is None:
        raise Unmapped("the schedule has no tick that far away, so the data interval has no end there")
    right = anchor(mapping, last, downstream, upstream)
    left = _align(mapping, first, downstream.zone, upstream)
    if left is None:
        left = upstream.start
    if left is None:
        raise Unmapped("no upstream tick to align the left end to")
    return _offset(mapping, left, downstream.zone), right


def _align(mapping: Mapping, at: datetime, zone: ZoneInfo, upstream: Ticks) -> datetime | None:
    if mapping.align is None:
        return at
    if mapping.align == UPSTREAM:
        return upstream.prev(at + INSTANT)
    return floor(at, mapping.align, zone, mapping.week_start)


def _offset(mapping: Mapping, at: datetime, zone: ZoneInfo) -> datetime:
    return at if mapping.offset is None else mapping.offset.add(at, zone)
