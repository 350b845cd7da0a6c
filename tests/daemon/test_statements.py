"""How many statements a run costs: BEGIN, COMMIT and the guard of the lead included."""

import pytest

from sensord.core.run import State
from sensord.store.wake import NOTHING
from tests.daemon.world import HOURLY, World, on

TEN = "2026-11-22T10:00"
MOST = 12


@pytest.fixture
def chain(world: World) -> World:
    """Twenty flows, of which each waits for the one before; the first one's command runs."""
    world.flow("f0", HOURLY)
    for number in range(1, 20):
        world.flow(f"f{number}", HOURLY, on(f"f{number - 1}"))
    world.start()
    _turns(world)
    return world


def test_a_run_one_by_one_whose_command_takes_a_while(chain: World) -> None:
    before = chain.db.statements
    for number in range(19):
        chain.end(f"f{number}", TEN)
        _turns(chain)
    sent = chain.db.statements - before

    assert chain.state("f19", TEN) is State.RUNNING
    assert sent / 19 <= MOST


def _turns(world: World) -> None:
    """One for what has ended, in which the next one starts; and one for its beginning. Nobody asks for anything."""
    for _ in range(2):
        world.daemon.tick(NOTHING)
