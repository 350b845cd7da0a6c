"""The world of the daemon's tests."""

from pathlib import Path

import pytest

from sensord.store.database import Database
from tests.daemon.world import World


@pytest.fixture
def world(db: Database, tmp_path: Path) -> World:
    """A world at 10:30 on a Sunday, without flows, on each database in turn."""
    return World(db, tmp_path / "config", "2026-11-22T10:30")
