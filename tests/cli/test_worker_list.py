"""`sensord worker list`: who is there, how busy, and how long ago each was heard of."""

import re

import pytest

from tests.cli.program import Program
from tests.cli.test_manning import ON_POSTGRES, hire
from tests.daemon.world import World


@ON_POSTGRES
def test_each_worker_is_a_row_by_queue(world: World, sensord: Program) -> None:
    hire(world, "second", "etl", 16, 3)
    hire(world, "model", "ml", 4, 0)
    hire(world, "first", "etl", 8, 2, is_taking=False)
    world.db.run("UPDATE worker SET beat_at = beat_at - 40500000 WHERE name = 'model'")

    rows = [re.split(r"\s{2,}", line) for line in sensord("worker", "list").lines]

    assert [row[:5] for row in rows] == [
        ["QUEUE", "WORKER", "HOST", "SLOTS", "STATE"],
        ["etl", "first", "host of first", "2 of 8", "draining"],
        ["etl", "second", "host of second", "3 of 16", "taking"],
        ["ml", "model", "host of model", "0 of 4", "taking"],
    ]
    assert rows[0][5:] == ["SINCE", "HEARD"]
    assert re.fullmatch(r"4\ds ago", rows[3][6])


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_where_there_are_none_it_says_so(world: World, sensord: Program) -> None:
    said = sensord("worker", "list")
    assert (said.code, said.out, said.err) == (0, "", "no workers\n")
