"""`sensord run list`, `show` and `logs`."""

from pathlib import Path

import pytest

from sensord.executors.folders import log_of
from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, at, on

TEN = "2026-11-22T10:00"


@pytest.fixture
def busy(world: World) -> World:
    """orders 10:00 failed, 11:00 runs, 12:00 is queued; sales waits for each; it is 12:20."""
    world.flow("orders", HOURLY)
    world.flow("mart/sales", HOURLY, on("orders"))
    world.start()
    for now in ("2026-11-22T10:30", "2026-11-22T11:00", "2026-11-22T12:00"):
        world.tick(now)
    world.end("orders", TEN, 3)
    world.tick("2026-11-22T12:00")
    world.clock.set(at("2026-11-22T12:20"))
    return world


def write_log(world: World, run_id: int, content: bytes, attempt: int = 1) -> Path:
    path = world.folder.parent / ".sensord" / "runs" / log_of(run_id, attempt)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_runs_are_listed_by_date_the_newest_last(busy: World, sensord: Program) -> None:
    assert sensord("run", "list").lines == [
        "FLOW        DATE                  STATE      FOR  ATTEMPT  RUN  WHY",
        "mart/sales  2026-11-22T10:00:00Z  waiting  1h50m        -    1  1 condition to come",
        "orders      2026-11-22T10:00:00Z  failed   1h30m        1    2  exit 3",
        "mart/sales  2026-11-22T11:00:00Z  waiting  1h20m        -    3  1 condition to come",
        "orders      2026-11-22T11:00:00Z  running    20m        1    4  -",
        "mart/sales  2026-11-22T12:00:00Z  waiting    20m        -    5  1 condition to come",
        "orders      2026-11-22T12:00:00Z  queued     20m        -    6  -",
    ]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], [1, 2, 3, 4, 5, 6]),
        (["--limit", "2"], [5, 6]),
        (["--flow", "orders"], [2, 4, 6]),
        (["--state", "waiting"], [1, 3, 5]),
        (["--state", "failed", "--flow", "mart/sales"], []),
        (["--since", "2026-11-22T11:00Z"], [3, 4, 5, 6]),
        (["--since", "30m"], [5, 6]),
        (["--since", "2026-11-22T11:30"], [5, 6]),
    ],
)
def test_a_list_is_narrowed_by_options(busy: World, sensord: Program, options: list[str], ids: list[int]) -> None:
    found = sensord("run", "list", "--json", *options).json
    assert [run["run_id"] for run in found["runs"]] == ids


def test_a_since_without_a_zone_is_in_the_flows(world: World, sensord: Program) -> None:
    world.flow("berlin", HOURLY.replace("[run]", 'timezone = "Europe/Berlin"\n[run]'))
    world.start()
    for now in ("2026-11-22T10:30", "2026-11-22T11:00"):
        world.tick(now)
    listed = sensord("run", "list", "--flow", "berlin", "--since", "2026-11-22T12:00", "--json").json
    assert [run["logical_date"] for run in listed["runs"]] == ["2026-11-22T11:00:00Z"]


def test_an_empty_list_says_so_beside_the_data(world: World, sensord: Program) -> None:
    said = sensord("run", "list")
    assert (said.out, said.err, said.code) == ("", "no runs\n", 0)
    assert sensord("run", "list", "--json").json == {"runs": []}


def test_a_list_of_an_unknown_flow_is_not_found(busy: World, sensord: Program) -> None:
    said = sensord("run", "list", "--flow", "order")
    assert said.code == 4
    assert said.err == "error: no flow named 'order'\nhint: did you mean \"orders\"?\n"


def test_a_run_is_shown_with_its_attempts(busy: World, sensord: Program) -> None:
    log = busy.folder.parent / ".sensord" / "runs" / log_of(2, 1)
    assert sensord("run", "show", "orders", TEN).lines == [
        "orders 2026-11-22T10:00:00Z",
        "  state     failed 20m ago",
        "  why       exit 3",
        "  run       2, scheduled, priority 0",
        "  created   2026-11-22T10:30:00Z",
        "  released  2026-11-22T10:30:00Z",
        "  started   2026-11-22T10:30:00Z",
        "  finished  2026-11-22T12:00:00Z",
        "",
        "ATTEMPT  HOST  PID   BEGAN                 TOOK   END     LOG",
        f"1        here  1001  2026-11-22T10:30:00Z  1h30m  exit 3  {log}",
    ]


