"""`sensord simulate`: the coming days on a virtual clock, by the daemon's own rules and the durations of the past."""

from typing import Any

import pytest

from sensord.core.run import State
from tests.cli.program import Program, write
from tests.daemon.world import DAILY, HOURLY, World, on

DAY = ["--from", "2026-11-22T00:30Z", "--to", "2026-11-22T05:30Z"]
"""Five hours, with the daily tick at 02:00."""


@pytest.fixture
def mart(on_files: Program) -> Program:
    """sales, hourly, needs the orders of its hour and the last customers."""
    write(on_files, "dim/customers", DAILY)
    write(on_files, "ingest/orders", HOURLY)
    write(on_files, "mart/sales", HOURLY, on("ingest/orders"), on("dim/customers"))
    return on_files


def runs(program: Program, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    """(flow, hour of its logical date) -> the run."""
    shown = program("simulate", *DAY, *arguments, "--json").json
    return {(run["flow"], run["logical_date"][11:16]): run for run in shown["runs"]}


def states(found: dict[tuple[str, str], dict[str, Any]], flow: str) -> dict[str, str]:
    return {hour: run["state"] for (name, hour), run in found.items() if name == flow}


def test_every_tick_becomes_a_run_that_lands_when_its_time_is_over(mart: Program) -> None:
    found = runs(mart, "--set", "ingest/orders.duration=5m", "--set", "mart/sales.duration=3m")
    hours = ["01:00", "02:00", "03:00", "04:00", "05:00"]
    assert states(found, "mart/sales") == dict.fromkeys(hours, "success")
    assert states(found, "dim/customers") == {"02:00": "success"}
    assert found["ingest/orders", "03:00"]["finished_at"] == "2026-11-22T03:05:00Z"
    assert found["mart/sales", "03:00"]["released_at"] == "2026-11-22T03:05:00Z"
    assert found["mart/sales", "03:00"]["finished_at"] == "2026-11-22T03:08:00Z"
    assert found["mart/sales", "03:00"]["waited_for"] == {
        "flow": "ingest/orders",
        "logical_date": "2026-11-22T03:00:00Z",
    }


def test_what_came_before_is_taken_for_done(mart: Program) -> None:
    assert runs(mart)["mart/sales", "01:00"]["state"] == "success"


def test_a_long_upstream_makes_late_what_waits_for_it(mart: Program) -> None:
    found = runs(mart, "--set", "dim/*.duration=2h30m")
    late = [hour for (flow, hour), run in found.items() if flow == "mart/sales" and run["late"]]
    assert late == ["02:00", "03:00"]
    assert found["mart/sales", "02:00"]["waited_for"]["flow"] == "dim/customers"
    assert found["mart/sales", "02:00"]["due_at"] == "2026-11-22T03:00:00Z"
    assert found["mart/sales", "02:00"]["finished_at"] == "2026-11-22T04:30:10Z"


def test_a_failure_holds_up_what_is_blocked_on_it(mart: Program) -> None:
    found = runs(mart, "--fail", "dim/customers@2026-11-22T02:00")
    assert found["dim/customers", "02:00"]["state"] == "failed"
    assert states(found, "mart/sales") == {
        "01:00": "success",
        **dict.fromkeys(["02:00", "03:00", "04:00", "05:00"], "waiting"),
    }
    assert found["mart/sales", "04:00"]["waits_for"] == [
        {"upstream": "dim/customers", "state": "failed", "first": "2026-11-22T02:00:00Z"}
    ]


def test_policies_and_deadlines_hold_as_in_life(mart: Program) -> None:
    write(mart, "patient", HOURLY, on("dim/customers", timeout="30m", on_timeout="skip"))
    write(mart, "bold", HOURLY, on("dim/customers", on_failure="proceed"))
    found = runs(mart, "--fail", "dim/customers@2026-11-22T02:00")
    assert states(found, "bold")["03:00"] == "success"
    assert found["patient", "03:00"]["reason"] == "sensor_timeout"
    assert states(found, "patient") == {
        "01:00": "success",
        **dict.fromkeys(["02:00", "03:00", "04:00"], "skipped"),
        "05:00": "skipped",
    }


def test_a_failing_run_is_tried_as_often_as_its_file_says(on_files: Program) -> None:
    write(on_files, "day", DAILY, 'retries = 2\nretry_delay = "10m"\n')
    found = runs(on_files, "--fail", "day@2026-11-22", "--set", "day.duration=1m")
    assert found["day", "02:00"]["finished_at"] == "2026-11-22T02:23:00Z"


def test_a_timeout_ends_what_takes_too_long(on_files: Program) -> None:
    write(on_files, "day", DAILY, 'timeout = "20m"\n')
    found = runs(on_files, "--set", "day.duration=1h")
    assert (found["day", "02:00"]["reason"], found["day", "02:00"]["state"]) == ("timed_out", "failed")
    assert found["day", "02:00"]["finished_at"] == "2026-11-22T02:20:00Z"


def test_slots_are_few_as_in_life(on_files: Program) -> None:
    (on_files.folder / "sensord.toml").write_text("slots = 1\n")
    for name in "abc":
        write(on_files, name, DAILY)
    found = runs(on_files, "--set", "*.duration=10m")
    assert sorted(run["finished_at"] for run in found.values()) == [
        "2026-11-22T02:10:00Z",
        "2026-11-22T02:20:00Z",
        "2026-11-22T02:30:00Z",
    ]


def test_as_text_it_is_a_table_of_flows_and_what_is_not_well(mart: Program) -> None:
    said = mart("simulate", *DAY, "--set", "*.duration=5m", "--fail", "ingest/orders@2026-11-22T03")
    assert said.code == 0
    assert said.lines == [
        "2026-11-22T00:30:00Z to 2026-11-22T05:30:00Z: 11 runs of 3 flows",
        "",
        "FLOW           RUNS  TAKES  DONE AFTER  AT WORST  LATE  WAITS LAST FOR",
        "dim/customers     1     5m          5m        5m     -  -",
        "ingest/orders     5     5m          5m        5m     -  -",
        "mart/sales        5     5m         10m       10m     1  ingest/orders (3 of 5)",
        "",
        "2 runs not done, or late",
        "  ingest/orders 2026-11-22T03:00:00Z  failed: exit 1",
        "  mart/sales 2026-11-22T03:00:00Z  waiting late: blocked by ingest/orders 2026-11-22T03:00:00Z (failed)",
    ]
    assert said.err == ""


def test_flows_of_which_nothing_is_known_are_named(mart: Program) -> None:
    said = mart("simulate", *DAY, "--set", "mart/sales.duration=1m")
    assert said.lines[-1] == "all done in time"
    assert said.err == "taken to need 10s, since no run of theirs is known: dim/customers, ingest/orders\n"


@pytest.fixture
def lived(world: World) -> World:
    """orders took 7 minutes at 10:00 and 11:00; day failed at 02:00; sales of 11:00 is blocked on it; it is 11:30."""
    world.flow("ingest/orders", HOURLY)
    world.flow("day", DAILY)
    world.flow("mart/sales", HOURLY, on("ingest/orders"), on("day"))
    world.start()
    world.tick("2026-11-22T10:30")
    world.end("day", "2026-11-22T02:00", 1)
    world.tick("2026-11-22T10:37")
    world.finish("ingest/orders", "2026-11-22T10:00")
    world.tick("2026-11-22T11:00")
    world.clock.set(world.clock.now().replace(minute=7))
    world.finish("ingest/orders", "2026-11-22T11:00")
    world.tick("2026-11-22T11:30")
    return world


def test_durations_are_those_of_the_past(lived: World, sensord: Program) -> None:
    shown = sensord("simulate", "--to", "2026-11-22T13:30Z", "--json").json
    orders = next(flow for flow in shown["flows"] if flow["flow"] == "ingest/orders")
    assert (orders["duration"], orders["known"], orders["runs"]) == (420, True, 2)
    day = next(run for run in shown["runs"] if run["flow"] == "ingest/orders")
    assert day["finished_at"] == "2026-11-22T12:07:00Z"


def test_it_begins_with_things_as_they_are(lived: World, sensord: Program) -> None:
    shown = sensord("simulate", "--to", "2026-11-22T13:30Z", "--json").json
    sales = {run["logical_date"][11:16]: run for run in shown["runs"] if run["flow"] == "mart/sales"}
    assert {hour: run["state"] for hour, run in sales.items()} == dict.fromkeys(
        ["10:00", "11:00", "12:00", "13:00"], "waiting"
    )
    assert {wait["upstream"] for run in sales.values() for wait in run["waits_for"]} == {"day"}


def test_nothing_real_is_changed(lived: World, sensord: Program) -> None:
    before = lived.db.fetch("SELECT id, state, attempt FROM run ORDER BY id")
    sensord("simulate", "--to", "2026-11-23T11:30Z")
    assert lived.db.fetch("SELECT id, state, attempt FROM run ORDER BY id") == before
    assert lived.state("day", "2026-11-22T02:00") is State.FAILED
    assert [path for path in lived.folder.rglob("*") if path.suffix != ".toml" and path.is_file()] == []


def test_a_paused_flow_plans_nothing(lived: World, sensord: Program) -> None:
    lived.daemon.change("pause", {"flow": "ingest/orders"})
    shown = sensord("simulate", "--to", "2026-11-22T13:30Z", "--json").json
    assert not [run for run in shown["runs"] if run["flow"] == "ingest/orders"]


def test_retention_prunes_nothing_meanwhile(mart: Program) -> None:
    (mart.folder / "sensord.toml").write_text('retention = "1h"\n')
    assert len(runs(mart)) == 11


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--set", "mart/sales=2h"], 2, "expected FLOW.duration=DURATION"),
        (["--set", "mart/sales.duration=2 h"], 1, "expected a duration"),
        (["--set", "mart/sales.duration=1d"], 2, "expected a duration in h, m and s"),
        (["--set", "mart/slaes.duration=2h"], 4, 'did you mean "mart/sales"?'),
        (["--fail", "dim/customers"], 2, "expected FLOW@DATE"),
        (["--fail", "dim/customers@yesterdy"], 2, "expected a date such as"),
        (["--fail", "dim/custmers@2026-11-22"], 4, 'did you mean "dim/customers"?'),
        (["--fail", "dim/customers@2026-11-23"], 2, "its ticks there: 2026-11-22T02:00:00Z"),
        (["--fail", "ingest/orders@2026-11-22"], 2, "expected one tick of ingest/orders within the days simulated"),
        (["--to", "2026-11-21"], 2, "expected an end after the beginning"),
        (["--to", "2056-11-21"], 2, "expected at most 100,000 runs, got"),
    ],
)
def test_what_makes_no_sense_is_refused(mart: Program, arguments: list[str], code: int, message: str) -> None:
    said = mart("simulate", *DAY, *arguments)
    assert (said.code, said.out) == (code, "")
    assert message in said.err
