"""`every`: ticks counted from a start, exactly or by the calendar."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.duration import Duration, parse_duration
from sensord.core.every import parse_every
from sensord.core.ticks import Pattern
from sensord.core.zone import EARLIEST, LATEST, resolve, wall
from sensord.errors import InvalidValue
from tests.core import cron_strategies as some
from tests.support.cases import share

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def list_local(text: str, start: str, since: str, until: str, zone: ZoneInfo = AMSTERDAM) -> list[str]:
    """The ticks with `since <= t < until`; all four times are the zone's."""
    first, low, high = (resolve(datetime.fromisoformat(time), zone) for time in (start, since, until))
    ticks = parse_every(text, first, zone).between(low - timedelta.resolution, high - timedelta.resolution)
    return [f"{tick.astimezone(zone):%m-%d %H:%M}" for tick in ticks]


def test_hours_and_minutes_are_exact_whatever_the_clock_does() -> None:
    assert list_local("90m", "2024-03-31", "2024-03-31", "2024-03-31T07:00") == [
        "03-31 00:00", "03-31 01:30", "03-31 04:00", "03-31 05:30",
    ]  # fmt: skip
    assert list_local("24h", "2024-03-30T12:00", "2024-03-30", "2024-04-02") == [
        "03-30 12:00", "03-31 13:00", "04-01 13:00",
    ]  # fmt: skip


def test_days_and_weeks_keep_the_wall_time() -> None:
    assert list_local("1d", "2024-03-30T12:00", "2024-03-30", "2024-04-02") == [
        "03-30 12:00", "03-31 12:00", "04-01 12:00",
    ]  # fmt: skip
    assert list_local("2w", "2024-03-20T09:00", "2024-03-01", "2024-05-01") == [
        "03-06 09:00", "03-20 09:00", "04-03 09:00", "04-17 09:00",
    ]  # fmt: skip


def test_a_wall_time_in_a_gap_or_overlap_is_resolved_and_kept_afterwards() -> None:
    assert list_local("1d", "2024-03-30T02:30", "2024-03-30", "2024-04-02") == [
        "03-30 02:30", "03-31 03:00", "04-01 02:30",
    ]  # fmt: skip
    ticks = parse_every("1d", utc("2024-10-26T00:30"), AMSTERDAM)
    assert ticks.next(utc("2024-10-26T00:30")) == utc("2024-10-27T00:30")
    assert ticks.next(utc("2024-10-27T00:30")) == utc("2024-10-28T01:30")


def test_months_are_clamped_from_the_anchor_and_not_from_each_other() -> None:
    assert list_local("1mo", "2023-01-31", "2023-01-01", "2023-06-01") == [
        "01-31 00:00", "02-28 00:00", "03-31 00:00", "04-30 00:00", "05-31 00:00",
    ]  # fmt: skip
    assert list_local("1y", "2024-02-29T06:00", "2023-01-01", "2029-01-01") == [
        "02-28 06:00", "02-29 06:00", "02-28 06:00", "02-28 06:00", "02-28 06:00", "02-29 06:00",
    ]  # fmt: skip


def test_months_and_days_add_up() -> None:
    assert list_local("1mo1d", "2024-01-31", "2024-01-01", "2024-05-01") == [
        "01-31 00:00", "03-01 00:00", "04-02 00:00",
    ]  # fmt: skip


def test_the_rule_goes_on_before_its_start() -> None:
    ticks = parse_every("90m", utc("2024-01-01"), AMSTERDAM)

    assert ticks.contains(utc("2024-01-01"))
    assert ticks.prev(utc("2024-01-01")) == utc("2023-12-31T22:30")
    assert list_local("1mo", "2024-01-31", "2023-09-01", "2024-02-01") == [
        "09-30 00:00", "10-31 00:00", "11-30 00:00", "12-31 00:00", "01-31 00:00",
    ]  # fmt: skip


def test_tick_0_is_the_start_itself_even_in_the_second_pass_of_an_overlap() -> None:
    start = utc("2024-10-27T01:30")  # 02:30 for the second time

    ticks = parse_every("1d", start, AMSTERDAM)

    assert ticks.between(utc("2024-10-26T12:00"), utc("2024-10-29")) == [start, utc("2024-10-28T01:30")]


def test_where_a_zone_skips_a_day_two_ticks_are_one() -> None:
    apia = ZoneInfo("Pacific/Apia")

    assert list_local("1d", "2011-12-28", "2011-12-28", "2012-01-02", apia) == [
        "12-28 00:00", "12-29 00:00", "12-31 00:00", "01-01 00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0s", "longer than zero, got '0s'"),
        ("0d", "longer than zero"),
        ("-90m", "longer than zero, got '-90m'"),
        ("-1d", "longer than zero"),
        ("1d12h", "expected either h, m, s or y, mo, w, d, got both in '1d12h'"),
        ("90", "expected a duration"),
        ("1M", "expected a duration"),
    ],
)
def test_durations_that_make_no_schedule_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        parse_every(text, utc("2024-01-01"), AMSTERDAM)


