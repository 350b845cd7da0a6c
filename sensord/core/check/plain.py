"""Short proofs: that a sensor has nothing to be said of it, from the longest and shortest gaps of both schedules.

Nearly every sensor is fine, and this says so without a look at each tick. It never says so wrongly: where it cannot
tell, `faults` counts.
"""

from bisect import bisect_left, bisect_right
from dataclasses import replace
from datetime import timedelta

from sensord.core.check.downstream import Ends, Limits
from sensord.core.check.strip import WIDE, Gaps, Strip, TooDense
from sensord.core.check.study import Case, Study
from sensord.core.check.upstream import is_range
from sensord.core.duration import Duration
from sensord.core.mapping import Mapping, Match
from sensord.core.mapping.spec import WARN_ABOVE
from sensord.errors import InvalidValue

_DAY = timedelta(days=1)


def in_days(mapping: Mapping) -> Mapping | None:
    """With `within` in calendar days, where it is in hours that are whole days."""
    exact = mapping.within.exact if mapping.within else None
    if exact is None or exact % _DAY:
        return None
    return replace(mapping, within=Duration(days=exact // _DAY))


def is_plain(case: Case, study: Study) -> bool:
    """Whether `find_faults` is sure to find nothing. False says nothing."""
    downstream = study.downstream(case)
    if not downstream.ticks:
        return True
    if not is_range(case.mapping):
        return False
    upstream = study.upstream(case.upstream, own=case.own)
    try:
        ends = downstream.find_ends(case.mapping)
        strip = upstream.cover(case.mapping, ends)
    except (TooDense, OverflowError, InvalidValue):
        return False
    gaps = strip.gaps
    if (
        gaps is None
        or strip.is_short
        or upstream.is_cut(case.mapping, ends, strip)
        or not _is_filled(case, ends, strip, gaps)
    ):
        return False
    limits = downstream.find_limits(case.timeout)
    return _is_early(case, ends, gaps, limits.least) or _is_soon(case, ends, gaps, limits)


def _is_filled(case: Case, ends: Ends, strip: Strip, gaps: Gaps) -> bool:
    """Whether every date finds enough, not too much, and in even numbers where these should be even.

    A half-open period of k times the longest gap holds k ticks at least; one of k times the shortest, k at most.
    """
    need = case.require if isinstance(case.require, int) else 1
    match case.mapping.match:
        case Match.SAME:
            return need == 1 and ends.distinct <= strip.places.keys()
        case Match.LATEST | Match.NEXT:
            return need <= case.mapping.count <= WARN_ABOVE
        case Match.INTERVAL | Match.OVERLAP:
            shortest, longest = ends.lengths
            filled = shortest >= need * gaps.most or (case.mapping.match is Match.OVERLAP and need == 1)
            even = in_days(case.mapping) is None or (gaps.least == gaps.most and shortest % gaps.most == 0)
            return filled and even and shortest > 0 and longest // gaps.least + 2 <= WARN_ABOVE
        case Match.PYTHON:
            return False


def _is_early(case: Case, ends: Ends, gaps: Gaps, limit: int) -> bool:
    """Whether no mapped tick can be further than `limit` ahead of the date."""
    mapping = case.mapping
    match mapping.match:
        case Match.LATEST:
            further = mapping.steps * gaps.most if mapping.steps > 0 else 0
        case Match.NEXT:
            further = mapping.count * gaps.most
        case Match.OVERLAP:
            further = gaps.most
        case _:
            further = 0
    return ends.lead + further <= limit


def _is_soon(case: Case, ends: Ends, gaps: Gaps, limits: Limits) -> bool:
    """The same for what maps the first tick from the right end, which only in a wide gap can be far off."""
    mapping, least = case.mapping, limits.least - ends.lead
    first_only = mapping.match is Match.OVERLAP or (mapping.match is Match.NEXT and mapping.count == 1)
    if not first_only or not ends.ascends or least < WIDE:
        return False
    search = bisect_left if mapping.strict else bisect_right
    for start, tick in gaps.wide:
        if tick - start > least:
            position = search(ends.rights, start)
            while position < len(ends.rights) and ends.rights[position] < tick:
                if tick > limits.odd[position]:
                    return False
                if tick - ends.ticks[position] <= limits.least:
                    break
                position += 1
    return True
