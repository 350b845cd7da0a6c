"""What is written down of the past: what is rare and would be overwritten, and nothing else."""

from typing import Any

import pytest

from sensord.core.instant import format_instant, from_micros
from sensord.core.past import What
from sensord.core.run import State
from tests.daemon.world import DAILY, HOURLY, World, at, on

NINE, TEN = "2026-11-22T09:00", "2026-11-22T10:00"
NOON = "2026-11-22T12:00"
ANN = {"who": "ann"}


def deeds(world: World) -> list[tuple[Any, ...]]:
    """(flow, date, at, what, the state that was left or is meant), as they happened."""
    rows = world.db.fetch(
        "SELECT f.name, p.logical_date, p.at, p.what, p.state FROM past p JOIN flow f ON f.id = p.flow_id ORDER BY p.id"
    )
    return [
        (
            name,
            *(format_instant(from_micros(one))[:16] for one in (date, then)),
            What(what).name,
            state and State(state),
        )
        for name, date, then, what, state in rows
    ]


def column(world: World, name: str) -> list[Any]:
    return [row[0] for row in world.db.fetch(f"SELECT {name} FROM past ORDER BY id")]


def ask(world: World, kind: str, flow: str, date: str, **body: object) -> None:
    world.daemon.change(kind, {"flow": flow, "logical_date": f"{date}:00Z", **ANN, **body})
    world.tick()


def test_what_takes_its_course_writes_nothing(world: World) -> None:
    # given runs that wait, retry, fail, are skipped by policy and succeed
    world.flow("orders", HOURLY + "retries = 1\n")
    world.flow("mart", HOURLY, on("orders"))
    world.flow("report", HOURLY, on("orders", on_failure="skip"))
    world.start()
    world.tick()
    world.end("orders", TEN, 1)
    world.tick()
    world.tick("2026-11-22T10:50")
    world.end("orders", TEN, 1)
    world.tick()
    world.tick("2026-11-22T11:00")
    world.finish("orders", "2026-11-22T11:00")

    # then the past is all in what stays
    assert deeds(world) == []


