"""All ticks of a horizon at once give what the mapping gives one at a time, and a short proof never errs."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.check.faults import count_faults, find_faults
from sensord.core.check.plain import is_plain
from sensord.core.check.profile import RangeProfile
from sensord.core.check.study import Case, Study
from sensord.core.cron import parse_cron
from sensord.core.duration import Duration
from sensord.core.every import parse_every
from sensord.core.instant import from_micros, to_micros
from sensord.core.mapping import Match, Require, Trouble
from sensord.core.mapping.reach import Unbegun
from sensord.core.mapping.resolve import map_dates
from sensord.core.mapping.spec import REFUSE_ABOVE, UPSTREAM
from sensord.core.schedule import Schedule
from tests.core.mapping.test_properties import mappings, zones
from tests.core.mapping.timelines import at, cron, every, mapping
from tests.support.cases import share

HOUR = timedelta(hours=1)
# Days around changes of the clock, among plain ones, and a leap day.
MIDDLES = [at(day) for day in ("2025-03-30", "2025-10-26", "2024-02-29", "2025-04-06", "2018-11-04", "2025-01-01")]
EXPRESSIONS = [
    "0 * * * *",
    "30 */2 * * *",
    "0 0 * * *",
    "30 2 * * *",
    "15 1,13 * * *",
    "0 6 * * 1-5",
    "0 0 1 * *",
    "0 3 29 * *",
    "0 0 29 2 *",
]


@st.composite
def schedules(draw: st.DrawFn, middle: datetime) -> Schedule:
    zone = draw(zones)
    anchor = middle + draw(st.integers(-30, 30)) * HOUR
    rule = draw(
        st.sampled_from(EXPRESSIONS).map(lambda text: parse_cron(text, zone))
        | st.sampled_from(["7h", "36h", "1d", "2w", "1mo"]).map(lambda text: parse_every(text, anchor, zone))
    )
    bounds = st.none() | st.integers(-12 * 24, 12 * 24).map(lambda hours: middle + hours * HOUR)
    start, end = draw(bounds), draw(bounds)
    if start is not None and end is not None and end < start:
        start, end = end, start
    return Schedule(rule, zone, start, end)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Study, Case]:
    middle = draw(st.sampled_from(MIDDLES))
    ours = draw(schedules(middle))
    own = draw(st.booleans())
    theirs = ours if own else draw(schedules(middle))
    require: Require = draw(st.sampled_from(["all", "any", 1, 2]))
    timeout = draw(st.sampled_from([None, Duration(days=1), Duration(clock=3 * HOUR), Duration(months=1)]))
    days = draw(st.integers(1, 8)) * 24 * HOUR
    case = Case(ours, theirs, draw(mappings()), require, own, timeout, draw(st.booleans()))
    return Study(middle - days, middle + days, thorough=draw(st.booleans())), case


def dates_of(case: Case, study: Study) -> list[datetime]:
    """All logical dates in the horizon."""
    return [t for t in case.downstream.between(study.since - HOUR, study.until) if t >= study.since]


@given(cases())
@share(2.5)
def test_a_profile_is_what_the_mapping_gives_for_each_date(made: tuple[Study, Case]) -> None:
    study, case = made
    reach = Unbegun(case.upstream) if case.own else case.upstream

    profile = study.profile(case)

    downstream, every_date = study.downstream(case), dates_of(case, study)
    dates = downstream.dates
    assert dates == (every_date if study.rhythm(case) is None else [t for t in every_date if t in set(dates)])
    assert downstream.total == len(every_date)
    lasts = profile.lasts(case.require)
    for i, date in enumerate(dates):
        found = map_dates(case.mapping, date, case.downstream, reach)
        ticks = [] if isinstance(found, Trouble) else [to_micros(tick) for tick in found]
        if profile.sizes[i] > REFUSE_ABOVE:
            assert not ticks
            continue
        assert (profile.sizes[i], list(profile.dates(i))) == (len(ticks), ticks)
        if 0 < case.need(len(ticks)) <= len(ticks):
            assert lasts[i] == ticks[case.need(len(ticks)) - 1]


@given(cases())
@share(2.5)
def test_a_short_proof_never_errs(made: tuple[Study, Case]) -> None:
    study, case = made
    if is_plain(case, study):
        assert count_faults(case, study) == []


@given(cases())
def test_a_fault_has_a_counter_example_and_a_count(made: tuple[Study, Case]) -> None:
    study, case = made
    dates = dates_of(case, study)
    resolutions = [case.resolve(date) for date in dates]
    missed = [date for date, found in zip(dates, resolutions, strict=True) if found.problem is not None]

    faults = find_faults(case, study)

    told = [fault for fault in faults if fault.kind in ("no_match", "mapping_error")]
    if missed and not (case.misses_settled and len(missed) < len(dates)):
        assert [(fault.counter_example.logical_date, fault.count) for fault in told] == [(missed[0], len(missed))]
    else:
        assert told == []


class TestShortProofs:
    """The ways in which nearly all sensors are proved; without them the large check would be slow."""

    STUDY = Study(at("2025-01-01"), at("2025-12-31"))

    def proved(self, ours: Schedule, theirs: Schedule, require: Require = "all", **keys: object) -> bool:
        return is_plain(Case(ours, theirs, mapping(ours.zone.key, **keys), require, own=False), self.STUDY)

    def test_prove_what_is_usual(self) -> None:
        hourly, daily = cron("0 * * * *", "Europe/Amsterdam"), cron("30 4 * * *", "Europe/Amsterdam")
        assert self.proved(hourly, daily)
        assert self.proved(hourly, daily, back=1, count=3, require=3)
        assert self.proved(hourly, daily, align="month", offset="-1d")
        assert self.proved(hourly, daily, match="overlap")
        assert self.proved(hourly, daily, match="next")
        assert self.proved(hourly, cron("0 5 * * 1-5"))
        assert self.proved(daily, hourly, match="interval")
        assert self.proved(daily, hourly, match="interval", within="7d")
        assert self.proved(daily, hourly, match="interval", within="24h")
        assert self.proved(daily, daily, match="same", offset="-1d")
        assert self.proved(daily, cron("*/30 * * * *"), match="same")

    def test_leave_the_rest_to_counting(self) -> None:
        hourly, daily = cron("0 * * * *"), cron("0 2 * * *")
        assert not self.proved(hourly, daily, match="same")
        assert not self.proved(hourly, daily, match="interval")
        assert not self.proved(hourly, daily, count=2, require=3)
        assert not self.proved(hourly, cron("0 2 * * *", start="2025-01-01 02:00"))
        assert not self.proved(hourly, cron("0 2 * * *", end="2025-06-01 00:00"), match="next")
        assert not self.proved(hourly, daily, align="upstream")
        assert not self.proved(daily, hourly, match="same", require=2)
        assert not self.proved(hourly, daily, match="overlap", align="day")
        assert not self.proved(hourly, daily, match="next", count=40)
        assert not self.proved(daily, cron("0 2 * * 1"), match="next")


def test_one_flow_may_have_mappings_of_any_kind() -> None:
    """What is kept for one must not be taken for another."""
    daily = cron("0 0 * * *")
    study = Study(at("2025-01-31"), at("2025-02-02"), thorough=True)
    wanted: dict[str, dict[str, Any]] = {
        "right": {"match": "interval", "since": "month"},
        "both": {"match": "interval", "since": "month", "closed": "both"},
        "own": {"match": "interval"},
        "two": {"match": "interval", "count": 2},
        "back": {"match": "interval", "back": 1},
        "within": {"match": "interval", "within": "3d"},
        "latest": {},
    }
    sizes = {
        name: study.profile(Case(daily, daily, mapping(**keys), "all", own=False)).sizes
        for name, keys in wanted.items()
    }
    assert sizes == {
        "right": [30, 31, 1],
        "both": [31, 1, 2],
        "own": [1, 1, 1],
        "two": [2, 2, 2],
        "back": [1, 1, 1],
        "within": [3, 3, 3],
        "latest": [1, 1, 1],
    }


def test_right_ends_may_go_back_where_the_clock_does() -> None:
    """A day after 02:45 and after the second 02:15 is 02:45 and 02:15 of the next day."""
    quarters = cron("*/15 * * * *", "Europe/Amsterdam")
    downstream = Study(at("2025-10-26"), at("2025-10-27")).dates(quarters, None)
    assert not downstream.find_ends(mapping(offset="1d")).ascends
    assert downstream.find_ends(mapping(offset="24h")).ascends


def test_the_first_tick_of_an_upstream_to_come_is_the_next_however_far() -> None:
    ours, theirs = cron("0 0 * * *"), cron("0 0 * * *", start="2030-01-01 00:00")
    profile = Study(at("2025-01-01"), at("2025-01-03"), thorough=True).profile(
        Case(ours, theirs, mapping(match="next"), "all", own=False)
    )
    assert [list(profile.dates(i)) for i in range(3)] == [[to_micros(at("2030-01-01"))]] * 3


def test_the_last_tick_of_an_upstream_that_has_ended_is_the_latest_however_far() -> None:
    ours, theirs = cron("0 0 * * *"), cron("0 0 * * *", end="2020-01-01 00:00")
    profile = Study(at("2025-01-01"), at("2025-01-03"), thorough=True).profile(
        Case(ours, theirs, mapping(back=1), "all", own=False)
    )
    assert [list(profile.dates(i)) for i in range(3)] == [[to_micros(at("2019-12-31"))]] * 3


def test_what_is_too_dense_for_a_list_is_resolved_date_by_date() -> None:
    ours, theirs = cron("0 0 * * *"), every("1s", "2000-01-01")
    study = Study(at("2025-01-01"), at("2025-01-02"))

    profile = study.profile(Case(ours, theirs, mapping(match="interval", since="2010-01-01"), "all", own=False))

    assert not isinstance(profile, RangeProfile)
    assert profile.sizes == [0, 0]


def test_a_horizon_at_the_end_of_the_calendar_is_answered() -> None:
    daily = Schedule(parse_cron("0 0 * * *", ZoneInfo("Pacific/Auckland")), ZoneInfo("Pacific/Auckland"))
    study = Study(at("9999-12-20"), at("9999-12-28"))

    for keys in ({"match": "next"}, {"ahead": 9}, {"offset": "1mo"}, {"match": "interval", "within": "1d"}):
        case = Case(daily, daily, mapping(**keys), "all", own=False, timeout=Duration(years=9))
        resolutions = [case.resolve(date) for date in study.downstream(case).dates]
        told = [fault for fault in find_faults(case, study) if fault.kind == "no_match"]
        assert bool(told) == any(found.problem for found in resolutions)


def test_only_ranges_are_found_by_position() -> None:
    ours = cron("0 0 * * *")
    study = Study(at("2025-01-01"), at("2025-02-01"))
    for match in Match:
        if match is not Match.PYTHON:
            found = study.profile(Case(ours, ours, mapping(match=match.value), "all", own=False))
            assert isinstance(found, RangeProfile)
            aligned = study.profile(Case(ours, ours, mapping(match=match.value, align=UPSTREAM), "all", own=False))
            assert not isinstance(aligned, RangeProfile)
            assert aligned.sizes[0] == len(aligned.dates(0))
    assert from_micros(study.dates(ours, None).ticks[0]) == at("2025-01-01")
