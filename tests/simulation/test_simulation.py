"""Simulated months on each database; SIMULATION_SEEDS="100-200" has others than the usual ones."""

import os

import pytest

from tests.cli.program import Program
from tests.daemon.world import World
from tests.simulation.simulation import Simulation

FIRST, LAST = map(int, os.environ.get("SIMULATION_SEEDS", "1-6").split("-"))
STEPS = 250


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_whatever_happens_the_books_balance(world: World, sensord: Program, seed: int) -> None:
    began_at = world.clock.now()
    simulation = Simulation(world, sensord, seed)
    try:
        simulation.live(STEPS)
    except BaseException as error:
        error.add_note(f"seed {seed}; what happened last:\n" + "\n".join(simulation.journal[-40:]))
        raise
    assert (world.clock.now() - began_at).days > 30
