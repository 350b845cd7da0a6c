"""The sweep: what a hand in the database has made wrong is found, said and put right; what is right is left alone."""

from datetime import timedelta

import pytest

from sensord.core.run import State
from sensord.daemon import sweep
from sensord.daemon.turn import Turn
from tests.daemon.world import HOURLY, World, on

TEN = "2026-11-22T10:00"
WIDE = HOURLY + "max_active = 9\n"


def sweep_once(world: World) -> Turn:
    """The time of the next slice has come."""
    world.clock.move(timedelta(seconds=11))
    return world.daemon.tick()


def waiting(world: World, *sensors: str) -> None:
    """`sales` waits for `orders`, which runs."""
    world.flow("orders", WIDE)
    world.flow("sales", WIDE, *sensors)
    world.start()
    world.tick(TEN)
    assert world.state("sales", TEN) is State.WAITING


def tamper(world: World, statement: str) -> None:
    with world.db.transaction() as tx:
        assert tx.run(statement)


def test_a_run_that_is_counted_to_wait_for_too_much_goes_on(world: World, caplog: pytest.LogCaptureFixture) -> None:
    waiting(world, on("orders"))
    tamper(world, "UPDATE run SET pending = 2 WHERE state = 1")
    world.finish("orders", TEN)
    assert world.state("sales", TEN) is State.WAITING

    turn = sweep_once(world)

    assert (turn.mended, turn.idle) == (1, False)
    assert world.state("sales", TEN) is State.QUEUED
    assert f"sales {TEN}:00Z: expected it to wait for 0, got 1; mended" in caplog.text
    world.tick()
    assert world.state("sales", TEN) is State.RUNNING


def test_a_run_that_is_counted_to_wait_for_too_little_waits_on(world: World) -> None:
    world.flow("dim", WIDE)
    waiting(world, on("orders"), on("dim"))
    tamper(world, "UPDATE run SET pending = 1 WHERE state = 1")

    assert sweep_once(world).mended == 1

    world.finish("orders", TEN)
    assert world.state("sales", TEN) is State.WAITING
    world.finish("dim", TEN)
    assert world.state("sales", TEN) is State.RUNNING


def test_the_counter_of_a_gate_is_mended(world: World, caplog: pytest.LogCaptureFixture) -> None:
    waiting(world, on("orders", match="interval", within="3h", require="any"))
    tamper(world, "UPDATE gate SET counted = -1")

    assert sweep_once(world).mended == 1

    assert "sensor 0: expected 0 to be counted, got -1; mended" in caplog.text
    world.finish("orders", TEN)
    assert world.state("sales", TEN) is State.RUNNING


def test_a_run_that_a_policy_should_have_ended_is_ended_and_with_it_what_hangs_on_it(world: World) -> None:
    world.flow("report", WIDE, on("sales", on_failure="skip"))
    waiting(world, on("orders", on_failure="fail"))
    world.end("orders", TEN, 1)
    world.tick()
    assert world.state("sales", TEN) is State.FAILED
    tamper(world, "UPDATE run SET state = 1 WHERE reason = 'upstream_failed'")

    assert sweep_once(world).mended == 1

    assert world.state("sales", TEN) is State.FAILED
    assert world.state("report", TEN) is State.SKIPPED


def test_what_is_right_is_left_alone_slice_after_slice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "SLICE", 1)
    waiting(world, on("orders"))
    before = world.db.fetch("SELECT * FROM run ORDER BY id")

    turns = [sweep_once(world) for _ in range(5)]

    assert [(turn.mended, turn.idle) for turn in turns] == 5 * [(0, True)]
    assert world.db.fetch("SELECT * FROM run ORDER BY id") == before


def test_of_many_that_wait_some_are_added_up_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "MOST", 1)
    world.flow("report", WIDE, on("sales"))
    waiting(world, on("orders"))
    tamper(world, "UPDATE run SET pending = 9 WHERE state = 1")

    assert [sweep_once(world).mended for _ in range(2)] == [1, 1]


def test_past_the_last_run_it_begins_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "SLICE", 1)
    waiting(world, on("orders"))
    (last,) = world.db.fetch("SELECT MAX(id) FROM run WHERE state = 1")[0]
    tamper(world, f"UPDATE run SET pending = 9 WHERE id = {last}")

    assert sum(sweep_once(world).mended for _ in range(last)) == 1

    tamper(world, f"UPDATE run SET pending = 9 WHERE id = {last}")
    assert sum(sweep_once(world).mended for _ in range(last)) == 1


def test_between_two_slices_passes_some_time_but_not_when_the_clock_is_set_back(world: World) -> None:
    waiting(world, on("orders"))
    sweep_once(world)
    tamper(world, "UPDATE run SET pending = 9 WHERE state = 1")

    assert world.daemon.tick().mended == 0

    world.clock.move(-timedelta(hours=1))
    assert world.daemon.tick().mended == 1
