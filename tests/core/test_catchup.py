"""Catchup: which ticks get a run, against an oracle that counts them all one by one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.catchup import choose, pass_over
from sensord.core.cron import parse_cron
from sensord.core.every import parse_every
from sensord.core.flow import Catchup, Command, Flow
from sensord.core.schedule import Schedule, ScheduleHistory
from sensord.core.ticks import Timeline

UTC_ZONE, AMSTERDAM = ZoneInfo("UTC"), ZoneInfo("Europe/Amsterdam")
START = datetime(2026, 10, 25, tzinfo=UTC)  # Amsterdam's clocks go back at 01:00 UTC
HOURLY = Schedule(parse_cron("0 * * * *", UTC_ZONE), UTC_ZONE)
PLAIN = Flow("mine", HOURLY, Command(argv=("true",)))


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def flow_with(catchup: Catchup = Catchup.ALL, limit: int | timedelta | None = None, late: float = 1 / 60) -> Flow:
    return replace(PLAIN, catchup=catchup, catchup_limit=limit, late_limit=timedelta(hours=late))


def chosen(flow: Flow, after: float, now: float, most: int = 100) -> list[float]:
    """As hours since START."""
    ticks = choose(flow, HOURLY, hour(after), hour(now), most)
    return [(tick - START) / timedelta(hours=1) for tick in ticks]


class TestWhatIsDue:
    @pytest.mark.parametrize("catchup", Catchup)
    def test_is_run_however_late_it_is(self, catchup: Catchup) -> None:
        assert chosen(flow_with(catchup), 1, 2.9) == [2]

    @pytest.mark.parametrize("catchup", Catchup)
    def test_is_nothing_where_no_tick_has_come(self, catchup: Catchup) -> None:
        assert chosen(flow_with(catchup), 2, 2.9) == []

    @pytest.mark.parametrize("catchup", Catchup)
    def test_is_nothing_behind_the_cursor(self, catchup: Catchup) -> None:
        assert chosen(flow_with(catchup), 5, 2.9) == []

    def test_comes_in_batches(self) -> None:
        assert chosen(flow_with(), 0, 5.5, most=2) == [1, 2]
        assert chosen(flow_with(), 2, 5.5, most=2) == [3, 4]
        assert chosen(flow_with(), 4, 5.5, most=2) == [5]


class TestWhatWasMissed:
    def test_is_all_run_oldest_first(self) -> None:
        assert chosen(flow_with(), 0, 4.5) == [1, 2, 3, 4]

    def test_or_the_newest_of_it(self) -> None:
        assert chosen(flow_with(Catchup.LATEST), 0, 4.5) == [3, 4]

    def test_or_none(self) -> None:
        assert chosen(flow_with(Catchup.NONE), 0, 4.5) == [4]

    def test_but_what_is_only_a_little_late(self) -> None:
        assert chosen(flow_with(Catchup.NONE, late=1.6), 0, 4.5) == [3, 4]
        assert chosen(flow_with(Catchup.NONE, late=1.5), 0, 4.5) == [4]

    def test_at_most_so_many(self) -> None:
        assert chosen(flow_with(limit=2), 0, 5.5) == [3, 4, 5]
        assert chosen(flow_with(limit=4), 0, 5.5) == [1, 2, 3, 4, 5]
        assert chosen(flow_with(limit=100), 0, 5.5) == [1, 2, 3, 4, 5]

    def test_at_most_so_old(self) -> None:
        assert chosen(flow_with(limit=timedelta(hours=2.5)), 0, 5.5) == [3, 4, 5]
        assert chosen(flow_with(limit=timedelta(hours=2.4)), 0, 5.5) == [4, 5]

    def test_a_limit_never_takes_what_is_due(self) -> None:
        assert chosen(flow_with(limit=timedelta(seconds=1)), 0, 5.5) == [5]

    def test_a_limit_holds_of_those_that_are_a_little_late(self) -> None:
        assert chosen(flow_with(Catchup.NONE, limit=1, late=10), 0, 5.5) == [4, 5]


class TestAPause:
    """All that passed during one was missed, the newest, too."""

    @pytest.mark.parametrize(
        ("flow", "cursor"),
        [
            (flow_with(), 0),
            (flow_with(Catchup.LATEST), 4),
            (flow_with(Catchup.NONE), 5),
            (flow_with(Catchup.NONE, late=0.6), 4),
            (flow_with(limit=2), 3),
            (flow_with(limit=5), 0),
            (flow_with(limit=timedelta(hours=1.5)), 3),
            (flow_with(limit=timedelta(seconds=1)), 5),
        ],
    )
    def test_what_is_not_run_of_it_is_passed_over(self, flow: Flow, cursor: float) -> None:
        assert pass_over(flow, HOURLY, hour(0), hour(5.5)) == hour(cursor)

    @pytest.mark.parametrize("catchup", Catchup)
    def test_without_a_tick_moves_no_cursor(self, catchup: Catchup) -> None:
        assert pass_over(flow_with(catchup), HOURLY, hour(3.2), hour(3.9)) == hour(3.2)
        assert pass_over(flow_with(catchup), HOURLY, hour(7), hour(3.9)) == hour(7)


@pytest.mark.parametrize("flow", [flow_with(Catchup.LATEST), flow_with(Catchup.NONE), flow_with(limit=3)])
def test_the_cursor_jumps_over_millions_of_ticks(flow: Flow) -> None:
    class Counting:
        """Every second since 1970, asked no more than a few times."""

        rule = parse_cron("* * * * * *", UTC_ZONE, seconds=True)
        zone, start, end = UTC_ZONE, datetime(1970, 1, 1, tzinfo=UTC), None
        asked = 0

        def next(self, at: datetime) -> datetime | None:
            self.asked += 1
            return self.rule.next(at)

        def prev(self, at: datetime) -> datetime | None:
            self.asked += 1
            return self.rule.prev(at)

        def between(self, after: datetime, until: datetime) -> Sequence[datetime]:
            raise AssertionError("expected no list of all of them")

        def contains(self, at: datetime) -> bool:
            raise AssertionError("expected no question about one of them")

    every_second = Counting()
    ticks = choose(replace(flow, late_limit=timedelta(seconds=2)), every_second, every_second.start, START, 50)

    assert ticks[-1] == START
    assert len(ticks) <= 4
    assert every_second.asked < 20


TIMELINES: dict[str, Timeline] = {
    "hourly": HOURLY,
    "nightly, across a change of clocks": Schedule(parse_cron("30 2 * * *", AMSTERDAM), AMSTERDAM),
    "between a start and an end": Schedule(parse_cron("*/20 * * * *", UTC_ZONE), UTC_ZONE, hour(-3), hour(5)),
    "every 90 minutes": Schedule(parse_every("90m", hour(0.25), UTC_ZONE), UTC_ZONE, hour(0.25)),
    "changed": ScheduleHistory(
        ((None, HOURLY), (hour(2.5), Schedule(parse_cron("*/15 * * * *", UTC_ZONE), UTC_ZONE)), (hour(4), HOURLY))
    ),
}
HOURS = st.integers(-12 * 60, 12 * 60).map(lambda minutes: hour(minutes / 60))
FLOWS = st.builds(
    flow_with,
    st.sampled_from(Catchup),
    st.none() | st.integers(1, 12) | st.integers(1, 900).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(0, 300).map(lambda minutes: minutes / 60),
)


def oracle(flow: Flow, ticks: Sequence[datetime], now: datetime, *, held: bool) -> list[datetime]:
    """Which of these ticks, all that have come, are run."""
    missed, due = (list(ticks), []) if held else (list(ticks[:-1]), list(ticks[-1:]))
    match flow.catchup:
        case Catchup.LATEST:
            missed = missed[-1:]
        case Catchup.NONE:
            missed = [tick for tick in missed if now - tick < flow.late_limit]
        case Catchup.ALL:
            pass
    match flow.catchup_limit:
        case None:
            pass
        case int(number):
            missed = missed[-number:]
        case timedelta() as age:
            missed = [tick for tick in missed if now - tick <= age]
    return missed + due


@given(st.sampled_from(sorted(TIMELINES)), FLOWS, HOURS, HOURS)
def test_a_batch_is_what_the_oracle_says(name: str, flow: Flow, after: datetime, now: datetime) -> None:
    timeline = TIMELINES[name]
    come = [tick for tick in timeline.between(hour(-13), hour(13)) if after < tick <= now]

    assert list(choose(flow, timeline, after, now, 1000)) == oracle(flow, come, now, held=False)
    assert choose(flow, timeline, after, now, 3) == choose(flow, timeline, after, now, 1000)[:3]


@given(st.sampled_from(sorted(TIMELINES)), FLOWS, HOURS, HOURS)
def test_after_a_pause_what_is_ahead_of_the_cursor_is_what_the_oracle_says(
    name: str, flow: Flow, after: datetime, now: datetime
) -> None:
    timeline = TIMELINES[name]
    come = [tick for tick in timeline.between(hour(-13), hour(13)) if after < tick <= now]

    cursor = pass_over(flow, timeline, after, now)

    assert [tick for tick in come if tick > cursor] == oracle(flow, come, now, held=True)
    assert cursor == after or cursor in come
    assert choose(flow, timeline, cursor, now, 1000) == tuple(tick for tick in come if tick > cursor)


@given(st.sampled_from(sorted(TIMELINES)), FLOWS, HOURS, st.lists(HOURS, min_size=1, max_size=8), st.integers(1, 5))
def test_whatever_the_clock_does_no_tick_comes_twice_and_none_is_left(
    name: str, flow: Flow, after: datetime, clock: list[datetime], most: int
) -> None:
    """The clock goes forth and back; batches are small, and each time the turn goes on until nothing is due."""
    timeline, cursor = TIMELINES[name], after
    run: list[datetime] = []
    for now in clock:
        while ticks := choose(flow, timeline, cursor, now, most):
            run += ticks
            cursor = ticks[-1]
        last = timeline.prev(now + timedelta(microseconds=1))
        assert last is None or last <= cursor

    assert run == sorted(set(run))
    assert all(timeline.contains(tick) and after < tick <= max(clock) for tick in run)
    if flow.catchup is Catchup.ALL and flow.catchup_limit is None:
        assert run == [tick for tick in timeline.between(hour(-13), hour(13)) if after < tick <= max(clock)]
