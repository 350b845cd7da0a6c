"""Flows whose newest run may have failed are marked, whatever made it fail; the sweep takes away what is over."""

from datetime import timedelta

import pytest

from sensord.core.run import State
from sensord.daemon import sweep
from sensord.store import failing
from sensord.store.database import Transaction
from tests.daemon.world import HOURLY, World, at, on

TEN, ELEVEN = "2026-11-22T10:00", "2026-11-22T11:00"


def marked(world: World) -> list[str]:
    """The flows that have a mark."""
    return [row[0] for row in world.db.fetch("SELECT name FROM flow WHERE failed_at IS NOT NULL ORDER BY name")]


def fail(world: World, flow: str, date: str) -> None:
    world.end(flow, date, 1)
    world.tick()
    assert world.state(flow, date) is State.FAILED


def sweep_once(world: World) -> None:
    """The time of the next slice has come, and there is nothing else to do."""
    world.clock.move(timedelta(seconds=11))
    assert world.daemon.tick().idle


def test_a_command_that_fails_marks_its_flow(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("other", HOURLY)
    world.start()
    world.tick()
    world.finish("other", TEN)
    assert marked(world) == []

    fail(world, "orders", TEN)

    assert marked(world) == ["orders"]


def test_one_that_is_tried_again_does_not(world: World) -> None:
    world.flow("orders", HOURLY + "retries = 1\n")
    world.start()
    world.tick()

    world.end("orders", TEN, 1)
    world.tick()

    assert world.state("orders", TEN) is State.RETRYING
    assert marked(world) == []


def test_a_policy_that_fails_runs_marks_their_flows_down_every_chain(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders", on_failure="fail"))
    world.flow("report", HOURLY, on("sales", on_failure="fail"))
    world.flow("skips", HOURLY, on("sales", on_failure="skip"))
    world.start()
    world.tick()

    fail(world, "orders", TEN)

    assert marked(world) == ["orders", "report", "sales"]


def test_so_does_a_deadline(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders", timeout="15m"))
    world.start()
    world.tick()

    world.tick("2026-11-22T10:50")

    assert world.state("sales", TEN) is State.FAILED
    assert marked(world) == ["sales"]


def test_so_does_a_mapping_that_finds_nothing(world: World) -> None:
    world.flow("orders", HOURLY.replace("[run]", "start = 2026-12-01\n[run]"))
    world.flow("sales", HOURLY, on("orders"))
    world.start()
    world.tick()

    assert world.why("sales", TEN)[0] == "no_match"
    assert marked(world) == ["sales"]


def test_so_does_a_person(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.finish("orders", TEN)

    world.daemon.change("mark", {"flow": "orders", "logical_date": at(TEN).isoformat(), "state": "failed"})

    assert marked(world) == ["orders"]


def test_the_mark_goes_when_a_later_run_has_succeeded(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    fail(world, "orders", TEN)
    sweep_once(world)
    assert marked(world) == ["orders"]

    world.tick(ELEVEN)
    world.finish("orders", ELEVEN)
    sweep_once(world)

    assert marked(world) == []


def test_a_rerun_that_fails_again_marks_again(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    fail(world, "orders", TEN)
    world.daemon.change("rerun", {"flow": "orders", "logical_date": at(TEN).isoformat()})
    world.tick()
    sweep_once(world)
    assert marked(world) == []

    fail(world, "orders", TEN)

    assert marked(world) == ["orders"]


def test_a_failure_of_an_older_run_goes_with_the_sweep(world: World) -> None:
    world.flow("orders", HOURLY + "max_active = 2\n")
    world.start()
    world.tick()
    world.tick(ELEVEN)
    world.finish("orders", ELEVEN)

    fail(world, "orders", TEN)
    sweep_once(world)

    assert marked(world) == []


def test_marks_are_gone_through_in_slices(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # given seven failures at one instant, of which the odd ones are over
    monkeypatch.setattr(sweep, "MARKS", 2)
    for number in range(7):
        world.flow(f"f{number}", HOURLY)
    world.start()
    world.tick()
    for number in range(7):
        world.end(f"f{number}", TEN, 1)
    world.tick()
    world.tick(ELEVEN)
    for number in range(7):
        world.end(f"f{number}", ELEVEN, 1 - number % 2)
    world.tick()
    assert len(marked(world)) > 4  # a first slice may have had its turn

    # when each slice has had its turn, then all are there that stand; and so again from the first
    for _ in range(2):
        for _ in range(4):
            sweep_once(world)
        assert marked(world) == ["f0", "f2", "f4", "f6"]


def test_a_flow_that_is_marked_is_not_written_to_again(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    fail(world, "orders", TEN)
    (before,) = world.db.fetch("SELECT id, failed_at FROM flow")

    def mark_again(tx: Transaction) -> None:
        failing.mark(tx, [before[0]], before[1] + 1)

    with world.db.transaction() as tx:
        mark_again(tx)

    assert world.db.fetch("SELECT id, failed_at FROM flow") == [before]


def test_where_nothing_fails_nothing_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []
    monkeypatch.setattr(failing, "mark", lambda _tx, flow_ids, _now: written.append(flow_ids))
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders"))
    world.start()
    world.tick()

    world.finish("orders", TEN)
    world.end("sales", TEN, 99)
    world.tick()
    assert world.state("sales", TEN) is State.SKIPPED
    assert written == []

    world.tick(ELEVEN)
    fail(world, "orders", ELEVEN)
    assert len(written) == 1
