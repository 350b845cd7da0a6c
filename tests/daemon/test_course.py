"""The plain course of runs: planned when their tick comes, released by their upstreams, dispatched, ended."""

from sensord.core.run import State
from tests.daemon.world import DAILY, HOURLY, World, on


def three_flows(world: World) -> None:
    """The users' case: a mart, hourly, on an hourly load of the same hour and on the latest daily dimension."""
    world.flow("ingest/orders", HOURLY)
    world.flow("dim/customers", DAILY)
    world.flow("mart/sales", HOURLY, on("ingest/orders"), on("dim/customers"))


def test_a_new_flow_starts_with_its_last_tick(world: World) -> None:
    world.flow("ingest/orders", HOURLY)
    world.start()

    world.tick()

    assert world.runs("ingest/orders") == {"2026-11-22T10:00": State.RUNNING}


def test_a_new_flow_that_asks_for_it_starts_with_its_next_tick(world: World) -> None:
    world.flow("ingest/orders", HOURLY.replace("[run]", 'first = "next"\n[run]'))
    world.start()

    world.tick()
    assert world.runs("ingest/orders") == {}

    world.tick("2026-11-22T11:00")
    assert world.runs("ingest/orders") == {"2026-11-22T11:00": State.RUNNING}


def test_the_mart_waits_for_the_load_and_the_dimension_and_runs_after_both(world: World) -> None:
    three_flows(world)
    world.start()

    world.tick()
    assert world.state("mart/sales", "2026-11-22T10:00") is State.WAITING

    world.finish("ingest/orders", "2026-11-22T10:00")
    assert world.state("mart/sales", "2026-11-22T10:00") is State.WAITING

    turn = world.finish("dim/customers", "2026-11-22T02:00")
    assert [world.daemon.flow_name(run.flow_id) for run in turn.settled.released] == ["mart/sales"]
    assert world.state("mart/sales", "2026-11-22T10:00") is State.RUNNING

    world.finish("mart/sales", "2026-11-22T10:00")
    assert world.state("mart/sales", "2026-11-22T10:00") is State.SUCCESS


def test_the_latest_daily_run_serves_all_the_hours_until_the_next(world: World) -> None:
    three_flows(world)
    world.start()
    world.tick()
    world.finish("dim/customers", "2026-11-22T02:00")
    world.finish("ingest/orders", "2026-11-22T10:00")
    world.finish("mart/sales", "2026-11-22T10:00")

    for hour in world.hours("2026-11-22T11:00", 3):
        world.tick(hour)
        world.finish("ingest/orders", hour)
        assert world.state("mart/sales", hour) is State.RUNNING
        world.finish("mart/sales", hour)

    world.tick("2026-11-23T02:00")
    assert world.state("mart/sales", "2026-11-23T02:00") is State.WAITING


def test_a_turn_with_nothing_to_do_writes_nothing(world: World) -> None:
    three_flows(world)
    world.start()
    world.tick()
    before = world.db.statements

    world.daemon.tick()

    assert world.db.statements == before + 1  # the look for requests


def test_an_offset_looks_at_another_hour(world: World) -> None:
    world.flow("ingest/orders", HOURLY)
    world.flow("mart/next_day", DAILY, on("ingest/orders", match="same", offset="-1h"))
    world.start()
    world.tick("2026-11-23T01:00")
    world.finish("ingest/orders", "2026-11-22T10:00")

    world.tick("2026-11-23T02:00")
    for hour in world.hours("2026-11-22T11:00", 15):
        world.finish("ingest/orders", hour)

    assert world.state("mart/next_day", "2026-11-23T02:00") is State.RUNNING


def test_a_flow_on_its_own_previous_run_goes_one_after_the_other(world: World) -> None:
    world.flow("total", HOURLY.replace("[run]", "[run]\nmax_active = 9"), on("total", back=1))
    world.start()
    world.tick("2026-11-22T12:00")

    assert list(world.runs("total").values()) == [State.RUNNING, State.WAITING, State.WAITING]

    world.finish("total", "2026-11-22T10:00")

    assert list(world.runs("total").values()) == [State.SUCCESS, State.RUNNING, State.WAITING]


def test_one_run_of_a_flow_at_a_time_the_oldest_first(world: World) -> None:
    world.flow("ingest/orders", HOURLY)
    world.start()

    world.tick("2026-11-22T12:15")
    assert list(world.runs("ingest/orders").values()) == [State.RUNNING, State.QUEUED, State.QUEUED]

    world.finish("ingest/orders", "2026-11-22T10:00")
    assert list(world.runs("ingest/orders").values()) == [State.SUCCESS, State.RUNNING, State.QUEUED]


def test_an_older_waiting_run_never_holds_back_a_newer_one(world: World) -> None:
    world.flow("ingest/orders", HOURLY.replace("[run]", "[run]\nmax_active = 2"))
    world.flow("mart/sales", HOURLY, on("ingest/orders"))
    world.start()
    world.tick("2026-11-22T11:00")

    world.finish("ingest/orders", "2026-11-22T11:00")

    assert list(world.runs("mart/sales").values()) == [State.WAITING, State.RUNNING]


def test_no_more_commands_run_than_there_are_slots(world: World) -> None:
    world.slots = 2
    for number in range(4):
        world.flow(f"load_{number}", HOURLY)
    world.start()

    world.tick()
    assert len(world.executor.running) == 2

    world.finish("load_0", "2026-11-22T10:00")
    assert len(world.executor.running) == 2


def test_priority_decides_who_gets_the_slot(world: World) -> None:
    world.slots = 1
    world.flow("a", HOURLY)
    world.flow("b", HOURLY.replace("[run]", "[run]\npriority = 5"))
    world.start()

    world.tick()

    assert world.state("b", "2026-11-22T10:00") is State.RUNNING
    assert world.state("a", "2026-11-22T10:00") is State.QUEUED


def test_a_command_is_told_what_it_is_for(world: World) -> None:
    three_flows(world)
    world.start()
    world.tick()
    world.finish("dim/customers", "2026-11-22T02:00")
    world.finish("ingest/orders", "2026-11-22T10:00")

    job = world.job("mart/sales", "2026-11-22T10:00")

    assert job.argv == ("true",)
    assert job.cwd == str(world.folder)
    assert job.env["SENSORD_DATA_INTERVAL_START"] == "2026-11-22T09:00:00Z"
    assert '"upstream": "dim/customers"' in job.env["SENSORD_UPSTREAM"]
    assert '"logical_date": "2026-11-22T02:00:00Z", "state": "success"' in job.env["SENSORD_UPSTREAM"]


def test_many_flows_on_one_and_one_on_many(world: World) -> None:
    for number in range(5):
        world.flow(f"load_{number}", HOURLY)
        world.flow(f"report_{number}", HOURLY, on("mart"))
    world.flow("mart", HOURLY, *(on(f"load_{number}") for number in range(5)))
    world.start()
    world.tick()

    for number in range(5):
        assert world.state("mart", "2026-11-22T10:00") is State.WAITING
        world.finish(f"load_{number}", "2026-11-22T10:00")
    world.finish("mart", "2026-11-22T10:00")

    assert {world.state(f"report_{number}", "2026-11-22T10:00") for number in range(5)} == {State.RUNNING}
