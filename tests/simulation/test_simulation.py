"""Simulated months on each database, on PostgreSQL a third as many, since they take six times as long.

SIMULATION_SEEDS="100-200" has others than the usual ones.
"""

import os
from pathlib import Path

import pytest

from tests.simulation.simulation import live_months

FIRST, LAST = map(int, os.environ.get("SIMULATION_SEEDS", "1-6").split("-"))
STEPS = 250
LIVES = [
    *(("sqlite", seed) for seed in range(FIRST, LAST + 1)),
    *(("postgresql", seed) for seed in range(FIRST, FIRST + (LAST - FIRST) // 3 + 1)),
]


@pytest.mark.parametrize(("dialect", "seed"), LIVES)
def test_whatever_happens_the_books_balance(database_url: str, tmp_path: Path, dialect: str, seed: int) -> None:
    outcomes = live_months(database_url, tmp_path, seed, STEPS)

    assert database_url.startswith(dialect)
    assert outcomes > 10, "a life in which nothing happens proves nothing"
