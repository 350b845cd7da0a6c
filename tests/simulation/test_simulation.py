"""Simulated months on each database; SIMULATION_SEEDS="100-200" has others than the usual ones."""

import os
from pathlib import Path

import pytest

from tests.simulation.simulation import live_months

FIRST, LAST = map(int, os.environ.get("SIMULATION_SEEDS", "1-6").split("-"))
STEPS = 250


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_whatever_happens_the_books_balance(database_url: str, tmp_path: Path, seed: int) -> None:
    assert live_months(database_url, tmp_path, seed, STEPS) > 20
