"""Backfills at work: in batches, behind all else, within their limits, over restarts; and what is in them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from sensord.core.run import BackfillState, State
from sensord.daemon import backfill
from sensord.errors import InvalidValue, NotFound
from tests.daemon.world import DAILY, HOURLY, World, at, on

MINUTELY = HOURLY.replace("0 * * * *", "* * * * *")
DAY = "2026-11-21T"


def ask(world: World, flow: str, since: str, until: str, **more: Any) -> str:
    body: Mapping[str, Any] = {"flow": flow, "from": f"{since}:00+00:00", "to": f"{until}:00+00:00", **more}
    return world.daemon.change("backfill", body)


def state(world: World, number: int = 1) -> BackfillState:
    return BackfillState(world.db.fetch("SELECT state FROM backfill WHERE id = :id", id=number)[0][0])


def finish_all(world: World) -> None:
    while world.executor.running:
        for attempt in world.executor.running:
            world.executor.end(attempt)
        world.tick()


@pytest.fixture
def hourly(world: World) -> World:
    """An hourly flow, whose last tick has succeeded."""
    world.flow("up", HOURLY)
    world.start()
    world.tick()
    world.finish("up", "2026-11-22T10:00")
    return world


def test_it_is_done_when_the_last_of_its_runs_is(hourly: World) -> None:
    text = ask(hourly, "up", f"{DAY}01:00", f"{DAY}03:00")
    hourly.tick()
    assert text == "backfill 1 is under way: up, 2026-11-21T01:00:00Z to 2026-11-21T03:00:00Z"
    assert state(hourly) is BackfillState.RUNNING

    finish_all(hourly)

    assert state(hourly) is BackfillState.DONE
    assert [one for date, one in hourly.runs("up").items()] == [State.SUCCESS] * 4


def test_where_there_is_nothing_to_do_it_is_done_at_once(hourly: World) -> None:
    ask(hourly, "up", "2026-11-22T10:00", "2026-11-22T10:10")
    hourly.tick()

    assert state(hourly) is BackfillState.DONE


def test_years_of_minutes_hold_nobody_up(world: World) -> None:
    world.flow("up", MINUTELY)
    world.flow("other", HOURLY)
    world.start()
    world.tick()
    world.daemon.change("pause", {"flow": "up"})
    ask(world, "up", "2021-11-22T00:00", "2026-11-22T00:00")

    turns = [world.daemon.tick() for _ in range(4)]
    world.clock.move(timedelta(hours=1))
    turn = world.daemon.tick()

    assert [len(one.planned) for one in turns] == [backfill.BATCH] * 4
    assert [run.logical_date for run in turn.planned if world.daemon.flow_name(run.flow_id) == "other"]


def test_no_more_is_planned_than_will_soon_be_started(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "AHEAD", 300)
    world.flow("up", MINUTELY)
    world.start()
    world.tick()

    ask(world, "up", "2026-11-01T00:00", "2026-11-20T00:00")
    world.tick()

    waiting = sum(one is State.QUEUED for one in world.runs("up").values())
    assert 300 <= waiting <= 300 + backfill.BATCH
    finish_all_of(world, 250)
    assert len(world.runs("up")) > 500


def finish_all_of(world: World, number: int) -> None:
    for _ in range(number):
        for attempt in world.executor.running:
            world.executor.end(attempt)
        world.tick()


def test_it_goes_on_where_it_stood_after_a_crash(world: World) -> None:
    world.flow("up", MINUTELY, "max_active = 100\n")
    world.start()
    world.tick()
    ask(world, "up", f"{DAY}00:00", f"{DAY}09:59")
    world.daemon.tick()
    before = len(world.runs("up"))

    world.restart()
    world.tick()

    assert before == backfill.BATCH + 1
    assert len(world.runs("up")) == 601


def test_a_reload_in_the_middle_changes_nothing(world: World) -> None:
    world.flow("up", MINUTELY)
    world.start()
    world.tick()
    ask(world, "up", f"{DAY}00:00", f"{DAY}06:39")
    world.daemon.tick()
    world.flow("up", MINUTELY, "max_active = 2\n")
    world.daemon.reload()

    world.tick()

    assert len(world.runs("up")) == 401


def test_its_limit_holds_over_a_restart(hourly: World) -> None:
    hourly.flow("up", HOURLY, "max_active = 9\n")
    hourly.daemon.reload()
    ask(hourly, "up", f"{DAY}01:00", f"{DAY}06:00", max_active=2)
    hourly.tick()
    hourly.restart()
    hourly.tick()

    assert len(hourly.executor.running) == 2


def test_a_paused_one_plans_and_starts_nothing_also_after_a_restart(hourly: World) -> None:
    ask(hourly, "up", f"{DAY}01:00", f"{DAY}02:00")
    hourly.daemon.change("pause_backfill", {"backfill": 1})
    hourly.tick()
    hourly.restart()
    hourly.tick()
    assert list(hourly.runs("up")) == ["2026-11-22T10:00"]

    hourly.daemon.change("resume_backfill", {"backfill": 1})
    hourly.tick()

    assert list(hourly.runs("up"))[:2] == [f"{DAY}01:00", f"{DAY}02:00"]


def test_many_are_cancelled_a_slice_at_a_time(hourly: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "CANCEL_SLICE", 5)
    ask(hourly, "up", f"{DAY}00:00", f"{DAY}20:00")
    hourly.tick()

    hourly.daemon.change("cancel_backfill", {"backfill": 1})
    hourly.tick()

    states = list(hourly.runs("up").values())
    assert (states.count(State.CANCELLED), states.count(State.RUNNING)) == (20, 1)
    assert (state(hourly), hourly.daemon.next_at) != (BackfillState.DONE, at("2026-11-22T10:30"))
    finish_all(hourly)
    hourly.tick()
    assert hourly.db.fetch("SELECT state FROM backfill WHERE finished_at IS NOT NULL") == [(BackfillState.CANCELLED,)]


def test_a_retry_of_what_ran_when_it_was_cancelled_is_not_made(world: World) -> None:
    world.flow("up", HOURLY, 'retries = 2\nretry_delay = "1m"\n')
    world.start()
    world.tick()
    world.finish("up", "2026-11-22T10:00")
    ask(world, "up", f"{DAY}01:00", f"{DAY}01:00")
    world.tick()
    world.daemon.change("cancel_backfill", {"backfill": 1})
    world.end("up", f"{DAY}01:00", 1)
    world.tick()
    world.tick("2026-11-22T10:32")

    assert world.state("up", f"{DAY}01:00") is State.CANCELLED


@pytest.mark.parametrize(
    ("rerun", "again"),
    [
        (None, []),
        ("failed", ["05:00", "06:00"]),
        ("skipped", ["04:00"]),
        ("all", ["03:00", "04:00", "05:00", "06:00"]),
    ],
)
def test_which_ended_runs_are_run_again(hourly: World, rerun: str | None, again: list[str]) -> None:
    ask(hourly, "up", f"{DAY}03:00", f"{DAY}06:00")
    hourly.tick()
    for date, code in (("03:00", 0), ("04:00", 99), ("05:00", 1)):
        hourly.end("up", f"{DAY}{date}", code)
        hourly.tick()
    hourly.daemon.change("mark", {"flow": "up", "logical_date": f"{DAY}06:00:00+00:00", "state": "cancelled"})
    hourly.end("up", f"{DAY}06:00", 1)
    hourly.tick()

    ask(hourly, "up", f"{DAY}03:00", f"{DAY}06:00", rerun=rerun)
    hourly.tick()

    assert [date[-5:] for date, one in hourly.runs("up").items() if one in (State.RUNNING, State.QUEUED)] == again


def test_what_one_batch_ran_again_the_next_one_leaves_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "BATCH", 2)
    world.flow("dim", DAILY)
    world.flow("up", HOURLY, "max_active = 9\n", on("dim"))
    world.start()
    world.tick()
    world.finish("dim", "2026-11-22T02:00")
    ask(world, "up", "2026-11-22T03:00", "2026-11-22T09:00", rerun="all", upstream=True)
    world.daemon.tick()
    world.end("dim", "2026-11-22T02:00")

    world.tick()

    assert world.attempt("dim", "2026-11-22T02:00").number == 2
    assert world.state("up", "2026-11-22T09:00") is State.RUNNING


def test_a_day_is_not_made_before_all_its_hours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would count those that are still to be made as missed, and be skipped."""
    monkeypatch.setattr(backfill, "BATCH", 3)
    world.flow("up", HOURLY, "max_active = 50\n")
    world.flow("down", DAILY, on("up", match="interval", align="day"))
    world.start()
    world.tick()

    ask(world, "up", "2026-11-19T01:00", "2026-11-20T00:00", downstream=True)
    world.tick()
    assert world.state("down", "2026-11-20T02:00") is State.WAITING
    finish_all(world)

    assert world.state("down", "2026-11-20T02:00") is State.SUCCESS


