"""SQLite has no page left to write to (by its own limit, so that no disk need be filled): nothing is lost by that."""

from pathlib import Path

import pytest

from sensord.core.run import State
from sensord.errors import DatabaseError
from sensord.store.sqlite import SqliteDatabase
from tests.daemon.world import HOURLY, World

TEN = "2026-11-22T10:00"
TWO_WEEKS_LATER = "2026-12-06T10:30"
PLENTY = 1 << 30


@pytest.fixture
def dialect() -> str:
    return "sqlite"


def leave_pages(world: World, number: int) -> None:
    """Let the database grow by so many pages and no more."""
    assert isinstance(world.db, SqliteDatabase)
    (pages,) = world.db.connection.execute("PRAGMA page_count").fetchone()
    world.db.connection.execute(f"PRAGMA max_page_count = {pages + number}")


def test_a_turn_that_finds_no_room_is_had_again_when_there_is_some(world: World, tmp_path: Path) -> None:
    world.flow("orders", HOURLY, "max_active = 1000")
    world.start()
    world.tick()
    world.end("orders", TEN, 3)

    leave_pages(world, 0)
    for _ in range(3):
        with pytest.raises(DatabaseError, match="disk is full") as refused:
            world.tick(TWO_WEEKS_LATER)
        assert refused.value.hint == "make room on the disk"
    assert world.runs("orders") == {TEN: State.RUNNING}

    leave_pages(world, PLENTY)
    world.tick(TWO_WEEKS_LATER)

    assert world.why("orders", TEN) == ("exit_code", "exit 3")
    assert list(world.runs("orders")) == list(world.hours(TEN, 14 * 24 + 1))
    assert len(world.executor.jobs) == 100 + 1
