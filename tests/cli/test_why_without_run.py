"""`why` of a date that has no run: still to come, not planned yet, passed over, or none at all."""

from pathlib import Path

from sensord.executors.folders import log_of
from tests.cli.program import Program
from tests.daemon.world import HOURLY, World, at

TEN = "2026-11-22T10:00"


def write_log(world: World, run_id: int, text: str) -> None:
    path: Path = world.folder.parent / ".sensord" / "runs" / log_of(run_id, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def start(world: World, *nows: str) -> None:
    world.start()
    for now in nows or ("2026-11-22T10:30",):
        world.tick(now)


def test_a_tick_to_come(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    start(world)
    said = sensord("why", "orders", "2026-11-22T12:00")
    assert said.lines[0] == "orders 2026-11-22T12:00:00Z: not due"
    assert said.lines[-1] == "It comes in 1h30m; until then there is no run."
    shown = sensord("why", "orders", "2026-11-22T12:00", "--json").json
    assert (shown["state"], shown["run"], shown["causes"]) == ("not_due", None, [])


def test_a_tick_that_has_come_and_is_not_planned(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    start(world)
    world.clock.set(at("2026-11-22T11:05"))
    assert sensord("why", "orders", "2026-11-22T11:00").lines[-1] == "It was due 5m ago; the daemon plans it next."


def test_a_tick_that_was_passed_over(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    start(world)
    assert sensord("why", "orders", "2026-11-22T03:00").lines == [
        "orders 2026-11-22T03:00:00Z: missed",
        "",
        "It lies before the first tick that the flow planned, 2026-11-22T10:00:00Z.",
        "For those that wait for it, it counts as skipped (missed).",
        "`sensord run trigger orders --date 2026-11-22T03:00:00Z` runs it after all.",
    ]


def test_a_tick_that_catchup_left_out(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY.replace("[run]", 'catchup = "latest"\n[run]'))
    world.flow("plain", HOURLY)
    start(world)
    world.tick("2026-11-22T15:30")
    assert sensord("why", "orders", "2026-11-22T12:00").lines[2] == (
        'A later one was due already, or the flow was paused: catchup = "latest" says what is run then.'
    )


def test_a_date_off_the_ticks_is_not_found_and_the_ticks_beside_it_are_named(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    start(world)
    said = sensord("why", "orders", "2026-11-22T12:20")
    assert said.code == 4
    assert said.err.splitlines() == [
        "error: orders has no run and no tick at 2026-11-22T12:20:00Z",
        "hint: its ticks next to that: 2026-11-22T12:00:00Z, 2026-11-22T13:00:00Z",
    ]


def test_a_flow_without_runs_says_when_its_first_one_comes(world: World, sensord: Program) -> None:
    world.flow("later", '[schedule]\ncron = "0 2 * * *"\nfirst = "next"\n[run]\ncommand = ["true"]\n')
    start(world)
    assert sensord("why", "later").lines[0] == "later 2026-11-23T02:00:00Z: not due"
