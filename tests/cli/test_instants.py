"""DATE and SINCE arguments."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
import pytest

from sensord.cli.instants import DateType, SinceType, at_instant, since_instant
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
        ("now", "2026-11-22T10:30:00Z"),
    ],
)
def test_a_date_without_a_zone_is_in_the_flows(text: str, expected: str) -> None:
    assert instant(text) == expected


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
    with pytest.raises(click.UsageError, match="or 'now'"):
        DateType("now").convert("latest", None, None)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", "2026-08-01T25:00", "12:00"])
def test_what_is_no_date_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.UsageError, match="expected a date such as"):
        DateType().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
        ("1d12h", datetime(2026, 11, 20, 22, 30, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 21, 23, tzinfo=UTC)),
    ],
)
def test_since_is_a_date_or_a_time_ago(text: str, expected: datetime) -> None:
    assert since_instant(SinceType().convert(text, None, None), CLOCK, lambda: AMSTERDAM) == expected


@pytest.mark.parametrize("text", ["2", "-2h", "2 hours", "soon"])
def test_what_is_no_since_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.UsageError, match="a time ago such as 2h"):
        SinceType().convert(text, None, None)
