"""Time zones: names, wall time, and the instants at which a zone's UTC offset changes.

Knows no schedule. A wall time that a zone skips stands for the first instant after the gap; one that comes twice, for
the first.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from sensord.errors import InvalidValue

EARLIEST = datetime(1, 1, 3, tzinfo=UTC)
"""No schedule has a tick before this: a wall time must fit a datetime in every zone."""
LATEST = datetime(9999, 12, 29, tzinfo=UTC)
"""No schedule has a tick after this."""

_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,3}")
_HOSTS_OWN = re.compile(r"(localtime|posixrules|Factory)|(posix|right)/.*")
_SECOND = timedelta(seconds=1)
STRIDE = timedelta(days=3)
"""The search for changes looks this far apart; the shortest time between two in the tz database is 167 hours."""


def parse_zone(name: str) -> ZoneInfo:
    """The zone of that name in the tz database; InvalidValue, with the nearest name, where there is none."""
    if _NAME.fullmatch(name) and not _HOSTS_OWN.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # no such name, a folder of names, or no zone file: refused below, with a proposal
    raise InvalidValue(f"expected a time zone such as Europe/Amsterdam, got {name[:60]!r}", hint=_propose(name[:60]))


def _propose(name: str) -> str:
    """The nearest zone: the same but for case, the city alone, or an Area/City spelled nearly so. Abbreviations are
    near to each other in letters alone: EST is no proposal for CEST.
    """
    known = {zone.casefold(): zone for zone in sorted(available_timezones()) if not _HOSTS_OWN.fullmatch(zone)}
    wanted = name.strip().replace(" ", "_").casefold()
    if inside := [zone for key, zone in known.items() if key.startswith(f"{wanted}/")]:
        return f'name the city as well, such as "{inside[0]}"'
    placed = [zone for zone in known if "/" in zone]
    cities = {zone.rpartition("/")[2]: zone for zone in placed}
    near = [wanted] if wanted in known else [cities[wanted]] if wanted in cities else []
    near = near or difflib.get_close_matches(wanted, placed, n=1, cutoff=0.7)
    near = near or [cities[city] for city in difflib.get_close_matches(wanted, cities, n=1, cutoff=0.8)]
    return f'did you mean "{known[near[0]]}"?' if near else "names are those of the tz database, Area/City"


def wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """The naive local time at `instant`; InvalidValue where it falls outside the years 1 to 9999."""
    try:
        return instant.astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError:
        raise _outside(instant) from None


def resolve(naive: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall time: in a gap the first instant after it, in an overlap the first of the two."""
    local = naive.replace(tzinfo=zone, fold=0)
    try:
        instant = local.astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == naive:
            return instant
        before_gap = local.replace(fold=1).astimezone(UTC)
    except (OverflowError, ValueError):
        raise _outside(naive) from None
    return _find_change(zone, before_gap.replace(microsecond=0), instant.replace(microsecond=0) + _SECOND)


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    """What to add to UTC for the zone's wall time at `instant`."""
    return instant.astimezone(zone).utcoffset() or timedelta()


@dataclass(frozen=True, slots=True)
class OffsetChange:
    """At the instant `at` the UTC offset turns from `before` to `after`: a gap where it grows, else an overlap."""

    at: datetime
    before: timedelta
    after: timedelta


def offset_changes(zone: ZoneInfo, since: datetime, until: datetime) -> list[OffsetChange]:
    """The changes with `since <= at < until`, ascending. Instants outside EARLIEST to LATEST have none."""
    first, last = max(since, EARLIEST), min(until, LATEST)
    years = range(first.year, last.year + 1)
    return [change for year in years for change in _changes_of_year(zone, year) if first <= change.at < last]


@lru_cache(maxsize=4096)
def _changes_of_year(zone: ZoneInfo, year: int) -> tuple[OffsetChange, ...]:
    at = max(datetime(year, 1, 1, tzinfo=UTC), EARLIEST)
    end = min(datetime(year + 1, 1, 1, tzinfo=UTC), LATEST) if year < LATEST.year else LATEST
    # A change at the year's first second is told from the second before it.
    at -= _SECOND
    changes = []
    before = offset_at(at, zone)
    while at < end - _SECOND:
        stop = min(at + STRIDE, end - _SECOND)
        after = offset_at(stop, zone)
        if after != before:
            changes.append(OffsetChange(_find_change(zone, at, stop), before, after))
        at, before = stop, after
    return tuple(changes)


def _find_change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """By bisection: the first whole second in (low, high] with another offset than at `low`."""
    old = offset_at(low, zone)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        low, high = (middle, high) if offset_at(middle, zone) == old else (low, middle)
    return high


def _outside(value: datetime) -> InvalidValue:
    return InvalidValue(f"expected a time within the years 1 to 9999 in every zone, got {value.isoformat()}")