def test_a_rerun_keeps_the_state_that_it_leaves(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.end("orders", TEN, 3)
    world.tick("2026-11-22T10:40")

    world.clock.set(at("2026-11-22T10:50"))
    ask(world, "rerun", "orders", TEN)

    assert deeds(world) == [("orders", TEN, "2026-11-22T10:50", "RERUN", State.FAILED)]
    left = world.db.fetch("SELECT since_at, reason, message, attempt, who FROM past")
    assert [(format_instant(from_micros(since))[:16], *rest) for since, *rest in left] == [
        ("2026-11-22T10:30", "exit_code", "exit 3", 1, "ann")
    ]


def test_a_mark_keeps_it_too_but_only_of_a_run_that_had_ended(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.finish("orders", TEN)
    world.tick("2026-11-22T11:00")

    ask(world, "mark", "orders", TEN, state="failed")
    ask(world, "mark", "mart", "2026-11-22T11:00", state="skipped")

    assert deeds(world) == [("orders", TEN, "2026-11-22T11:00", "MARKED", State.SUCCESS)]


def test_who_has_a_command_ended_is_kept(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    ask(world, "cancel", "orders", TEN)
    assert deeds(world) == [("orders", TEN, "2026-11-22T10:30", "STOPPED", State.CANCELLED)]
    assert column(world, "who") == ["ann"]


def test_all_that_go_back_downstream_are_kept(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.finish("orders", TEN)
    world.finish("mart", TEN)
    ask(world, "rerun", "orders", TEN, downstream=True)
    assert [(flow, what, state) for flow, _, _, what, state in deeds(world)] == [
        ("orders", "RERUN", State.SUCCESS),
        ("mart", "RERUN", State.SUCCESS),
    ]


@pytest.fixture
def missed(world: World) -> World:
    """A day of orders that a mart waits for. Hours of it are passed over in an outage."""
    world.flow("orders", HOURLY.replace("[run]", 'catchup = "none"\n[run]'))
    world.flow("mart", DAILY, on("orders", match="next", on_skipped="wait"), on("orders", on_skipped="wait"))
    world.start()
    world.tick()
    world.tick("2026-11-22T11:00")
    world.flow("late", HOURLY, on("orders", match="latest", ahead=2, on_skipped="wait"))
    world.daemon.reload()
    world.tick()
    world.daemon.change("pause", {"flow": "orders"})
    world.clock.set(at("2026-11-22T14:30"))
    return world


def test_a_tick_that_is_passed_over_is_kept_where_somebody_waits(missed: World) -> None:
    missed.daemon.change("resume", {"flow": "orders"})
    missed.tick()
    assert ("orders", "2026-11-22T13:00", "2026-11-22T14:30", "MISSED", State.SKIPPED) in deeds(missed)
    assert ("orders", NOON, "2026-11-22T14:30", "MISSED", State.SKIPPED) not in deeds(missed)


def test_a_missed_tick_that_is_run_after_all_was_missed_until_then(missed: World) -> None:
    missed.daemon.change("resume", {"flow": "orders"})
    missed.tick()
    missed.clock.set(at("2026-11-22T14:40"))
    ask(missed, "trigger", "orders", "2026-11-22T13:00", tick=True)
    ask(missed, "trigger", "orders", NOON, tick=True)
    found = [one for one in deeds(missed) if one[3] == "MADE"]
    assert found == [("orders", "2026-11-22T13:00", "2026-11-22T14:40", "MADE", State.SKIPPED)]


def test_a_sensor_that_goes_on_at_its_deadline_is_kept_with_what_it_needed(world: World) -> None:
    world.flow("a", HOURLY)
    world.flow("b", HOURLY)
    keys = {"timeout": "30m", "on_timeout": "proceed"}
    world.flow("mart", HOURLY, on("a", match="interval", within="3h", require=2, on_skipped="wait", **keys), on("b"))
    world.start()
    world.tick()
    world.tick("2026-11-22T11:00")
    assert deeds(world) == [("mart", TEN, "2026-11-22T11:00", "TIMED_OUT", None)]
    assert (column(world, "sensor"), column(world, "need")) == ([0], [2])


def test_when_a_waiting_run_was_mapped_anew_is_noted_until_it_is_rerun(world: World) -> None:
    world.flow("a", HOURLY)
    world.flow("mart", HOURLY, on("a"))
    world.start()
    world.tick()
    world.clock.set(at("2026-11-22T10:40"))
    world.flow("mart", HOURLY, on("a"), on("a", match="latest", back=1, on_skipped="proceed"))
    world.daemon.reload()
    assert mapped(world) == {"a": None, "mart": "2026-11-22T10:40"}
    world.finish("a", TEN)
    world.finish("mart", TEN)
    ask(world, "rerun", "mart", TEN)
    assert mapped(world) == {"a": None, "mart": None}


def mapped(world: World) -> dict[str, str | None]:
    rows = world.db.fetch("SELECT f.name, r.mapped_at FROM run r JOIN flow f ON f.id = r.flow_id")
    return {name: format_instant(from_micros(when))[:16] if when else None for name, when in rows}


def test_a_backfill_that_runs_something_again_is_named(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders", match="latest", back=1, on_skipped="wait"))
    world.start()
    world.tick()
    world.finish("orders", TEN)
    dates = {"from": f"{NINE}:00+00:00", "to": f"{TEN}:00+00:00"}
    world.daemon.change("backfill", {"flow": "orders", "rerun": "all", **dates, **ANN})
    world.tick()
    assert sorted((date, what) for _, date, _, what, _ in deeds(world)) == [(NINE, "MADE"), (TEN, "RERUN")]
    assert column(world, "who") == ["backfill 1", "backfill 1"]


def test_nothing_is_kept_of_what_could_not_be_done(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.finish("orders", TEN)
    ask(world, "mark", "orders", TEN, state="success")
    assert deeds(world) == []
