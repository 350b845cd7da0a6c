"""What a sensor stands on at one logical date: the mapped upstream dates, and how many of them it needs.

A problem is an answer, not an error: nothing is raised for any date. Whether the upstream exists is the caller's to
know, and so is what became of its runs.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from sensord.core.mapping.function import BadReturn, FunctionFailed
from sensord.core.mapping.reach import INSTANT, Reach, Unbegun
from sensord.core.mapping.select import select
from sensord.core.mapping.spec import REFUSE_ABOVE, WARN_ABOVE, Mapping, Match
from sensord.core.mapping.wording import Unmapped, Unusable, wall_time
from sensord.core.ticks import Timeline
from sensord.core.zone import LATEST
from sensord.errors import InvalidValue

Require = int | Literal["all", "any"]
"""How many of the mapped runs a sensor needs; a number is at least 1."""


class TroubleKind(StrEnum):
    NO_MATCH = "no_match"
    MAPPING_ERROR = "mapping_error"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a sensor cannot be satisfied by any upstream run at this date, in words for a person."""

    kind: TroubleKind
    message: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """dates: ascending and unique; need: how many of them, 0 where the sensor is satisfied without any or has trouble
    and no dates. warning: legal, but too much to be meant.
    """

    dates: tuple[datetime, ...]
    need: int
    problem: Trouble | None = None
    warning: str | None = None


def resolve(
    mapping: Mapping,
    require: Require,
    at: datetime,
    downstream: Timeline,
    upstream: Timeline,
    *,
    own: bool = False,
) -> Resolution:
    """Map the downstream logical date `at`, a tick or any other instant.

    own: the sensor is on the flow itself, and what it maps before `upstream.start` counts as satisfied: it is left
    out of `dates` and taken off `need`. Give such an upstream a `start` at the flow's first run, where one is known.
    """
    if mapping.plain and not own and (found := _short_way(mapping, at, upstream)) is not None:
        return Resolution((found,), 1) if not isinstance(require, int) or require == 1 else _need((found,), require)
    dates = map_dates(mapping, at, downstream, Unbegun(upstream) if own else upstream)
    if isinstance(dates, Trouble):
        return Resolution((), 0, dates)
    resolution = _need(dates, require)
    return _forget(resolution, upstream.start) if own and upstream.start is not None else resolution


def map_dates(mapping: Mapping, at: datetime, downstream: Timeline, upstream: Reach) -> tuple[datetime, ...] | Trouble:
    """The mapped dates alone, ascending, unique and never empty, or why there are none."""
    try:
        dates = select(mapping, at, downstream, upstream)
    except (Unmapped, FunctionFailed) as error:
        return Trouble(TroubleKind.NO_MATCH, str(error))
    except (Unusable, BadReturn) as error:
        return Trouble(TroubleKind.MAPPING_ERROR, str(error))
    except (OverflowError, InvalidValue):  # the calendar's and the zones' ways to say that the years 1 to 9999 end
        when = wall_time(at, downstream.zone)
        return Trouble(TroubleKind.NO_MATCH, f"from {when} the mapping leaves the calendar")
    if len(dates) > REFUSE_ABOVE:
        text = f"expected at most {REFUSE_ABOVE:,} mapped ticks, got more; narrow the period or the mapping"
        return Trouble(TroubleKind.MAPPING_ERROR, text)
    return dates


def _short_way(mapping: Mapping, at: datetime, upstream: Timeline) -> datetime | None:
    """`latest` and `same` without options, which is nearly all there is; None sends the caller the long way."""
    if mapping.match is Match.LATEST and at < LATEST:
        return upstream.prev(at + INSTANT)
    if mapping.match is Match.SAME and upstream.contains(at):
        return at
    return None


def _need(dates: tuple[datetime, ...], require: Require) -> Resolution:
    size = len(dates)
    warning = f"the mapping takes {size:,} upstream ticks" if size > WARN_ABOVE else None
    if require == "all":
        return Resolution(dates, size, None, warning)
    need = 1 if require == "any" else require
    problem = None
    if need > size:
        problem = Trouble(TroubleKind.NO_MATCH, f"require = {need} can never be met: the mapping takes {size} ticks")
    return Resolution(dates, need, problem, warning)


def _forget(resolution: Resolution, start: datetime) -> Resolution:
    """Take the dates before the flow's first as satisfied."""
    dates = tuple(date for date in resolution.dates if date >= start)
    given = len(resolution.dates) - len(dates)
    if not given or resolution.problem is not None:
        return replace(resolution, dates=dates)
    return replace(resolution, dates=dates, need=max(0, resolution.need - given))
