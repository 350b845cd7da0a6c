"""Where a run has its priority from, as people see it."""

from tests.cli.program import Program
from tests.daemon.world import DAILY, World, on


def test_a_run_names_the_one_that_hurries_it_on(world: World, sensord: Program) -> None:
    world.slots = 1
    world.flow("a", DAILY)
    world.flow("b", DAILY, on("a"))
    world.flow("urgent", DAILY, "priority = 5\n", on("b"))
    world.start()
    world.tick()

    assert "priority 5 of b 2026-11-22T02:00:00Z, which waits for it" in sensord("run", "show", "a").out
    assert sensord("run", "show", "b", "--json").json["priority_from"] == {
        "flow": "urgent",
        "logical_date": "2026-11-22T02:00:00Z",
    }
    sentence = "It has priority 5, that of urgent 2026-11-22T02:00:00Z, which waits for it."
    assert sentence in sensord("why", "b", "--json").json["next"]
    assert sensord("run", "show", "urgent", "--json").json["priority_from"] is None


def test_what_waits_no_more_is_not_named(world: World, sensord: Program) -> None:
    world.flow("a", DAILY)
    world.flow("urgent", DAILY, "priority = 5\n", on("a"))
    world.start()
    world.tick()
    world.finish("a", "2026-11-22T02:00")

    assert sensord("run", "show", "a", "--json").json["priority_from"] is None
