"""Changes are requests: the daemon that leads applies them, and without one nothing is written."""

from collections.abc import Callable, Iterator

import pytest

from sensord.store.schema import HEAD
from tests.cli.program import Program, Said
from tests.daemon.world import HOURLY, World


@pytest.fixture
def asking(world: World, sensord: Program) -> Program:
    """While the program waits, the daemon has its turn."""
    sensord.meanwhile = world.tick
    return sensord


def requests(world: World) -> list[tuple[object, ...]]:
    return world.db.fetch("SELECT kind, body, ok, answer FROM request ORDER BY id")


def test_a_reload_is_answered_by_the_daemon(world: World, asking: Program) -> None:
    world.start()
    world.flow("orders", HOURLY)
    said = asking("daemon", "reload")
    assert (said.out, said.err, said.code) == ("", "1 flow, 0 problems\n", 0)
    assert requests(world) == [("reload", "{}", 1, "1 flow, 0 problems")]


def test_a_reload_says_what_is_wrong_in_the_files(world: World, asking: Program) -> None:
    world.start()
    world.flow("orders", HOURLY)
    world.flow("bad", HOURLY.replace("cron", "corn"))
    said = asking("daemon", "reload")
    first, *problems = said.err.splitlines()
    assert (said.out, first, said.code) == ("", "1 flow, 1 problem", 0)
    assert [problem.split(": ")[0] for problem in problems] == ["  flows/bad.toml:2:1"]


def test_a_request_says_who_asked_and_when(world: World, asking: Program) -> None:
    world.start()
    asking("daemon", "reload")
    ((who, created_at),) = world.db.fetch("SELECT who, created_at FROM request")
    assert "@" in who
    assert created_at == 1_795_343_400_000_000


def test_a_refusal_comes_with_the_daemons_hint_and_exit_code(world: World, asking: Program) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    refused = asking("run", "rerun", "orders", "latest")
    assert (refused.code, refused.err.splitlines()[0]) == (
        1,
        "error: expected a run that has ended, got orders 2026-11-22T10:00:00Z in running",
    )

    def gone() -> None:
        world.db.run("DELETE FROM run")
        world.tick()

    asking.meanwhile = gone
    lost = asking("run", "cancel", "orders", "latest")
    assert (lost.code, lost.err.splitlines()) == (
        4,
        [
            "error: expected a run of orders 2026-11-22T10:00:00Z, got none",
            "hint: sensord run list --flow orders",
        ],
    )


def test_a_refusal_is_an_error(world: World, asking: Program) -> None:
    world.start()
    (world.folder / "sensord.toml").write_text("slots = 0")
    said = asking("daemon", "reload", SENSORD_CONFIG=str(world.folder.parent))
    assert said.code == 1
    assert said.err.startswith("error: sensord.toml:1:9: slots: expected a whole number")


def test_a_daemon_that_is_too_busy_leaves_the_request_and_its_number(world: World, sensord: Program) -> None:
    world.start()
    said = sensord("daemon", "reload")
    assert (said.code, said.err) == (0, "accepted as request 1; the daemon has not answered yet\n")
    assert sum(sensord.waits) == pytest.approx(5.0)
    assert requests(world) == [("reload", "{}", None, None)]


@pytest.mark.parametrize("change", ["stop", "reload"])
def test_without_a_daemon_nothing_is_written(world: World, sensord: Program, change: str) -> None:
    said = sensord("daemon", change)
    assert (said.code, said.out) == (3, "")
    assert said.err == "error: no daemon leads\nhint: start one with `sensord daemon start`\n"
    assert requests(world) == []


def test_a_database_that_is_not_there_has_no_daemon(on_files: Program) -> None:
    said = on_files("daemon", "stop")
    assert said.code == 3
    assert not (on_files.folder.parent / ".sensord").exists()


def stop(world: World, sensord: Program, *arguments: str) -> Said:
    """`daemon stop`: the daemon has its turns until it is done, and its first command ends at the third look."""

    def meanwhile() -> None:
        if len(sensord.waits) == 3 and world.executor.running:
            world.executor.end(world.executor.running[0])
        if not world.daemon.done:
            world.daemon.tick()
        if world.daemon.done:
            world.daemon.lead.release()

    sensord.meanwhile = meanwhile
    return sensord("daemon", "stop", *arguments)


def test_stop_waits_for_what_runs_and_names_it(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    said = stop(world, sensord)
    assert said.code == 0
    assert said.err.splitlines() == [
        "draining, 1 running",
        "waiting for orders 2026-11-22T10:00:00Z, running for 0s",
        "stopped",
    ]


def test_stop_now_waits_for_no_command(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    said = stop(world, sensord, "--now")
    assert said.err.splitlines() == ["stopping", "stopped"]
    assert len(world.executor.running) == 1


@pytest.fixture(params=["0001", "9999"])
def of_another_version(world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """A daemon that leads by an older schema, or a newer one. The database is used again: it gets its own back."""
    world.start()
    world.db.run("UPDATE alembic_version SET version_num = :revision", revision=request.param)
    yield world
    world.db.run("UPDATE alembic_version SET version_num = :revision", revision=HEAD)


def test_a_daemon_of_another_version_can_be_stopped_and_asked_for_nothing_else(
    of_another_version: World, sensord: Program
) -> None:
    world = of_another_version

    assert sensord("daemon", "reload").code == 1
    stopped = stop(world, sensord)

    assert (stopped.code, stopped.err.splitlines()[-1]) == (0, "stopped")
    assert [kind for kind, *_ in requests(world)] == ["stop"]


def test_stop_ends_when_another_daemon_has_taken_over(world: World, sensord: Program) -> None:
    """The one that was asked to stop is gone; the next one was not asked."""
    world.start()
    turns: Iterator[Callable[[], object]] = iter([world.daemon.tick, world.restart])
    sensord.meanwhile = lambda: next(turns)()
    assert sensord("daemon", "stop").err.splitlines()[-1] == "stopped"
