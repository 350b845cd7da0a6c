"""What the shell proposes: flows, dates, states; by the program itself as bash calls it, and in this process."""

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from sensord.cli.main import cli
from sensord.cli.session import Session
from tests.cli.program import Program, write
from tests.daemon.world import HOURLY, World


def proposed(program: Program, *words: str, incomplete: str = "") -> list[str]:
    environ = {"SENSORD_CONFIG": str(program.folder)} | ({"SENSORD_DB": program.url} if program.url else {})
    session = Session(clock=program.clock, environ=environ)
    found = ShellComplete(cli, {"obj": session}, "sensord", "_SENSORD_COMPLETE")
    return [item.value for item in found.get_completions(list(words), incomplete)]


@pytest.fixture
def busy(world: World) -> World:
    """orders 10:00 has run, 11:00 runs; sales has none."""
    world.flow("ingest/orders", HOURLY)
    world.flow("mart/sales", HOURLY.replace("[run]", 'first = "next"\n[run]'))
    world.start()
    world.tick("2026-11-22T10:30")
    world.end("ingest/orders", "2026-11-22T10:00")
    world.tick("2026-11-22T10:59")
    return world


def test_commands_are_proposed(on_files: Program) -> None:
    assert proposed(on_files, incomplete="st") == ["status"]
    assert "rerun" in proposed(on_files, "run")


@pytest.mark.parametrize(
    "command",
    [
        *("why", "resolve", "next", "graph", "status", "flow show", "flow pause"),
        *("run show", "run logs", "run rerun", "run trigger", "run list --flow", "flow new --upstream"),
    ],
)
def test_every_flow_is_completed_from_the_database(busy: World, sensord: Program, command: str) -> None:
    assert proposed(sensord, *command.split()) == ["ingest/orders", "mart/sales"]
    assert proposed(sensord, *command.split(), incomplete="mart") == ["mart/sales"]


def test_without_a_database_they_come_from_the_files(on_files: Program) -> None:
    write(on_files, "mart/sales", HOURLY)
    assert proposed(on_files, "why", incomplete="m") == ["mart/sales"]


def test_without_either_nothing_is_proposed_and_nothing_said(on_files: Program) -> None:
    (on_files.folder / "flows").rmdir()
    assert proposed(on_files, "why") == []


def test_dates_are_words_and_the_flows_newest_runs_without_colons_that_bash_would_break(
    busy: World, sensord: Program
) -> None:
    words = ["latest", "now", "today", "yesterday", "tomorrow"]
    assert proposed(sensord, "why", "ingest/orders") == [*words, "2026-11-22T100000Z"]
    assert proposed(sensord, "run", "show", "mart/sales") == words
    assert proposed(sensord, "run", "rerun", "ingest/orders", incomplete="2026") == ["2026-11-22T100000Z"]


def test_what_is_proposed_is_taken(busy: World, sensord: Program) -> None:
    (date,) = proposed(sensord, "run", "show", "ingest/orders", incomplete="2")
    assert sensord("run", "show", "ingest/orders", date, "--json").json["logical_date"] == "2026-11-22T10:00:00Z"


def test_dates_of_an_unknown_flow_are_words_alone(busy: World, sensord: Program) -> None:
    assert proposed(sensord, "why", "nothing", incomplete="l") == ["latest"]


def test_states_are_proposed(on_files: Program) -> None:
    assert proposed(on_files, "status", "--state", incomplete="b") == ["blocked"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_program_prints_what_each_shell_needs(shell: str) -> None:
    said = CliRunner().invoke(cli, [], prog_name="sensord", env={"_SENSORD_COMPLETE": f"{shell}_source"})
    assert said.exit_code == 0
    assert f"_SENSORD_COMPLETE={shell}_complete" in said.output
