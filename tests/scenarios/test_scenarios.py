"""The table of scenarios: upstream outcome, policy, timing, what people do; each on both databases."""

import pytest

from tests.cli.program import Program
from tests.daemon.world import World
from tests.scenarios import again, backfills, by_hand, configs, deadlines, limits, operators, outcomes, planning, tries
from tests.scenarios.steps import Stage, Step, perform

TABLES = (
    outcomes.SCENARIOS,
    deadlines.SCENARIOS,
    operators.SCENARIOS,
    planning.SCENARIOS,
    configs.SCENARIOS,
    by_hand.SCENARIOS,
    again.SCENARIOS,
    tries.SCENARIOS,
    limits.SCENARIOS,
    backfills.SCENARIOS,
)
SCENARIOS = [pytest.param(steps, id=name) for table in TABLES for name, steps in table.items()]


@pytest.mark.parametrize("steps", SCENARIOS)
def test_scenario(world: World, sensord: Program, steps: tuple[Step, ...]) -> None:
    perform(Stage(world, sensord), steps)


def test_there_are_enough_of_them() -> None:
    assert len(SCENARIOS) == len({one.id for one in SCENARIOS})
