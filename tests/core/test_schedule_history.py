"""The schedules that a flow has had: each instant belongs to the one then in force."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.cron import parse_cron
from sensord.core.schedule import Schedule, ScheduleHistory, data_interval, follow
from sensord.core.ticks import Timeline
from tests.support.cases import share

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
UTC_ZONE = ZoneInfo("UTC")
BEGINNING, END_OF_TIME = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hourly(start: str | None = None, end: str | None = None, minute: int = 0) -> Schedule:
    bounds = (utc(text) if text else None for text in (start, end))
    return Schedule(parse_cron(f"{minute} * * * *", UTC_ZONE), UTC_ZONE, *bounds)


def list_times(timeline: Timeline, after: str, until: str) -> list[str]:
    return [f"{tick:%H:%M}" for tick in timeline.between(utc(after), utc(until))]


CHANGE = utc("2024-01-01T02:00")


def at_half_past_from(change: datetime = CHANGE) -> ScheduleHistory:
    return ScheduleHistory(((None, hourly()), (change, hourly(minute=30))))


class TestHistory:
    def test_up_to_and_including_the_instant_the_old_schedule_holds(self) -> None:
        history = at_half_past_from()

        assert list_times(history, "2024-01-01", "2024-01-01T04:00") == ["01:00", "02:00", "02:30", "03:30"]

    def test_next_and_prev_cross_the_change(self) -> None:
        history = at_half_past_from(utc("2024-01-01T02:45"))

        assert history.next(utc("2024-01-01T02:00")) == utc("2024-01-01T03:30")
        assert history.prev(utc("2024-01-01T03:30")) == utc("2024-01-01T02:00")
        assert history.prev(utc("2024-01-01T02:45")) == utc("2024-01-01T02:00")
        assert at_half_past_from().prev(utc("2024-01-01T02:30")) == CHANGE

    def test_a_tick_belongs_to_the_schedule_in_force(self) -> None:
        history = at_half_past_from()

        assert history.contains(utc("2024-01-01T02:00"))
        assert not history.contains(utc("2024-01-01T03:00"))
        assert not history.contains(utc("2024-01-01T01:30"))
        assert history.in_force(CHANGE) == hourly()
        assert history.in_force(CHANGE + timedelta.resolution) == hourly(minute=30)

    def test_segments_without_ticks_are_passed_over(self) -> None:
        yearly = Schedule(parse_cron("0 0 1 7 *", UTC_ZONE), UTC_ZONE)
        history = ScheduleHistory(((None, hourly()), (CHANGE, yearly), (utc("2024-01-01T05:00"), hourly(minute=30))))

        assert list_times(history, "2024-01-01T01:00", "2024-01-01T07:00") == ["02:00", "05:30", "06:30"]
        assert history.next(CHANGE) == utc("2024-01-01T05:30")
        assert history.prev(utc("2024-01-01T05:30")) == CHANGE
        assert list_times(history, "2024-01-01T03:00", "2024-01-01T04:00") == []

    def test_bounds_are_those_of_each_time_and_the_rule_has_none(self) -> None:
        history = ScheduleHistory(
            ((None, hourly("2024-01-01T01:00")), (CHANGE, hourly("2024-01-01T04:00", "2024-01-01T05:00")))
        )

        assert list_times(history, "2023-12-31", "2024-01-02") == ["01:00", "02:00", "04:00", "05:00"]
        assert list_times_of_rule(history, "2023-12-31T22:00", "2024-01-01T06:00") == 8
        assert history.start == utc("2024-01-01T01:00")
        assert history.end == utc("2024-01-01T05:00")

    def test_the_data_interval_over_a_change_begins_at_the_old_schedules_last_tick(self) -> None:
        history = at_half_past_from()

        assert data_interval(history, utc("2024-01-01T02:30")) == (CHANGE, utc("2024-01-01T02:30"))

    def test_the_zone_is_that_of_the_current_schedule(self) -> None:
        history = at_half_past_from().changed(utc("2024-06-01"), Schedule(parse_cron("@daily", AMSTERDAM), AMSTERDAM))

        assert history.zone is AMSTERDAM
        assert len(history.segments) == 3

    def test_a_change_to_what_holds_already_is_none(self) -> None:
        history = at_half_past_from()

        assert history.changed(utc("2024-06-01"), hourly(minute=30)) is history

    def test_at_the_limits_of_datetime_there_is_none(self) -> None:
        history = at_half_past_from()

        assert history.next(END_OF_TIME) is None
        assert history.prev(BEGINNING) is None
        assert not history.contains(END_OF_TIME)
        assert history.between(END_OF_TIME, END_OF_TIME) == []

    @pytest.mark.parametrize(
        "instants", [(), (CHANGE,), (None, None), (None, CHANGE, CHANGE), (None, CHANGE, CHANGE - timedelta(1))]
    )
    def test_instants_that_do_not_ascend_from_the_beginning_are_a_mistake(
        self, instants: tuple[datetime | None, ...]
    ) -> None:
        with pytest.raises(ValueError, match="expected"):
            ScheduleHistory(tuple((instant, hourly()) for instant in instants))


def list_times_of_rule(history: ScheduleHistory, after: str, until: str) -> int:
    return len(history.rule.between(utc(after), utc(until)))


class TestFollow:
    def test_a_follower_has_the_history_too(self) -> None:
        followed = at_half_past_from().changed(utc("2024-01-01T04:00"), hourly("2024-01-01T06:00"))

        follower = follow(followed, end=utc("2024-01-01T06:00"))

        assert list_times(follower, "2024-01-01T01:00", "2024-01-02") == ["02:00", "02:30", "03:30", "05:00", "06:00"]


rules = st.sampled_from(("* * * * *", "*/7 * * * *", "0 */3 * * *", "30 2 * * *", "0 0 1 * *", "0 0 29 2 *"))
moments = st.integers(0, 60 * 24 * 90).map(lambda minutes: utc("2024-02-15") + timedelta(minutes=minutes))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    start, end = sorted((draw(moments), draw(moments)))
    return Schedule(
        parse_cron(draw(rules), AMSTERDAM),
        AMSTERDAM,
        start if draw(st.booleans()) else None,
        end if draw(st.booleans()) else None,
    )


@st.composite
def histories(draw: st.DrawFn) -> ScheduleHistory:
    cuts = sorted(draw(st.sets(moments, max_size=4)))
    return ScheduleHistory(tuple((cut, draw(schedules())) for cut in (None, *cuts)))


@given(histories(), moments, st.integers(0, 3000))
@share(2)
def test_every_timeline_is_what_its_definition_says(history: ScheduleHistory, after: datetime, minutes: int) -> None:
    until = after + timedelta(minutes=minutes)

    def holds(instant: datetime) -> bool:
        schedule = [schedule for since, schedule in history.segments if since is None or instant > since][-1]
        early = schedule.start is not None and instant < schedule.start
        late = schedule.end is not None and instant > schedule.end
        return schedule.rule.contains(instant) and not early and not late

    instants = [after + timedelta(minutes=n) for n in range(1, minutes + 1)]
    assert list(history.between(after, until)) == [instant for instant in instants if holds(instant)]
    assert [instant for instant in instants if history.contains(instant)] == list(history.between(after, until))


@given(histories(), moments)
@share(2)
def test_next_and_prev_of_a_history_undo_each_other(history: ScheduleHistory, at: datetime) -> None:
    for timeline in (history, history.rule):
        ahead = [at]
        while len(ahead) < 6 and (tick := timeline.next(ahead[-1])) is not None:
            ahead.append(tick)
        assert all(earlier < later for earlier, later in pairwise(ahead))
        assert list(timeline.between(at, ahead[-1])) == ahead[1:]
        assert all(timeline.prev(later) == earlier for earlier, later in pairwise(ahead[1:]))
        before = timeline.prev(at)
        if before is not None:
            assert timeline.next(before) == (at if timeline.contains(at) else (ahead[1] if len(ahead) > 1 else None))