def test_a_start_at_the_limits_of_datetime_is_refused() -> None:
    for start in (some.BEGINNING, some.END_OF_TIME):
        with pytest.raises(InvalidValue, match="expected a start within the years 1 to 9999"):
            parse_every("1d", start, AMSTERDAM)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("90m", Pattern(timedelta(minutes=90), 1, None)),
        ("1d", Pattern(timedelta(days=1), 1, AMSTERDAM)),
        ("1w2d", Pattern(timedelta(days=9), 1, AMSTERDAM)),
        ("1mo", None),
        ("1y1d", None),
    ],
)
def test_only_months_and_years_have_no_pattern(text: str, pattern: Pattern | None) -> None:
    assert parse_every(text, utc("2024-01-31"), AMSTERDAM).pattern == pattern


def test_equal_arguments_give_the_same_object() -> None:
    ticks = parse_every("90m", utc("2024-01-01"), AMSTERDAM)

    assert parse_every("1h30m", utc("2024-01-01"), AMSTERDAM) is ticks
    assert parse_every("90m", utc("2024-01-02"), AMSTERDAM) is not ticks


steps = st.one_of(
    st.builds(lambda n, unit: f"{n}{unit}", st.integers(1, 400), st.sampled_from(("m", "h", "d", "w", "mo", "y"))),
    st.builds(lambda h, m: f"{h}h{m}m", st.integers(1, 50), st.integers(1, 59)),
    st.builds(lambda mo, d: f"{mo}mo{d}d", st.integers(1, 30), st.integers(1, 60)),
    st.sampled_from(("1d", "1w", "1mo", "1y", "1s", "9000y", "100000000s")),
)


def count_ticks(step: Duration, start: datetime, zone: ZoneInfo, until: datetime) -> list[datetime]:
    """By the definition, one at a time from the start on."""
    ticks = [start]
    number = 1
    while ticks[-1] <= until and number < 400:
        exact = step.exact
        tick = start + number * exact if exact else resolve(step.add_days(wall(start, zone), number), zone)
        ticks += [tick] if tick > ticks[-1] else []
        number += 1
    return [tick for tick in ticks[1:] if tick <= until]


@given(st.data(), some.zones, st.sampled_from(("7h", "1d", "5d", "1w", "1mo", "5mo", "1mo3d", "1y")))
@share(2)
def test_the_ticks_are_the_start_and_its_multiples(data: st.DataObject, zone: ZoneInfo, text: str) -> None:
    start = data.draw(some.instants(zone))
    until = start + data.draw(st.integers(0, 90)) * timedelta(days=1)

    assert parse_every(text, start, zone).between(start, until) == count_ticks(parse_duration(text), start, zone, until)


@pytest.mark.parametrize("text", ["1d", "3w", "1mo", "7mo", "1mo1d", "1mo27d", "5mo2w", "1y1d", "1y"])
def test_no_tick_is_missed_however_far_from_the_start(text: str) -> None:
    start, step = utc("2024-01-31T05:00"), parse_duration(text)
    defined = [resolve(step.add_days(wall(start, AMSTERDAM), n), AMSTERDAM) for n in range(-500, 501)]

    ticks = parse_every(text, start, AMSTERDAM)

    assert ticks.between(defined[0], defined[-1]) == defined[1:]
    assert all(ticks.next(tick - timedelta.resolution) == tick for tick in defined)


@given(st.data(), some.zones, steps)
@share(2)
def test_ticks_increase_and_next_and_prev_undo_each_other(data: st.DataObject, zone: ZoneInfo, text: str) -> None:
    start, at = data.draw(some.instants(zone)), data.draw(some.instants(zone))
    ticks = parse_every(text, start, zone)

    assert ticks.contains(start)
    tick = ticks.next(at)
    if tick is None:
        assert ticks.step.years > 5000
        return
    ahead = [tick]
    while len(ahead) < 5 and (tick := ticks.next(ahead[-1])) is not None:
        ahead.append(tick)
    assert all(at < earlier < later for earlier, later in pairwise(ahead))
    assert all(ticks.prev(later) == earlier for earlier, later in pairwise(ahead))
    assert all(ticks.contains(tick) for tick in ahead)
    assert ticks.between(at, ahead[-1]) == ahead
    before = ticks.prev(at)
    assert before is None or ticks.next(before) == (at if ticks.contains(at) else ahead[0])


@given(some.zones, steps)
@share(2)
def test_at_the_limits_of_datetime_there_is_none_and_no_error(zone: ZoneInfo, text: str) -> None:
    ticks = parse_every(text, utc("2024-02-29T12:00"), zone)

    first, last = ticks.next(some.BEGINNING), ticks.prev(some.END_OF_TIME)

    assert first is not None
    assert last is not None
    assert EARLIEST <= first <= last <= LATEST
    assert ticks.prev(first) is None
    assert ticks.next(last) is None
    for edge in (some.BEGINNING, some.END_OF_TIME):
        assert not ticks.contains(edge)
        assert ticks.between(edge, edge) == []
    assert ticks.prev(some.BEGINNING) is None
    assert ticks.next(some.END_OF_TIME) is None
