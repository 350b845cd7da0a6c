"""The life of a run: which states lead to which."""

import pytest

from sensord.core.run import ACTIVE, FINAL, LIVE, TRANSITIONS, Event, State, mask, may


def test_a_run_goes_from_waiting_to_its_end_step_by_step() -> None:
    course = [
        (Event.RELEASE, State.WAITING, State.QUEUED),
        (Event.DISPATCH, State.QUEUED, State.STARTING),
        (Event.BEGIN, State.STARTING, State.RUNNING),
        (Event.SUCCEED, State.RUNNING, State.SUCCESS),
    ]

    assert all(may(*step) for step in course)


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_final_run_goes_back_to_waiting_by_a_rerun_alone(final: State) -> None:
    ways = {event for event in Event for state in LIVE if may(event, final, state)}

    assert ways == {Event.RERUN}
    assert may(Event.RERUN, final, State.WAITING)


@pytest.mark.parametrize("live", sorted(LIVE))
def test_an_operator_may_end_a_run_from_any_state(live: State) -> None:
    assert may(Event.CANCEL, live, State.CANCELLED)
    assert all(may(Event.MARK, live, final) for final in FINAL)


def test_a_waiting_run_ends_without_a_start_only_failed_or_skipped() -> None:
    assert may(Event.FAIL, State.WAITING, State.FAILED)
    assert may(Event.SKIP, State.WAITING, State.SKIPPED)
    assert not may(Event.SUCCEED, State.WAITING, State.SUCCESS)


def test_a_command_that_ends_before_it_was_seen_to_begin_is_no_exception() -> None:
    assert may(Event.SUCCEED, State.STARTING, State.SUCCESS)
    assert may(Event.FAIL, State.STARTING, State.FAILED)


def test_a_retry_goes_through_the_queue() -> None:
    assert may(Event.RETRY, State.RUNNING, State.RETRYING)
    assert may(Event.REQUEUE, State.RETRYING, State.QUEUED)


def test_no_event_starts_from_or_leads_to_no_run() -> None:
    assert all(State.ABSENT not in sources | targets for sources, targets in TRANSITIONS.values())


def test_every_event_and_every_state_has_its_place() -> None:
    assert set(TRANSITIONS) == set(Event)
    assert set(State) - {State.ABSENT} == LIVE | FINAL
    assert ACTIVE < LIVE


def test_a_mask_holds_a_bit_for_each_state() -> None:
    assert mask(set()) == 0
    assert mask({State.WAITING, State.SUCCESS}) == 0b1000010
