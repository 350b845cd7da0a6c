"""How long a run has been in its state, once it was sent back to waiting."""

from tests.cli.program import Program
from tests.daemon.world import HOURLY, World, at, on

TEN = "2026-11-22T10:00"


def test_a_run_that_was_sent_back_has_waited_since_then(world: World, sensord: Program) -> None:
    # given a run that has succeeded, two hours ago
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.finish("orders", TEN)
    world.finish("mart", TEN)

    # when its upstream is run again, and it with it
    world.clock.set(at("2026-11-22T10:50"))
    asked = {"flow": "orders", "logical_date": at(TEN).isoformat(), "downstream": True}
    world.daemon.change("rerun", asked)
    world.tick()
    world.clock.set(at("2026-11-22T10:55"))

    # then it is not said to wait since it was made
    assert sensord("run", "show", "mart", "--json").json["since"] == "2026-11-22T10:50:00Z"
    (line,) = [one for one in sensord("run", "list", "--flow", "mart").lines if "waiting" in one]
    assert line.split()[2:4] == ["waiting", "5m"]
