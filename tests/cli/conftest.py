"""The program under test, on a real database, with the world of the daemon's tests to fill it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sensord.store.database import Database
from sensord.testing import ManualClock
from tests.cli.program import Program
from tests.daemon.world import World


@pytest.fixture
def world(db: Database, tmp_path: Path) -> World:
    """A world at 10:30 on a Sunday, without flows, on each database in turn."""
    return World(db, tmp_path / "config", "2026-11-22T10:30")


@pytest.fixture
def sensord(world: World, database_url: str) -> Program:
    """`sensord("status")` calls the program on the world's config folder and database, at the world's time."""
    return Program(world.folder, database_url, world.clock)


@pytest.fixture
def on_files(tmp_path: Path) -> Program:
    """The program on a config folder, at the same time, without a database."""
    (tmp_path / "config" / "flows").mkdir(parents=True)
    return Program(tmp_path / "config", None, ManualClock(datetime(2026, 11, 22, 10, 30, tzinfo=UTC)))
