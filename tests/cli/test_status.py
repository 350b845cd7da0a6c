"""`sensord status` and `sensord daemon status`."""

import re
from os import getpid

import pytest

from sensord.cli import overview
from sensord.cli.status_view import lines as lines_of
from sensord.store.database import redact
from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, at, on


@pytest.fixture
def busy(world: World) -> World:
    """customers runs; orders 10:00 failed and 11:00 runs; sales needs both; it is 11:20."""
    world.flow("dim/customers", DAILY)
    world.flow("ingest/orders", HOURLY)
    world.flow("mart/sales", HOURLY, on("ingest/orders"), on("dim/customers"))
    world.flow("mart/top", DAILY, on("mart/sales", match="same"))
    world.start()
    world.tick("2026-11-22T10:30")
    world.end("ingest/orders", "2026-11-22T10:00", 3)
    world.tick("2026-11-22T11:00")
    world.clock.set(at("2026-11-22T11:20"))
    return world


def test_every_flow_at_a_glance(busy: World, sensord: Program) -> None:
    lines = sensord("status").lines
    assert lines[0].startswith(f"daemon: process {getpid()} on here, for ")
    assert lines[1:] == [
        "",
        "FLOW           RUNS  NEWEST                STATE    FOR    NEXT  WHY",
        "dim/customers  >     2026-11-22T02:00:00Z  running  50m  14h40m  -",
        "ingest/orders  x>    2026-11-22T11:00:00Z  running  20m     40m  -",
        "mart/sales     ..    2026-11-22T11:00:00Z  waiting  20m     40m"
        "  waits for dim/customers 2026-11-22T02:00:00Z (running) and 1 more",
        "mart/top       -     2026-11-22T02:00:00Z  skipped    -  14h40m"
        "  sensor 0: mart/sales 2026-11-22T02:00:00Z was missed",
    ]


def test_a_run_that_only_a_person_can_free_says_so_first(busy: World, sensord: Program) -> None:
    busy.end("ingest/orders", "2026-11-22T11:00", 1)
    busy.tick("2026-11-22T11:20")
    line = next(line for line in sensord("status").lines if line.startswith("mart/sales"))
    assert line.endswith("blocked by ingest/orders 2026-11-22T11:00:00Z (failed) and 1 more")


def test_a_tick_to_come_is_named_as_such(world: World, sensord: Program) -> None:
    world.flow("late", '[schedule]\ncron = "0 20 * * *"\n[run]\ncommand = ["true"]\n')
    world.flow("eager", HOURLY, on("late", match="next"))
    world.start()
    world.tick()
    line = next(line for line in sensord("status").lines if line.startswith("eager"))
    assert line.endswith("waits for late 2026-11-22T20:00:00Z (not there yet)")


