"""DATE and SINCE arguments: ISO 8601 with or without a zone, in full or in part, words, or how long ago.

A date without a zone is a wall time of its flow's zone, in an overlap the first. What leaves out its end stands for a
period: for its beginning where an instant is wanted, and for the run in it where a run is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import click

from sensord.clock import Clock

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from click.shell_completion import CompletionItem

Word = Literal["latest", "now", "today", "yesterday", "tomorrow"]


@dataclass(frozen=True, slots=True)
class Period:
    """`[start, end)`, as wall times or, where a zone was given, as instants."""

    start: datetime
    end: datetime


When = datetime | Period | Word
"""What a DATE says: an aware instant, a naive wall time, a period, or a word that depends on the flow or the clock."""

_AGO = re.compile(r"([0-9]+(w|d|h|m|s))+")
_ZONE = r"(?P<zone>Z|[+-]\d\d(:?\d\d)?)?"
_DAY = timedelta(days=1)
_PARTS = {
    re.compile(r"\d{4}"): "{}-01-01",
    re.compile(r"\d{4}-\d\d"): "{}-01",
    re.compile(r"\d{4}-\d\d-\d\d"): "{}",
    re.compile(rf"\d{{4}}-\d\d-\d\d[T ]\d\d{_ZONE}"): "{}",
}
DAYS_AGO: dict[Literal["today", "yesterday", "tomorrow"], int] = {"today": 0, "yesterday": 1, "tomorrow": -1}


class DateType(click.ParamType[When]):
    """`2026-08-01T02:00Z`, `2026-08-01 02:00`, `2026-08-01T02`, `2026-08-01`, `2026-08`, `now`, `today`, `yesterday`,
    `tomorrow`, and where there are runs `latest`.
    """

    name = "date"

    def __init__(self, *words: Literal["latest", "now"]) -> None:
        self.words = words

    def convert(self, value: "str | When", param: click.Parameter | None, ctx: click.Context | None) -> When:
        if not isinstance(value, str):
            return value
        if found := next((word for word in (*self.words, *DAYS_AGO) if value == word), None):
            return found
        try:
            return _read(value)
        except (ValueError, OverflowError):
            words = ", ".join(map(repr, (*self.words, *DAYS_AGO)))
            expected = f"expected a date such as 2026-08-01 or 2026-08-01T02:00Z, or one of {words}"
            self.fail(f"{expected}, got {value!r}.", param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 -- click's signature
        incomplete: str,
    ) -> "list[CompletionItem]":
        from sensord.cli.completion import complete_date

        return complete_date(ctx, incomplete, (*self.words, *DAYS_AGO))


def _read(text: str) -> datetime | Period:
    """ValueError where it is no date."""
    form = next((form for shape, form in _PARTS.items() if shape.fullmatch(text)), None)
    if form is None:
        return datetime.fromisoformat(text)
    start = datetime.fromisoformat(form.format(text))
    match len(text):
        case 4:
            return Period(start, start.replace(year=start.year + 1))
        case 7:
            return Period(start, (start + 31 * _DAY).replace(day=1))
        case 10:
            return Period(start, start + _DAY)
        case _:
            return Period(start, start + timedelta(hours=1))


Since = When | str
"""A date as above, or a duration that has passed since."""


class SinceType(click.ParamType[Since]):
    """A date, or how long ago: `2h`, `1d12h`."""

    name = "since"

    def convert(self, value: Since, param: click.Parameter | None, ctx: click.Context | None) -> Since:
        if not isinstance(value, str) or _AGO.fullmatch(value):
            return value
        try:
            return DateType("now").convert(value, param, ctx)
        except click.UsageError:
            self.fail(f"expected a date such as 2026-08-01 or a time ago such as 2h, got {value!r}.", param, ctx)


def at_instant(when: When, clock: Clock, zone: "Callable[[], ZoneInfo]") -> datetime:
    """The instant that a date or `now` stands for, of a period its beginning. `zone` is asked only where it matters.

    InvalidValue outside the years 1 to 9999.
    """
    if period := period_of(when, clock, zone):
        return period[0]
    if not isinstance(when, datetime):
        return clock.now()
    return _instant(when, zone)


def period_of(when: When, clock: Clock, zone: "Callable[[], ZoneInfo]") -> tuple[datetime, datetime] | None:
    """`[start, end)` of what is said in part, as instants; None for what is one instant already."""
    if isinstance(when, str) and when in DAYS_AGO:
        from sensord.core.zone import wall

        day = wall(clock.now(), zone()).replace(hour=0, minute=0, second=0, microsecond=0) - DAYS_AGO[when] * _DAY
        when = Period(day, day + _DAY)
    if not isinstance(when, Period):
        return None
    return _instant(when.start, zone), _instant(when.end, zone)


def _instant(when: datetime, zone: "Callable[[], ZoneInfo]") -> datetime:
    if when.tzinfo is not None:
        return when.astimezone(UTC)
    from sensord.core.zone import resolve

    return resolve(when, zone())


def since_instant(since: Since, clock: Clock, zone: "Callable[[], ZoneInfo]") -> datetime:
    if isinstance(since, str) and _AGO.fullmatch(since):
        from sensord.core.duration import parse_duration

        return parse_duration(since).negated().add(clock.now(), utc())
    return at_instant(since, clock, zone)  # type: ignore[arg-type]  # all other texts are words


def utc() -> "ZoneInfo":
    from zoneinfo import ZoneInfo

    return ZoneInfo("UTC")
