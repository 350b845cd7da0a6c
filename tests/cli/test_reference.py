"""docs/reference: every command is documented, with an example that works, and every JSON key is named."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from sensord.cli.main import cli
from sensord.cli.reference import commands_of, document
from sensord.store import workers
from sensord.store.lead import Holder
from sensord.store.workers import Beat
from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, on

DOCS = Path(__file__).parents[2] / "docs" / "reference"
COMMANDS = dict(commands_of(cli))


def test_the_page_is_what_the_commands_say() -> None:
    assert (DOCS / "cli.md").read_text() == document(), "run: python -m sensord.cli.reference > docs/reference/cli.md"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help_for_each_option_and_an_example_that_parses(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    assert command.examples
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    for example in command.examples:
        words = re.sub(r"^[A-Z_]+=\S+ | --config /etc/sensord(?= )", "", example)
        assert words.startswith(path)
        command.make_context(path, shlex.split(words.removeprefix(path).partition(" > ")[0]))


@pytest.mark.parametrize("path", COMMANDS)
def test_help_shows_the_examples_as_they_are(on_files: Program, path: str) -> None:
    said = on_files(*path.split()[1:], "--help")
    assert said.code == 0
    shown = said.out.split("Examples:\n")[1].splitlines()
    assert [line.strip() for line in shown if line] == list(COMMANDS[path].examples)


READS = [path for path, command in COMMANDS.items() if any(option.name == "as_json" for option in command.params)]
SHOWS = {
    "sensord check": [],
    "sensord status": [],
    "sensord why": ["sales"],
    "sensord resolve": ["sales", "latest"],
    "sensord next": ["sales"],
    "sensord graph": ["sales"],
    "sensord simulate": [],
    "sensord flow list": [],
    "sensord flow show": ["sales"],
    "sensord run list": [],
    "sensord run show": ["orders"],
    "sensord backfill list": [],
    "sensord backfill show": ["1"],
    "sensord daemon status": [],
    "sensord worker list": [],
    "sensord db check": [],
}


def test_every_command_that_shows_something_has_json() -> None:
    assert set(READS) == set(SHOWS)
    assert set(COMMANDS) - set(READS) == {
        *("sensord run logs", "sensord db upgrade", "sensord init", "sensord schema", "sensord flow new"),
        *("sensord daemon start", "sensord daemon stop", "sensord daemon reload", "sensord worker start"),
        *("sensord run rerun", "sensord run cancel", "sensord run mark", "sensord run trigger"),
        *("sensord flow pause", "sensord flow resume", "sensord flow retire"),
        *("sensord import crontab", "sensord import airflow"),
        *(f"sensord backfill {verb}" for verb in ("start", "pause", "resume", "cancel")),
    }


@pytest.mark.parametrize("path", READS)
def test_every_key_of_its_json_stands_on_the_page(world: World, sensord: Program, path: str) -> None:
    # given something of everything: a problem, a failed run, a run that waits
    world.flow("orders", HOURLY)
    world.flow("day", DAILY)
    world.flow("sales", HOURLY, on("orders"), on("day"))
    world.start()
    world.tick()
    world.end("orders", "2026-11-22T10:00", 1)
    world.tick()
    if path != "sensord check":
        world.flow("bad", HOURLY, on("nobody"))
        world.daemon.reload()
    if "backfill" in path:
        dates = {"from": "2026-11-22T01:00+00:00", "to": "2026-11-22T04:00+00:00"}
        world.daemon.change("backfill", {"flow": "orders", **dates})
        world.tick()
    if world.db.dialect == "postgresql":
        workers.beat(
            world.db, Holder("etl2", 7, "0.1.0", "there"), Beat("one", "etl", 8, 2, 60_000_000, is_taking=True)
        )
    section = _section(path)
    shown = sensord(*path.split()[1:], *SHOWS[path], "--json").json
    missing = {key for key in _keys(shown) if f"`{key}`" not in section}
    assert not missing - {"waiting", "running", "cron"}


def _section(path: str) -> str:
    """What json.md says of a command, and the shapes that it shares with others."""
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", (DOCS / "json.md").read_text(), re.M | re.S))
    own: str = sections[path]
    shared = [sections[name] for name in re.findall(r"\(#([a-z-]+)\)", own) if name in sections]
    return own + "".join(shared)


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    if isinstance(value, list):
        return {key for inner in value for key in _keys(inner)}
    return set()
