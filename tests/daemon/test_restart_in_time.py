"""What happened in time while no daemon led has happened in time, also where its report comes after the deadline."""

from pathlib import Path

import pytest

from sensord.core.run import State
from sensord.executors.base import News
from sensord.store.database import Database
from sensord.testing import ManualClock, ManualExecutor
from tests.daemon.world import HOURLY, World, on

TEN = "2026-11-22T10:00"


class SlowExecutor(ManualExecutor):
    """Its reports are there a turn later than they could be: as from another process, which has yet to answer."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self._late: list[News] = []
        self.slow = False

    def poll(self) -> list[News]:
        reports, self._late = self._late, super().poll()
        if self.slow:
            return reports
        reports += self._late
        self._late = []
        return reports


@pytest.fixture
def world(db: Database, tmp_path: Path) -> World:
    world = World(db, tmp_path / "config", "2026-11-22T10:30")
    world.executor = SlowExecutor(world.clock)
    return world


def restart_late(world: World, now: str) -> None:
    """The daemon dies with the reports in its hands; at `now`, another one starts, and its executor takes its time."""
    world.executor.poll()
    world.clock.set(world.clock.now().fromisoformat(f"{now}+00:00"))
    assert isinstance(world.executor, SlowExecutor)
    world.executor.slow = True
    world.restart()
    for _ in range(4):
        world.daemon.tick()


def test_an_upstream_that_ended_before_the_deadline_was_in_time(world: World) -> None:
    world.flow("up", HOURLY)
    world.flow("down", HOURLY, on("up", timeout="1h"))
    world.start()
    world.tick()
    world.end("up", TEN)

    restart_late(world, "2026-11-22T11:45")

    assert world.state("down", TEN) is State.RUNNING


def test_a_command_that_ended_before_its_timeout_was_in_time(world: World) -> None:
    world.flow("up", HOURLY + 'timeout = "1h"\n')
    world.start()
    world.tick()
    world.end("up", TEN)

    restart_late(world, "2026-11-22T11:45")

    assert world.state("up", TEN) is State.SUCCESS
