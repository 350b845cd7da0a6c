"""Whatever crashes, and wherever: the end is that of the same course of events without a crash.

CRASH_SEEDS="100-200" plays other courses than the usual ones, and SQLite alone; a failure names its seed.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from sensord.store.database import Database
from tests.daemon.world import World
from tests.simulation.course import Books, Course
from tests.simulation.crashes import Faults

FIRST, LAST = map(int, os.environ.get("CRASH_SEEDS", "1-30").split("-"))
NOW = "2026-11-22T10:30"

Play = Callable[[int, Faults], Books]


@pytest.fixture
def play(sqlite_template: Path, tmp_path: Path) -> Play:
    """Plays the course of a seed in a world of its own, on SQLite."""
    worlds = iter(range(1_000_000))

    def play_one(seed: int, faults: Faults) -> Books:
        folder = tmp_path / str(next(worlds))
        folder.mkdir()
        shutil.copyfile(sqlite_template, folder / "sensord.db")
        with Database.open(f"sqlite://{folder / 'sensord.db'}", durability="normal") as db:
            world = World(db, folder / "config", NOW)
            books = Course(world, seed, faults).play()
            world.daemon.lead.release()
            world.executor.close()
        shutil.rmtree(folder)
        return books

    return play_one


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_crashes_anywhere_change_nothing(play: Play, seed: int) -> None:
    expected = play(seed, Faults())
    faults = Faults(chance=0.03, random=Random(seed))

    found = play(seed, faults)

    assert faults.crashes
    assert found == expected, f"replay with CRASH_SEEDS={seed}-{seed}; crashes: {faults.crashes}"


@pytest.mark.parametrize("seed", [2])
def test_a_crash_at_any_one_point_changes_nothing(play: Play, seed: int) -> None:
    quiet = Faults()
    expected = play(seed, quiet)
    for point in range(1, quiet.passed + 1):
        faults = Faults(at=point)
        found = play(seed, faults)
        assert found == expected, f"seed {seed}: {faults.crashes}"
