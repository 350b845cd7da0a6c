"""The clock that says when the machine's has jumped."""

from datetime import UTC, datetime, timedelta

import pytest

from sensord.clock import SystemClock, WatchedClock
from sensord.testing import ManualClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Machine:
    """A wall clock, and the time that really passes."""

    def __init__(self) -> None:
        self.wall = ManualClock(NOON)
        self.passed = 1000.0
        self.clock = WatchedClock(self.wall, lambda: self.passed)

    def wait(self, seconds: float, *, wall: float | None = None) -> datetime:
        """Time passes; on the wall clock another time, where it is given."""
        self.passed += seconds
        self.wall.move(timedelta(seconds=seconds if wall is None else wall))
        return self.clock.now()


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.clock.now()
    return machine


def test_time_that_passes_is_nothing_to_speak_of(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    for seconds in (0, 5, 3600, 86_400 * 30):
        machine.wait(seconds)

    assert machine.clock.now() == NOON + timedelta(seconds=3605 + 86_400 * 30)
    assert caplog.messages == []


def test_a_clock_that_is_put_right_by_and_by_does_not_jump(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        machine.wait(60, wall=61)
    machine.wait(1, wall=61)
    machine.wait(61, wall=1)

    assert caplog.messages == []


def test_a_leap_forward_is_told_once(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    assert machine.wait(5, wall=7205) == NOON + timedelta(seconds=7205)
    machine.wait(5)

    assert caplog.messages == [
        "the clock leapt forward by 7200 s: the ticks in between were missed, and flows catch up"
    ]


def test_so_is_a_clock_set_back(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.wait(5, wall=-3595)
    machine.wait(5)

    assert caplog.messages == ["the clock was set back by 3600 s: no tick fires twice"]


def test_the_machines_own_clock_can_be_watched(caplog: pytest.LogCaptureFixture) -> None:
    clock = WatchedClock(SystemClock())

    assert clock.now() <= clock.now()
    assert caplog.messages == []
