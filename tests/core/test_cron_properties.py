"""What holds of every cron expression in every zone; judged by an independent reading, minute by minute."""

from calendar import isleap
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sensord.core.cron import CronTicks, parse_cron
from sensord.core.cron_days import find_days
from sensord.core.cron_parse import parse_rule
from sensord.core.zone import offset_changes, resolve
from sensord.errors import InvalidValue
from tests.core import cron_strategies as some
from tests.core.oracle import list_ticks, matches, names_date
from tests.support.cases import share

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def read(expression: str, zone: ZoneInfo, *, seconds: bool = False) -> CronTicks:
    """The ticks, of an expression that may turn out never to fire."""
    try:
        return parse_cron(expression, zone, seconds=seconds)
    except InvalidValue as error:
        assume("never fires" not in str(error))
        raise


@given(st.data(), some.zones, some.expressions)
def test_the_ticks_are_those_of_a_walk_through_the_real_minutes(
    data: st.DataObject, zone: ZoneInfo, expression: str
) -> None:
    since = data.draw(some.instants(zone))
    until = since + data.draw(st.integers(1, 1500)) * MINUTE

    ticks = read(expression, zone).between(since - MINUTE, until - MINUTE)

    assert ticks == list_ticks(expression, zone, since, until)


@given(st.data(), some.zones, some.with_seconds)
def test_with_seconds_they_are_those_of_a_walk_through_the_real_seconds(
    data: st.DataObject, zone: ZoneInfo, expression: str
) -> None:
    since = data.draw(some.instants(zone))
    until = since + data.draw(st.integers(1, 5400)) * SECOND

    ticks = read(expression, zone, seconds=True).between(since - SECOND, until - SECOND)

    assert ticks == list_ticks(expression, zone, since, until, seconds=True)


@given(some.days, some.months, some.weekdays, st.integers(1, 9999))
def test_the_days_of_any_year_are_those_of_a_walk_through_it(day: str, month: str, weekday: str, year: int) -> None:
    ticks = read(f"0 0 {day} {month} {weekday}", ZoneInfo("UTC"))
    new_year = date(year, 1, 1)

    found = find_days(ticks._rule.days, year)

    assert list(found) == [
        n
        for n in range(366 if isleap(year) else 365)
        if names_date(day, month, weekday, *(new_year + n * timedelta(days=1)).timetuple()[:3])
    ]


@given(some.days, some.months, some.weekdays)
@share(5)
def test_only_what_fires_in_no_kind_of_year_is_refused_as_never_firing(day: str, month: str, weekday: str) -> None:
    # Any 28 years without a century's end hold all fourteen kinds of year.
    dates = (date(2000, 1, 1) + n * timedelta(days=1) for n in range(28 * 366))
    fires = any(names_date(day, month, weekday, *each.timetuple()[:3]) for each in dates)

    if fires:
        parse_cron(f"0 0 {day} {month} {weekday}", ZoneInfo("UTC"))
    else:
        with pytest.raises(InvalidValue, match="never fires"):
            parse_cron(f"0 0 {day} {month} {weekday}", ZoneInfo("UTC"))


@given(st.data(), some.zones, some.expressions)
def test_next_and_prev_undo_each_other_and_agree_with_between_and_contains(
    data: st.DataObject, zone: ZoneInfo, expression: str
) -> None:
    ticks = read(expression, zone)
    at = data.draw(some.instants(zone)) + data.draw(st.sampled_from((timedelta(), timedelta.resolution, -SECOND)))

    ahead = [at]
    for _ in range(5):
        tick = ticks.next(ahead[-1])
        assert tick is not None
        ahead.append(tick)

    assert all(earlier < later for earlier, later in pairwise(ahead))
    assert all(ticks.contains(tick) for tick in ahead[1:])
    assert list(ticks.between(at, ahead[-1])) == ahead[1:]
    assert all(ticks.prev(later) == earlier for earlier, later in pairwise(ahead[1:]))
    before = ticks.prev(at)
    assert before is not None
    assert before < at
    assert ticks.next(before) == (at if ticks.contains(at) else ahead[1])
    assert not any(ticks.contains(tick + timedelta.resolution) for tick in ahead[1:])


