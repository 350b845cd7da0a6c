"""Where little is kept, and days pass: what is pruned is old, and whatever dies meanwhile, nothing else is lost.

PRUNED_SEEDS="100-200" plays other courses than the usual ones; a failure says how to play its seed alone.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sensord.store import retention
from tests.simulation.crashes import FORGETTING
from tests.simulation.keeping import Keeper
from tests.simulation.plays import Tally, Theatre, prove_pruned

USUAL = 25
FIRST, LAST = map(int, os.environ.get("PRUNED_SEEDS", f"1-{USUAL}").split("-"))
ON_POSTGRES = 3
Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def theatre(database_url: str, tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre(database_url, tmp_path)
    yield theatre
    theatre.close()


def play(theatre: Theatre, last: int) -> Tally:
    tally = Tally()
    for seed in range(FIRST, last + 1):
        tally.add(prove_pruned(theatre, seed))
    return tally


def test_whatever_dies_what_is_pruned_is_old_and_nothing_else_is_lost(theatre: Theatre, dialect: str) -> None:
    tally = play(theatre, LAST if dialect == "sqlite" else min(LAST, FIRST + ON_POSTGRES - 1))

    if tally.courses == USUAL:
        assert {point for point in FORGETTING if not tally.faults[f"killed {point}"]} == set()
        assert sum(tally.faults[f"refused {point}"] for point in FORGETTING) > 0
        assert tally.events["a run was pruned"] > 5 * USUAL
        assert tally.events["a pruned run was sent back"] > 0


def deletes_the_run_itself(patch: pytest.MonkeyPatch) -> None:
    """The foreign keys of what is pruned do not matter: all of that goes before."""
    delete = f"DELETE FROM run WHERE id IN (SELECT {retention._OF_RUNS.split('SELECT ')[1]}"
    patch.setattr(retention, "FORGET", (*retention.FORGET, delete))


def goes_by_the_logical_date_alone(patch: pytest.MonkeyPatch) -> None:
    for name in ("NEXT", "LEFT_OVER"):
        statement = getattr(retention, name).replace("run.finished_at", "run.logical_date")
        patch.setattr(retention, name, statement)
    patch.setattr(retention, "STILL_OLD", retention.STILL_OLD.replace("AND run.finished_at <= x.until", ""))


def leaves_logs(patch: pytest.MonkeyPatch) -> None:
    forget = Keeper.forget

    def feign(self: Keeper, run_ids: list[int]) -> object:
        before = set(self.forgotten)
        told = forget(self, run_ids)
        self.forgotten = before
        return told

    patch.setattr(Keeper, "forget", feign)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (deletes_the_run_itself, "is forgotten"),
        (goes_by_the_logical_date_alone, "is pruned, and not old"),
        (leaves_logs, "its logs are still there"),
    ],
)
def test_a_fault_is_found_out(theatre: Theatre, monkeypatch: pytest.MonkeyPatch, plant: Plant, words: str) -> None:
    plant(monkeypatch)

    with pytest.raises(AssertionError, match=words):
        play(theatre, 100)