def test_a_flow_whose_file_is_gone_waits_and_one_that_is_retired_is_left_out(hourly: World) -> None:
    hourly.flow("other", DAILY)
    hourly.daemon.reload()
    ask(hourly, "up", f"{DAY}01:00", f"{DAY}02:00")
    hourly.remove("up")
    hourly.clock.move(timedelta(seconds=1))
    hourly.daemon.reload()
    hourly.tick()
    assert (state(hourly), len(hourly.runs("up"))) == (BackfillState.RUNNING, 1)

    hourly.daemon.change("retire", {"flow": "up"})
    hourly.tick()

    assert (state(hourly), len(hourly.runs("up"))) == (BackfillState.DONE, 1)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rerun": "some"}, "expected failed, skipped or all to run again, got 'some'"),
        ({"max_active": 0}, "expected a whole number from 1 to 10000 as max_active, got 0"),
        ({"to": "2026-11-20T00:00:00+00:00"}, "expected dates in their order"),
        ({"from": "yesterday"}, "expected a logical date with its zone, got 'yesterday'"),
    ],
)
def test_what_makes_no_sense_is_refused(hourly: World, more: Mapping[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        ask(hourly, "up", f"{DAY}01:00", f"{DAY}02:00", **more)

    assert hourly.db.fetch("SELECT id FROM backfill") == []


def test_one_that_is_not_there_cannot_be_paused(hourly: World) -> None:
    for number in (7, "7", None, 1 << 70):
        with pytest.raises(NotFound, match="expected a backfill, got"):
            hourly.daemon.change("pause_backfill", {"backfill": number})


def test_only_a_paused_one_is_resumed_and_only_once_is_it_cancelled(hourly: World) -> None:
    ask(hourly, "up", f"{DAY}01:00", f"{DAY}02:00")
    hourly.tick()
    with pytest.raises(InvalidValue, match="expected a paused backfill, got 1, which is running"):
        hourly.daemon.change("resume_backfill", {"backfill": 1})
    hourly.daemon.change("cancel_backfill", {"backfill": 1})
    with pytest.raises(InvalidValue, match="which is cancelled already"):
        hourly.daemon.change("cancel_backfill", {"backfill": 1})


def test_a_draining_daemon_plans_none_of_it(hourly: World) -> None:
    hourly.daemon.stop()
    ask(hourly, "up", f"{DAY}01:00", f"{DAY}02:00")
    hourly.tick()

    assert len(hourly.runs("up")) == 1


def test_urgent_runs_of_a_backfill_inherit_as_any(world: World) -> None:
    world.flow("a", HOURLY)
    world.flow("b", HOURLY, "priority = 4\n", on("a"))
    world.start()
    world.tick()

    ask(world, "b", f"{DAY}01:00", f"{DAY}02:00", upstream=True)
    world.tick()

    rows = world.db.fetch("SELECT DISTINCT priority FROM run WHERE backfill_id = 1")
    assert rows == [(4,)]


def hours_of_five_to_eight(world: World) -> None:
    """A backfill of four hours, of which the first one runs."""
    world.flow("a", HOURLY)
    world.start()
    world.tick()
    world.finish("a", "2026-11-22T10:00")
    dates = {"from": "2026-11-22T05:00:00Z", "to": "2026-11-22T08:00:00Z"}
    world.daemon.change("backfill", {"flow": "a", **dates})
    world.tick()


def rerun_by_hand(world: World, date: str) -> None:
    world.daemon.change("rerun", {"flow": "a", "logical_date": f"{date}:00Z"})
    world.tick()


def test_a_run_of_a_cancelled_backfill_that_a_person_reruns_starts(world: World) -> None:
    hours_of_five_to_eight(world)
    world.daemon.change("cancel_backfill", {"backfill": 1})
    world.finish("a", "2026-11-22T05:00")

    rerun_by_hand(world, "2026-11-22T06:00")

    assert world.state("a", "2026-11-22T06:00") is State.RUNNING


def test_a_run_that_a_person_reruns_is_not_cancelled_with_its_backfill(world: World) -> None:
    hours_of_five_to_eight(world)
    world.daemon.change("cancel_backfill", {"backfill": 1})
    world.tick()

    rerun_by_hand(world, "2026-11-22T06:00")
    world.finish("a", "2026-11-22T05:00")

    assert world.state("a", "2026-11-22T06:00") is State.RUNNING


def test_a_run_that_a_person_reruns_is_not_held_with_its_backfill(world: World) -> None:
    hours_of_five_to_eight(world)
    world.daemon.change("pause_backfill", {"backfill": 1})
    world.finish("a", "2026-11-22T05:00")

    rerun_by_hand(world, "2026-11-22T05:00")

    assert world.state("a", "2026-11-22T05:00") is State.RUNNING
