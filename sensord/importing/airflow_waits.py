"""The mapping that waits for the runs which an ExternalTaskSensor looks for.

There: the run of the other DAG whose logical date is mine less a delta, exactly. Here: a mapping of ticks. Which one it
is, is not guessed from the two schedules: it is tried on every date of a horizon, against what the sensor would find.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sensord.core.duration import Duration
from sensord.core.mapping.build import build_mapping
from sensord.core.mapping.resolve import map_dates
from sensord.core.zone import offset_changes, wall
from sensord.importing.airflow_times import Times

MOST = 5_000
"""Dates that are tried from the beginning of the horizon; of what is beyond them, those near changes of the clock."""

_FARTHEST = 1_000
_NEAR = timedelta(days=2)
_FAR = timedelta(days=1_100)

Keys = dict[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Found:
    """keys: of the sensor's mapping. hangs: the first date, and of how many, on which there is nothing to find there.

    differs: a date on which the keys take another run than the sensor there; None if they never do.
    """

    keys: Keys
    tried: int
    hangs: tuple[datetime, int] | None = None
    differs: datetime | None = None


def find_wait(mine: Times, other: Times, delta: timedelta, since: datetime, until: datetime) -> Found:
    """Dates are ours. Where the sensor finds no run there on some dates, the keys take an earlier one on these."""
    ticks = list(_dates(mine, other, since, until))
    pairs = {at: found for at in ticks if (found := other.ours(mine.theirs(at) - delta)) is not None}
    missing = [at for at in ticks if at not in pairs]
    hangs = (missing[0], len(missing)) if missing else None
    for keys in _candidates(mine, other, delta, pairs, same=not missing):
        if _takes(keys, mine, other, pairs) is None:
            return Found(keys, len(ticks), hangs)
    keys = _offset(-delta) if delta else {}
    return Found(keys, len(ticks), hangs, _takes(keys, mine, other, pairs))


def _dates(mine: Times, other: Times, since: datetime, until: datetime) -> Iterator[datetime]:
    at, count = mine.rule.next(since), 0
    while at is not None and at <= until and count < MOST:
        yield at
        at, count = mine.rule.next(at), count + 1
    if at is None or at > until:
        return
    for zone in {mine.zone, other.zone}:
        for change in offset_changes(zone, at + _NEAR, until):
            yield from mine.rule.between(change.at - _NEAR, change.at + _NEAR)


def _candidates(
    mine: Times, other: Times, delta: timedelta, pairs: Mapping[datetime, datetime], *, same: bool
) -> Iterator[Keys]:
    """The simple ones first. same: the exact date is always there."""
    if not pairs:
        return
    base: Keys = {"match": "same"} if same else {}
    exact = {other - at for at, other in pairs.items()}
    if len(exact) == 1:
        yield base | _offset(exact.pop())
    walls = {wall(other, mine.zone) - wall(at, mine.zone) for at, other in pairs.items()}
    if len(walls) == 1:
        yield base | _calendar_offset(walls.pop())
    at, found = next(iter(pairs.items()))
    steps = _steps(other, at, found)
    if abs(steps) <= _FARTHEST and steps:
        yield {"back" if steps < 0 else "ahead": abs(steps)}
    yield {}
    if other.interval:
        yield from _next_candidates(mine, delta, pairs)


def _next_candidates(mine: Times, delta: timedelta, pairs: Mapping[datetime, datetime]) -> Iterator[Keys]:
    """The other's tick after the date that is looked for there ends the interval which begins at that date."""
    next_run: Keys = {"match": "next", "strict": True}
    shifts = {mine.theirs(at) - delta - at for at in pairs}
    if len(shifts) == 1:
        yield next_run | _offset(shifts.pop())
    if delta >= timedelta():
        for one in (Duration(days=1), Duration(weeks=1), Duration(months=1), Duration(months=3), Duration(years=1)):
            yield next_run | {"offset": str(replace(one, sign=-1, clock=delta))}


def _steps(other: Times, at: datetime, found: datetime) -> int:
    """How many ticks of the other from its last one at `at` to `found`; backwards is negative, 0 too far."""
    if abs(found - at) > _FAR:
        return 0
    return len(other.rule.between(at, found)) - len(other.rule.between(found, at))


def _takes(keys: Keys, mine: Times, other: Times, pairs: Mapping[datetime, datetime]) -> datetime | None:
    """The first date on which the mapping takes another run; None if it never does."""
    mapping = build_mapping(keys, zone=mine.zone)
    down, up = mine.schedule, other.schedule
    return next((at for at, found in pairs.items() if map_dates(mapping, at, down, up) != (found,)), None)


def _offset(length: timedelta) -> Keys:
    return {"offset": span(length)} if length else {}


def _calendar_offset(length: timedelta) -> Keys:
    days = abs(length).days
    if not days or not length:
        return _offset(length)
    rest = abs(length) - timedelta(days=days)
    return {"offset": str(Duration(1 if length > timedelta() else -1, days=days, clock=rest))}


def span(length: timedelta) -> str:
    """An exact duration: `-24h`."""
    return str(Duration(1 if length > timedelta() else -1, clock=abs(length)))
