"""A daemon that dies and another that goes on where it stood."""

from sensord.core.run import State
from sensord.executors.base import Attempt
from tests.daemon.world import DAILY, HOURLY, World, on

TEN = "2026-11-22T10:00"


def test_runs_go_on_where_they_stood(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()

    world.restart()
    world.finish("orders", TEN)

    assert world.state("orders", TEN) is State.SUCCESS
    assert world.state("mart", TEN) is State.RUNNING
    assert len(world.executor.jobs) == 2


def test_running_commands_are_adopted_and_none_is_started_again(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()

    world.restart()
    world.tick()

    assert world.executor.adopted == [Attempt(1, 1)]
    assert list(world.executor.jobs) == [Attempt(1, 1)]


def test_an_end_that_nobody_recorded_is_recorded_by_the_next_daemon(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.end("orders", TEN, 3)
    world.executor.poll()  # the daemon dies with the report in its hands

    world.restart()
    world.tick()

    assert world.why("orders", TEN) == ("exit_code", "exit 3")


def test_a_run_that_was_dispatched_but_not_handed_over_is_handed_over(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.executor.jobs.clear()  # the daemon died between its commit and the executor
    world.db.run("UPDATE run SET state = 3")

    world.restart()
    world.tick()

    assert world.state("orders", TEN) is State.RUNNING
    assert list(world.executor.jobs) == [Attempt(1, 1)]


def test_a_report_that_comes_twice_changes_nothing(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.end("orders", TEN, 1)
    world.tick()

    world.executor.adopt([Attempt(1, 1)])
    world.tick()

    assert world.why("orders", TEN) == ("exit_code", "exit 1")
    assert world.db.fetch("SELECT COUNT(*) FROM outcome") == [(1,)]


def test_ticks_missed_while_nobody_led_are_made_up_for_the_oldest_first(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.finish("orders", TEN)

    world.restart()
    world.tick("2026-11-22T13:30")

    assert world.runs("orders") == {
        TEN: State.SUCCESS,
        "2026-11-22T11:00": State.RUNNING,
        "2026-11-22T12:00": State.QUEUED,
        "2026-11-22T13:00": State.QUEUED,
    }


def test_a_flow_keeps_to_its_limit_across_a_restart(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick("2026-11-22T11:00")

    world.restart()
    world.tick()

    assert list(world.runs("orders").values()) == [State.RUNNING, State.QUEUED]


def test_a_long_backlog_is_planned_in_turns_so_that_others_have_theirs(world: World) -> None:
    world.flow("minutely", '[schedule]\ncron = "* * * * *"\nstart = 2026-11-20\n[run]\ncommand = ["true"]\n')
    world.flow("daily", DAILY)
    world.start()

    first = world.daemon.tick()

    assert len(first.planned) == 500
    assert "daily" in {world.daemon.flow_name(run.flow_id) for run in first.planned}

    world.tick()

    assert len(world.runs("minutely")) == 2 * 24 * 60 + 10 * 60 + 31


def test_a_wall_clock_that_jumps_back_makes_nothing_fire_twice(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick("2026-11-22T12:00")

    world.tick("2026-11-22T09:00")
    world.restart()
    world.tick("2026-11-22T12:30")

    assert len(world.runs("orders")) == 3
