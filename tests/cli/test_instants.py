"""DATE and SINCE arguments."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
import pytest

from sensord.cli.instants import DateType, SinceType, at_instant, period_of, since_instant
from sensord.core.instant import format_instant
from sensord.errors import InvalidValue
from sensord.testing import ManualClock

CLOCK = ManualClock(datetime(2026, 11, 22, 10, 30, tzinfo=UTC))
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def instant(text: str) -> str:
    """A DATE in Amsterdam, as an instant."""
    when = DateType("now").convert(text, None, None)
    assert when != "latest"
    return at_instant(when, CLOCK, lambda: AMSTERDAM).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-08-01T02:00Z", "2026-08-01T02:00:00Z"),
        ("2026-08-01T02:00:00+05:30", "2026-07-31T20:30:00Z"),
        ("2026-08-01T02:00", "2026-08-01T00:00:00Z"),
        ("2026-08-01 02:00", "2026-08-01T00:00:00Z"),
        ("2026-08-01", "2026-07-31T22:00:00Z"),
        ("2026-08-01T02", "2026-08-01T00:00:00Z"),
        ("2026-08-01 02", "2026-08-01T00:00:00Z"),
        ("2026-08-01T02Z", "2026-08-01T02:00:00Z"),
        ("2026-08-01T0215Z", "2026-08-01T02:15:00Z"),
        ("2026-08", "2026-07-31T22:00:00Z"),
        ("2026", "2025-12-31T23:00:00Z"),
        ("now", "2026-11-22T10:30:00Z"),
        ("today", "2026-11-21T23:00:00Z"),
        ("yesterday", "2026-11-20T23:00:00Z"),
        ("tomorrow", "2026-11-22T23:00:00Z"),
    ],
)
def test_a_date_without_a_zone_is_in_the_flows(text: str, expected: str) -> None:
    assert instant(text) == expected


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-12", "2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-02", "2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z"),
        ("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),  # a day of 25 hours
        ("2026-08-01T02", "2026-08-01T00:00:00Z", "2026-08-01T01:00:00Z"),
        ("2026-08-01T02+05:30", "2026-07-31T20:30:00Z", "2026-07-31T21:30:00Z"),
        ("yesterday", "2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"),
        ("today", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z"),
        ("tomorrow", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z"),
    ],
)
def test_what_is_said_in_part_is_a_period(text: str, start: str, end: str) -> None:
    when = DateType().convert(text, None, None)
    period = period_of(when, CLOCK, lambda: AMSTERDAM)
    assert period is not None
    assert [format_instant(at) for at in period] == [start, end]


@pytest.mark.parametrize("text", ["2026-08-01T02:00Z", "2026-08-01T02:00", "now", "latest"])
def test_what_is_said_in_full_is_none(text: str) -> None:
    when = DateType("latest", "now").convert(text, None, None)
    assert period_of(when, CLOCK, lambda: AMSTERDAM) is None


def test_in_an_overlap_it_is_the_first() -> None:
    assert instant("2026-10-25T02:30") == "2026-10-25T00:30:00Z"


def test_in_a_gap_it_is_the_first_instant_after_it() -> None:
    assert instant("2026-03-29T02:30") == "2026-03-29T01:00:00Z"


def test_a_zone_is_asked_for_only_where_it_matters() -> None:
    def never() -> ZoneInfo:
        raise AssertionError("asked for a zone")

    assert at_instant(datetime(2026, 8, 1, tzinfo=UTC), CLOCK, never) == datetime(2026, 8, 1, tzinfo=UTC)
    assert at_instant("now", CLOCK, never) == CLOCK.now()


def test_beyond_the_calendar_is_an_error_of_ours() -> None:
    with pytest.raises(InvalidValue):
        at_instant(datetime(1, 1, 1), CLOCK, lambda: AMSTERDAM)


def test_the_words_that_a_command_takes_are_its_own() -> None:
    assert DateType("latest").convert("latest", None, None) == "latest"
    with pytest.raises(click.UsageError, match="one of 'now', 'today', 'yesterday', 'tomorrow'"):
        DateType("now").convert("latest", None, None)


@pytest.mark.parametrize(
    "text", ["someday", "", "9999", "9999-12", "2026-13", "2026-13-01", "2026-08-01T25:00", "12:00"]
)
def test_what_is_no_date_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.UsageError, match="expected a date such as"):
        DateType().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
        ("1d12h", datetime(2026, 11, 20, 22, 30, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 21, 23, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 20, 23, tzinfo=UTC)),
        ("now", datetime(2026, 11, 22, 10, 30, tzinfo=UTC)),
    ],
)
def test_since_is_a_date_or_a_time_ago(text: str, expected: datetime) -> None:
    assert since_instant(SinceType().convert(text, None, None), CLOCK, lambda: AMSTERDAM) == expected


@pytest.mark.parametrize("text", ["2", "-2h", "2 hours", "soon"])
def test_what_is_no_since_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.UsageError, match="a time ago such as 2h"):
        SinceType().convert(text, None, None)
