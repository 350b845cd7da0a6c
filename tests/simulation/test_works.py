"""Workers, whoever of them and of the daemons is stopped, killed or cut off, and whatever nobody hears of.

WORKS_SEEDS="100-200" and HARSH_SEEDS="100-200" play other courses than the usual ones; a failure says how to play its
seed alone.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.crashes import Point
from tests.simulation.plays import Tally, Theatre
from tests.simulation.process import Blow
from tests.simulation.shifts import prove_harsh, prove_mild

USUAL = 5
FIRST, LAST = map(int, os.environ.get("WORKS_SEEDS", f"1-{USUAL}").split("-"))
HARSH_FIRST, HARSH_LAST = map(int, os.environ.get("HARSH_SEEDS", f"1-{USUAL}").split("-"))


@pytest.fixture(scope="module")
def theatre(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    theatre = Theatre.on_sqlite(sqlite_template, tmp_path_factory.mktemp("theatre"))
    yield theatre
    theatre.close()


def blows(tally: Tally, blow: Blow) -> int:
    return sum(tally.faults[f"{blow} {point}"] for point in Point)


def test_with_workers_it_comes_to_the_same(theatre: Theatre, postgres_migrated: str, tmp_path: Path) -> None:
    tally = Tally()
    for seed in range(FIRST, LAST + 1):
        tally.add(prove_mild(theatre, postgres_migrated, tmp_path, seed))

    assert tally.courses == LAST - FIRST + 1
    if tally.courses == USUAL:
        assert {blow for blow in Blow if blows(tally, blow) < USUAL} == set()
        assert tally.events["a worker was told to end"] > 0
        assert tally.events["a wake-up was lost"] > USUAL


def test_whatever_is_lost_the_books_are_right_and_all_comes_to_an_end(postgres_migrated: str, tmp_path: Path) -> None:
    tally = Tally()
    for seed in range(HARSH_FIRST, HARSH_LAST + 1):
        tally.add(prove_harsh(postgres_migrated, tmp_path, seed))

    assert tally.courses == HARSH_LAST - HARSH_FIRST + 1
    if tally.courses == USUAL:
        assert blows(tally, Blow.STOPPED) > USUAL
        assert tally.events["a machine fell"] > 0
        assert tally.events["ended: lost"] > USUAL
