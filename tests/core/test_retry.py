"""When a failed run is tried again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.retry import LONGEST, Retry, pause

MINUTE = timedelta(minutes=1)


def test_without_retries_there_is_no_second_try() -> None:
    assert pause(Retry(), 1, 0) is None


def test_there_are_as_many_retries_as_the_limit_says() -> None:
    retry = Retry(limit=2, delay=MINUTE)

    assert [pause(retry, failures, 0) for failures in (1, 2, 3)] == [MINUTE, MINUTE, None]


def test_the_pause_grows_with_each_failure() -> None:
    retry = Retry(limit=9, delay=MINUTE, backoff=2)

    assert [pause(retry, failures, 0) for failures in (1, 2, 3, 4)] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]


def test_chance_adds_up_to_a_tenth() -> None:
    assert pause(Retry(1, MINUTE), 1, 1) == timedelta(seconds=66)


@given(
    st.builds(Retry, st.integers(0, 1000), st.timedeltas(timedelta(), timedelta(days=9999)), st.floats(1, 100)),
    st.integers(1, 1001),
    st.floats(0, 1),
)
def test_no_pause_is_longer_than_a_day_or_shorter_than_its_delay(retry: Retry, failures: int, spread: float) -> None:
    found = pause(retry, failures, spread)

    assert (found is None) == (failures > retry.limit)
    assert found is None or min(retry.delay, LONGEST) <= found <= LONGEST
