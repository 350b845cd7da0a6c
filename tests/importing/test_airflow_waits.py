"""The runs that a sensor of ours waits for are those that Airflow's would take, by dates that have shifted."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.cron import parse_cron
from sensord.core.mapping.build import build_mapping
from sensord.core.mapping.resolve import Trouble, map_dates
from sensord.importing.airflow_times import Times
from sensord.importing.airflow_waits import Found, Keys, find_wait
from tests.importing.airflow import Airflow, poked
from tests.support.cases import share

SINCE, UNTIL = datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC)
"""The clocks of Europe and America change in between."""
EARLY, LATE = SINCE - timedelta(days=16), UNTIL + timedelta(days=16)


def times(dag: Airflow) -> Times:
    zone = ZoneInfo(dag.zone)
    return Times(parse_cron(dag.cron, zone), zone, dag.interval, {})


def find(mine: Airflow, other: Airflow, delta: timedelta = timedelta()) -> Found:
    return find_wait(times(mine), times(other), delta, SINCE, UNTIL)


def taken(keys: Keys, mine: Airflow, other: Airflow, at: datetime) -> tuple[datetime, ...] | Trouble:
    zone = ZoneInfo(mine.zone)
    return map_dates(build_mapping(keys, zone=zone), at, times(mine).schedule, times(other).schedule)


TIMES_OF_DAY = ("0 2 * * *", "30 3 * * *", "0 * * * *", "15 * * * *", "0 */6 * * *", "*/30 * * * *", "30 2 * * *")
CRONS = st.sampled_from([*TIMES_OF_DAY, "0 5 * * 1-5", "0 6 * * 1", "0 9,17 * * *"])
ZONES = st.sampled_from(["UTC", "UTC", "Europe/Amsterdam", "America/New_York"])
DAGS = st.builds(Airflow, CRONS, ZONES, st.booleans())
DELTAS = st.one_of(
    st.just(0),
    st.integers(-8, 40).map(lambda number: number * 15),
    st.integers(-2, 7).map(lambda number: number * 24 * 60),
    st.integers(-48, 170).map(lambda number: number * 60),
).map(lambda minutes: timedelta(minutes=minutes))


@share(1)
@given(DAGS, DAGS, DELTAS)
def test_it_waits_for_just_the_runs_that_airflow_takes(mine: Airflow, other: Airflow, delta: timedelta) -> None:
    expected = {run.due: poked(run, other, delta, EARLY, LATE) for run in mine.runs(SINCE, UNTIL)}
    there = {at: run.due for at, run in expected.items() if run is not None}
    never = [at for at, run in expected.items() if run is None]

    found = find(mine, other, delta)

    # what would hang there is told
    assert found.tried == len(expected)
    assert found.hangs == ((never[0], len(never)) if never else None)
    # on all other dates the same runs are taken, or it is told on which they are not
    ours = {at: taken(found.keys, mine, other, at) for at in expected}
    others = [at for at, due in there.items() if ours[at] != (due,)]
    assert found.differs == (others[0] if others else None)
    # and a date that would hang there finds something here, since the check asks for that
    assert not found.hangs or not any(isinstance(ours[at], Trouble) for at in never)


DAILY_2, DAILY_3, HOURLY = Airflow("0 2 * * *"), Airflow("0 3 * * *"), Airflow("0 * * * *")
AMSTERDAM = Airflow("0 2 * * *", "Europe/Amsterdam")
WEEKDAYS, MONTHLY, DAILY = Airflow("0 5 * * 1-5"), Airflow("0 0 1 * *"), Airflow("0 0 * * *")
TRIGGERED = Airflow("0 2 * * *", interval=False)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("mine", "other", "delta", "keys"),
    [
        (DAILY_2, DAILY_2, timedelta(), {"match": "same"}),
        (DAILY_3, DAILY_2, HOUR, {"match": "same", "offset": "-1h"}),
        (DAILY_2, DAILY_3, -HOUR, {"match": "same", "offset": "1h"}),
        (DAILY_2, DAILY_2, DAY, {"match": "same", "offset": "-24h"}),
        (MONTHLY, MONTHLY, timedelta(), {"match": "same"}),
        (AMSTERDAM, AMSTERDAM, timedelta(), {"match": "same"}),
        (WEEKDAYS, WEEKDAYS, timedelta(), {"match": "same"}),
        # daily on hourly: their hour 02:00 is our 03:00, a day before the end of the daily interval
        (DAILY_2, HOURLY, timedelta(), {"match": "same", "offset": "-23h"}),
        (TRIGGERED, Airflow("0 * * * *", interval=False), HOUR, {"match": "same", "offset": "-1h"}),
        (MONTHLY, DAILY, timedelta(), {"match": "next", "strict": True, "offset": "-1mo"}),
    ],
)
def test_what_is_always_there_is_matched_exactly(mine: Airflow, other: Airflow, delta: timedelta, keys: Keys) -> None:
    found = find_wait(times(mine), times(other), delta, SINCE, SINCE + timedelta(days=730))
    assert (found.keys, found.hangs, found.differs) == (keys, None, None)


@pytest.mark.parametrize(
    ("mine", "other", "delta", "keys", "hangs"),
    [
        # hourly on daily: only the hour of two o'clock finds a run, that of the day which begins then
        (HOURLY, DAILY_2, timedelta(), {"offset": "23h"}, 368),
        (DAILY_3, DAILY_2, timedelta(), {}, 16),
        # a day before a Monday there was no run; before a Tuesday that of Monday, which is due on Tuesday
        (WEEKDAYS, WEEKDAYS, DAY, {"back": 1}, 3),
        # on the day after the clocks change, 24 hours before is another hour
        (AMSTERDAM, AMSTERDAM, DAY, {"offset": "-1d"}, 1),
    ],
)
def test_what_would_hang_there_takes_the_last_run_before(
    mine: Airflow, other: Airflow, delta: timedelta, keys: Keys, hangs: int
) -> None:
    found = find(mine, other, delta)
    assert found.keys == keys
    assert found.hangs
    assert found.hangs[1] == hangs
    assert found.differs is None


def test_where_no_mapping_is_the_same_it_says_on_which_date() -> None:
    found = find(WEEKDAYS, HOURLY)
    assert found.keys == {}
    assert found.differs == datetime(2026, 10, 19, 5, tzinfo=UTC)
