"""What a run passed over is recorded when it is released, and handed to its command with the last good run before."""

import json
from typing import Any

import pytest

from sensord.core.run import State
from sensord.daemon import passing
from sensord.store import runs
from tests.daemon.world import DAILY, HOURLY, World, at, on

TEN, ELEVEN, NOON = "2026-11-22T10:00", "2026-11-22T11:00", "2026-11-22T12:00"
WIDE = HOURLY + "max_active = 9\n"


def handed(world: World, flow: str, date: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(world.job(flow, date).env["SENSORD_UPSTREAM"])
    return found


def hourly(world: World, *sensors: str) -> None:
    """A load and a mart, and a success of the load at ten."""
    world.flow("load", WIDE)
    world.flow("mart", WIDE, *sensors)
    world.start()
    world.tick()
    world.finish("load", TEN)


def fail(world: World, flow: str, date: str, exit_code: int = 1) -> None:
    world.end(flow, date, exit_code)
    world.tick()


def test_the_last_good_run_is_handed_over_where_the_upstream_failed(world: World) -> None:
    hourly(world, on("load", on_failure="proceed"))
    for hour in (ELEVEN, NOON):
        world.tick(hour)
        fail(world, "load", hour)

    assert handed(world, "mart", NOON) == [
        {
            "sensor": 0,
            "upstream": "load",
            "runs": [{"logical_date": f"{NOON}:00Z", "state": "failed"}],
            "passed_over": [{"logical_date": f"{NOON}:00Z", "state": "failed", "cause": "on_failure"}],
            "instead": {"logical_date": f"{TEN}:00Z", "state": "success"},
        }
    ]
    assert "passed_over" not in handed(world, "mart", TEN)[0]


def test_the_users_case_hourly_on_daily_gets_the_last_good_day(world: World) -> None:
    # given B daily at 02:00, which succeeded yesterday and fails today, and C hourly on it
    world.clock.set(at("2026-11-21T10:30"))
    world.flow("b", DAILY)
    world.flow("c", HOURLY + "max_active = 50\n", on("b", on_failure="proceed"))
    world.start()
    world.tick()
    world.finish("b", "2026-11-21T02:00")
    world.tick("2026-11-22T03:30")
    fail(world, "b", "2026-11-22T02:00")

    for hour in ("2026-11-22T02:00", "2026-11-22T03:00"):
        (sensor,) = handed(world, "c", hour)
        assert sensor["instead"] == {"logical_date": "2026-11-21T02:00:00Z", "state": "success"}
    assert "instead" not in handed(world, "c", "2026-11-22T01:00")[0]


def test_a_sensor_that_went_on_at_its_deadline_tells_what_is_still_to_come(world: World) -> None:
    hourly(world, on("load", match="next", strict=True, timeout="20m", on_timeout="proceed"))
    world.tick("2026-11-22T10:50")

    (sensor,) = handed(world, "mart", TEN)
    assert sensor["runs"] == [{"logical_date": f"{ELEVEN}:00Z", "state": "missing"}]
    assert sensor["passed_over"] == [{"logical_date": f"{ELEVEN}:00Z", "state": "missing", "cause": "on_timeout"}]
    assert sensor["instead"] == {"logical_date": f"{TEN}:00Z", "state": "success"}


def test_what_came_between_the_deadline_and_the_release_was_not_passed_over(world: World) -> None:
    world.flow("dim", WIDE)
    hourly(world, on("load", timeout="20m", on_timeout="proceed"), on("dim"))
    world.tick(ELEVEN)
    world.tick("2026-11-22T11:30")
    world.finish("load", ELEVEN)

    world.finish("dim", ELEVEN)

    assert all("passed_over" not in sensor for sensor in handed(world, "mart", ELEVEN))


@pytest.mark.parametrize(("exit_code", "cause"), [(99, "on_skipped"), (1, "on_failure")])
def test_each_policy_is_named(world: World, exit_code: int, cause: str) -> None:
    hourly(world, on("load", **{cause: "proceed"}))
    world.tick(ELEVEN)
    fail(world, "load", ELEVEN, exit_code)

    (sensor,) = handed(world, "mart", ELEVEN)
    assert [run["cause"] for run in sensor["passed_over"]] == [cause]


def test_where_nothing_matched_the_latest_run_up_to_the_date_is_handed_over(world: World) -> None:
    hourly(world, on("load", match="same", offset="-30m", on_missing="proceed"))
    world.tick(ELEVEN)
    fail(world, "load", ELEVEN)
    world.tick(NOON)

    (sensor,) = handed(world, "mart", NOON)
    assert sensor["runs"] == []
    assert sensor["passed_over"] == [{"logical_date": None, "state": "missing", "cause": "on_missing"}]
    assert sensor["instead"] == {"logical_date": f"{TEN}:00Z", "state": "success"}


def test_what_the_sensor_accepts_is_what_is_good(world: World) -> None:
    hourly(world, on("load", accept=["skipped"], on_failure="proceed"))
    world.tick(ELEVEN)
    fail(world, "load", ELEVEN, 99)
    world.tick(NOON)
    fail(world, "load", NOON)

    (sensor,) = handed(world, "mart", NOON)
    assert sensor["instead"] == {"logical_date": f"{ELEVEN}:00Z", "state": "skipped"}


def test_without_any_good_run_before_there_is_none(world: World) -> None:
    world.flow("load", WIDE)
    world.flow("mart", WIDE, on("load", on_failure="proceed"))
    world.start()
    world.tick()
    fail(world, "load", TEN)

    assert handed(world, "mart", TEN)[0]["instead"] is None


def test_a_retry_and_a_restart_hand_over_the_same_and_a_rerun_what_is_so_then(world: World) -> None:
    world.flow("load", WIDE)
    world.flow("mart", WIDE + 'retries = 1\nretry_delay = "1m"\n', on("load", on_failure="proceed"))
    world.start()
    world.tick()
    fail(world, "load", TEN)
    first = handed(world, "mart", TEN)
    fail(world, "mart", TEN)
    world.restart()
    world.tick("2026-11-22T10:40")
    assert world.attempt("mart", TEN).number == 2
    assert handed(world, "mart", TEN) == first

    world.end("mart", TEN)
    world.tick()
    for flow in ("load", "mart"):
        world.daemon.change("rerun", {"flow": flow, "logical_date": at(TEN).isoformat()})
    world.tick()
    world.finish("load", TEN)
    assert handed(world, "mart", TEN) == [
        {"sensor": 0, "upstream": "load", "runs": [{"logical_date": f"{TEN}:00Z", "state": "success"}]}
    ]


def test_a_run_that_is_released_by_a_reload_records_it_too(world: World) -> None:
    hourly(world, on("load"))
    world.tick(ELEVEN)
    fail(world, "load", ELEVEN)
    assert world.state("mart", ELEVEN) is State.WAITING

    world.flow("mart", WIDE, on("load", on_failure="proceed"))
    world.daemon.reload()
    world.tick()

    assert handed(world, "mart", ELEVEN)[0]["instead"] == {"logical_date": f"{TEN}:00Z", "state": "success"}


def test_runs_that_cannot_proceed_cost_no_statement_at_their_release(world: World) -> None:
    hourly(world, on("load"))
    (run,) = _live(world, "mart", TEN)
    with world.db.transaction() as tx:
        before = world.db.statements
        passing.note(tx, world.daemon._picture.catalog, [run])
        assert world.db.statements == before


def test_what_an_operator_passes_over_is_recorded_by_the_same_means(world: World) -> None:
    hourly(world, on("load"))
    world.tick(ELEVEN)
    (run,) = _live(world, "mart", ELEVEN)
    with world.db.transaction() as tx:
        passing.note(tx, world.daemon._picture.catalog, [run], by_operator=True)

    ((text,),) = world.db.fetch("SELECT passed_over FROM run WHERE id = :id", id=run.run_id)
    (entry,) = json.loads(text)
    assert entry["passed_over"] == [{"logical_date": f"{ELEVEN}:00Z", "state": "running", "cause": "by_operator"}]
    assert entry["instead"] == {"logical_date": f"{TEN}:00Z", "state": "success"}


def _live(world: World, flow: str, date: str) -> list[runs.Live]:
    with world.db.transaction() as tx:
        found = runs.find(tx, flow, int(at(date).timestamp()) * 1_000_000)
    return [found] if found else []
