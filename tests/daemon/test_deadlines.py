"""Deadlines of sensors: what becomes of a run that has waited long enough, and what moves the deadline."""

import json
from typing import Any

import pytest

from sensord.core.run import State
from tests.daemon.world import DAILY, HOURLY, World, at, on

TEN, NEXT = "2026-11-22T10:00", "2026-11-23T10:00"
AT_TEN = '[schedule]\ncron = "0 10 * * *"\n[run]\ncommand = ["true"]\nmax_active = 9\n'


def change(world: World, kind: str, flow: str, date: str, **body: object) -> None:
    world.daemon.change(kind, {"flow": flow, "logical_date": at(date).isoformat(), "who": "ann", **body})
    world.tick()


def two_upstreams(world: World, **policies: object) -> None:
    """A mart on a load with a deadline and on a dimension without one, all planned at 10:00."""
    world.flow("load", AT_TEN)
    world.flow("dim", AT_TEN)
    world.flow("mart", AT_TEN, on("load", timeout="1h", **policies), on("dim"))
    world.start()
    world.tick("2026-11-23T10:00")


def handed(world: World, flow: str, date: str) -> Any:
    return json.loads(world.job(flow, date).env["SENSORD_UPSTREAM"])


def pending(world: World, flow: str, date: str) -> int:
    (row,) = world.db.fetch(
        "SELECT r.pending FROM run r JOIN flow f ON f.id = r.flow_id WHERE f.name = :flow AND r.logical_date = :date",
        flow=flow,
        date=int(at(date).timestamp()) * 1_000_000,
    )
    return int(row[0])


@pytest.mark.parametrize(
    ("policy", "state"), [("fail", State.FAILED), ("skip", State.SKIPPED), ("proceed", State.WAITING)]
)
def test_at_the_deadline_the_policy_decides(world: World, policy: str, state: State) -> None:
    two_upstreams(world, on_timeout=policy)

    world.tick("2026-11-23T10:59:59")
    assert world.state("mart", NEXT) is State.WAITING

    world.tick("2026-11-23T11:00")
    assert world.state("mart", NEXT) is state
    if policy != "proceed":
        words = "sensor 0 on load: not satisfied by 2026-11-23T11:00:00Z: 0 of 1 done"
        assert world.why("mart", NEXT) == ("sensor_timeout", words)


def test_what_ends_at_its_deadline_settles_what_waits_for_it(world: World) -> None:
    world.flow("load", AT_TEN)
    world.flow("mart", AT_TEN, on("load", timeout="1h", on_timeout="skip"))
    world.flow("report", AT_TEN, on("mart"))
    world.start()
    world.tick(NEXT)

    world.tick("2026-11-23T11:00")

    assert world.state("report", NEXT) is State.SKIPPED
    assert world.why("report", NEXT)[0] == "upstream_skipped"


@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_what_came_in_time_has_no_deadline_any_more(world: World, policy: str) -> None:
    two_upstreams(world, on_timeout=policy)
    world.finish("load", NEXT)

    world.tick("2026-11-23T11:30")
    assert world.state("mart", NEXT) is State.WAITING

    world.finish("dim", NEXT)
    assert world.state("mart", NEXT) is State.RUNNING


def test_a_success_in_the_turn_of_the_deadline_goes_before_it(world: World) -> None:
    two_upstreams(world)

    world.clock.set(at("2026-11-23T11:00"))
    world.end("load", NEXT)
    world.tick()

    assert world.state("mart", NEXT) is State.WAITING


def test_a_failure_in_the_turn_of_the_deadline_is_blocked_and_past_it(world: World) -> None:
    two_upstreams(world)

    world.clock.set(at("2026-11-23T11:00"))
    world.end("load", NEXT, 1)
    world.tick()

    assert world.why("mart", NEXT)[0] == "sensor_timeout"


def test_what_proceeded_minds_its_upstream_no_more(world: World) -> None:
    two_upstreams(world, on_timeout="proceed", on_failure="fail", on_skipped="fail")
    world.tick("2026-11-23T11:00")
    assert pending(world, "mart", NEXT) == 1

    # however its upstream run goes on from here
    for step in ("failed", "success", "skipped"):
        change(world, "mark", "load", NEXT, state=step)
        world.end("load", NEXT, 1)
        world.tick()
        assert (world.state("mart", NEXT), pending(world, "mart", NEXT)) == (State.WAITING, 1)

    world.finish("dim", NEXT)
    assert world.state("mart", NEXT) is State.RUNNING


def test_a_blocked_run_has_its_deadline(world: World) -> None:
    two_upstreams(world, on_timeout="skip")
    world.end("load", NEXT, 1)
    world.tick()

    world.tick("2026-11-23T11:00")

    assert world.state("mart", NEXT) is State.SKIPPED


@pytest.mark.parametrize(("policy", "state"), [("fail", State.FAILED), ("proceed", State.RUNNING)])
def test_a_mapping_that_finds_nothing_has_its_deadline(world: World, policy: str, state: State) -> None:
    world.flow("load", AT_TEN.replace("[run]", "start = 2027-01-01\n[run]"))
    world.flow("mart", AT_TEN, on("load", on_missing="wait", timeout="1h", on_timeout=policy))
    world.start()
    world.tick(NEXT)
    assert world.state("mart", NEXT) is State.WAITING

    world.tick("2026-11-23T11:00")

    assert world.state("mart", NEXT) is state


