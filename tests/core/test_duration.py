"""Durations: how they are written, what is refused, and what they do to an instant in a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.duration import Duration, parse_duration
from sensord.core.zone import wall
from sensord.errors import InvalidValue
from tests.core import cron_strategies as some
from tests.support.cases import share

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1h30m", Duration(clock=timedelta(minutes=90))),
        ("90s", Duration(clock=timedelta(seconds=90))),
        ("2d", Duration(days=2)),
        ("-6d1s", Duration(-1, days=6, clock=timedelta(seconds=1))),
        ("+1w", Duration(weeks=1)),
        ("1y2mo3w4d5h6m7s", Duration(1, 1, 2, 3, 4, timedelta(hours=5, minutes=6, seconds=7))),
        ("0s", Duration()),
    ],
)
def test_a_duration_is_numbers_with_units_the_largest_first(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration


REFUSED = {
    "": "numbers with their units",
    "h": "numbers with their units",
    "-": "numbers with their units",
    "--1d": "numbers with their units",
    "90": 'add a unit: "90s", "90m"',
    "-90": 'add a unit: "90s", "90m"',
    "M": "numbers with their units",
    "5M": '"m" is minutes, "mo" is months',
    "PT5M": "ISO 8601 forms are not read",
    "P1D": "ISO 8601 forms are not read",
    "p1d": "ISO 8601 forms are not read",
    "-P1D": "ISO 8601 forms are not read",
    "1.5h": "only whole numbers",
    "1,5h": "only whole numbers",
    "1 h": "without spaces",
    "1h 30m": "without spaces",
    " 1h": "without spaces",
    "1h\n": "without spaces",
    "1h30": "every number takes a unit",
    "5min": 'write "m" for minutes',
    "2hours": 'write "h" for hours',
    "2H": 'write "h" for hours',
    "1D": 'write "d" for days',
    "1W": 'write "w" for weeks',
    "1month": 'write "mo" for months',
    "1Y": 'write "y" for years',
    "10sec": 'write "s" for seconds',
    "5ms": "the smallest unit is the second",
    "5x": "the units are y, mo, w, d, h, m, s",
    "1h1h": "the order is y, mo, w, d, h, m, s",
    "1m1h": "the order is y, mo, w, d, h, m, s",
    "1d2w": "the order is y, mo, w, d, h, m, s",
    "999999999999d": "less than 9,999 years",
    "1" * 5000 + "s": "less than 9,999 years",
    "٣d": "numbers with their units",
}


@pytest.mark.parametrize("text", REFUSED)
def test_other_forms_are_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"expected .*, got ") as caught:
        parse_duration(text)

    assert REFUSED[text] in (caught.value.hint or "")


@pytest.mark.parametrize("number", [90, 1.5, 0])
def test_a_bare_number_of_a_config_file_is_refused_with_a_hint(number: float) -> None:
    with pytest.raises(InvalidValue, match="got the bare number") as caught:
        parse_duration(number)

    assert "add a unit" in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["10000y", "999999999mo", "999999999h", "4000000d", "600000w"])
def test_a_duration_longer_than_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="less than 9,999 years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("start", "text", "end", "why"),
    [
        ("2024-03-30T11:00", "1d", "2024-03-31T10:00", "the same wall time, an hour sooner"),
        ("2024-03-30T11:00", "24h", "2024-03-31T11:00", "exact"),
        ("2024-03-30T01:30", "1d", "2024-03-31T01:00", "02:30 lies in the gap: the first instant after it"),
        ("2024-10-26T00:30", "1d", "2024-10-27T00:30", "02:30 comes twice: the first"),
        ("2024-10-28T01:30", "-1d", "2024-10-27T00:30", "also backwards"),
        ("2024-10-27T01:30", "1d", "2024-10-28T01:30", "from the second 02:30"),
        ("2024-10-27T01:30", "1h", "2024-10-27T02:30", "exact across the overlap"),
        ("2024-01-31T11:00", "1mo", "2024-02-29T11:00", "the month's last day"),
        ("2024-03-31T10:00", "-1mo", "2024-02-29T11:00", "also backwards"),
        ("2024-02-29T11:00", "1y", "2025-02-28T11:00", "no leap year"),
        ("2023-12-31T11:00", "2mo", "2024-02-29T11:00", "over the year's end"),
        ("2024-01-31T11:00", "1mo1d", "2024-03-01T11:00", "months first, then days"),
        ("2024-04-01T00:00", "-6d1s", "2024-03-26T00:59:59", "the calendar part first, the sign covers both"),
        ("2024-03-30T01:30", "1d30m", "2024-03-31T01:30", "from the end of the gap half an hour on"),
        ("2024-10-27T01:30", "0d", "2024-10-27T01:30", "no days: no change, also from the second 02:30"),
    ],
)
def test_an_instant_moves_by_wall_time_for_days_and_by_real_time_for_hours(
    start: str, text: str, end: str, why: str
) -> None:
    assert parse_duration(text).add(utc(start), AMSTERDAM) == utc(end), why


def test_where_a_zone_skips_a_day_so_does_a_day() -> None:
    apia = ZoneInfo("Pacific/Apia")

    assert parse_duration("1d").add(utc("2011-12-29T22:00"), apia) == utc("2011-12-30T10:00")


def test_exact_is_the_signed_length_where_no_zone_matters() -> None:
    assert parse_duration("-1h30m").exact == timedelta(minutes=-90)
    assert parse_duration("0d").exact == timedelta()
    assert parse_duration("1d").exact is None
    assert parse_duration("1d1h").exact is None
    assert not parse_duration("-24h").is_calendar


@pytest.mark.parametrize(
    ("text", "positive"), [("1s", True), ("1mo", True), ("0s", False), ("0d", False), ("-1s", False), ("-1d", False)]
)
def test_only_what_is_longer_than_zero_is_positive(text: str, positive: bool) -> None:
    assert parse_duration(text).is_positive is positive


durations = st.builds(
    Duration,
    st.sampled_from((1, -1)),
    st.integers(0, 20),
    st.integers(0, 30),
    st.integers(0, 60),
    st.integers(0, 400),
    st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
)


@given(durations)
@share(5)
def test_a_duration_prints_as_it_is_read(duration: Duration) -> None:
    assert parse_duration(str(duration)) == duration
    assert duration.negated().negated() == duration
    assert parse_duration(str(duration.negated())) == duration.negated()


@given(st.data(), some.zones, st.integers(1, 500), st.sampled_from((1, -1)))
@share(5)
def test_adding_days_keeps_the_order_of_wall_times(data: st.DataObject, zone: ZoneInfo, days: int, sign: int) -> None:
    first, second = sorted((data.draw(some.instants(zone)) for _ in range(2)), key=lambda at: wall(at, zone))
    duration = Duration(sign, days=days)

    assert duration.add(first, zone) <= duration.add(second, zone)


@given(st.data(), some.zones, st.integers(-500, 500))
@share(2)
def test_days_keep_the_wall_time_wherever_it_exists(data: st.DataObject, zone: ZoneInfo, days: int) -> None:
    instant = data.draw(some.instants(zone))
    duration = Duration(1 if days >= 0 else -1, days=abs(days))

    moved = duration.add(instant, zone)

    wanted = wall(instant, zone) + timedelta(days=days)
    landed = wall(moved, zone)
    in_a_gap = wall(moved - timedelta.resolution, zone) < wanted
    assert landed == wanted or (landed > wanted and in_a_gap)


@given(st.booleans(), some.zones, durations, st.timedeltas(timedelta(), 10_000 * HOUR))
@share(5)
def test_beyond_the_limits_of_datetime_there_is_an_error_with_words(
    early: bool, zone: ZoneInfo, duration: Duration, inward: timedelta
) -> None:
    instant = some.BEGINNING + inward if early else some.END_OF_TIME - inward

    try:
        duration.add(instant, zone)
    except InvalidValue as error:
        assert "years 1 to 9999" in error.message  # noqa: PT017  # either outcome is right, a traceback is not
