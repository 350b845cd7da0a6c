"""The simulation finds out a daemon that has a fault: here it is given some, one at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sensord.daemon.daemon import Daemon
from sensord.daemon.settle import Settled, settle
from sensord.store.lead_row import RowLead
from sensord.store.wake import ANYTHING, Heard
from tests.simulation.duets import prove_pair
from tests.simulation.keeping import Line
from tests.simulation.plays import Theatre, prove

SEEDS = range(1, 101)
Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def theatre(sqlite_template: Path, tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre.on_sqlite(sqlite_template, tmp_path)
    yield theatre
    theatre.close()


def play_all(play: Callable[[int], object]) -> None:
    for seed in SEEDS:
        play(seed)


def submits_before_its_commit(patch: pytest.MonkeyPatch) -> None:
    turn = Daemon._turn

    def hasty(self: Daemon, *arguments: object) -> object:
        jobs = turn(self, *arguments)  # type: ignore[arg-type] # as they come
        self.executor.submit(jobs)
        return jobs

    patch.setattr(Daemon, "_turn", hasty)


def adopts_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Line, "adopt", lambda *_: None)


def settles_twice(patch: pytest.MonkeyPatch) -> None:
    def twice(*arguments: object) -> Settled:
        settle(*arguments)  # type: ignore[arg-type] # as they come
        return settle(*arguments)  # type: ignore[arg-type] # as they come

    patch.setattr("sensord.daemon.daemon.settle", twice)


def forgets_what_it_heard_where_it_fails(patch: pytest.MonkeyPatch) -> None:
    tick = Daemon.tick

    def forgetful(self: Daemon, heard: Heard = ANYTHING) -> object:
        try:
            return tick(self, heard)
        finally:
            self._reports.clear()

    patch.setattr(Daemon, "tick", forgetful)


@pytest.mark.parametrize(
    "plant", [submits_before_its_commit, adopts_nothing, settles_twice, forgets_what_it_heard_where_it_fails]
)
def test_a_fault_is_found_out(theatre: Theatre, monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(monkeypatch)

    with pytest.raises(AssertionError, match=r"got|within a transaction|a counter was wrong"):
        play_all(lambda seed: prove(theatre, seed))


def test_a_leader_that_asks_nobody_whether_it_leads_is_found_out(
    theatre: Theatre, postgres_migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RowLead, "guard", lambda *_: None)

    with pytest.raises(AssertionError, match=r"who led in term \d+ has decided something in term"):
        play_all(lambda seed: prove_pair(theatre, postgres_migrated, tmp_path, seed))