@pytest.mark.parametrize(("require", "done"), [("any", 0), (2, 1)])
@pytest.mark.parametrize(("policy", "state"), [("skip", State.SKIPPED), ("proceed", State.RUNNING)])
def test_a_sensor_that_needs_some_has_its_deadline(
    world: World, require: str | int, done: int, policy: str, state: State
) -> None:
    world.flow("load", HOURLY + "max_active = 9\n")
    days = on("load", match="interval", within="3h", require=require, timeout="1h", on_timeout=policy)
    world.flow("mart", HOURLY.replace("0 *", "30 12"), days)
    world.start()
    world.tick("2026-11-22T12:30")
    for date in list(world.hours(TEN, done)):
        world.finish("load", date)

    world.tick("2026-11-22T13:29")
    assert world.state("mart", "2026-11-22T12:30") is State.WAITING
    world.tick("2026-11-22T13:30")
    assert world.state("mart", "2026-11-22T12:30") is state


def test_a_late_success_of_a_sensor_that_needs_some_counts_nothing_twice(world: World) -> None:
    world.flow("load", HOURLY + "max_active = 9\n")
    world.flow("dim", AT_TEN.replace("0 10", "30 12"))
    some = on("load", match="interval", within="3h", require=2, timeout="1h", on_timeout="proceed")
    world.flow("mart", AT_TEN.replace("0 10", "30 12"), some, on("dim"))
    world.start()
    world.tick("2026-11-22T12:30")
    world.tick("2026-11-22T13:30")
    assert pending(world, "mart", "2026-11-22T12:30") == 1

    for date in world.hours(TEN, 3):
        world.finish("load", date)
    change(world, "rerun", "load", TEN)

    assert pending(world, "mart", "2026-11-22T12:30") == 1
    assert world.state("mart", "2026-11-22T12:30") is State.WAITING


def test_of_several_deadlines_in_one_turn_fail_goes_before_skip(world: World) -> None:
    sensors = [
        on("load", timeout="1h", on_timeout="proceed"),
        on("load", timeout="50m", on_timeout="skip"),
        on("dim", timeout="1h", on_timeout="fail"),
    ]
    world.flow("load", AT_TEN)
    world.flow("dim", AT_TEN)
    world.flow("mart", AT_TEN, *sensors)
    world.start()
    world.tick(NEXT)

    world.tick("2026-11-23T11:00")

    assert world.state("mart", NEXT) is State.FAILED
    assert world.why("mart", NEXT)[1].startswith("sensor 2 on dim: not satisfied by 2026-11-23T11:00:00Z")


def test_the_days_of_a_deadline_are_those_of_the_flows_zone(world: World) -> None:
    # given a deadline of a day over the night in which Berlin's clocks go back
    zoned = '[schedule]\ncron = "0 12 * * *"\ntimezone = "Europe/Berlin"\n[run]\ncommand = ["true"]\n'
    world.clock.set(at("2026-10-24T09:00"))
    world.flow("load", zoned + "max_active = 9\n")
    world.flow("mart", zoned, on("load", timeout="1d"))
    world.start()
    world.tick("2026-10-24T10:00")

    world.tick("2026-10-25T10:59")
    assert world.state("mart", "2026-10-24T10:00") is State.WAITING
    world.tick("2026-10-25T11:00")
    assert world.state("mart", "2026-10-24T10:00") is State.FAILED


def test_a_deadline_counts_from_the_making_of_a_run_that_comes_late(world: World) -> None:
    world.flow("load", AT_TEN)
    world.flow("mart", AT_TEN, on("load", timeout="1h"))
    world.start()
    world.tick("2026-11-23T10:30")

    world.tick("2026-11-23T11:29")
    assert world.state("mart", NEXT) is State.WAITING
    world.tick("2026-11-23T11:30")
    assert world.state("mart", NEXT) is State.FAILED


def test_a_deadline_beyond_the_calendar_never_comes(world: World) -> None:
    world.flow("load", AT_TEN)
    world.flow("mart", AT_TEN, on("load", timeout="9000y"))
    world.start()
    world.tick(NEXT)

    world.tick("2099-01-01T00:00")

    assert world.state("mart", NEXT) is State.WAITING


def test_more_deadlines_than_one_turn_takes_are_all_kept(world: World) -> None:
    # given 600 runs that wait, all with the same deadline
    world.flow("dim", DAILY)
    every_minute = '[schedule]\ncron = "* * * * *"\n[run]\ncommand = ["true"]\n'
    world.flow("mart", every_minute, on("dim", timeout="20h"))
    world.start()
    world.daemon.tick()
    world.tick("2026-11-22T20:30")
    assert list(world.runs("mart").values()).count(State.WAITING) == 601

    # then the loop does not sleep before they are through
    world.clock.set(at("2026-11-23T16:30"))
    world.daemon.draining = True
    world.daemon.tick()
    assert world.daemon.next_at is not None
    assert world.daemon.next_at <= world.clock.now()
    world.tick()
    assert set(world.runs("mart").values()) == {State.FAILED}


def test_deadlines_pass_while_the_daemon_drains(world: World) -> None:
    two_upstreams(world)
    world.daemon.stop()

    world.tick("2026-11-23T11:00")

    assert world.state("mart", NEXT) is State.FAILED


def test_a_turn_of_runs_without_deadlines_asks_for_none(world: World) -> None:
    world.flow("load", AT_TEN)
    world.flow("mart", AT_TEN, on("load"))
    world.start()
    world.tick(NEXT)

    world.finish("load", NEXT)

    assert world.db.fetch("SELECT COUNT(*) FROM timer") == [(0,)]