def test_the_strip_shows_the_newest_eight_states(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.start()
    for hour, code in enumerate([1, 0, 99, 0, 0, 0, 1, 0, 0, 0], start=10):
        world.tick(f"2026-11-22T{hour}:30")
        world.end("orders", f"2026-11-22T{hour}:00", code)
        world.tick()
    assert [line.split()[1] for line in sensord("status").lines if line.startswith("orders")] == ["-+++x+++"]
    recent = sensord("status", "--json").json["flows"][0]["recent"]
    assert recent == ["skipped", "success", "success", "success", "failed", "success", "success", "success"]


def test_status_as_json(busy: World, sensord: Program) -> None:
    shown = sensord("status", "--json").json
    assert shown["daemon"] == {
        "host": "here",
        "pid": getpid(),
        "version": "test",
        "started_at": shown["daemon"]["started_at"],
        "trouble": None,
    }
    assert shown["problems"] == []
    sales = next(flow for flow in shown["flows"] if flow["flow"] == "mart/sales")
    assert sales["state"] == "active"
    assert sales["planned_to"] == "2026-11-22T11:00:00Z"
    assert sales["newest"]["state"] == "waiting"
    assert sales["waits_for"] == [
        {"upstream": "dim/customers", "state": "running", "runs": 1, "first": "2026-11-22T02:00:00Z", "held": None},
        {"upstream": "ingest/orders", "state": "running", "runs": 1, "first": "2026-11-22T11:00:00Z", "held": None},
    ]


def shown(sensord: Program, *arguments: str) -> list[str]:
    """The names of the flows that fit."""
    flows = sensord("status", *arguments, "--json").json["flows"]
    return [flow["flow"] for flow in flows]


def test_flows_are_chosen_by_name_as_a_shell_would(busy: World, sensord: Program) -> None:
    assert shown(sensord, "mart/*") == ["mart/sales", "mart/top"]
    assert shown(sensord, "*/orders", "mart/t?p") == ["ingest/orders", "mart/top"]
    assert [line.split()[0] for line in sensord("status", "mart/top").lines[3:]] == ["mart/top"]


def test_a_name_that_no_flow_has_is_an_error_with_a_proposal(busy: World, sensord: Program) -> None:
    said = sensord("status", "mart/*", "mart/slaes")
    assert (said.code, said.out) == (4, "")
    assert said.err == "error: no flow named 'mart/slaes'\nhint: did you mean \"mart/sales\"?\n"


def test_flows_are_chosen_by_tag_and_owner(world: World, sensord: Program) -> None:
    # given
    world.flow("a", 'owner = "ann"\ntags = ["x", "y"]\n', HOURLY)
    world.flow("b", 'owner = "bob"\ntags = ["y"]\n', HOURLY)
    world.flow("c", HOURLY)
    world.start()

    # then values of one option add up, options narrow each other down
    assert shown(sensord, "--tag", "y") == ["a", "b"]
    assert shown(sensord, "--tag", "x", "--tag", "y") == ["a", "b"]
    assert shown(sensord, "--tag", "y", "--owner", "bob") == ["b"]
    assert shown(sensord, "--owner", "ann", "--owner", "bob", "b") == ["b"]
    flow = sensord("status", "a", "--json").json["flows"][0]
    assert (flow["owner"], flow["tags"], flow["next_tick"]) == ("ann", ["x", "y"], "2026-11-22T11:00:00Z")


def test_flows_are_chosen_by_state(busy: World, sensord: Program) -> None:
    busy.daemon.change("pause", {"flow": "mart/top"})
    assert shown(sensord, "--state", "running") == ["dim/customers", "ingest/orders"]
    assert shown(sensord, "--state", "waiting", "--state", "skipped") == ["mart/sales", "mart/top"]
    assert shown(sensord, "--state", "paused") == ["mart/top"]
    assert shown(sensord, "--state", "blocked") == []


def test_blocked_are_those_that_somebody_has_to_free(busy: World, sensord: Program) -> None:
    busy.end("ingest/orders", "2026-11-22T11:00", 1)
    busy.tick("2026-11-22T11:20")
    assert shown(sensord, "--state", "blocked") == ["mart/sales"]


def test_where_nothing_fits_it_says_how_many_there_are(busy: World, sensord: Program) -> None:
    said = sensord("status", "--tag", "nothing")
    assert (said.code, said.err) == (0, "none of 4 flows fits\n")


def test_a_flow_that_plans_nothing_has_no_next_tick(busy: World, sensord: Program) -> None:
    busy.daemon.change("pause", {"flow": "mart/top"})
    flows = {flow["flow"]: flow["next_tick"] for flow in sensord("status", "--json").json["flows"]}
    assert flows == {
        "dim/customers": "2026-11-23T02:00:00Z",
        "ingest/orders": "2026-11-22T12:00:00Z",
        "mart/sales": "2026-11-22T12:00:00Z",
        "mart/top": None,
    }


def test_what_does_not_fit_a_terminal_is_counted(busy: World, sensord: Program) -> None:
    found = overview.read(busy.db, overview.Wanted(), busy.clock.now())
    lines = ["".join(span.text for span in line) for line in lines_of(found, busy.clock.now(), width=80, height=8)]
    assert len(lines) == 8
    assert lines[2].startswith("FLOW")
    assert lines[5:7] == ["and 2 flows more: a pattern, --tag or --state shows fewer", ""]


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_watch_is_for_terminals_alone(busy: World, sensord: Program, more: tuple[str, ...]) -> None:
    said = sensord("status", "--watch", *more)
    assert (said.code, said.out) == (2, "")
    assert "--watch draws on a terminal" in said.err


def test_errors_in_the_files_stay_in_view(busy: World, sensord: Program) -> None:
    busy.flow("bad", '[schedule]\ncron = "0 2 * *"\n[run]\ncommand = ["true"]\n')
    busy.daemon.reload()
    lines = sensord("status").lines
    assert lines[1] == "files:  1 problem"
    assert lines[2].startswith("  flows/bad.toml:2:8: schedule.cron: expected 5 fields")
    problem = sensord("status", "--json").json["problems"][0]
    assert (problem["file"], problem["line"], problem["column"]) == ("flows/bad.toml", 2, 8)
    assert (problem["severity"], problem["flow"], problem["key"]) == ("error", "bad", "schedule.cron")


@pytest.mark.parametrize("words", [("status",), ("daemon", "status")])
def test_of_many_errors_the_first_are_told_and_the_others_counted(
    busy: World, sensord: Program, words: tuple[str, ...]
) -> None:
    for number in range(12):
        busy.flow(f"bad{number:02}", '[schedule]\ncron = "0 2 * *"\n[run]\ncommand = ["true"]\n')
    busy.daemon.reload()

    said = sensord(*words)

    told = [line for line in said.lines if line.startswith("  flows/bad")]
    assert [line.split(":")[0] for line in told] == [f"  flows/bad{number:02}.toml" for number in range(10)]
    assert "  and 2 problems more: `sensord check` tells all" in said.lines
    assert len(sensord(*words, "--json").json["problems"]) == 12


def test_a_flow_whose_file_is_gone_is_marked(busy: World, sensord: Program) -> None:
    busy.remove("mart/top")
    busy.daemon.reload()
    assert any(
        re.match(r"mart/top \(removed\)  -  .*Z  skipped +-( +)-  sensor", line) for line in sensord("status").lines
    )


def test_without_a_daemon_it_says_that_nothing_starts(busy: World, sensord: Program) -> None:
    busy.daemon.lead.release()
    said = sensord("status")
    assert said.code == 0
    assert said.lines[0] == "daemon: none; nothing starts until `sensord daemon start`"
    assert sensord("status", "--json").json["daemon"] is None


def test_without_flows_it_says_where_to_put_one(world: World, sensord: Program) -> None:
    world.start()
    assert "no flows yet" in sensord("status").err
    assert sensord("status", "--json").json["flows"] == []


def test_a_flow_without_runs_is_listed(world: World, sensord: Program) -> None:
    world.flow("later", '[schedule]\ncron = "0 2 * * *"\nfirst = "next"\n[run]\ncommand = ["true"]\n')
    world.start()
    assert sensord("status").lines[-1] == "later  -     -       no runs yet    -  15h30m  -"
    assert sensord("status", "--json").json["flows"][0]["newest"] is None


def test_the_daemons_own_status(busy: World, sensord: Program, database_url: str) -> None:
    lines = sensord("daemon", "status").lines
    assert lines[0].startswith(f"daemon:   process {getpid()} on here, since 20")
    assert lines[1:] == [f"database: {redact(database_url)}", "runs:     2 waiting, 2 running", "files:    0 problems"]
    shown = sensord("daemon", "status", "--json").json
    assert shown["runs"] == {"waiting": 2, "running": 2}
    assert shown["daemon"]["pid"] == getpid()


def test_the_daemons_status_without_one(busy: World, sensord: Program) -> None:
    busy.daemon.lead.release()
    assert sensord("daemon", "status").lines[0] == "daemon:   none"
