"""Waiting runs when schedules change that are not those of the flows that their current definitions name."""

from datetime import timedelta

from sensord.core.run import State
from tests.daemon.world import HOURLY, World, on

TEN = "2026-11-22T10:00"


def rerun(world: World, flow: str, date: str, **options: bool) -> str:
    return world.daemon.change("rerun", {"flow": flow, "logical_date": f"{date}:00Z", **options})


def reload(world: World) -> None:
    world.clock.move(timedelta(seconds=1))
    world.daemon.reload()
    world.tick()


def test_a_run_with_a_definition_of_its_own_follows_its_upstreams_schedule(world: World) -> None:
    world.flow("up", HOURLY)
    world.flow("down", HOURLY, on("up", match="next", strict=True))
    world.start()
    world.tick()
    assert world.state("down", TEN) is State.WAITING
    world.daemon.change("cancel", {"flow": "down", "logical_date": f"{TEN}:00Z"})
    world.flow("down", HOURLY)
    reload(world)
    rerun(world, "down", TEN, same_definition=True)

    world.flow("up", '[schedule]\ncron = "45 * * * *"\n[run]\ncommand = ["true"]\n')
    reload(world)
    world.finish("up", TEN)
    world.tick("2026-11-22T10:45")
    world.finish("up", "2026-11-22T10:45")

    assert world.state("down", TEN) is State.RUNNING


def test_who_waits_for_a_follower_with_a_broken_file_follows_the_followed(world: World) -> None:
    world.flow("lead", HOURLY)
    world.flow("up", '[schedule]\nfollow = "lead"\n[run]\ncommand = ["true"]\n')
    world.flow("down", HOURLY, on("up", match="next", strict=True))
    world.start()
    world.tick()
    world.flow("up", "[schedule]\nfollow = ")
    reload(world)

    world.flow("lead", '[schedule]\ncron = "45 * * * *"\n[run]\ncommand = ["true"]\n')
    reload(world)
    world.finish("up", TEN)
    world.tick("2026-11-22T10:45")
    world.finish("up", "2026-11-22T10:45")

    assert world.state("down", TEN) is State.RUNNING
