"""The verdicts of a sensor over time follow from what its upstream runs were when."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.flow import Policy, Sensor
from sensord.core.mapping.spec import Mapping
from sensord.core.past import Change, Course, Period, Stay, periods, state_at
from sensord.core.run import FINAL, State
from sensord.core.sensor import Verdict, judge, masks
from tests.support.cases import share

SATISFIED, WAITING, BLOCKED, IMPOSSIBLE = Verdict
SENSOR = Sensor(0, "b", Mapping())


def at(hour: float) -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=hour)


def stay(state: State, since: float | None, until: float | None = None) -> Stay:
    return Stay(state, None if since is None else at(since), None if until is None else at(until))


def course(*upstreams: list[Stay], since: float = 2, until: float = 6, **changes: object) -> Course:
    known: dict[str, object] = {"sensor": SENSOR, "need": len(upstreams), "released": True}
    return Course(upstreams=upstreams, since_at=at(since), until_at=at(until), **(known | changes))  # type: ignore[arg-type] # as a Course has them


def told(one: Course) -> list[tuple[Verdict, float, float]]:
    hour = timedelta(hours=1)
    return [(each.verdict, (each.since_at - at(0)) / hour, (each.until_at - at(0)) / hour) for each in periods(one)]


def test_a_failure_blocks_until_the_rerun_which_then_succeeds() -> None:
    # given B, which failed at 2:30, was sent back at 5, and succeeded at 6
    b = [stay(State.FAILED, 2.5, 5), stay(State.SUCCESS, 6)]

    # then C, which was released by that, waited, was blocked, and waited again
    found = periods(course(b))
    assert told(course(b)) == [(WAITING, 2, 2.5), (BLOCKED, 2.5, 5), (WAITING, 5, 6), (SATISFIED, 6, 6)]
    assert [one.by for one in found] == [
        None,
        Change(at(2.5), 0, State.FAILED),
        Change(at(5), 0, None),
        Change(at(6), 0, State.SUCCESS),
    ]


def test_what_was_satisfied_at_once_never_waited() -> None:
    assert told(course([stay(State.SUCCESS, 1)], until=2)) == [(SATISFIED, 2, 2)]
    assert told(course(until=2)) == [(SATISFIED, 2, 2)]


def test_of_several_the_last_one_satisfies() -> None:
    found = periods(course([stay(State.SUCCESS, 3)], [stay(State.SUCCESS, 6)], [stay(State.SUCCESS, 4)]))
    assert [(one.verdict, one.by) for one in found] == [(WAITING, None), (SATISFIED, Change(at(6), 1, State.SUCCESS))]


def test_one_of_several_may_be_enough() -> None:
    assert told(course([stay(State.SUCCESS, 3)], [], need=1)) == [(WAITING, 2, 3), (SATISFIED, 3, 6)]


def test_what_comes_back_at_the_very_end_did_count() -> None:
    """A run was released, and its upstream run sent back, at one instant."""
    b = [stay(State.SUCCESS, 4, 6)]
    assert told(course(b))[-1] == (SATISFIED, 4, 6)
    assert told(course(b, released=None))[-1] == (WAITING, 6, 6)


def test_what_ended_the_run_is_told_though_it_was_mended_at_once() -> None:
    skipping = Sensor(0, "b", Mapping(), on_failure=Policy.SKIP)
    b = [stay(State.FAILED, 6, 6), stay(State.SUCCESS, 6)]
    assert told(course(b, sensor=skipping, released=False))[-1] == (IMPOSSIBLE, 6, 6)


def test_a_missed_tick_was_so_since_ever() -> None:
    assert told(course([stay(State.SKIPPED, None)], until=2, released=False)) == [(IMPOSSIBLE, 2, 2)]
    waits = Sensor(0, "b", Mapping(), on_skipped=Policy.WAIT)
    assert told(course([stay(State.SKIPPED, None, 4)], sensor=waits, released=None)) == [
        (BLOCKED, 2, 4),
        (WAITING, 4, 6),
    ]


def test_at_its_deadline_it_is_satisfied_for_good() -> None:
    b = [stay(State.FAILED, 3, 5)]
    found = periods(course(b, timed_out_at=at(4)))
    assert told(course(b, timed_out_at=at(4))) == [(WAITING, 2, 3), (BLOCKED, 3, 4), (SATISFIED, 4, 6)]
    assert (found[-1].timed_out, found[-1].by) == (True, None)
    assert told(course([], timed_out_at=at(6)))[-1] == (SATISFIED, 6, 6)


def test_what_maps_to_nothing_is_impossible_unless_it_proceeds() -> None:
    assert told(course(problem=True, released=None)) == [(IMPOSSIBLE, 2, 6)]
    proceeds = Sensor(0, "b", Mapping(), on_missing=Policy.PROCEED)
    assert told(course(problem=True, sensor=proceeds)) == [(SATISFIED, 2, 6)]


HOURS = st.integers(0, 8)
POLICIES = st.sampled_from(Policy)


@st.composite
def stays(draw: st.DrawFn) -> list[Stay]:
    """Some final states one after the other, each left but maybe the last."""
    hours = sorted(draw(st.lists(HOURS, max_size=6, unique=True)))
    return [
        stay(draw(st.sampled_from(sorted(FINAL))), since, until)
        for since, until in zip(hours[::2], [*hours[1::2], None], strict=False)
    ]


@share(1)
@given(st.lists(stays(), max_size=4), st.integers(1, 4), st.tuples(POLICIES, POLICIES), st.tuples(HOURS, HOURS))
def test_at_every_instant_it_is_the_verdict_on_the_states_then(
    upstreams: list[list[Stay]], need: int, policies: tuple[Policy, Policy], hours: tuple[int, int]
) -> None:
    sensor = Sensor(0, "b", Mapping(), on_failure=policies[0], on_skipped=policies[1])
    since, until = sorted(hours)
    found = periods(course(*upstreams, sensor=sensor, need=need, since=since, until=until, released=None))
    assert all(before.verdict is not after.verdict for before, after in pairwise(found))
    assert [one.until_at for one in found[:-1]] == [one.since_at for one in found[1:]]
    assert (found[0].since_at, found[-1].until_at) == (at(since), at(until))
    for half in range(2 * since, 2 * until + 1):
        instant = at(half / 2)
        tally = Counter(state_at(one, instant) or State.WAITING for one in upstreams)
        assert _holding(found, instant).verdict is judge(need, masks(sensor), tally)


def _holding(found: list[Period], instant: datetime) -> Period:
    return [one for one in found if one.since_at <= instant][-1]
