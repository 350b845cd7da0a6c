"""Which run a DATE means that is said in part: the one at its beginning, or the only one in it."""

import pytest

from tests.cli.program import Program
from tests.daemon.world import World

HALF_PAST = '[schedule]\ncron = "30 * * * *"\ntimezone = "Europe/Amsterdam"\n[run]\ncommand = ["true"]\n'
NIGHTLY = '[schedule]\ncron = "0 2 * * *"\ntimezone = "Europe/Amsterdam"\n[run]\ncommand = ["true"]\n'


@pytest.fixture
def busy(world: World) -> World:
    """half_past ran at 08:30, 09:30 and 10:30 in Amsterdam; nightly at 02:00 today and yesterday; it is 11:00 there."""
    world.flow("half_past", HALF_PAST)
    world.flow("nightly", NIGHTLY)
    for now in ("2026-11-21T02:00", "2026-11-22T08:00", "2026-11-22T09:00", "2026-11-22T10:00"):
        if now == "2026-11-21T02:00":
            world.clock.set(world.clock.now().replace(day=21, hour=2))
            world.start()
        world.tick(now)
    return world


def date_of(said_of: Program, *arguments: str) -> str:
    return str(said_of("run", "show", *arguments, "--json").json["logical_date"])


def test_an_hour_means_the_run_in_it(busy: World, sensord: Program) -> None:
    assert date_of(sensord, "half_past", "2026-11-22T09") == "2026-11-22T08:30:00Z"
    assert date_of(sensord, "half_past", "2026-11-22T09Z") == "2026-11-22T09:30:00Z"


def test_a_day_means_the_run_in_it(busy: World, sensord: Program) -> None:
    assert date_of(sensord, "nightly", "2026-11-22") == "2026-11-22T01:00:00Z"
    assert date_of(sensord, "nightly", "today") == "2026-11-22T01:00:00Z"
    assert date_of(sensord, "nightly", "yesterday") == "2026-11-21T01:00:00Z"


def test_where_there_are_several_it_says_which(busy: World, sensord: Program) -> None:
    said = sensord("run", "show", "nightly", "2026-11")
    assert (said.code, said.out) == (4, "")
    assert said.err.splitlines() == [
        "error: nightly has several runs from 2026-10-31T23:00:00Z to 2026-11-30T23:00:00Z",
        "hint: such as 2026-11-21T01:00:00Z, 2026-11-22T01:00:00Z",
    ]


def test_the_run_at_its_beginning_goes_before_others(world: World, sensord: Program) -> None:
    world.flow("often", '[schedule]\ncron = "*/20 * * * *"\n[run]\ncommand = ["true"]\n')
    world.start()
    world.tick("2026-11-22T11:45")
    assert date_of(sensord, "often", "2026-11-22T11") == "2026-11-22T11:00:00Z"


def test_where_there_is_none_it_names_the_nearest(busy: World, sensord: Program) -> None:
    said = sensord("run", "show", "nightly", "2026-11-20")
    assert said.code == 4
    assert "nightly has no run at 2026-11-20T01:00:00Z" in said.err
    assert "2026-11-21T01:00:00Z" in said.err


def test_why_takes_a_day_too_and_of_days_to_come_the_tick_in_it(busy: World, sensord: Program) -> None:
    assert sensord("why", "nightly", "yesterday", "--json").json["logical_date"] == "2026-11-21T01:00:00Z"
    coming = sensord("why", "nightly", "2026-11-24", "--json").json
    assert (coming["logical_date"], coming["state"]) == ("2026-11-24T01:00:00Z", "not_due")


def test_a_list_since_yesterday(busy: World, sensord: Program) -> None:
    listed = sensord("run", "list", "--flow", "nightly", "--since", "today", "--json").json
    assert [run["logical_date"] for run in listed["runs"]] == ["2026-11-22T01:00:00Z"]
