"""`sensord run logs -f`: a run's logs as they grow, across attempts, until the run ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sensord.executors.folders import log_of
from tests.cli.program import Program
from tests.daemon.world import HOURLY, World

TEN = "2026-11-22T10:00"
NAME = "orders 2026-11-22T10:00:00Z"


@pytest.fixture
def busy(world: World) -> World:
    """orders 10:00 runs, with one retry left."""
    world.flow("orders", HOURLY + 'retries = 1\nretry_delay = "1s"\n')
    world.start()
    world.tick()
    return world


def log(world: World, attempt: int = 1) -> Path:
    path = world.folder.parent / ".sensord" / "runs" / log_of(1, attempt)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def follow(sensord: Program, *steps: Callable[[], object]) -> tuple[list[str], list[str]]:
    """What is said on stdout and stderr when these steps happen one after the other, each between two looks."""
    left = list(steps)

    def meanwhile() -> None:
        assert left, "it should have ended"
        left.pop(0)()

    sensord.meanwhile = meanwhile
    said = sensord("run", "logs", "orders", "-f")
    assert said.code == 0, said.err
    assert not left
    return said.out.splitlines(), said.err.splitlines()


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def end(world: World, code: int) -> None:
    world.end("orders", TEN, code)
    world.tick()


def test_what_is_written_is_shown_as_it_comes_until_the_run_ends(busy: World, sensord: Program) -> None:
    append(log(busy), "one\n")
    out, err = follow(
        sensord,
        lambda: append(log(busy), "two\nthr"),
        lambda: append(log(busy), "ee\nand the end"),
        lambda: end(busy, 0),
    )
    assert out == ["one", "two", "three", "and the end"]
    assert err == [f"{NAME}, attempt 1", f"{NAME} is success"]


def test_it_goes_on_with_the_next_attempt(busy: World, sensord: Program) -> None:
    append(log(busy), "first\n")

    def again() -> None:
        append(log(busy), "failed\n")
        end(busy, 3)
        append(log(busy, 2), "second\n")
        busy.tick("2026-11-22T10:31:30")

    out, err = follow(sensord, again, lambda: end(busy, 4))
    assert out == ["first", "failed", "second"]
    assert err == [f"{NAME}, attempt 1", f"{NAME}, attempt 2", f"{NAME} is failed: exit 4"]


def test_of_a_run_that_is_over_it_shows_all_and_ends(busy: World, sensord: Program) -> None:
    append(log(busy), "done\n")
    end(busy, 0)
    assert follow(sensord) == (["done"], [f"{NAME}, attempt 1", f"{NAME} is success"])


def test_it_waits_for_a_run_that_has_not_begun(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.slots = 0
    world.start()
    world.tick()

    def begin() -> None:
        world.daemon.slots = 1
        world.tick()
        append(log(world), "at last\n")

    out, err = follow(sensord, lambda: None, begin, lambda: end(world, 0))
    assert out == ["at last"]
    assert err[0] == f"{NAME} is queued and was never started: waiting for it to begin"


def test_one_that_has_not_begun_says_where_no_daemon_could_begin_it(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.slots = 0
    world.start()
    world.tick()
    world.daemon.lead.release()

    def begin() -> None:
        world.slots = 1
        world.restart()
        world.tick()

    _, err = follow(sensord, begin, lambda: end(world, 0))
    assert err[1] == "no daemon leads: nothing starts until `sensord daemon start`"


def test_a_log_that_is_cut_or_replaced_begins_anew(busy: World, sensord: Program) -> None:
    append(log(busy), "one\ntwo\n")

    def replace() -> None:
        log(busy).rename(log(busy).with_name("log.1"))
        append(log(busy), "four\n")

    out, err = follow(sensord, lambda: log(busy).write_text("three\n"), replace, lambda: end(busy, 0))
    assert out == ["one", "two", "three", "four"]
    assert err == [f"{NAME}, attempt 1", *[f"{log(busy)} begins anew"] * 2, f"{NAME} is success"]


def test_what_was_written_to_a_log_that_was_moved_away_is_not_lost(busy: World, sensord: Program) -> None:
    append(log(busy), "one\n")

    def move() -> None:
        append(log(busy), "two\n")
        log(busy).rename(log(busy).with_name("log.1"))

    out, _ = follow(sensord, move, lambda: append(log(busy).with_name("log.1"), "three\n"), lambda: end(busy, 0))
    assert out == ["one", "two", "three"]


def test_a_log_that_is_not_here_is_said_to_be_missing(busy: World, sensord: Program) -> None:
    out, err = follow(sensord, lambda: end(busy, 0))
    assert out == []
    assert err[1].startswith(f"no log at {log(busy)}: look on the host that it ran on")


def test_it_begins_with_the_attempt_that_is_named(busy: World, sensord: Program) -> None:
    append(log(busy), "first\n")
    end(busy, 3)
    busy.tick("2026-11-22T10:31:30")
    append(log(busy, 2), "second\n")
    end(busy, 0)
    assert sensord("run", "logs", "orders", "-f", "--attempt", "1").lines == ["first", "second"]
    assert sensord("run", "logs", "orders", "-f").lines == ["second"]


def test_control_characters_are_shown_unless_raw(busy: World, sensord: Program) -> None:
    append(log(busy), "\x1b[31mred\n")
    end(busy, 0)
    assert sensord("run", "logs", "orders", "-f").lines == ["\\x1b[31mred"]
    assert sensord("run", "logs", "orders", "-f", "--raw").out == "\x1b[31mred\n"


def test_ctrl_c_ends_it_quietly(busy: World, sensord: Program) -> None:
    append(log(busy), "one\n")

    def interrupt() -> None:
        raise KeyboardInterrupt

    sensord.meanwhile = interrupt
    said = sensord("run", "logs", "orders", "-f")
    assert (said.code, said.out.strip()) == (130, "one")
    assert said.err.strip() == f"{NAME}, attempt 1"
