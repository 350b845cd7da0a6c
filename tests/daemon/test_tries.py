"""Retries and timeouts: a run fails only when it has no try left, and none runs longer than it may."""

import signal

from sensord.core.run import State
from tests.daemon.world import HOURLY, World, at, on

TEN = "2026-11-22T10:00"
PATIENT = HOURLY + 'retries = 2\nretry_delay = "5m"\nretry_backoff = 2\n'
LIMITED = HOURLY + 'timeout = "20m"\ngrace = "1m"\n'


def fail(world: World, flow: str = "orders", exit_code: int | None = 1) -> None:
    world.executor.end(world.attempt(flow, TEN), exit_code)
    world.tick()


def test_a_failed_run_is_tried_again_after_its_pause(world: World) -> None:
    world.flow("orders", PATIENT)
    world.start()
    world.tick()

    fail(world)
    assert world.state("orders", TEN) is State.RETRYING
    assert world.why("orders", TEN) == ("exit_code", "exit 1")

    world.tick("2026-11-22T10:34")
    assert world.state("orders", TEN) is State.RETRYING

    world.tick("2026-11-22T10:35")
    assert world.state("orders", TEN) is State.RUNNING
    assert world.job("orders", TEN).env["SENSORD_ATTEMPT"] == "2"


def test_it_has_failed_when_no_try_is_left(world: World) -> None:
    world.flow("orders", PATIENT)
    world.flow("mart", HOURLY, on("orders", on_failure="fail"))
    world.start()
    world.tick()

    for moment in ("2026-11-22T10:35", "2026-11-22T10:45"):
        fail(world)
        assert world.state("mart", TEN) is State.WAITING
        world.tick(moment)
    fail(world)

    assert world.state("orders", TEN) is State.FAILED
    assert world.state("mart", TEN) is State.FAILED


def test_a_retry_that_succeeds_releases_what_waits(world: World) -> None:
    world.flow("orders", PATIENT)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    fail(world)
    world.tick("2026-11-22T10:35")

    world.finish("orders", TEN)

    assert world.state("mart", TEN) is State.RUNNING


def test_while_it_rests_its_slot_is_free_but_its_flow_is_not(world: World) -> None:
    world.slots = 1
    world.flow("orders", PATIENT + "priority = 1\n")
    world.flow("stock", HOURLY)
    world.start()
    world.tick()
    assert world.state("stock", TEN) is State.QUEUED

    fail(world)
    assert world.state("stock", TEN) is State.RUNNING

    world.tick("2026-11-22T11:00")
    assert world.state("orders", "2026-11-22T11:00") is State.QUEUED


def test_a_skip_is_never_tried_again(world: World) -> None:
    world.flow("orders", PATIENT)
    world.start()
    world.tick()

    fail(world, exit_code=99)

    assert world.state("orders", TEN) is State.SKIPPED


def test_a_rerun_has_all_its_tries_again(world: World) -> None:
    world.flow("orders", HOURLY + 'retries = 1\nretry_delay = "1m"\n')
    world.start()
    world.tick()
    fail(world)
    world.tick("2026-11-22T10:31")
    fail(world)
    assert world.state("orders", TEN) is State.FAILED

    world.daemon.change("rerun", {"flow": "orders", "logical_date": at(TEN).isoformat()})
    world.tick()
    fail(world)

    assert world.state("orders", TEN) is State.RETRYING


def test_a_retry_that_fell_due_while_nobody_led_is_made_up_for(world: World) -> None:
    world.flow("orders", PATIENT)
    world.start()
    world.tick()
    fail(world)

    world.clock.set(at("2026-11-22T10:50"))
    world.restart()
    world.tick()

    assert world.state("orders", TEN) is State.RUNNING
    assert world.attempt("orders", TEN).number == 2


def test_a_command_past_its_timeout_is_ended_and_its_run_has_failed(world: World) -> None:
    world.flow("orders", LIMITED)
    world.start()
    world.tick()
    attempt = world.attempt("orders", TEN)

    world.tick("2026-11-22T10:49")
    assert world.executor.killed == []

    world.tick("2026-11-22T10:50")
    assert world.executor.killed == [(attempt, signal.SIGTERM)]

    world.executor.end(attempt, None, signal=signal.SIGTERM)
    world.tick()
    assert world.state("orders", TEN) is State.FAILED
    assert world.why("orders", TEN)[0] == "timed_out"


def test_what_does_not_heed_the_first_signal_is_killed_after_its_grace(world: World) -> None:
    world.flow("orders", LIMITED)
    world.start()
    world.tick()
    attempt = world.attempt("orders", TEN)

    world.tick("2026-11-22T10:50")
    world.tick("2026-11-22T10:51")

    assert world.executor.killed == [(attempt, signal.SIGTERM), (attempt, signal.SIGKILL)]


def test_a_run_that_timed_out_is_tried_again(world: World) -> None:
    world.flow("orders", LIMITED + "retries = 1\n")
    world.start()
    world.tick()
    world.tick("2026-11-22T10:50")

    fail(world, exit_code=0)

    assert world.state("orders", TEN) is State.RETRYING
    assert world.why("orders", TEN)[0] == "timed_out"


def test_a_timeout_of_an_earlier_attempt_ends_no_later_one(world: World) -> None:
    world.flow("orders", LIMITED + 'retries = 1\nretry_delay = "19m"\n')
    world.start()
    world.tick()
    fail(world)
    world.tick("2026-11-22T10:49")
    assert world.attempt("orders", TEN).number == 2

    world.tick("2026-11-22T10:51")

    assert world.executor.killed == []


def test_a_timeout_passes_a_restart(world: World) -> None:
    world.flow("orders", LIMITED)
    world.start()
    world.tick()

    world.restart()
    world.tick("2026-11-22T10:50")
    assert len(world.executor.killed) == 1

    world.restart()
    fail(world, exit_code=0)
    assert world.why("orders", TEN)[0] == "timed_out"
