"""A second reading of cron, to judge the first: it walks the real minutes of UTC and asks zoneinfo for each wall time.

Shares nothing with sensord and uses no croniter. Slow, and simple enough to be believed.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6), "second": (0, 59)}
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
WEEKDAYS = "sun mon tue wed thu fri sat"


def list_ticks(
    expression: str, zone: ZoneInfo, since: datetime, until: datetime, *, seconds: bool = False
) -> list[datetime]:
    """The ticks with `since <= t < until`; both are whole minutes (with `seconds`: whole seconds)."""
    unit = timedelta(seconds=1) if seconds else timedelta(minutes=1)
    floating = any(text.startswith("*") for text in expression.split()[:2])
    ticks = []
    for instant, local, skipped in walk(zone, since, until, unit):
        if floating:
            fires = matches(expression, local)
        else:
            repeated = local.fold == 1
            fires = (matches(expression, local) and not repeated) or any(matches(expression, wall) for wall in skipped)
        if fires:
            ticks.append(instant)
    return ticks


@lru_cache(maxsize=512)
def walk(
    zone: ZoneInfo, since: datetime, until: datetime, unit: timedelta
) -> tuple[tuple[datetime, datetime, tuple[datetime, ...]], ...]:
    """Each instant with its wall time (naive, with its fold) and the wall times that were skipped just before it."""
    return tuple(_walk(zone, since, until, unit))


def _walk(
    zone: ZoneInfo, since: datetime, until: datetime, unit: timedelta
) -> Iterator[tuple[datetime, datetime, tuple[datetime, ...]]]:
    instant = since
    before = (since - unit).astimezone(zone).replace(tzinfo=None)
    while instant < until:
        local = instant.astimezone(zone).replace(tzinfo=None)
        skipped = []
        wall = before + unit
        while wall < local:
            skipped.append(wall)
            wall += unit
        yield instant, local, tuple(skipped)
        before = local
        instant = (instant.replace(tzinfo=None) + unit).replace(tzinfo=UTC)


def matches(expression: str, wall: datetime) -> bool:
    """Whether the fields name this wall time."""
    minute, hour, day, month, weekday, *second = expression.split()
    return (
        wall.minute in numbers(minute, "minute")
        and wall.hour in numbers(hour, "hour")
        and wall.second in (numbers(second[0], "second") if second else {0})
        and names_date(day, month, weekday, wall.year, wall.month, wall.day)
    )


@lru_cache(maxsize=100_000)
def names_date(day: str, month: str, weekday: str, y: int, m: int, d: int) -> bool:
    if m not in numbers(month, "month"):
        return False
    by_day = any(names_day(item, y, m, d) for item in day.lower().split(","))
    by_weekday = any(names_weekday(item, y, m, d) for item in weekday.lower().split(","))
    if day.startswith("*") or weekday.startswith("*"):
        return by_day and by_weekday
    return by_day or by_weekday


def names_day(item: str, y: int, m: int, d: int) -> bool:
    if item == "l":
        return d == calendar.monthrange(y, m)[1]
    return d in numbers(item, "day")


def names_weekday(item: str, y: int, m: int, d: int) -> bool:
    today = calendar.weekday(y, m, d)  # Monday is 0
    if "#" in item:
        name, nth = item.split("#")
        return to_monday_first(name) == today and (d + 6) // 7 == int(nth)
    if item.endswith("l"):
        return to_monday_first(item[:-1]) == today and d + 7 > calendar.monthrange(y, m)[1]
    return any((number - 1) % 7 == today for number in numbers(item, "weekday"))


def to_monday_first(name: str) -> int:
    return (int(translate(name, "weekday")) - 1) % 7


def translate(word: str, kind: str) -> str:
    """A month's or weekday's name as its number."""
    names = {"month": MONTHS, "weekday": WEEKDAYS}.get(kind, "").split()
    return str(names.index(word) + (kind == "month")) if word in names else word


@lru_cache(maxsize=10_000)
def numbers(text: str, kind: str) -> frozenset[int]:
    """The numbers of a comma list of `*`, `a`, `a-b`, each perhaps with `/step`."""
    found: set[int] = set()
    low, high = RANGES[kind]
    for item in text.lower().split(","):
        body, _, step = item.partition("/")
        left, _, right = body.partition("-")
        if right == "sun":
            right = "7"
        first = low if left == "*" else int(translate(left, kind))
        if right:
            last = int(translate(right, kind))
        elif left == "*" or step:
            last = high
            first = 0 if kind == "weekday" and first == 7 else first
        else:
            last = first
        found.update(n for n in range(first, last + 1) if (n - first) % int(step or 1) == 0)
    return frozenset(found)
