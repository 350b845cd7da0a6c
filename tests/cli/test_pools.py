"""What people see of pools: where a run queues, what a flow is in, and how full each pool is."""

from collections.abc import Mapping

import pytest

from tests.cli.program import Program
from tests.daemon.world import DAILY, World

POOLS = "[pools]\nsmall = 2\nspare = 1\n"


@pytest.fixture
def full(world: World) -> World:
    """Three flows in a pool of two slots, at two o'clock."""
    (world.folder / "sensord.toml").write_text(POOLS)
    for name in ("a", "b", "c"):
        world.flow(name, DAILY, 'pool = "small"')
    world.flow("free", DAILY)
    world.start()
    world.tick("2026-11-22T10:31")
    return world


def test_why_names_the_pool_and_who_is_in_it(full: World, sensord: Program) -> None:
    said = sensord("why", "c")

    assert said.lines[-1] == (
        "It queues behind pool small: 2 of 2 in use, by a 2026-11-22T02:00:00Z, b 2026-11-22T02:00:00Z."
    )
    full.finish("a", "2026-11-22T02:00")
    assert "pool" not in sensord("why", "c").out


def test_who_is_not_in_the_pool_does_not_queue_behind_it(full: World, sensord: Program) -> None:
    assert "pool" not in sensord("why", "free").out


def test_status_says_behind_which_pool_a_flow_queues(full: World, sensord: Program) -> None:
    lines = {line.split()[0]: line for line in sensord("status").lines if line}

    assert lines["c"].endswith("queues behind pool small: 2 of 2 in use")
    assert "pool" not in lines["a"]


def test_status_has_all_pools(full: World, sensord: Program) -> None:
    assert sensord("status", "--json").json["pools"] == [
        {"pool": "small", "slots": 2, "used": 2},
        {"pool": "spare", "slots": 1, "used": 0},
    ]


def test_a_flow_shows_its_pool(full: World, sensord: Program) -> None:
    shown: Mapping[str, object] = sensord("flow", "show", "a", "--json").json

    assert shown["pool"] == "small"
    assert "1, priority 0, in pool small" in sensord("flow", "show", "a").out
    assert sensord("flow", "show", "free", "--json").json["pool"] is None


def test_a_pool_that_is_gone_has_one_slot_while_a_flow_still_names_it(full: World, sensord: Program) -> None:
    full.finish("a", "2026-11-22T02:00")
    (full.folder / "sensord.toml").write_text("")
    full.daemon.reload()
    full.tick()

    pools = sensord("status", "--json").json["pools"]

    assert pools == [{"pool": "small", "slots": 1, "used": 2}]
    full.finish("b", "2026-11-22T02:00")
    assert sensord("flow", "show", "c", "--json").json["problems"][0]["key"] == "run.pool"


def test_a_pool_that_becomes_larger_is_used_at_once(full: World) -> None:
    (full.folder / "sensord.toml").write_text(POOLS.replace("small = 2", "small = 3"))
    full.daemon.reload()
    full.tick()

    assert full.state("c", "2026-11-22T02:00").label == "running"
