"""`why` of what is to come: what a tick will wait for, and when a run may start and be done by the flows' past runs."""

from datetime import timedelta

import pytest

from sensord.core.run import State
from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, on


@pytest.fixture
def lived(world: World) -> World:
    """orders took 7 minutes at 08:00 to 10:00, sales 3 after that; day takes ever longer since 02:00; it is 10:30."""
    world.flow("orders", HOURLY)
    world.flow("day", DAILY)
    world.flow("sales", HOURLY, on("orders"))
    world.flow("both", HOURLY, on("orders"), on("day"))
    world.clock.set(world.clock.now().replace(hour=8, minute=0))
    world.start()
    for hour in ("08", "09", "10"):
        world.tick(f"2026-11-22T{hour}:00")
        world.clock.set(world.clock.now().replace(minute=7))
        world.finish("orders", f"2026-11-22T{hour}:00")
        world.clock.set(world.clock.now().replace(minute=10))
        world.finish("sales", f"2026-11-22T{hour}:00")
    world.tick("2026-11-22T10:30")
    return world


def test_a_tick_to_come_says_what_it_will_wait_for_and_when_it_may_start(lived: World, sensord: Program) -> None:
    assert sensord("why", "sales", "2026-11-22T12:00").lines == [
        "sales 2026-11-22T12:00:00Z: not due",
        "",
        "sensor 0 on orders, latest: waiting (not_due)",
        "  0 of 1 done: 1 not due",
        "  2026-11-22T12:00:00Z  comes in 1h30m",
        "",
        "It comes in 1h30m; until then there is no run.",
        "By its past runs it should start about 2026-11-22T12:07:00Z, after orders 2026-11-22T12:00:00Z,"
        " and be done about 2026-11-22T12:10:00Z.",
    ]


def test_the_same_as_json(lived: World, sensord: Program) -> None:
    shown = sensord("why", "sales", "2026-11-22T12:00", "--json").json
    assert (shown["state"], shown["run"], shown["verdict"]) == ("not_due", None, None)
    assert shown["sensors"][0]["runs"] == [
        {
            "logical_date": "2026-11-22T12:00:00Z",
            "state": "absent",
            "counts": False,
            "run_id": None,
            "since": None,
            "reason": None,
            "message": None,
        }
    ]
    assert shown["estimate"] == {
        "released_at": "2026-11-22T12:07:00Z",
        "finished_at": "2026-11-22T12:10:00Z",
        "last": {"flow": "orders", "logical_date": "2026-11-22T12:00:00Z"},
    }


def test_a_run_that_waits_for_one_under_way_counts_from_its_start(lived: World, sensord: Program) -> None:
    lived.tick("2026-11-22T11:00")
    lived.clock.set(lived.clock.now().replace(minute=2))
    estimate = sensord("why", "sales", "2026-11-22T11:00", "--json").json["estimate"]
    assert (estimate["released_at"], estimate["finished_at"]) == ("2026-11-22T11:07:00Z", "2026-11-22T11:10:00Z")


def test_what_takes_longer_than_ever_may_end_any_moment(lived: World, sensord: Program) -> None:
    lived.tick("2026-11-22T11:00")
    lived.clock.set(lived.clock.now().replace(minute=20))
    assert sensord("why", "sales", "2026-11-22T11", "--json").json["estimate"]["released_at"] == "2026-11-22T11:20:00Z"


def test_what_is_queued_already_takes_no_longer_because_others_came_late(lived: World, sensord: Program) -> None:
    lived.tick("2026-11-22T15:00")  # those of 11:00 to 14:00 are late, and the first of them runs
    for hour in ("11", "12", "13"):
        lived.clock.set(lived.clock.now() + timedelta(minutes=7))
        lived.finish("orders", f"2026-11-22T{hour}:00")

    estimate = sensord("why", "sales", "2026-11-22T15:00", "--json").json["estimate"]

    assert lived.state("orders", "2026-11-22T15:00") is State.QUEUED
    assert estimate["released_at"] == "2026-11-22T15:28:00Z"