def test_a_run_as_json(busy: World, sensord: Program) -> None:
    assert sensord("run", "show", "2", "--json").json == {
        "run_id": 2,
        "flow": "orders",
        "logical_date": "2026-11-22T10:00:00Z",
        "kind": "scheduled",
        "state": "failed",
        "since": "2026-11-22T12:00:00Z",
        "reason": "exit_code",
        "message": "exit 3",
        "attempt": 1,
        "priority": 0,
        "priority_from": None,
        "stale": False,
        "stale_at": None,
        "created_at": "2026-11-22T10:30:00Z",
        "released_at": "2026-11-22T10:30:00Z",
        "started_at": "2026-11-22T10:30:00Z",
        "finished_at": "2026-11-22T12:00:00Z",
        "params": {},
        "passed_over": [],
        "ends": [],
        "attempts": [
            {
                "attempt": 1,
                "executor": "manual",
                "host": "here",
                "submitted_at": "2026-11-22T10:30:00Z",
                "began_at": "2026-11-22T10:30:00Z",
                "pid": 1001,
                "ended_at": "2026-11-22T12:00:00Z",
                "exit_code": 3,
                "signal": None,
                "problem": None,
                "message": "exit 3",
                "log": str(busy.folder.parent / ".sensord" / "runs" / log_of(2, 1)),
            }
        ],
    }


def test_the_log_of_what_ran_on_a_worker_has_no_path_here(busy: World, sensord: Program) -> None:
    busy.db.run("UPDATE attempt SET executor = 'procrastinate', host = 'etl2' WHERE run_id = 2")
    assert sensord("run", "show", "2", "--json").json["attempts"][0]["log"] is None
    assert sensord("run", "show", "2").lines[-1].endswith("with its worker: sensord run logs")


def test_without_a_date_it_is_the_newest_run(busy: World, sensord: Program) -> None:
    assert sensord("run", "show", "orders", "--json").json["run_id"] == 6
    assert sensord("run", "show", "orders", "latest", "--json").json["run_id"] == 6


def test_a_date_without_a_run_names_those_next_to_it(busy: World, sensord: Program) -> None:
    said = sensord("run", "show", "orders", "2026-11-22T11:30")
    assert said.code == 4
    assert said.err.splitlines() == [
        "error: orders has no run at 2026-11-22T11:30:00Z",
        "hint: its runs next to that: 2026-11-22T10:00:00Z, 2026-11-22T11:00:00Z, 2026-11-22T12:00:00Z",
    ]


@pytest.mark.parametrize("verb", [["show"], ["logs"], ["rerun"], ["mark"]])
def test_a_tick_that_was_missed_comes_with_the_command_that_runs_it(
    busy: World, sensord: Program, verb: list[str]
) -> None:
    state = ["success"] if verb == ["mark"] else []
    said = sensord("run", *verb, "orders", "2026-11-21T10:00", *state)
    assert said.code == 4
    assert said.err.splitlines() == [
        "error: orders has no run at 2026-11-21T10:00:00Z",
        "hint: its runs next to that: 2026-11-22T10:00:00Z, 2026-11-22T11:00:00Z;"
        " `sensord run trigger orders --date 2026-11-21T10:00:00Z` runs that tick, which was missed",
    ]


@pytest.mark.parametrize("run_id", ["99", "99999999999999999999"])
def test_an_unknown_run_id_is_not_found(busy: World, sensord: Program, run_id: str) -> None:
    said = sensord("run", "show", run_id)
    assert said.code == 4
    assert f"no run with the id {run_id}" in said.err


def test_a_log_is_printed_escaped_and_its_tabs_and_lines_kept(busy: World, sensord: Program) -> None:
    write_log(busy, 2, b"one\ttwo\r\n\x1b[31mred\x1b[0m \xff\nno end")
    assert sensord("run", "logs", "orders", TEN).out == "one\ttwo\n\\x1b[31mred\\x1b[0m \\xff\nno end\n"


def test_a_raw_log_is_what_the_command_wrote(busy: World, sensord: Program) -> None:
    content = b"one\ttwo\r\n\x1b[31mred\x1b[0m\nno end"
    write_log(busy, 2, content)
    assert sensord("run", "logs", "orders", TEN, "--raw").out.encode() == content.replace(b"\r\n", b"\n")


def test_a_log_that_is_longer_than_memory_should_hold_is_printed_whole(busy: World, sensord: Program) -> None:
    lines = "".join(f"line {number}\n" for number in range(20_000))
    write_log(busy, 2, lines.encode())
    assert sensord("run", "logs", "orders", TEN).out == lines


