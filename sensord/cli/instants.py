"""DATE and SINCE arguments: ISO 8601 with or without a zone, `latest`, `now`, or how long ago.

A date without a zone is a wall time of its flow's zone, in an overlap the first; a plain date is its midnight.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import click

from sensord.clock import Clock

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

When = datetime | Literal["latest", "now"]
"""What a DATE says: an aware instant, a naive wall time, or a word that depends on the flow or the clock."""

_AGO = re.compile(r"([0-9]+(w|d|h|m|s))+")


class DateType(click.ParamType[When]):
    """`2026-08-01T02:00Z`, `2026-08-01 02:00`, `2026-08-01`, `now`, and where there are runs `latest`."""

    name = "date"

    def __init__(self, *words: Literal["latest", "now"]) -> None:
        self.words = words

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> When:
        if isinstance(value, datetime):
            return value
        for word in self.words:
            if value == word:
                return word
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            words = "".join(f", or {word!r}" for word in self.words)
            self.fail(f"expected a date such as 2026-08-01 or 2026-08-01T02:00Z{words}, got {value!r}.", param, ctx)


Since = datetime | str
"""A date as above, or a duration that has passed since."""


class SinceType(click.ParamType[Since]):
    """A date, or how long ago: `2h`, `1d12h`."""

    name = "since"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> Since:
        if isinstance(value, datetime) or _AGO.fullmatch(value):
            return value
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"expected a date such as 2026-08-01 or a time ago such as 2h, got {value!r}.", param, ctx)


def at_instant(when: datetime | str, clock: Clock, zone: "Callable[[], ZoneInfo]") -> datetime:
    """The instant that a date or `now` stands for. `zone` is asked only where it matters.

    InvalidValue outside the years 1 to 9999.
    """
    if not isinstance(when, datetime):
        return clock.now()
    if when.tzinfo is not None:
        return when.astimezone(UTC)
    from sensord.core.zone import resolve

    return resolve(when, zone())


def since_instant(since: Since, clock: Clock, zone: "Callable[[], ZoneInfo]") -> datetime:
    if isinstance(since, datetime):
        return at_instant(since, clock, zone)
    from sensord.core.duration import parse_duration

    return parse_duration(since).negated().add(clock.now(), utc())


def utc() -> "ZoneInfo":
    from zoneinfo import ZoneInfo

    return ZoneInfo("UTC")
