"""The definition that a run has, and those that its attempts had: as TOML, and as JSON."""

import tomllib

import pytest

from sensord.core.run import State
from tests.cli.program import Program
from tests.daemon.world import HOURLY, World

TEN = "2026-11-22T10:00"
WHOLE = """
description = "Sales"
tags = ["mart"]
retention = "90d"

[params]
mode = "delta"
limit = 3

[schedule]
cron = "0 * * * *"
timezone = "Europe/Amsterdam"
start = 2026-11-22T11:00:00

[run]
command = ["load", "{{ params.mode }}", '{{ data_interval_end | date("%F") }}', "{{ params.limit }}"]
timeout = "1h30m5s"
grace = "1m"
retries = 2
retry_delay = "5m"
max_active = 3

[run.env]
FLOW = "{{ flow }}"

[[sensors]]
upstream = "orders"
match = "interval"
within = "1d"
require = "any"
on_failure = "proceed"
timeout = "2d"
"""


@pytest.fixture
def changed(world: World) -> World:
    """`mart` ran by one definition, was rerun by the next, and has a third one now."""
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY)
    world.start()
    world.tick()
    for number, hour in ((2, "11"), (3, "12")):
        world.finish("mart", TEN)
        world.clock.set(world.clock.now().replace(hour=int(hour)))
        world.flow("mart", HOURLY.replace('"true"', f'"v{number}"'))
        world.daemon.reload()
        if number == 2:
            world.daemon.change("rerun", {"flow": "mart", "logical_date": "2026-11-22T10:00:00Z"})
        world.tick()
    return world


def test_each_attempt_has_the_definition_that_it_was_started_with(changed: World, sensord: Program) -> None:
    commands = []
    for options in (["--attempt", "1"], ["--attempt", "2"], []):
        shown = sensord("run", "show", "mart", TEN, "--definition", *options, "--json").json
        commands.append((shown["attempt"], shown["definition"]["run"]["command"], shown["current"], shown["since"]))

    assert commands == [
        (1, ["true"], False, "2026-11-22T10:30:00Z"),
        (2, ["v2"], False, "2026-11-22T11:30:00Z"),
        (None, ["v2"], False, "2026-11-22T11:30:00Z"),
    ]
    newest = sensord("run", "show", "mart", "2026-11-22T12:00", "--definition", "--json").json
    assert (newest["current"], newest["definition"]["run"]["command"]) == (True, ["v3"])


def test_it_is_shown_as_a_file_would_have_it(changed: World, sensord: Program) -> None:
    assert sensord("run", "show", "mart", TEN, "--definition", "--attempt", "2").lines == [
        "# mart 2026-11-22T10:00:00Z, attempt 2",
        "# by its definition of 2026-11-22T11:30:00Z; the flow has another one now",
        "",
        "[schedule]",
        'cron = "0 * * * *"',
        "",
        "[run]",
        'command = ["v2"]',
    ]


def test_what_is_shown_is_a_flow_file_of_the_same_meaning(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", WHOLE)
    world.start()
    world.tick("2026-11-22T10:30")
    assert world.state("mart", TEN) is not State.ABSENT
    body = world.db.fetch("SELECT body FROM definition d JOIN flow f ON f.id = d.flow_id WHERE f.name = 'mart'")

    shown = sensord("run", "show", "mart", f"{TEN}Z", "--definition")
    world.flow("mart", shown.out)
    world.daemon.reload()

    assert world.db.fetch("SELECT message FROM problem") == []
    assert world.db.fetch("SELECT body FROM definition d JOIN flow f ON f.id = d.flow_id WHERE f.name = 'mart'") == body
    assert tomllib.loads(shown.out)["run"]["timeout"] == "1h30m5s"


def test_a_shell_command_is_told_as_such(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY.replace('["true"]', "'echo {{ flow }} | cat'\nshell = true"))
    world.start()
    world.tick()

    shown = sensord("run", "show", "orders", "--definition", "--json").json["definition"]

    assert shown["run"] == {"command": "echo {{ flow }} | cat", "shell": True}


def test_an_attempt_that_there_is_not(changed: World, sensord: Program) -> None:
    said = sensord("run", "show", "mart", TEN, "--definition", "--attempt", "3")

    assert (said.code, "mart 2026-11-22T10:00:00Z has no attempt 3" in said.err) == (4, True)


def test_an_attempt_alone_asks_for_nothing(changed: World, sensord: Program) -> None:
    assert sensord("run", "show", "mart", TEN, "--attempt", "1").code == 2