def test_the_log_of_an_attempt_by_its_number(busy: World, sensord: Program) -> None:
    write_log(busy, 2, b"first\n")
    assert sensord("run", "logs", "2", "--attempt", "1").out == "first\n"
    said = sensord("run", "logs", "2", "--attempt", "2")
    assert said.code == 4
    assert said.err.splitlines() == ["error: orders 2026-11-22T10:00:00Z has no attempt 2", "hint: its attempts: 1"]


def test_an_empty_log_says_on_stderr_that_it_is_and_how_the_attempt_ended(busy: World, sensord: Program) -> None:
    write_log(busy, 2, b"")
    said = sensord("run", "logs", "orders", TEN)
    assert (said.code, said.out, said.err) == (0, "", "attempt 1 wrote nothing: exit 3\n")

    write_log(busy, 4, b"")
    assert sensord("run", "logs", "orders", "2026-11-22T11:00").err == "attempt 1 has written nothing yet\n"


def test_a_run_that_never_started_has_no_log(busy: World, sensord: Program) -> None:
    said = sensord("run", "logs", "mart/sales", TEN)
    assert said.code == 4
    assert said.err.splitlines() == [
        "error: mart/sales 2026-11-22T10:00:00Z has no log: it is waiting and was never started",
        "hint: `sensord why mart/sales 2026-11-22T10:00:00Z` says what it waits for",
    ]


def test_a_log_that_is_elsewhere_names_the_host(busy: World, sensord: Program) -> None:
    said = sensord("run", "logs", "orders", TEN)
    assert said.code == 4
    assert "no log of attempt 1 at " in said.err
    assert "it ran on here" in said.err


def test_names_and_messages_from_elsewhere_are_escaped(busy: World, sensord: Program) -> None:
    busy.db.run("UPDATE run SET message = :text WHERE id = 2", text="\x1b]0;mine\x07 [red]x")
    said = sensord("run", "list", "--state", "failed")
    assert "\\x1b]0;mine\\x07 [red]x" in said.out
    assert "\x1b" not in said.out
    assert sensord("run", "list", "--state", "failed", "--json").json["runs"][0]["message"] == "\x1b]0;mine\x07 [red]x"


def test_reads_need_no_daemon(busy: World, sensord: Program) -> None:
    busy.daemon.lead.release()
    assert len(sensord("run", "list", "--json").json["runs"]) == 6


def test_a_flow_whose_name_is_a_number_is_found_with_a_date(world: World, sensord: Program) -> None:
    world.flow("2024", DAILY)
    world.start()
    world.tick()
    shown = sensord("run", "show", "2024", "2026-11-22T02:00", "--json").json
    assert shown["flow"] == "2024"


class TestPruned:
    @pytest.fixture
    def pruned(self, world: World) -> World:
        """The two attempts at orders 10:00 are long ago, and so is what was kept of them."""
        world.flow(
            "orders", 'retention = "7d"', HOURLY.replace("[run]", "end = 2026-11-22T10:30:00\n[run]\nretries = 1")
        )
        world.start()
        world.tick()
        for now in ("2026-11-22T10:40", "2026-11-22T10:50"):
            world.end("orders", TEN, 3)
            world.tick(now)
        world.tick("2026-12-01T00:00")
        return world

    def test_show_says_so_and_still_tells_the_outcome(self, pruned: World, sensord: Program) -> None:
        shown = sensord("run", "show", "orders", "2026-11-22T10:00Z").out

        assert "  state     failed" in shown
        assert "  pruned    2 attempts and logs, by retention" in shown
        assert sensord("run", "show", "orders", "2026-11-22T10:00Z", "--json").json["attempts"] == []

    @pytest.mark.parametrize("options", [[], ["--attempt", "1"]])
    def test_so_does_logs(self, pruned: World, sensord: Program, options: list[str]) -> None:
        said = sensord("run", "logs", "orders", "2026-11-22T10:00Z", *options)

        assert said.code == 4
        assert said.err == "error: the log of orders 2026-11-22T10:00:00Z is no more: retention has pruned it\n"

    def test_after_a_rerun_the_new_attempt_has_its_log(self, pruned: World, sensord: Program) -> None:
        pruned.daemon.change("rerun", {"flow": "orders", "logical_date": "2026-11-22T10:00:00Z"})
        pruned.tick()
        write_log(pruned, 1, b"again\n", attempt=3)

        assert sensord("run", "logs", "orders", "2026-11-22T10:00Z").out == "again\n"
        assert sensord("run", "logs", "orders", "2026-11-22T10:00Z", "--attempt", "2").code == 4
        assert "retention" in sensord("run", "logs", "orders", "2026-11-22T10:00Z", "--attempt", "2").err
        assert "has no attempt 4" in sensord("run", "logs", "orders", "2026-11-22T10:00Z", "--attempt", "4").err