def test_where_an_upstream_has_no_past_nothing_is_guessed(lived: World, sensord: Program) -> None:
    shown = sensord("why", "both", "2026-11-22T12:00", "--json").json
    assert shown["estimate"] is None
    assert [sensor["upstream"] for sensor in shown["sensors"]] == ["orders", "day"]
    assert shown["sensors"][1]["runs"][0]["state"] == "running"


def test_what_is_blocked_has_no_estimate(lived: World, sensord: Program) -> None:
    lived.tick("2026-11-22T11:00")
    lived.end("orders", "2026-11-22T11:00", 1)
    lived.tick()
    said = sensord("why", "sales", "2026-11-22T11:00")
    assert not [line for line in said.lines if "past runs" in line]
    assert sensord("why", "sales", "2026-11-22T11:00", "--json").json["estimate"] is None


def test_what_a_person_holds_back_has_no_estimate(lived: World, sensord: Program) -> None:
    lived.flow("report", HOURLY, on("sales"))
    lived.daemon.reload()
    lived.tick()
    lived.finish("report", "2026-11-22T10:00")
    lived.daemon.change("pause", {"flow": "orders"})
    lived.tick("2026-11-22T12:00")

    for asked in (("sales", "2026-11-22T12:00"), ("sales", "2026-11-22T13:00"), ("report", "2026-11-22T12:00")):
        assert sensord("why", *asked, "--json").json["estimate"] is None


def test_the_run_that_is_needed_last_decides_where_any_will_do(lived: World, sensord: Program) -> None:
    lived.flow("some", DAILY, on("orders", match="interval", require=2))
    lived.daemon.reload()
    shown = sensord("why", "some", "2026-11-23T02:00", "--json").json
    assert (shown["sensors"][0]["need"], shown["sensors"][0]["verdict"]) == (2, "satisfied")
    assert shown["estimate"]["released_at"] == "2026-11-23T02:00:00Z"


def test_a_mapping_that_will_find_nothing_is_known_before(lived: World, sensord: Program) -> None:
    lived.flow("ending", HOURLY.replace("[run]", "end = 2026-11-22T11:00:00\n[run]"))
    lived.flow("vain", HOURLY, on("ending", match="same"))
    lived.daemon.reload()
    shown = sensord("why", "vain", "2026-11-22T13:00", "--json").json
    assert shown["sensors"][0]["verdict"] == "impossible"
    assert shown["estimate"] is None


def test_a_deadline_to_come_is_told(lived: World, sensord: Program) -> None:
    lived.flow("patient", HOURLY, on("orders", timeout="30m"))
    lived.daemon.reload()
    lines = sensord("why", "patient", "2026-11-22T12:00").lines
    assert "  times out at 2026-11-22T12:30:00Z, in 2h: then the run fails" in lines


def test_a_fan_in_of_a_thousand_and_a_chain_of_twenty_are_told_to_their_roots(world: World, sensord: Program) -> None:
    # given a chain of twenty behind the last of a thousand upstreams, whose first has failed
    world.flow("c00", HOURLY)
    for number in range(1, 20):
        world.flow(f"c{number:02}", HOURLY, on(f"c{number - 1:02}"))
    for number in range(999):
        world.flow(f"u/{number:03}", HOURLY)
    world.flow("fan", HOURLY, *(on(f"u/{number:03}") for number in range(999)), on("c19"))
    world.slots = 2_000
    world.start()
    world.tick()
    world.finish("u/500", "2026-11-22T10:00")
    world.end("c00", "2026-11-22T10:00", 1)
    world.tick()

    # then the failure at the root comes first, with the whole way to it, and all others are there
    shown = sensord("why", "fan", "--json").json
    assert shown["complete"]
    root, *others = shown["causes"]
    assert (root["kind"], root["flow"]) == ("failed", "c00")
    assert [step["flow"] for step in root["path"]] == ["fan", *(f"c{number:02}" for number in range(19, 0, -1))]
    assert len(others) == 998
    assert {cause["kind"] for cause in others} == {"running"}
