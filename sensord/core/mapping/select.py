"""The set of upstream ticks that a mapping takes, by its definition in docs/concepts.md; nothing of `require` here.

Where the text leaves a choice: `count` with `next` takes the n ticks that begin at its first; a mapping function is
asked for the anchor and must name ticks of the upstream's rule, of which those outside T are left out.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sensord.core.mapping.anchor import anchor, ends, step
from sensord.core.mapping.function import Context, call
from sensord.core.mapping.reach import INSTANT, Reach
from sensord.core.mapping.spec import REFUSE_ABOVE, Closed, Mapping, Match
from sensord.core.mapping.wording import Unmapped, Unusable, both_times, wall_time
from sensord.core.ticks import Timeline

_BLOCK, _LONG_BLOCK = timedelta(days=1), timedelta(days=16)
_SPARSE = 500
"""Fewer ticks in a block than this let the next one be long."""


def select(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, ...]:
    """The set for the logical date `at`, ascending and never empty; longer than REFUSE_ABOVE only by one.

    Raises Unmapped (nothing is mapped), Unusable or FunctionFailed and BadReturn (a mapping function's), and
    OverflowError or InvalidValue where the calendar ends.
    """
    match mapping.match:
        case Match.SAME:
            return _same(mapping, at, downstream, upstream)
        case Match.LATEST | Match.NEXT:
            return _steps(mapping, at, downstream, upstream)
        case Match.INTERVAL:
            return _interval(mapping, at, downstream, upstream)
        case Match.OVERLAP:
            return _overlap(mapping, at, downstream, upstream)
        case Match.PYTHON:
            return _python(mapping, at, downstream, upstream)


def _same(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, ...]:
    wanted = anchor(mapping, at, downstream, upstream)
    if upstream.contains(wanted):
        return (wanted,)
    when = both_times(wanted, downstream.zone, upstream.zone)
    before, after = upstream.prev(wanted), upstream.next(wanted)
    nearest = " and ".join(wall_time(tick, upstream.zone) for tick in (before, after) if tick is not None)
    raise Unmapped(f"the upstream has no tick at {when}; nearest: {nearest or 'none'}")


def _steps(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, ...]:
    """`latest` and `next`: a base in T, steps from it by the rule, and of these what is in T."""
    wanted = anchor(mapping, at, downstream, upstream)
    latest = mapping.match is Match.LATEST
    if latest:
        base = upstream.prev(wanted if mapping.strict else wanted + INSTANT)
    else:
        base = upstream.next(wanted if mapping.strict else wanted - INSTANT)
    if base is None:
        side = ("before" if mapping.strict else "at or before") if latest else ("after" if mapping.strict else "from")
        raise Unmapped(f"the upstream has no tick {side} {both_times(wanted, downstream.zone, upstream.zone)}")
    further = upstream.rule.prev if latest else upstream.rule.next
    here = step(upstream.rule, base, mapping.steps)
    taken: list[datetime] = []
    while here is not None and len(taken) < mapping.count:
        taken.append(here)
        here = further(here)
    found = [tick for tick in taken if upstream.contains(tick)]
    if not found:
        late = mapping.steps > 0
        side = "after it has ended" if late else "before it begins"
        raise Unmapped(f"{abs(mapping.steps)} upstream ticks from {wall_time(base, upstream.zone)} is {side}")
    return tuple(reversed(found) if latest else found)


def _interval(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, ...]:
    left, right = ends(mapping, at, downstream, upstream)
    after = left if mapping.closed is Closed.RIGHT else left - INSTANT
    until = right - INSTANT if mapping.closed is Closed.LEFT else right
    found = _collect(upstream, after, until)
    if not found:
        raise Unmapped(_nothing_between("no upstream tick lies in", mapping, left, right, downstream, upstream))
    return tuple(found)


def _overlap(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, ...]:
    """All t with left < t <= right begin before right; beyond it only the rule's first tick can."""
    left, right = ends(mapping, at, downstream, upstream)
    found = _collect(upstream, left, right)
    closing = upstream.rule.next(max(left, right))
    if closing is not None and upstream.contains(closing):
        begun = upstream.rule.prev(closing)
        if begun is None or begun < right:
            found.append(closing)
    if not found:
        says = "no data interval of the upstream overlaps"
        raise Unmapped(_nothing_between(says, mapping, left, right, downstream, upstream))
    return tuple(found)


def _collect(upstream: Reach, after: datetime, until: datetime) -> list[datetime]:
    """Ticks with `after < t <= until`, at most REFUSE_ABOVE + 1; block by block, since a period may hold millions."""
    if until - after <= _BLOCK:
        return list(upstream.between(after, until))[: REFUSE_ABOVE + 1] if after < until else []
    found: list[datetime] = []
    block = _BLOCK
    while after < until and len(found) <= REFUSE_ABOVE:
        first = upstream.next(after)
        if first is None or first > until:
            break
        after = min(until, first + block)
        ticks = upstream.between(first, after)
        found.append(first)
        found.extend(ticks)
        block = _LONG_BLOCK if len(ticks) < _SPARSE else _BLOCK
    return found[: REFUSE_ABOVE + 1]


def _python(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, ...]:
    assert mapping.function is not None
    name = mapping.function.name
    wanted = anchor(mapping, at, downstream, upstream)
    context = Context(at, downstream.rule.prev(at), downstream.zone, upstream)
    dates = call(mapping.function, wanted, context, REFUSE_ABOVE)
    if not dates:
        raise Unmapped(f"{name} returned no date for {wall_time(wanted, downstream.zone)}")
    for date in _off(dates, upstream):
        when = both_times(date, downstream.zone, upstream.zone)
        raise Unusable(f"{name}: expected ticks of the upstream, got {when}")
    found = tuple(date for date in dates if upstream.contains(date))
    if not found:
        raise Unmapped(f"{name} returned only dates before the upstream's start or after its end")
    return found


def _off(dates: Iterable[datetime], upstream: Reach) -> Iterable[datetime]:
    return (date for date in dates if not upstream.rule.contains(date))


def _nothing_between(
    says: str, mapping: Mapping, left: datetime, right: datetime, downstream: Timeline, upstream: Reach
) -> str:
    opening, closing = ("(", "]")
    if mapping.match is Match.OVERLAP:
        closing = ")"
    elif mapping.closed is not Closed.RIGHT:
        opening, closing = "[", "]" if mapping.closed is Closed.BOTH else ")"
    first, last = (both_times(end, downstream.zone, upstream.zone) for end in (left, right))
    return f"{says} {opening}{first}, {last}{closing}" + ("" if left < right else ", which is empty")
