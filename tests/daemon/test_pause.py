"""A paused flow plans nothing and starts nothing that is scheduled; all else of it goes on."""

import pytest

from sensord.core.run import State
from sensord.errors import InvalidValue, NotFound
from tests.daemon.world import HOURLY, World, at, on

TEN, ELEVEN = "2026-11-22T10:00", "2026-11-22T11:00"


def change(world: World, kind: str, flow: str = "orders", date: str = TEN) -> str:
    answer = world.daemon.change(kind, {"flow": flow, "logical_date": at(date).isoformat()})
    world.tick()
    return answer


@pytest.fixture
def paused(world: World) -> World:
    """`orders`, paused while its run of ten runs; `mart` waits for it."""
    world.flow("orders", HOURLY + "retries = 1\n")
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    change(world, "pause")
    return world


def test_it_plans_nothing(paused: World) -> None:
    paused.tick("2026-11-22T13:00")

    assert list(paused.runs("orders")) == [TEN]
    assert len(paused.runs("mart")) == 4


def test_what_runs_goes_on_with_its_retries(paused: World) -> None:
    paused.end("orders", TEN, 1)
    paused.tick()
    paused.tick("2026-11-22T10:31")
    assert paused.attempt("orders", TEN).number == 2

    paused.finish("orders", TEN)
    assert paused.state("mart", TEN) is State.RUNNING


def test_what_was_queued_stays_so(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick(ELEVEN)
    change(world, "pause")

    world.finish("orders", TEN)

    assert world.state("orders", ELEVEN) is State.QUEUED


def test_a_run_that_was_never_started_starts_when_a_person_reruns_it(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders", on_failure="skip"))
    world.start()
    world.tick()
    world.end("orders", TEN, 1)
    world.tick()
    change(world, "pause", "mart")

    change(world, "rerun", "orders")
    change(world, "rerun", "mart")
    world.finish("orders", TEN)

    assert world.state("mart", TEN) is State.RUNNING


def test_what_a_person_asks_for_starts(paused: World) -> None:
    paused.finish("orders", TEN)

    change(paused, "rerun")
    assert paused.state("orders", TEN) is State.RUNNING

    paused.finish("orders", TEN)
    change(paused, "trigger", date="2026-11-22T10:15")
    assert paused.state("orders", "2026-11-22T10:15") is State.RUNNING


def test_resumed_it_makes_up_for_what_passed(paused: World) -> None:
    paused.finish("orders", TEN)
    paused.tick("2026-11-22T12:30")

    assert change(paused, "resume") == "orders goes on"

    assert paused.runs("orders") == {TEN: State.SUCCESS, ELEVEN: State.RUNNING, "2026-11-22T12:00": State.QUEUED}


def test_a_pause_passes_a_restart_and_a_reload(paused: World) -> None:
    paused.restart()
    paused.flow("orders", HOURLY + "max_active = 5\n")
    paused.daemon.reload()
    paused.tick("2026-11-22T12:30")

    assert list(paused.runs("orders")) == [TEN]


def test_to_pause_twice_is_refused(paused: World) -> None:
    with pytest.raises(InvalidValue, match="got orders, which is paused already"):
        change(paused, "pause")
    change(paused, "resume")
    with pytest.raises(InvalidValue, match="got orders, which is not paused"):
        change(paused, "resume")
    with pytest.raises(NotFound):
        change(paused, "pause", flow="godo")


@pytest.mark.parametrize(("kind", "wanted"), [("pause", "a flow at work"), ("resume", "a paused flow")])
def test_a_flow_whose_file_is_gone_is_neither_paused_nor_resumed(paused: World, kind: str, wanted: str) -> None:
    paused.remove("orders")
    paused.daemon.reload()

    with pytest.raises(InvalidValue, match=f"^expected {wanted}, got orders, whose file is gone$"):
        change(paused, kind)


def test_a_manual_run_off_the_ticks_satisfies_nobody(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()

    assert change(world, "trigger", date="2026-11-22T10:10") == "orders 2026-11-22T10:10:00Z is queued"
    world.finish("orders", TEN)
    world.finish("orders", "2026-11-22T10:10")
    world.tick(ELEVEN)

    assert world.runs("mart") == {TEN: State.RUNNING, ELEVEN: State.WAITING}


def test_a_manual_run_at_a_missed_tick_counts_for_who_waits_for_it(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders", back=1, on_skipped="wait"))
    world.start()
    world.tick()
    assert world.state("mart", TEN) is State.WAITING

    change(world, "trigger", date="2026-11-22T09:00")
    world.finish("orders", TEN)
    world.finish("orders", "2026-11-22T09:00")

    assert world.state("mart", TEN) is State.RUNNING


def test_a_manual_run_waits_for_its_sensors(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()

    assert change(world, "trigger", "mart", "2026-11-22T10:20") == "mart 2026-11-22T10:20:00Z is waiting"
    world.finish("orders", TEN)
    world.finish("mart", TEN)

    assert world.state("mart", "2026-11-22T10:20") is State.RUNNING


def test_a_tick_without_a_date_is_refused(paused: World) -> None:
    with pytest.raises(InvalidValue, match="expected a logical date with its zone, got None"):
        paused.daemon.change("trigger", {"flow": "orders", "tick": True})


def test_a_date_that_has_a_run_or_has_not_come_is_refused(paused: World) -> None:
    with pytest.raises(InvalidValue, match="expected a date without a run"):
        change(paused, "trigger")
    with pytest.raises(InvalidValue, match="expected a date that has come"):
        change(paused, "trigger", date="2026-11-23T00:00")
