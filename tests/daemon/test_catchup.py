"""Catchup in the daemon: cursors that jump, flows in turn, and what those hear who wait for a tick that is not run."""

from datetime import timedelta

import pytest

from sensord.core.instant import from_micros
from sensord.core.run import State
from sensord.daemon.daemon import PLAN_BUDGET
from tests.daemon.world import DAILY, HOURLY, World, at, on

MINUTELY = HOURLY.replace("0 * * * *", "* * * * *")
LONG_AGO = "start = 2020-01-01\n"


def since(start: str, text: str = MINUTELY, catchup: str = "") -> str:
    return text.replace("[run]", f"{start}{catchup}\n[run]")


def cursor(world: World, flow: str) -> str:
    ((micros,),) = world.db.fetch("SELECT planned_to FROM flow WHERE name = :flow", flow=flow)
    return f"{from_micros(micros):%Y-%m-%dT%H:%M}"


def test_six_years_of_minutes_hold_up_nobody(world: World) -> None:
    world.flow("old", since(LONG_AGO))
    world.flow("orders", HOURLY)
    world.start()

    turn = world.daemon.tick()

    assert len(turn.planned) <= PLAN_BUDGET
    assert world.state("orders", "2026-11-22T10:00") is State.STARTING
    assert min(world.runs("old")) == "2020-01-01T00:00"


def test_the_backlog_goes_on_turn_by_turn_while_others_keep_their_time(world: World) -> None:
    world.flow("old", since("start = 2026-11-21T00:00:00\n"))
    world.flow("orders", HOURLY)
    world.start()
    world.daemon.tick()
    behind = len(world.runs("old"))
    assert behind < 34 * 60

    world.clock.set(at("2026-11-22T11:00"))
    world.daemon.tick()

    assert "2026-11-22T11:00" in world.runs("orders")
    assert behind < len(world.runs("old")) < 35 * 60
    world.tick()
    assert len(world.runs("old")) == 35 * 60 + 1


@pytest.mark.parametrize(
    ("catchup", "number"), [('catchup = "none"', 1), ('catchup = "latest"', 2), ("catchup_limit = 7", 8)]
)
def test_who_does_not_want_them_is_at_its_newest_tick_at_once(world: World, catchup: str, number: int) -> None:
    world.flow("old", since(LONG_AGO, catchup=f'{catchup}\nlate_limit = "0s"'))
    world.start()

    world.daemon.tick()

    now = world.clock.now().replace(second=0)
    dates = [f"{now - timedelta(minutes=back):%Y-%m-%dT%H:%M}" for back in reversed(range(number))]
    assert list(world.runs("old")) == dates
    assert cursor(world, "old") == dates[-1]


def test_who_waits_for_a_tick_in_the_gap_is_told_in_the_turn_that_jumps(world: World) -> None:
    world.flow("orders", since('first = "next"\n', HOURLY, 'catchup = "none"'))
    world.flow("mart", since('first = "next"\n', HOURLY), on("orders", match="next", strict=True, on_skipped="fail"))
    world.start()
    world.tick("2026-11-22T11:00")
    assert world.state("mart", "2026-11-22T11:00") is State.WAITING

    world.clock.set(at("2026-11-22T13:00"))
    world.daemon.tick()

    assert world.state("mart", "2026-11-22T11:00") is State.FAILED
    assert world.why("mart", "2026-11-22T11:00") == (
        "upstream_skipped",
        "sensor 0: orders 2026-11-22T12:00:00Z was missed",
    )


def test_a_run_that_is_there_already_is_not_passed_over(world: World) -> None:
    # given a run that somebody asked for, and who waits for it
    world.flow("orders", since('first = "next"\n', HOURLY, 'catchup = "none"'))
    world.flow("mart", HOURLY, on("orders", match="next", strict=True))
    world.start()
    world.tick()
    world.daemon.change("pause", {"flow": "orders"})
    world.tick("2026-11-22T11:30")
    world.daemon.change("trigger", {"flow": "orders", "logical_date": "2026-11-22T11:00:00+00:00"})
    world.tick("2026-11-22T13:30")

    world.daemon.change("resume", {"flow": "orders"})
    world.tick()
    assert list(world.runs("orders")) == ["2026-11-22T11:00"]

    world.finish("orders", "2026-11-22T11:00")
    assert world.state("mart", "2026-11-22T10:00") is State.RUNNING


def test_what_a_pause_passed_over_stays_so_whatever_happens_next(world: World) -> None:
    world.flow("orders", since("", HOURLY, 'catchup = "none"'))
    world.start()
    world.tick()
    world.daemon.change("pause", {"flow": "orders"})
    world.clock.set(at("2026-11-22T12:30"))

    world.daemon.change("resume", {"flow": "orders"})
    world.restart()
    world.flow("orders", since("", HOURLY, 'catchup = "all"'))
    world.daemon.reload()
    world.tick("2026-11-22T13:00")

    assert list(world.runs("orders")) == ["2026-11-22T10:00", "2026-11-22T13:00"]


def test_a_flow_that_has_only_passed_ticks_over_has_no_first_run_yet(world: World) -> None:
    # given a flow on its own previous run, which takes what lies before its first run for done
    total = since('first = "next"\n', HOURLY, 'catchup = "none"')
    world.flow("total", total, on("total", back=1, on_skipped="wait"))
    world.start()
    world.daemon.change("pause", {"flow": "total"})
    world.tick("2026-11-22T12:30")
    world.daemon.change("resume", {"flow": "total"})

    world.tick("2026-11-22T13:00")

    assert world.runs("total") == {"2026-11-22T13:00": State.RUNNING}


def test_pausing_and_resuming_between_two_ticks_changes_nothing(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    for _ in range(3):
        world.daemon.change("pause", {"flow": "orders"})
        world.daemon.change("resume", {"flow": "orders"})

    turn = world.tick("2026-11-22T11:00")

    assert [from_micros(run.logical_date) for run in turn.planned] == [at("2026-11-22T11:00")]
    assert world.daemon.next_at is None or world.daemon.next_at <= at("2026-11-22T12:00")


def test_a_cursor_that_is_ahead_of_a_clock_set_back_stays_there(world: World) -> None:
    world.flow("orders", since("", DAILY, 'catchup = "none"'))
    world.start()
    world.tick("2026-11-24T03:00")
    assert cursor(world, "orders") == "2026-11-24T02:00"

    world.daemon.change("pause", {"flow": "orders"})
    world.tick("2026-11-22T03:00")
    world.daemon.change("resume", {"flow": "orders"})
    world.restart()
    world.tick("2026-11-24T03:00")

    assert cursor(world, "orders") == "2026-11-24T02:00"
    assert list(world.runs("orders")) == ["2026-11-24T02:00"]
