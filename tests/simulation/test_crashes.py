"""Whatever dies, and wherever: the end is that of the same course of events undisturbed.

CRASH_SEEDS="100-200" plays other courses than the usual ones; a failure says how to play its seed alone.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.crashes import FORGETTING, Point
from tests.simulation.plays import Tally, Theatre, prove, prove_each_point

FIRST, LAST = map(int, os.environ.get("CRASH_SEEDS", "1-2000").split("-"))
BATCH = 250
BATCHES = [range(first, min(first + BATCH, LAST + 1)) for first in range(FIRST, LAST + 1, BATCH)]

HAPPENS = {
    *(f"asked: {kind}" for kind in ("rerun", "mark", "cancel", "trigger", "pause", "resume", "retire")),
    *(f"asked: {kind}" for kind in ("backfill", "pause_backfill", "cancel_backfill", "rerun, refused")),
    *(f"ended: {how}" for how in ("exit 0", "exit 1", "exit 99", "signal", "lost")),
    *(
        f"a run is failed ({why})"
        for why in ("exit_code", "timed_out", "sensor_timeout", "upstream_failed", "no_match")
    ),
    *(f"a run is skipped ({why})" for why in ("exit_code", "sensor_timeout", "upstream_failed", "upstream_skipped")),
    *(f"a run is cancelled ({why})" for why in ("by_operator", "flow_retired")),
    *("a run is success", "a run is success (by_operator)", "a run is waiting", "a run is queued"),
    *("a run was tried again", "a run passed something over", "a backfill is done", "a backfill is cancelled"),
    *("a file is edited", "a file is broken", "a file is removed", "pools are resized", "the clock is set back"),
}
"""What no batch is without."""


@pytest.fixture(scope="module")
def theatre(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    theatre = Theatre.on_sqlite(sqlite_template, tmp_path_factory.mktemp("theatre"))
    yield theatre
    theatre.close()


@pytest.mark.parametrize("seeds", BATCHES, ids=str)
def test_whatever_dies_the_rest_goes_on(theatre: Theatre, seeds: range) -> None:
    tally = Tally()
    for seed in seeds:
        tally.add(prove(theatre, seed))

    assert tally.courses == len(seeds)
    if len(seeds) == BATCH:
        assert {point for point in set(Point) - FORGETTING if not tally.faults[f"killed {point}"]} == set()
        assert sum(tally.faults[f"refused {point}"] for point in Point) > BATCH / 4
        assert HAPPENS - set(+tally.events) == set()


@pytest.mark.parametrize("seed", [128])
def test_a_fault_at_any_one_point_changes_nothing(theatre: Theatre, seed: int) -> None:
    """Of a course in which much happens in little time."""
    tally = prove_each_point(theatre, seed)

    assert tally.courses > 200
    assert len(+tally.events) > 15
