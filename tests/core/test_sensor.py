"""Verdicts: what a sensor makes of its upstream runs, by its policies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.flow import Policy, Require, Sensor
from sensord.core.mapping import Mapping
from sensord.core.run import FINAL, Reason, State
from sensord.core.sensor import Ending, Standing, Tally, Verdict, expire, judge, masks, severest

LATE, OK, BAD, GONE, NONE = State.RUNNING, State.SUCCESS, State.FAILED, State.SKIPPED, State.ABSENT


def sensor(**policies: Any) -> Sensor:
    return Sensor(0, "b", Mapping(), **policies)


def standing(tally: Tally, need: int | None = None, **policies: Any) -> Standing:
    return Standing(sensor(**policies), sum(tally.values()) if need is None else need, tally)


@pytest.mark.parametrize(
    ("tally", "verdict"),
    [
        ({OK: 1}, Verdict.SATISFIED),
        ({NONE: 1}, Verdict.WAITING),
        ({LATE: 1}, Verdict.WAITING),
        ({OK: 23, LATE: 1}, Verdict.WAITING),
        ({BAD: 1}, Verdict.BLOCKED),
        ({State.CANCELLED: 1, OK: 2}, Verdict.BLOCKED),
        ({GONE: 1}, Verdict.IMPOSSIBLE),
        ({GONE: 1, BAD: 1, LATE: 1}, Verdict.IMPOSSIBLE),
        ({}, Verdict.SATISFIED),
    ],
)
def test_by_default_all_must_succeed_a_failure_blocks_and_a_skip_ends(tally: Tally, verdict: Verdict) -> None:
    assert standing(tally).verdict is verdict


@pytest.mark.parametrize(
    ("need", "tally", "verdict"),
    [
        (1, {OK: 1, BAD: 5, GONE: 5}, Verdict.SATISFIED),
        (1, {BAD: 1, LATE: 1}, Verdict.WAITING),
        (1, {BAD: 2}, Verdict.BLOCKED),
        (2, {OK: 1, BAD: 1, GONE: 1}, Verdict.BLOCKED),
        (2, {OK: 1, GONE: 2}, Verdict.IMPOSSIBLE),
        (3, {OK: 2, NONE: 1, GONE: 9}, Verdict.WAITING),
    ],
)
def test_a_sensor_that_needs_some_waits_as_long_as_enough_are_left(need: int, tally: Tally, verdict: Verdict) -> None:
    assert standing(tally, need, require=need).verdict is verdict


@pytest.mark.parametrize(
    ("policies", "tally", "ending"),
    [
        ({}, {GONE: 1}, Ending(State.SKIPPED, Reason.UPSTREAM_SKIPPED)),
        ({}, {BAD: 1}, None),
        ({}, {OK: 1}, None),
        ({"on_failure": Policy.FAIL}, {BAD: 1}, Ending(State.FAILED, Reason.UPSTREAM_FAILED)),
        ({"on_failure": Policy.SKIP}, {State.CANCELLED: 1}, Ending(State.SKIPPED, Reason.UPSTREAM_FAILED)),
        ({"on_failure": Policy.FAIL}, {BAD: 1, GONE: 1}, Ending(State.FAILED, Reason.UPSTREAM_FAILED)),
        ({"on_skipped": Policy.WAIT}, {GONE: 1}, None),
        ({"on_skipped": Policy.FAIL}, {GONE: 1, LATE: 3}, Ending(State.FAILED, Reason.UPSTREAM_SKIPPED)),
    ],
)
def test_policies_end_a_run_that_cannot_be_satisfied(policies: Any, tally: Tally, ending: Ending | None) -> None:
    assert standing(tally, **policies).ending == ending


def test_to_proceed_counts_what_ended_badly() -> None:
    one = standing({BAD: 1, GONE: 1, OK: 1}, on_failure=Policy.PROCEED, on_skipped=Policy.PROCEED)

    assert one.verdict is Verdict.SATISFIED
    assert one.pending == 0


def test_what_is_accepted_never_ends_a_run() -> None:
    one = standing({GONE: 2}, accept=frozenset({OK, GONE}), on_skipped=Policy.FAIL)

    assert one.verdict is Verdict.SATISFIED
    assert one.ending is None


@pytest.mark.parametrize(
    ("policy", "verdict", "ending"),
    [
        (Policy.FAIL, Verdict.IMPOSSIBLE, Ending(State.FAILED, Reason.NO_MATCH)),
        (Policy.SKIP, Verdict.IMPOSSIBLE, Ending(State.SKIPPED, Reason.NO_MATCH)),
        (Policy.WAIT, Verdict.IMPOSSIBLE, None),
        (Policy.PROCEED, Verdict.SATISFIED, None),
    ],
)
def test_a_mapping_that_finds_nothing_is_its_own_policy(
    policy: Policy, verdict: Verdict, ending: Ending | None
) -> None:
    one = Standing(sensor(on_missing=policy), 0, {}, Reason.NO_MATCH, "nothing there")

    assert one.verdict is verdict
    assert one.ending == ending
    assert one.pending == (verdict is not Verdict.SATISFIED)


def test_fail_goes_before_skip() -> None:
    skip, fail = Ending(State.SKIPPED, Reason.UPSTREAM_SKIPPED), Ending(State.FAILED, Reason.UPSTREAM_FAILED)

    assert severest([skip, fail, skip]) == fail
    assert severest([skip]) == skip
    assert severest([]) is None


POLICIES = st.sampled_from(Policy)
TALLIES = st.dictionaries(st.sampled_from(State), st.integers(1, 9), max_size=6)
SENSORS = st.builds(
    lambda accept, on_failure, on_skipped, require: sensor(
        accept=frozenset(accept), on_failure=on_failure, on_skipped=on_skipped, require=require
    ),
    st.sets(st.sampled_from(sorted(FINAL)), min_size=1),
    POLICIES,
    POLICIES,
    st.sampled_from(["all", "any", 2]),
)


@given(SENSORS)
def test_no_state_both_counts_and_ends_and_none_that_is_not_final_does_either(one: Sensor) -> None:
    found = masks(one)

    assert not found.counts & found.ends
    assert (found.counts | found.ends) & ~sum(1 << state for state in FINAL) == 0


@given(SENSORS, TALLIES)
def test_pending_is_nothing_exactly_when_satisfied(one: Sensor, tally: Tally) -> None:
    mapped = sum(tally.values())
    need = {"all": mapped, "any": min(1, mapped)}.get(str(one.require), min(2, mapped))
    found = Standing(one, need, tally)

    assert (found.pending == 0) == (found.verdict is Verdict.SATISFIED)
    assert found.pending >= 0


@given(SENSORS, TALLIES, st.integers(1, 9))
def test_the_verdict_improves_when_an_upstream_run_succeeds(one: Sensor, tally: dict[State, int], need: int) -> None:
    order = [Verdict.IMPOSSIBLE, Verdict.BLOCKED, Verdict.WAITING, Verdict.SATISFIED]
    sensor_masks = masks(sensor(accept=one.accept | {OK}, on_failure=one.on_failure, on_skipped=one.on_skipped))
    before = judge(need, sensor_masks, tally)
    for state in list(tally):
        after = {**tally, state: tally[state] - 1}
        after[OK] = after.get(OK, 0) + 1

        assert order.index(judge(need, sensor_masks, after)) >= order.index(before)


def test_require_says_whether_a_gate_keeps_the_count() -> None:
    requires: list[tuple[Require, bool]] = [("all", False), ("any", True), (3, True)]

    assert [(require, standing({}, require=require).gated) for require, _ in requires] == requires


def test_a_sensor_that_went_on_at_its_deadline_is_satisfied_whatever_comes() -> None:
    for tally in ({BAD: 1}, {GONE: 3}, {NONE: 1}, {OK: 1}):
        one = Standing(sensor(on_failure=Policy.FAIL), 0, tally, timed_out=True)
        assert (one.verdict, one.pending, one.quota, one.ending) == (Verdict.SATISFIED, 0, 0, None)
    missing = Standing(sensor(), 0, {}, Reason.NO_MATCH, "nothing", timed_out=True)
    assert (missing.verdict, missing.pending, missing.quota, missing.ending) == (Verdict.SATISFIED, 0, 0, None)


def test_a_gate_of_what_found_nothing_is_shut_unless_the_policy_is_to_proceed() -> None:
    assert Standing(sensor(on_missing=Policy.WAIT), 0, {}, Reason.NO_MATCH).quota == 1
    assert Standing(sensor(on_missing=Policy.PROCEED), 0, {}, Reason.NO_MATCH).quota == 0
    assert standing({OK: 1, LATE: 2}, 2, require=2).quota == 2


@pytest.mark.parametrize(
    ("policies", "state"),
    [
        (["proceed"], None),
        (["skip", "proceed"], State.SKIPPED),
        (["proceed", "skip", "fail"], State.FAILED),
        ([], None),
    ],
)
def test_of_deadlines_that_pass_together_fail_goes_first(policies: list[str], state: State | None) -> None:
    overdue = [standing({LATE: 1}, on_timeout=Policy(policy)) for policy in policies]

    assert expire(overdue) == (Ending(state, Reason.SENSOR_TIMEOUT) if state else None)
