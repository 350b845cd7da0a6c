"""What retention has pruned in the database goes from the worker's machine, too; nothing else does."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from sensord.executors.base import Attempt
from sensord.executors.folders import log_of
from sensord.store.database import Database
from sensord.worker.pruning import EVERY_SECONDS, FOLDERS, ROUND_SECONDS, Pruner

ATTEMPT = """
INSERT INTO attempt (run_id, number, definition_id, executor, host, submitted_at)
VALUES (:run, 1, 1, 'procrastinate', 'etl2', 0)
"""


@pytest.fixture
def dialect() -> str:
    return "postgresql"


class Forgotten:
    """Notes what it is to forget."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def forget(self, run_ids: Sequence[int]) -> None:
        self.runs += run_ids


class Disk:
    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.folder, self.seconds = db, folder, 0.0
        self.executor = Forgotten()
        self.pruner = Pruner(folder, lambda: self.seconds)

    def log(self, run_id: int, *, known: bool) -> None:
        path = self.folder / log_of(run_id, 1)
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        if known:
            self.db.run(ATTEMPT, run=run_id)

    def prune(self, *under_way: int) -> list[int]:
        """One step; what it forgets."""
        self.executor.runs.clear()
        self.pruner.prune(self.db, self.executor, {Attempt(run_id, 1) for run_id in under_way})
        return self.executor.runs


@pytest.fixture
def disk(db: Database, tmp_path: Path) -> Disk:
    (tmp_path / "journal").write_text("")
    return Disk(db, tmp_path)


def test_what_the_database_keeps_no_more_is_forgotten(disk: Disk) -> None:
    disk.log(1, known=True)
    disk.log(2, known=False)
    disk.log(3, known=False)

    assert disk.prune(3) == [2]


def test_it_goes_a_few_folders_at_a_time_and_rests_after_a_round(disk: Disk) -> None:
    ids = [100 * number for number in range(FOLDERS + 1)]
    for run_id in ids:
        disk.log(run_id, known=False)

    first = list(disk.prune())
    assert (len(first), disk.prune()) == (FOLDERS, [])

    disk.seconds += EVERY_SECONDS
    assert sorted(first + disk.prune()) == ids

    disk.seconds += ROUND_SECONDS - 1
    assert disk.prune() == []
    disk.seconds += 1
    assert len(disk.prune()) == FOLDERS


def test_an_empty_disk_costs_no_statement(disk: Disk) -> None:
    statements = disk.db.statements

    assert disk.prune() == []

    assert disk.db.statements == statements
