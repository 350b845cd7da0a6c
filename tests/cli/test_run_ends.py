"""`sensord run show` of a run that had ended before: what a rerun, a mark or a trigger has overwritten."""

import pytest

from sensord.cli import past_text
from tests.cli.program import Program
from tests.daemon.world import HOURLY, World, at, on

NINE, TEN = "2026-11-22T09:00", "2026-11-22T10:00"


def at_minute(world: World, minute: int) -> None:
    world.clock.set(at(f"2026-11-22T10:{minute}"))


def ask(world: World, kind: str, who: str, **body: object) -> None:
    world.daemon.change(kind, {"flow": "orders", "logical_date": f"{TEN}:00Z", "who": who, **body})
    world.tick()


def before(sensord: Program, *words: str) -> list[str]:
    """What is said of earlier ends, and whether anything."""
    label = "  before    "
    return [line.removeprefix(label) for line in sensord("run", "show", *words).lines if line.startswith(label)]


@pytest.fixture
def mended(world: World) -> World:
    """orders 10:00 failed at 10:35, was sent back by ann at 10:40, failed at 10:45, and at 10:50 bob called it good."""
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders"))
    world.start()
    world.tick()
    at_minute(world, 35)
    world.end("orders", TEN, 3)
    world.tick()
    at_minute(world, 40)
    ask(world, "rerun", "ann")
    at_minute(world, 45)
    world.end("orders", TEN, 4)
    world.tick()
    at_minute(world, 50)
    ask(world, "mark", "bob", state="success")
    return world


def test_each_end_is_told_with_who_undid_it(mended: World, sensord: Program) -> None:
    lines = sensord("run", "show", "orders", TEN).lines

    assert lines[1:3] == ["  state     success 0s ago", "  why       by bob"]
    assert lines[7:11] == [
        "  finished  2026-11-22T10:50:00Z",
        "  before    failed (exit 3) at 2026-11-22T10:35:00Z, and was sent back by ann at 2026-11-22T10:40:00Z",
        "  before    failed (exit 4) at 2026-11-22T10:45:00Z, and was marked by bob at 2026-11-22T10:50:00Z",
        "",
    ]


def test_json_has_them_as_why_has_them(mended: World, sensord: Program) -> None:
    shown = sensord("run", "show", "orders", TEN, "--json").json

    assert shown["ends"] == sensord("why", "orders", TEN, "--json").json["past"]["ends"]
    assert [(end["state"], end["attempt"], end["left_by"], end["who"]) for end in shown["ends"]] == [
        ("failed", 1, "rerun", "ann"),
        ("failed", 2, "mark", "bob"),
    ]


def test_why_says_the_same(mended: World, sensord: Program) -> None:
    said = sensord("why", "orders", TEN).out

    for words in before(sensord, "orders", TEN):
        assert f"It {words}." in said


def test_a_run_that_never_ended_before_has_none(mended: World, sensord: Program) -> None:
    assert before(sensord, "sales", TEN) == []
    assert sensord("run", "show", "sales", TEN, "--json").json["ends"] == []


def test_a_missed_tick_that_was_given_a_run_was_missed_before(world: World, sensord: Program) -> None:
    # given a tick that passed in a pause, and for which somebody waits
    world.flow("orders", HOURLY.replace("[run]", 'catchup = "none"\n[run]'))
    world.flow("sales", HOURLY, on("orders"))
    world.clock.set(at("2026-11-22T08:30"))
    world.start()
    world.tick()
    world.daemon.change("pause", {"flow": "orders"})
    world.tick(NINE)
    world.tick("2026-11-22T09:30")
    world.daemon.change("resume", {"flow": "orders"})
    world.tick("2026-11-22T09:40")

    world.daemon.change("trigger", {"flow": "orders", "logical_date": f"{NINE}:00Z", "who": "ann"})
    world.tick()

    (words,) = before(sensord, "orders", NINE)
    assert words.startswith("was missed: its tick passed without a run")
    assert words.endswith("and was run after all by ann at 2026-11-22T09:40:00Z")


def test_of_many_the_last_are_told_and_the_others_counted(
    mended: World, sensord: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_text, "MOST", 1)

    counted, last = before(sensord, "orders", TEN)

    assert counted == "had ended 1 time before what is told here"
    assert last.startswith("failed (exit 4)")
    assert len(sensord("run", "show", "orders", TEN, "--json").json["ends"]) == 2
