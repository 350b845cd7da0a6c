"""The workers in the headline of `sensord status` and `sensord daemon status`: how many, their slots, by queue."""

import pytest

from sensord.cli.manning import Crew, crew_words, crews
from sensord.store import workers
from sensord.store.lead import Holder
from sensord.store.workers import Beat
from tests.cli.program import Program
from tests.daemon.world import HOURLY, World

ON_POSTGRES = pytest.mark.parametrize("dialect", ["postgresql"])


def hire(world: World, name: str, queue: str, slots: int, busy: int, *, is_taking: bool = True) -> None:
    """A worker tells of itself."""
    holder = Holder(f"host of {name}", 7, "0.1.0", f"station of {name}")
    workers.beat(world.db, holder, Beat(name, queue, slots, busy, 60_000_000, is_taking))


@pytest.fixture
def staffed(world: World) -> World:
    """Three workers, of whom one drains; a fourth has not been heard of for too long."""
    world.flow("orders", HOURLY)
    world.start()
    hire(world, "second", "etl", 8, 3)
    hire(world, "model", "ml", 4, 0)
    hire(world, "first", "etl", 8, 2, is_taking=False)
    hire(world, "lost", "etl", 100, 100)
    world.db.run("UPDATE worker SET beat_at = beat_at - 100000000 WHERE name = 'lost'")
    return world


WORDS = "3, 5 of 20 slots in use (2 on etl: 5 of 16, 1 draining; 1 on ml: 0 of 4)"


@ON_POSTGRES
def test_status_has_them_below_the_daemon(staffed: World, sensord: Program) -> None:
    lines = sensord("status").lines

    assert lines[0].startswith("daemon:  process ")
    assert lines[1:3] == [f"workers: {WORDS}", ""]


@ON_POSTGRES
def test_what_else_is_in_the_headline_stands_below_each_other(staffed: World, sensord: Program) -> None:
    staffed.flow("bad", HOURLY.replace("0 *", "61 *"))
    staffed.daemon.reload()

    assert [line[:9] for line in sensord("status").lines[:3]] == ["daemon:  ", "workers: ", "files:   "]


@ON_POSTGRES
def test_so_does_the_daemons_own_status(staffed: World, sensord: Program) -> None:
    assert f"workers:  {WORDS}" in sensord("daemon", "status").lines


@ON_POSTGRES
@pytest.mark.parametrize("words", ["status", "daemon status"])
def test_json_has_them_by_queue(staffed: World, sensord: Program, words: str) -> None:
    assert sensord(*words.split(), "--json").json["workers"] == [
        {"queue": "etl", "number": 2, "draining": 1, "slots": 16, "busy": 5},
        {"queue": "ml", "number": 1, "draining": 0, "slots": 4, "busy": 0},
    ]


@pytest.mark.parametrize("words", ["status", "daemon status"])
def test_where_there_are_none_nothing_is_said(world: World, sensord: Program, words: str) -> None:
    world.flow("orders", HOURLY)
    world.start()

    assert not [line for line in sensord(*words.split()).lines if line.startswith("workers")]
    assert sensord(*words.split(), "--json").json["workers"] == []
    assert crews(world.db) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([Crew("etl", 1, 8, 0, 0)], "1 on etl, 0 of 8 slots in use"),
        ([Crew("etl", 2, 16, 16, 2)], "2 on etl, 16 of 16 slots in use, 2 draining"),
        (
            [Crew("a", 1000, 8000, 5000, 0), Crew("b", 1, 1, 1, 0)],
            "1,001, 5,001 of 8,001 slots in use (1,000 on a: 5,000 of 8,000; 1 on b: 1 of 1)",
        ),
    ],
)
def test_words_for_workers(found: list[Crew], words: str) -> None:
    assert crew_words(found) == words