@given(st.data(), some.zones, some.expressions)
def test_a_tick_shows_a_wall_time_of_the_expression_or_ends_a_gap_that_hides_one(
    data: st.DataObject, zone: ZoneInfo, expression: str
) -> None:
    tick = read(expression, zone).next(data.draw(some.instants(zone)))

    assert tick is not None
    local = tick.astimezone(zone).replace(tzinfo=None)
    if not matches(expression, local):
        gap_start = (tick - MINUTE).astimezone(zone).replace(tzinfo=None) + MINUTE
        hidden = [gap_start + n * MINUTE for n in range((local - gap_start) // MINUTE)]
        assert any(matches(expression, wall) for wall in hidden)
        assert all(resolve(wall, zone) == tick for wall in hidden)


@given(st.data(), some.zones, some.expressions, st.timedeltas(MINUTE * 60, timedelta(days=400)))
def test_how_ticks_are_cut_into_chunks_does_not_show(
    data: st.DataObject, zone: ZoneInfo, expression: str, span: timedelta
) -> None:
    class Recut(CronTicks):
        def __init__(self) -> None:
            super().__init__(expression, zone, parse_rule(expression, seconds=False))
            self._cut(span)

    usual = read(expression, zone)
    since = data.draw(some.instants(zone))
    until = since + timedelta(days=1)

    assert Recut().between(since, until) == usual.between(since, until)


@given(st.data(), some.zones, some.minutes, some.hours, st.sampled_from(["* * *", "1/1 * 5", "* * 1-5", "*/1 * SUN,3"]))
def test_while_the_offset_stays_the_ticks_repeat_as_their_pattern_says(
    data: st.DataObject, zone: ZoneInfo, minute: str, hour: str, day: str
) -> None:
    ticks = parse_cron(f"{minute} {hour} {day}", zone)
    assert ticks.pattern is not None
    length, since = ticks.pattern.length, data.draw(some.instants(zone))
    while changes := offset_changes(zone, since - 2 * HOUR, since + 2 * length + 2 * HOUR):
        since = changes[-1].at + 3 * HOUR

    first = ticks.between(since, since + length)

    assert ticks.between(since + length, since + 2 * length) == [tick + length for tick in first]
    assert len(first) >= ticks.pattern.number > 0


@given(some.zones, some.days, some.months, some.weekdays)
def test_what_goes_by_month_or_day_of_the_month_has_no_pattern(
    zone: ZoneInfo, day: str, month: str, weekday: str
) -> None:
    """A pattern is of a week at most, and a year whose every week is alike has no other rule than its weekdays."""
    ticks = read(f"0 0 {day} {month} {weekday}", zone)
    weeks = {
        tuple(names_date(day, month, weekday, *(first + n * timedelta(days=1)).timetuple()[:3]) for n in range(7))
        for first in (date(2024, 1, 1) + n * timedelta(days=7) for n in range(53))
    }
    assert ticks.pattern is None or len(weeks) == 1


@given(some.expressions, some.zones, st.booleans(), st.integers(0, 8000))
def test_at_the_limits_of_datetime_there_is_none_and_no_error(
    expression: str, zone: ZoneInfo, early: bool, minutes: int
) -> None:
    ticks = read(expression, zone)
    at = some.BEGINNING + minutes * MINUTE if early else some.END_OF_TIME - minutes * MINUTE

    found = [ticks.next(at), ticks.prev(at), *ticks.between(some.BEGINNING, at if early else some.BEGINNING)]

    assert all(tick is None or ticks.contains(tick) for tick in found)
    assert ticks.next(some.END_OF_TIME) is None
    assert ticks.prev(some.BEGINNING) is None
