"""`sensord why`: sensors, root causes, and what happens next, for runs in every state."""

from datetime import timedelta
from pathlib import Path

import pytest

from sensord.executors.folders import log_of
from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, at, on

TEN = "2026-11-22T10:00"


def write_log(world: World, run_id: int, text: str) -> None:
    path: Path = world.folder.parent / ".sensord" / "runs" / log_of(run_id, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def start(world: World, *nows: str) -> None:
    world.start()
    for now in nows or ("2026-11-22T10:30",):
        world.tick(now)


def test_a_failed_upstream_is_the_root_cause_with_the_end_of_its_log(world: World, sensord: Program) -> None:
    # given a chain of three flows, of which the first has failed
    world.flow("ingest/orders", HOURLY)
    world.flow("mart/sales", HOURLY, on("ingest/orders"))
    world.flow("report", HOURLY, on("mart/sales"))
    start(world)
    world.end("ingest/orders", TEN, 3)
    world.tick()
    write_log(world, 1, "".join(f"line {number}\n" for number in range(20)) + "\n\tboom \x1b[0m\n")
    world.clock.set(at("2026-11-22T10:50"))

    # then its last lines are shown, and what would help
    assert sensord("why", "report").lines == [
        "report 2026-11-22T10:00:00Z: waiting for 20m",
        "",
        "sensor 0 on mart/sales, latest: waiting (upstream_unfinished)",
        "  0 of 1 done: 1 waiting",
        "  2026-11-22T10:00:00Z  waiting for 20m",
        "",
        "Root cause",
        "  ingest/orders 2026-11-22T10:00:00Z  failed 20m ago: exit 3",
        "    through mart/sales 2026-11-22T10:00:00Z",
        *(f"    | line {number}" for number in range(11, 20)),
        "    |         boom \\x1b[0m",
        "    see `sensord run logs ingest/orders 2026-11-22T10:00:00Z`,"
        " and once mended `sensord run rerun ingest/orders 2026-11-22T10:00:00Z`",
        "",
        "ingest/orders 2026-11-22T10:00:00Z has to succeed after all.",
        "Then it goes on by itself.",
    ]


def test_the_run_right_behind_a_failed_one_is_blocked(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders"))
    start(world)
    world.end("orders", TEN, 1)
    world.tick()
    lines = sensord("why", "sales").lines
    assert lines[0] == "sales 2026-11-22T10:00:00Z: blocked, waiting for 0s"
    assert lines[2] == "sensor 0 on orders, latest: blocked (upstream_failed)"


KEYS = ["flow", "logical_date", "state", "verdict", "run", "sensors", "causes", "complete", "log", "next"]
KEYS += ["estimate", "past"]


@pytest.fixture
def blocked(world: World) -> World:
    """Sales are blocked by the orders of ten."""
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders"))
    start(world)
    world.end("orders", TEN, 1)
    world.tick()
    write_log(world, 1, "boom\x1b\n")
    return world


@pytest.mark.usefixtures("blocked")
def test_why_as_json(sensord: Program) -> None:
    shown = sensord("why", "sales", TEN, "--json").json
    assert list(shown) == KEYS
    asked = [shown[key] for key in ("flow", "logical_date", "state", "verdict")]
    assert [*asked, shown["run"]["run_id"]] == ["sales", "2026-11-22T10:00:00Z", "waiting", "blocked", 2]
    assert shown["sensors"] == [
        {
            "index": 0,
            "upstream": "orders",
            "match": "latest",
            "need": 1,
            "counted": 0,
            "verdict": "blocked",
            "reason": "upstream_failed",
            "message": "0 of 1 done: 1 failed",
            "times_out_at": None,
            "on_timeout": None,
            "runs": [
                {
                    "logical_date": "2026-11-22T10:00:00Z",
                    "state": "failed",
                    "counts": False,
                    "run_id": 1,
                    "since": "2026-11-22T10:30:00Z",
                    "reason": "exit_code",
                    "message": "exit 1",
                }
            ],
        }
    ]
    assert shown["causes"] == [
        {
            "kind": "failed",
            "flow": "orders",
            "logical_date": "2026-11-22T10:00:00Z",
            "run_id": 1,
            "since": "2026-11-22T10:30:00Z",
            "message": "exit 1",
            "path": [{"flow": "sales", "logical_date": "2026-11-22T10:00:00Z"}],
            "log": ["boom\x1b"],
            "later": None,
            "now": None,
        }
    ]
    assert (shown["complete"], shown["log"]) == (True, None)
    assert shown["next"] == ["orders 2026-11-22T10:00:00Z has to succeed after all.", "Then it goes on by itself."]


def test_what_a_person_must_mend_comes_before_what_comes_by_itself(world: World, sensord: Program) -> None:
    world.flow("running", HOURLY)
    world.flow("failed", HOURLY)
    world.flow("future", '[schedule]\ncron = "0 20 * * *"\n[run]\ncommand = ["true"]\n')
    world.flow("sales", HOURLY, on("future", match="next"), on("running"), on("failed"))
    start(world)
    world.end("failed", TEN, 1)
    world.tick()
    shown = sensord("why", "sales", "--json").json
    assert [cause["kind"] for cause in shown["causes"]] == ["failed", "running", "not_due"]
    assert [sensor["reason"] for sensor in shown["sensors"]] == ["not_due", "upstream_unfinished", "upstream_failed"]
    assert shown["next"] == [
        "failed 2026-11-22T10:00:00Z has to succeed after all.",
        "running 2026-11-22T10:00:00Z has to succeed: now running.",
        "future 2026-11-22T20:00:00Z has to come, in 9h30m, and to succeed.",
        "Then it goes on by itself.",
    ]


def test_a_long_chain_of_a_flow_on_itself_leads_to_its_first_failure(world: World, sensord: Program) -> None:
    # given a flow that waits for its own previous run, which failed 30 runs ago
    world.flow("chain", HOURLY, on("chain", match="latest", strict=True))
    start(world)
    world.end("chain", TEN, 1)
    for hour in range(1, 31):
        world.tick((at(TEN) + timedelta(hours=hour)).isoformat()[:16])

    # then the way there is told, but not every step of it
    lines = sensord("why", "chain").lines
    assert "  chain 2026-11-22T10:00:00Z  failed 1d5h ago: exit 1" in lines
    (path,) = [line for line in lines if line.startswith("    through")]
    assert path.startswith("    through chain 2026-11-23T15:00:00Z -> chain 2026-11-23T14:00:00Z -> ")
    assert "-> (23 runs) ->" in path
    assert path.endswith("-> chain 2026-11-22T11:00:00Z")


def test_a_run_that_was_ended_by_an_upstreams_end_is_followed_to_the_root(world: World, sensord: Program) -> None:
    world.flow("a", HOURLY)
    world.flow("b", HOURLY, on("a", on_failure="fail"))
    world.flow("c", HOURLY, on("b"))
    start(world)
    world.end("a", TEN, 1)
    world.tick()
    of_c = sensord("why", "c", "--json").json
    assert [(cause["kind"], cause["flow"]) for cause in of_c["causes"]] == [("failed", "a")]
    assert [step["flow"] for step in of_c["causes"][0]["path"]] == ["c", "b"]
    of_b = sensord("why", "b")
    assert of_b.lines[0] == "b 2026-11-22T10:00:00Z: failed 0s ago: sensor 0: a 2026-11-22T10:00:00Z failed"
    again = "`sensord run rerun b 2026-11-22T10:00:00Z`"
    assert of_b.lines[-2] == f"It stays as it is, also when what it waited for is mended, until {again}."
    assert of_b.lines[-1] == "1 run waits for it."


def test_missed_ticks_are_told_together(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.flow("day", DAILY, on("orders", match="interval", on_skipped="wait"))
    start(world)
    lines = sensord("why", "day").lines
    assert lines[0] == "day 2026-11-22T02:00:00Z: blocked, waiting for 0s"
    assert lines[2] == "sensor 0 on orders, interval: blocked (upstream_skipped)"
    assert lines[3:6] == [
        "  0 of 24 done: 24 missed",
        "  2026-11-21T03:00:00Z  missed",
        "  2026-11-21T04:00:00Z  missed",
    ]
    assert lines[14] == "  and 14 more"
    assert lines[16:18] == [
        "24 root causes",
        "  orders 2026-11-21T03:00:00Z to 2026-11-22T02:00:00Z, 24 ticks  skipped: its tick passed without a run",
    ]
    assert lines[-2] == (
        "orders 2026-11-21T03:00:00Z and 23 more have to be run after all: "
        "`sensord run trigger orders --date 2026-11-21T03:00:00Z`."
    )


def test_a_sensor_that_matches_nothing_is_impossible(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY.replace("[run]", "start = 2027-01-01\n[run]"))
    world.flow("sales", HOURLY, on("orders", on_missing="wait"))
    start(world)
    shown = sensord("why", "sales", "--json").json
    assert (shown["verdict"], shown["sensors"][0]["verdict"]) == ("impossible", "impossible")
    assert shown["sensors"][0]["reason"] == "no_match"
    assert shown["sensors"][0]["message"] == shown["causes"][0]["message"] != ""
    assert [cause["kind"] for cause in shown["causes"]] == ["no_match"]


def test_a_sensor_that_needs_any_is_not_held_by_the_others(world: World, sensord: Program) -> None:
    # given an interval of which one run succeeded, and another sensor that still waits
    world.flow("orders", HOURLY)
    world.flow("slow", DAILY)
    world.flow("sales", HOURLY, on("orders", match="interval", within="3h", require="any"), on("slow"))
    start(world)
    world.finish("orders", TEN)
    shown = sensord("why", "sales", "--json").json
    assert shown["sensors"][0]["message"] == "1 of 3 done, 1 needed: 2 missed"
    assert [sensor["verdict"] for sensor in shown["sensors"]] == ["satisfied", "waiting"]
    assert [cause["flow"] for cause in shown["causes"]] == ["slow"]


def test_flows_that_wait_for_each_other_are_a_circle(world: World, sensord: Program) -> None:
    world.flow("a", HOURLY, on("b"))
    world.flow("b", HOURLY, on("a"))
    start(world)
    shown = sensord("why", "a", "--json").json
    assert [cause["kind"] for cause in shown["causes"]] == ["cycle"]
    assert shown["next"] == [
        "Runs wait for each other in a circle: none of them can go on, until a flow's file is changed."
    ]


def test_an_upstream_whose_file_is_gone(world: World, sensord: Program) -> None:
    world.flow("future", '[schedule]\ncron = "0 20 * * *"\n[run]\ncommand = ["true"]\n')
    world.flow("sales", HOURLY, on("future", match="next"))
    start(world)
    world.remove("future")
    world.daemon.reload()
    shown = sensord("why", "sales", "--json").json
    assert [sensor["reason"] for sensor in shown["sensors"]] == ["upstream_removed"]
    assert shown["next"][0] == "future has to get its file back, so that future 2026-11-22T20:00:00Z can go on."


def test_a_paused_upstream(world: World, sensord: Program) -> None:
    world.flow("future", '[schedule]\ncron = "0 20 * * *"\n[run]\ncommand = ["true"]\n')
    world.flow("sales", HOURLY, on("future", match="next"))
    start(world)
    sensord.meanwhile = world.tick
    sensord("flow", "pause", "future")
    shown = sensord("why", "sales", "--json").json
    assert [sensor["reason"] for sensor in shown["sensors"]] == ["upstream_paused"]
    assert shown["causes"][0]["kind"] == "paused"
    assert "`sensord flow resume future`" in shown["next"][0]


def test_a_queued_run_names_the_limit_that_it_stands_behind(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    start(world, "2026-11-22T10:30", "2026-11-22T11:00", "2026-11-22T12:00")
    assert sensord("why", "orders").lines == [
        "orders 2026-11-22T12:00:00Z: queued for 0s",
        "",
        "Its flow runs at most 1 at once: it comes after 2026-11-22T10:00:00Z and 1 older queued run.",
    ]


def test_a_queued_run_behind_the_slots(world: World, sensord: Program) -> None:
    world.slots = 1
    world.flow("a", HOURLY)
    world.flow("b", HOURLY)
    start(world)
    assert sensord("why", "b").lines[-1] == "It starts when a slot is free: 1 slot taken now."


def test_a_run_under_way(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    start(world)
    world.clock.set(at("2026-11-22T10:42"))
    assert sensord("why", "orders").lines == [
        "orders 2026-11-22T10:00:00Z: running for 12m",
        "",
        "Attempt 1 is under way, for 12m now.",
    ]


def test_a_run_whose_own_command_failed_shows_its_log(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    start(world)
    world.end("orders", TEN, 3)
    world.tick()
    write_log(world, 1, "boom\n")
    assert sensord("why", "orders").lines == [
        "orders 2026-11-22T10:00:00Z: failed 0s ago: exit 3",
        "",
        "    | boom",
        "",
        "It stays failed. See `sensord run logs orders 2026-11-22T10:00:00Z`,"
        " and once mended `sensord run rerun orders 2026-11-22T10:00:00Z`.",
    ]
    assert sensord("why", "orders", "--json").json["log"] == ["boom"]


def test_a_run_that_succeeded_has_nothing_to_wait_for(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    start(world)
    world.finish("orders", TEN)
    assert sensord("why", "orders").lines[-1] == "It is over."


def test_a_date_without_a_zone_is_in_the_flows(world: World, sensord: Program) -> None:
    world.flow("berlin", HOURLY.replace("[run]", 'timezone = "Europe/Berlin"\n[run]'))
    start(world)
    assert sensord("why", "berlin", "2026-11-22T11:00").lines[0].startswith("berlin 2026-11-22T10:00:00Z: running")


def test_without_a_daemon_the_first_thing_to_do_is_to_start_one(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders"))
    start(world)
    world.daemon.lead.release()
    asleep = "No daemon leads: nothing moves until `sensord daemon start`."
    assert sensord("why", "sales", "--json").json["next"][0] == asleep
    assert sensord("why", "orders", "2026-11-22T12:00", "--json").json["next"][0] == asleep


def test_an_unknown_flow(world: World, sensord: Program) -> None:
    world.flow("mart/sales", HOURLY)
    start(world)
    said = sensord("why", "sales")
    assert said.code == 4
    assert said.err == "error: no flow named 'sales'\nhint: did you mean \"mart/sales\"?\n"


TRYING = HOURLY + 'retries = 2\nretry_delay = "5m"\ntimeout = "45m"\n'


def test_a_run_that_is_tried_again_says_when_and_shows_its_log(world: World, sensord: Program) -> None:
    world.flow("orders", TRYING)
    start(world)
    world.end("orders", TEN, 3)
    world.tick()
    write_log(world, 1, "boom\n")
    world.clock.set(at("2026-11-22T10:32"))
    assert sensord("why", "orders").lines == [
        "orders 2026-11-22T10:00:00Z: retrying for 2m: exit 3",
        "",
        "    | boom",
        "",
        "Attempt 1 failed; the next one comes by itself in 3m.",
    ]


def test_a_run_that_is_tried_again_is_not_what_its_last_attempt_was(world: World, sensord: Program) -> None:
    # given a run whose second attempt runs, five minutes after the first one failed
    world.flow("orders", TRYING)
    start(world)
    world.end("orders", TEN, 3)
    world.tick()
    world.tick("2026-11-22T10:40")
    world.clock.set(at("2026-11-22T10:42"))

    # then nothing is said of the first
    assert sensord("why", "orders").lines == [
        "orders 2026-11-22T10:00:00Z: running for 2m",
        "",
        "Attempt 2 is under way, for 2m now, and its timeout comes in 43m.",
    ]
    shown = sensord("run", "show", "orders", "--json").json
    assert (shown["reason"], shown["message"], shown["finished_at"]) == (None, None, None)
    assert [attempt["exit_code"] for attempt in shown["attempts"]] == [3, None]


def test_a_run_that_is_sent_back_begins_anew(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders"))
    start(world)
    world.finish("orders", TEN)
    world.finish("sales", TEN)
    sensord.meanwhile = world.tick
    sensord("run", "rerun", "orders", TEN)
    sensord("run", "rerun", "sales", TEN)
    shown = sensord("run", "show", "sales", "--json").json
    assert shown["state"] == "waiting"
    assert (shown["released_at"], shown["started_at"], shown["finished_at"]) == (None, None, None)
