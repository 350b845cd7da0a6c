"""Cancel and mark: a person ends a run, from whatever state it is in."""

import signal

import pytest

from sensord.core.run import State
from sensord.errors import InvalidValue, NotFound
from tests.daemon.world import HOURLY, World, at, on

TEN, ELEVEN = "2026-11-22T10:00", "2026-11-22T11:00"


def change(world: World, kind: str, flow: str, date: str = TEN, **body: str) -> str:
    answer = world.daemon.change(kind, {"flow": flow, "logical_date": at(date).isoformat(), "who": "ann", **body})
    world.tick()
    return answer


@pytest.fixture
def busy(world: World) -> World:
    """`orders` runs, its next run is queued, and `mart` waits."""
    world.flow("orders", HOURLY + "retries = 1\n")
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick(ELEVEN)
    return world


def test_a_waiting_run_is_cancelled_at_once(busy: World) -> None:
    assert change(busy, "cancel", "mart") == "mart 2026-11-22T10:00:00Z is cancelled"

    assert busy.state("mart", TEN) is State.CANCELLED
    assert busy.why("mart", TEN) == ("by_operator", "by ann")
    busy.finish("orders", TEN)
    assert busy.state("mart", TEN) is State.CANCELLED


def test_a_queued_run_that_is_cancelled_never_starts(busy: World) -> None:
    change(busy, "cancel", "orders", ELEVEN)
    busy.finish("orders", TEN)

    assert busy.state("orders", ELEVEN) is State.CANCELLED
    assert len([job for job in busy.executor.jobs.values() if job.env["SENSORD_FLOW"] == "orders"]) == 1


def test_a_running_command_is_ended_first(busy: World) -> None:
    attempt = busy.attempt("orders", TEN)

    change(busy, "cancel", "orders")
    assert busy.executor.killed == [(attempt, signal.SIGTERM)]
    assert busy.state("orders", TEN) is State.RUNNING

    busy.executor.end(attempt, None, signal=signal.SIGTERM)
    busy.tick()
    assert busy.state("orders", TEN) is State.CANCELLED
    assert busy.state("orders", ELEVEN) is State.RUNNING


def test_a_run_that_rests_before_its_retry_is_cancelled_and_makes_room(busy: World) -> None:
    busy.end("orders", TEN, 1)
    busy.tick()
    assert busy.state("orders", ELEVEN) is State.QUEUED

    change(busy, "cancel", "orders")

    assert busy.state("orders", TEN) is State.CANCELLED
    assert busy.state("orders", ELEVEN) is State.RUNNING


def test_what_waits_for_a_cancelled_run_is_blocked(busy: World) -> None:
    change(busy, "cancel", "orders", ELEVEN)

    assert busy.state("mart", ELEVEN) is State.WAITING


def test_a_run_that_has_ended_is_not_cancelled(busy: World) -> None:
    busy.finish("orders", TEN)

    with pytest.raises(
        InvalidValue, match="expected a run that has not ended, got orders 2026-11-22T10:00:00Z in succ"
    ):
        change(busy, "cancel", "orders")
    with pytest.raises(NotFound):
        change(busy, "cancel", "orders", "2026-11-22T09:00")


def test_a_failed_run_that_is_marked_a_success_releases_what_is_blocked_on_it(busy: World) -> None:
    for _ in range(2):
        busy.end("orders", TEN, 1)
        busy.tick()
        busy.tick("2026-11-22T11:02")
    assert busy.state("orders", TEN) is State.FAILED
    assert busy.state("mart", TEN) is State.WAITING

    change(busy, "mark", "orders", state="success")

    assert busy.state("mart", TEN) is State.RUNNING


def test_a_success_that_is_taken_back_counts_no_longer(busy: World) -> None:
    busy.flow("report", HOURLY, on("orders"), on("mart"))
    busy.daemon.reload()
    busy.tick()
    busy.finish("orders", TEN)
    busy.finish("orders", ELEVEN)

    change(busy, "mark", "orders", ELEVEN, state="failed")
    busy.finish("mart", TEN)
    busy.finish("mart", ELEVEN)

    assert busy.state("report", ELEVEN) is State.WAITING


def test_a_running_command_is_ended_before_its_run_is_marked(busy: World) -> None:
    assert "is being ended" in change(busy, "mark", "orders", state="success")

    busy.end("orders", TEN, 1)
    busy.tick()

    assert busy.state("orders", TEN) is State.SUCCESS
    assert busy.state("mart", TEN) is State.RUNNING


def test_a_person_who_wants_it_failed_gets_no_retry(busy: World) -> None:
    change(busy, "mark", "orders", state="failed")

    busy.end("orders", TEN, 1)
    busy.tick()

    assert busy.state("orders", TEN) is State.FAILED


def test_only_a_final_state_can_be_marked(busy: World) -> None:
    with pytest.raises(InvalidValue, match="expected success, failed, skipped or cancelled, got running"):
        change(busy, "mark", "orders", state="running")


def test_a_cancel_passes_a_restart(busy: World) -> None:
    change(busy, "cancel", "orders")

    busy.restart()
    busy.tick()
    assert len(busy.executor.killed) == 2

    busy.end("orders", TEN, 0)
    busy.tick()
    assert busy.state("orders", TEN) is State.CANCELLED
