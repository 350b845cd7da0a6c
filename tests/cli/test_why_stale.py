"""Why, of runs that are over or under way, while what they stood on has changed since."""

import pytest

from tests.cli.program import Program
from tests.daemon.world import HOURLY, World, on

TEN = "2026-11-22T10:00"
NAME = "mart 2026-11-22T10:00:00Z"


@pytest.fixture
def asking(world: World, sensord: Program) -> Program:
    """`mart` has consumed `orders`; while the program waits, the daemon has its turn."""
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.finish("orders", TEN)
    sensord.meanwhile = world.tick
    return sensord


def test_a_stale_run_that_has_ended_names_what_was_rerun_and_what_mends_it(world: World, asking: Program) -> None:
    world.finish("mart", TEN)
    asking("run", "rerun", "orders", TEN)
    world.tick("2026-11-22T10:40")

    lines = asking("why", "mart").lines

    assert "sensor 0 on orders, latest: satisfied; now waiting (upstream_unfinished)" in lines
    assert lines[-2:] == [
        "It is over.",
        "It is stale: orders 2026-11-22T10:00:00Z, which it had consumed, was rerun 10m ago; "
        f"once that has succeeded, `sensord run rerun {NAME}` runs it on the new result.",
    ]
    world.finish("orders", TEN)
    assert (
        asking("why", "mart")
        .lines[-1]
        .endswith(f"was rerun 10m ago; `sensord run rerun {NAME}` runs it on the new result.")
    )
    assert asking("why", "mart", "--json").json["next"][-1].startswith("It is stale: ")


def test_a_stale_run_that_is_under_way_goes_on(world: World, asking: Program) -> None:
    asking("run", "rerun", "orders", TEN)

    assert asking("why", "mart").lines[-1] == (
        "It is stale: orders 2026-11-22T10:00:00Z, which it had consumed, was rerun 0s ago. "
        "It goes on with what it had."
    )


def test_once_it_is_rerun_it_is_stale_no_more(world: World, asking: Program) -> None:
    world.finish("mart", TEN)
    asking("run", "rerun", "orders", TEN)
    asking("run", "rerun", "mart", TEN)

    assert "stale" not in asking("why", "mart").out


def test_where_its_edges_were_pruned_it_is_stale_all_the_same(world: World, asking: Program) -> None:
    world.finish("mart", TEN)
    asking("run", "rerun", "orders", TEN)
    world.db.run("DELETE FROM edge")

    assert "It is stale: an upstream run that it had consumed was rerun 0s ago; " in asking("why", "mart").out


def test_a_run_that_no_tick_fits_stays_until_it_is_rerun(world: World, asking: Program) -> None:
    world.flow("odd", HOURLY, on("orders", match="same", offset="-30m"))
    world.daemon.reload()
    world.tick()

    assert asking("why", "odd").lines[-1] == (
        "It stays as it is, also when what it waited for is mended, until `sensord run rerun odd 2026-11-22T10:00:00Z`."
    )
