"""Two daemons on one PostgreSQL, whichever of them is stopped, killed or cut off, and wherever: the end is that of one.

PAIR_SEEDS="100-200" plays other courses than the usual ones; a failure says how to play its seed alone.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.crashes import Point
from tests.simulation.duets import prove_pair
from tests.simulation.plays import Tally, Theatre
from tests.simulation.process import Blow

FIRST, LAST = map(int, os.environ.get("PAIR_SEEDS", "1-20").split("-"))
BATCH = 20
BATCHES = [range(first, min(first + BATCH, LAST + 1)) for first in range(FIRST, LAST + 1, BATCH)]
STOPS = (Point.WITHIN, Point.BEFORE_COMMIT, Point.AFTER_COMMIT, Point.BEFORE_SUBMIT, Point.AFTER_SUBMIT)


@pytest.fixture(scope="module")
def theatre(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    theatre = Theatre.on_sqlite(sqlite_template, tmp_path_factory.mktemp("theatre"))
    yield theatre
    theatre.close()


@pytest.mark.parametrize("seeds", BATCHES, ids=str)
def test_whichever_leads_the_rest_goes_on(
    theatre: Theatre, postgres_migrated: str, tmp_path: Path, seeds: range
) -> None:
    tally = Tally()
    for seed in seeds:
        tally.add(prove_pair(theatre, postgres_migrated, tmp_path, seed))

    assert tally.courses == len(seeds)
    if len(seeds) == BATCH:
        assert {point for point in STOPS if not tally.faults[f"{Blow.STOPPED} {point}"]} == set()
        assert {blow for blow in Blow if sum(tally.faults[f"{blow} {point}"] for point in Point) < BATCH / 4} == set()
        assert tally.events["the lead was taken"] > 3 * BATCH
        assert tally.events["stopped in a transaction of who does not lead"] > 0
        assert tally.events["LeadLost"] > BATCH
        assert tally.events["an attempt was submitted again"] > BATCH / 4
