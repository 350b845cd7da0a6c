"""`sensord why` of a run that its sensors ended for a tick upstream that has no run."""

from sensord.core.run import State
from tests.cli.program import Program
from tests.daemon.world import HOURLY, World, on

TEN = "2026-11-22T10:00"


def test_a_run_that_ended_for_a_missed_tick_is_told_how_both_are_run(world: World, sensord: Program) -> None:
    # given a sensor that looks back before the first run of its upstream
    world.flow("a", HOURLY)
    world.flow("b", HOURLY, on("a", back=1))
    world.start()
    world.tick()
    world.finish("a", TEN)
    assert sensord("why", "b").lines[0].endswith("sensor 0: a 2026-11-22T09:00:00Z was missed")

    # when it is told what to do, and does that
    (advice,) = [line for line in sensord("why", "b").lines if "sensord backfill" in line]
    date = "2026-11-22T10:00:00Z"
    assert f"`sensord backfill b --from {date} --to {date} --rerun skipped --upstream`" in advice
    sensord.meanwhile = world.tick
    assert sensord("backfill", "b", "--from", date, "--to", date, "--rerun", "skipped", "--upstream", "--yes").code == 0
    world.tick()
    world.finish("a", "2026-11-22T09:00")

    # then the tick that was missed is run, and the run after it
    assert world.state("b", TEN) in (State.QUEUED, State.STARTING, State.RUNNING)
