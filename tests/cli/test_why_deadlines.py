"""`sensord why` and others on deadlines, on what was passed over, and on flows that are paused or gone."""

import pytest

from tests.cli.program import Program
from tests.daemon.world import HOURLY, World, on

TEN, ELEVEN = "2026-11-22T10:00", "2026-11-22T11:00"
WIDE = HOURLY + "max_active = 9\n"


def start(world: World, *sensors: str, now: str = ELEVEN) -> None:
    world.flow("load", WIDE)
    world.flow("dim", WIDE)
    world.flow("mart", WIDE, *sensors)
    world.start()
    world.tick(now)


@pytest.mark.parametrize(
    ("policy", "then", "next_words"),
    [
        ("fail", "then the run fails", "it fails."),
        ("skip", "then the run is skipped", "it is skipped."),
        ("proceed", "then the run goes on without", "it goes on without."),
    ],
)
def test_a_deadline_is_told_where_it_waits(
    world: World, sensord: Program, policy: str, then: str, next_words: str
) -> None:
    start(world, on("load", timeout="2h", on_timeout=policy))
    lines = sensord("why", "mart").lines
    assert lines[2:5] == [
        "sensor 0 on load, latest: waiting (upstream_unfinished)",
        "  0 of 1 done: 1 running",
        f"  times out at 2026-11-22T13:00:00Z, in 2h: {then}",
    ]
    assert lines[-1] == f"If sensor 0 on load is not satisfied by 2026-11-22T13:00:00Z, in 2h, {next_words}"
    (sensor,) = sensord("why", "mart", "--json").json["sensors"]
    assert (sensor["times_out_at"], sensor["on_timeout"]) == ("2026-11-22T13:00:00Z", policy)


def test_a_satisfied_sensor_has_no_deadline_any_more(world: World, sensord: Program) -> None:
    start(world, on("load", timeout="2h"), on("dim"))
    world.finish("load", ELEVEN)
    lines = sensord("why", "mart").lines
    assert not [line for line in lines if "times out" in line or line.startswith("If ")]
    (sensor, _) = sensord("why", "mart", "--json").json["sensors"]
    assert (sensor["verdict"], sensor["times_out_at"], sensor["on_timeout"]) == ("satisfied", None, "fail")


def test_what_comes_first_is_told_first_up_to_the_end(world: World, sensord: Program) -> None:
    start(
        world,
        on("load", timeout="3h"),
        on("dim", timeout="1h", on_timeout="proceed"),
        on("load", timeout="2h", on_timeout="skip"),
    )
    assert sensord("why", "mart").lines[-2:] == [
        "If sensor 1 on dim is not satisfied by 2026-11-22T12:00:00Z, in 1h, it goes on without.",
        "If sensor 2 on load is not satisfied by 2026-11-22T13:00:00Z, in 2h, it is skipped.",
    ]


def test_a_deadline_that_nobody_has_looked_at_yet(world: World, sensord: Program) -> None:
    start(world, on("load", timeout="1h"))
    world.clock.set(world.clock.now().replace(hour=14))
    lines = sensord("why", "mart").lines
    assert "  times out at 2026-11-22T12:00:00Z, in the daemon's next turn: then the run fails" in lines
    assert lines[-1] == "If sensor 0 on load is not satisfied in time, which is over, it fails."


def test_a_run_that_failed_at_its_deadline(world: World, sensord: Program) -> None:
    start(world, on("load", timeout="1h"))
    world.flow("report", WIDE, on("mart"))
    world.daemon.reload()
    world.tick("2026-11-22T12:00")
    said = sensord("why", "mart", f"{ELEVEN}Z")
    words = "sensor 0 on load: not satisfied by 2026-11-22T12:00:00Z: 0 of 1 done"
    assert said.lines[0] == f"mart 2026-11-22T11:00:00Z: failed 0s ago: {words}"
    again = "`sensord run rerun mart 2026-11-22T11:00:00Z`"
    assert said.lines[-2] == f"It stays as it is, also when what it waited for is mended, until {again}."
    assert sensord("run", "show", "mart", f"{ELEVEN}Z", "--json").json["reason"] == "sensor_timeout"
    (cause,) = sensord("why", "report", f"{ELEVEN}Z", "--json").json["causes"]
    assert (cause["kind"], cause["flow"], cause["message"]) == ("failed", "mart", words)


def test_an_older_attempts_log_explains_no_deadline(world: World, sensord: Program) -> None:
    # given a run that was run, and is rerun only to time out
    start(world, on("load", timeout="1h"))
    world.finish("load", ELEVEN)
    world.end("mart", ELEVEN, 1)
    world.tick()
    sensord.meanwhile = world.tick
    sensord("run", "rerun", "load", f"{ELEVEN}Z")
    sensord("run", "rerun", "mart", f"{ELEVEN}Z")
    world.tick("2026-11-22T12:00")
    said = sensord("why", "mart", f"{ELEVEN}Z")
    assert "sensor_timeout" in sensord("run", "show", "mart", f"{ELEVEN}Z", "--json").out
    assert "See `sensord run logs" not in said.out
    assert sensord("why", "mart", f"{ELEVEN}Z", "--json").json["log"] is None


