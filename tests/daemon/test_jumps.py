"""Clocks that jump under the daemon: it is told before anything follows from it, and nothing is run twice."""

from datetime import timedelta

import pytest

from sensord.clock import WatchedClock
from sensord.core.run import State
from sensord.daemon.report import report
from tests.daemon.world import HOURLY, World, at, on

TEN, ELEVEN, NOON = "2026-11-22T10:00", "2026-11-22T11:00", "2026-11-22T12:00"


@pytest.fixture
def watched(world: World) -> World:
    """`orders`, hourly, whose run of ten has succeeded at 10:30; in truth no time passes any more."""
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.finish("orders", TEN)
    world.daemon.clock = WatchedClock(world.clock, lambda: 0.0)
    world.daemon.clock.now()
    return world


def test_a_leap_forward_is_logged_before_catchup(watched: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "sensord")
    watched.clock.set(at("2026-11-22T12:15"))

    report(watched.daemon.tick(), watched.daemon)

    leap, started = (message for message in caplog.messages if "pause" not in message)
    assert leap.startswith("the clock leapt forward by 6300 s")
    assert started == "orders 2026-11-22T11:00:00Z: starting"
    assert watched.runs("orders") == {TEN: State.SUCCESS, ELEVEN: State.STARTING, NOON: State.QUEUED}


def test_what_was_leapt_over_is_missed(watched: World) -> None:
    watched.flow("orders", HOURLY.replace("[run]", 'catchup = "none"\n[run]'))
    watched.daemon.reload()

    watched.tick("2026-11-22T14:00")

    assert list(watched.runs("orders")) == [TEN, "2026-11-22T14:00"]


def test_a_clock_set_back_fires_nothing_twice_and_nothing_is_left_out(
    watched: World, caplog: pytest.LogCaptureFixture
) -> None:
    watched.tick(NOON)
    watched.tick("2026-11-22T09:30")
    for minutes in range(0, 240, 15):
        watched.tick((at("2026-11-22T09:30") + timedelta(minutes=minutes)).isoformat()[:16])

    assert list(watched.runs("orders")) == [TEN, ELEVEN, NOON, "2026-11-22T13:00"]
    assert "the clock was set back by 9000 s: no tick fires twice" in caplog.messages


def test_who_waits_for_ticks_that_a_clock_set_back_has_before_it_again_waits_on(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick(NOON)
    assert world.state("mart", NOON) is State.WAITING

    world.tick("2026-11-22T08:00")
    for date in (TEN, ELEVEN, NOON):
        world.finish("orders", date)

    assert world.runs("mart") == {TEN: State.RUNNING, ELEVEN: State.QUEUED, NOON: State.QUEUED}
