"""A run that has ended is run again, and what is blocked on it goes on by itself."""

import pytest

from sensord.core.run import State
from sensord.errors import InvalidValue, NotFound
from tests.daemon.world import DAILY, HOURLY, World, at, on

TWO, TEN = "2026-11-22T02:00", "2026-11-22T10:00"


def rerun(world: World, flow: str, date: str) -> str:
    answer = world.daemon.change("rerun", {"flow": flow, "logical_date": at(date).isoformat()})
    world.tick()
    return answer


def test_all_that_is_blocked_goes_on_when_the_upstream_is_rerun_and_succeeds(world: World) -> None:
    world.flow("customers", DAILY)
    world.flow("mart", HOURLY.replace("[run]", "[run]\nmax_active = 9"), on("customers"))
    world.start()
    world.tick("2026-11-22T12:00")
    world.end("customers", TWO, 1)
    world.tick()
    assert set(world.runs("mart").values()) == {State.WAITING}

    assert rerun(world, "customers", TWO) == "customers 2026-11-22T02:00:00Z is queued"
    assert world.attempt("customers", TWO).number == 2
    world.finish("customers", TWO)

    assert list(world.runs("mart").values()) == [State.RUNNING] * 3


def test_what_waits_for_a_run_that_had_succeeded_waits_for_it_again(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("customers", DAILY)
    world.flow("mart", HOURLY, on("orders"), on("customers"))
    world.start()
    world.tick()
    world.finish("orders", TEN)

    rerun(world, "orders", TEN)
    world.finish("customers", TWO)
    assert world.state("mart", TEN) is State.WAITING

    world.finish("orders", TEN)
    assert world.state("mart", TEN) is State.RUNNING


def test_what_was_released_already_goes_on(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.finish("orders", TEN)

    rerun(world, "orders", TEN)

    assert world.state("mart", TEN) is State.RUNNING


def test_a_rerun_waits_for_its_own_upstream(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.finish("orders", TEN)
    world.finish("mart", TEN)
    rerun(world, "orders", TEN)

    assert rerun(world, "mart", TEN) == "mart 2026-11-22T10:00:00Z is waiting"
    world.finish("orders", TEN)

    assert world.state("mart", TEN) is State.RUNNING
    assert world.attempt("mart", TEN).number == 2


def test_a_skipped_run_may_be_rerun_and_its_skipped_downstream_stays_until_asked(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.end("orders", TEN, 99)
    world.tick()

    rerun(world, "orders", TEN)
    world.finish("orders", TEN)
    assert world.state("mart", TEN) is State.SKIPPED

    rerun(world, "mart", TEN)
    assert world.state("mart", TEN) is State.RUNNING


def test_an_unfinished_run_is_not_rerun(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()

    with pytest.raises(InvalidValue, match="expected a run that has ended, got orders 2026-11-22T10:00:00Z in running"):
        rerun(world, "orders", TEN)
    with pytest.raises(NotFound, match="got none"):
        rerun(world, "orders", "2026-11-22T09:00")