def test_a_sensor_that_went_on_at_its_deadline_is_no_cause(world: World, sensord: Program) -> None:
    start(world, on("load", timeout="1h", on_timeout="proceed"), on("dim"))
    world.tick("2026-11-22T12:00")
    shown = sensord("why", "mart", f"{ELEVEN}Z", "--json").json
    sensor = shown["sensors"][0]
    assert (sensor["verdict"], sensor["reason"], sensor["times_out_at"]) == ("satisfied", "timed_out", None)
    assert sensor["message"] == "went on at its deadline, whatever comes: 0 of 1 done: 1 running"
    assert [cause["flow"] for cause in shown["causes"]] == ["dim"]
    assert "sensor 0 on load, latest: satisfied (timed_out)" in sensord("why", "mart", f"{ELEVEN}Z").lines


@pytest.mark.parametrize(("policy", "causes"), [("wait", ["no_match", "running"]), ("proceed", ["running"])])
def test_a_mapping_that_finds_nothing_is_a_cause_only_where_it_holds_the_run(
    world: World, sensord: Program, policy: str, causes: list[str]
) -> None:
    world.flow("later", WIDE.replace("[run]", "start = 2027-01-01\n[run]"))
    start(world, on("later", on_missing=policy), on("load"))
    shown = sensord("why", "mart", "--json").json
    assert sorted(cause["kind"] for cause in shown["causes"]) == causes
    assert shown["sensors"][0]["need"] == 0


def test_a_run_shows_what_it_went_on_without(world: World, sensord: Program) -> None:
    start(world, on("load", on_failure="proceed"), now="2026-11-22T10:30")
    world.finish("load", TEN)
    world.tick(ELEVEN)
    world.end("load", ELEVEN, 1)
    world.tick()
    (line,) = [line for line in sensord("run", "show", "mart").lines if "without" in line]
    assert line == (
        "  without   load 2026-11-22T11:00:00Z (failed, on_failure); the last good one before is 2026-11-22T10:00:00Z"
    )
    assert sensord("run", "show", "mart", "--json").json["passed_over"] == [
        {
            "sensor": 0,
            "upstream": "load",
            "passed_over": [{"logical_date": "2026-11-22T11:00:00Z", "state": "failed", "cause": "on_failure"}],
            "instead": {"logical_date": "2026-11-22T10:00:00Z", "state": "success"},
        }
    ]
    assert sensord("run", "show", "mart", f"{TEN}Z", "--json").json["passed_over"] == []


class TestFlowsThatArePausedOrGone:
    def test_a_run_that_waits_for_a_paused_flow(self, world: World, sensord: Program) -> None:
        start(world, on("load", match="next", strict=True))
        sensord.meanwhile = world.tick
        sensord("flow", "pause", "load")
        assert "sensor 0 on load, next: waiting (upstream_paused)" in sensord("why", "mart").lines
        (row,) = [line for line in sensord("status").lines if line.startswith("mart")]
        assert row.endswith("waits for load 2026-11-22T12:00:00Z (upstream_paused)")
        (mart,) = [flow for flow in sensord("status", "--json").json["flows"] if flow["flow"] == "mart"]
        assert [wait["held"] for wait in mart["waits_for"]] == ["upstream_paused"]

    def test_a_run_that_waits_for_a_flow_whose_file_is_gone(self, world: World, sensord: Program) -> None:
        start(world, on("load", match="next", strict=True))
        world.remove("load")
        world.daemon.reload()
        assert "sensor 0 on load, next: waiting (upstream_removed)" in sensord("why", "mart").lines
        (row,) = [line for line in sensord("status").lines if line.startswith("mart")]
        assert row.endswith("waits for load 2026-11-22T12:00:00Z (upstream_removed)")

    def test_what_runs_on_in_spite_of_it_is_not_held(self, world: World, sensord: Program) -> None:
        # given an upstream run under way when its flow is paused
        start(world, on("load"))
        sensord.meanwhile = world.tick
        sensord("flow", "pause", "load")
        (sensor,) = sensord("why", "mart", "--json").json["sensors"]
        assert sensor["reason"] == "upstream_unfinished"

    def test_nor_is_a_rerun_which_starts_during_a_pause(self, world: World, sensord: Program) -> None:
        world.slots = 3
        start(world, on("load"), now="2026-11-22T10:30")
        world.end("load", TEN, 1)
        world.tick()
        sensord.meanwhile = world.tick
        sensord("flow", "pause", "load")
        sensord("flow", "pause", "mart")
        world.slots = world.daemon.slots = 0
        sensord("run", "rerun", "load", f"{TEN}Z")
        (sensor,) = sensord("why", "mart", f"{TEN}Z", "--json").json["sensors"]
        assert (sensor["reason"], sensor["runs"][0]["state"]) == ("upstream_unfinished", "queued")


def test_a_run_that_was_ended_on_the_way_has_to_be_rerun(world: World, sensord: Program) -> None:
    # given c on b, and b ended by the failure of a
    world.flow("a", WIDE)
    world.flow("b", WIDE, on("a", on_failure="fail"))
    world.flow("c", WIDE, on("b"))
    world.start()
    world.tick()
    world.end("a", TEN, 1)
    world.tick()

    assert sensord("why", "c").lines[-3:] == [
        "a 2026-11-22T10:00:00Z has to succeed after all.",
        "b 2026-11-22T10:00:00Z has ended meanwhile, and has to be rerun then:"
        " `sensord run rerun b 2026-11-22T10:00:00Z`.",
        "Then it goes on by itself.",
    ]
