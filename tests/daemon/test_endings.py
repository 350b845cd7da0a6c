"""What an upstream's end means for the runs that wait for it, by the default policies and by others."""

import pytest

from sensord.core.run import State
from tests.daemon.world import DAILY, HOURLY, World, on

TEN = "2026-11-22T10:00"
SKIPPED = 99


def a_mart_on_orders(world: World, **policies: object) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders", **policies))
    world.flow("report", HOURLY, on("mart", **policies))
    world.start()
    world.tick()


def end(world: World, exit_code: int) -> None:
    world.end("orders", TEN, exit_code)
    world.tick()


def test_a_failed_upstream_blocks_by_default(world: World) -> None:
    a_mart_on_orders(world)

    end(world, 1)

    assert world.state("orders", TEN) is State.FAILED
    assert world.why("orders", TEN) == ("exit_code", "exit 1")
    assert world.state("mart", TEN) is State.WAITING


def test_a_skipped_upstream_skips_all_that_hangs_on_it_by_default(world: World) -> None:
    a_mart_on_orders(world)

    end(world, SKIPPED)

    assert world.state("orders", TEN) is State.SKIPPED
    assert world.state("mart", TEN) is State.SKIPPED
    assert world.state("report", TEN) is State.SKIPPED
    assert world.why("mart", TEN) == ("upstream_skipped", "sensor 0: orders 2026-11-22T10:00:00Z was skipped")


@pytest.mark.parametrize(
    ("policies", "exit_code", "state", "reason"),
    [
        ({"on_failure": "fail"}, 1, State.FAILED, "upstream_failed"),
        ({"on_failure": "skip"}, 1, State.SKIPPED, "upstream_failed"),
        ({"on_failure": "proceed"}, 1, State.RUNNING, "None"),
        ({"on_skipped": "fail"}, SKIPPED, State.FAILED, "upstream_skipped"),
        ({"on_skipped": "wait"}, SKIPPED, State.WAITING, "None"),
        ({"on_skipped": "proceed"}, SKIPPED, State.RUNNING, "None"),
        ({"accept": ["success", "failed"]}, 1, State.RUNNING, "None"),
    ],
)
def test_a_sensor_may_decide_otherwise(
    world: World, policies: dict[str, object], exit_code: int, state: State, reason: str
) -> None:
    a_mart_on_orders(world, **policies)

    end(world, exit_code)

    assert world.state("mart", TEN) is state
    assert world.why("mart", TEN)[0] == reason


def test_a_failure_by_policy_goes_down_the_chain(world: World) -> None:
    a_mart_on_orders(world, on_failure="fail")

    end(world, 1)

    assert world.why("report", TEN) == ("upstream_failed", "sensor 0: mart 2026-11-22T10:00:00Z failed")


def test_a_date_before_the_upstreams_first_run_was_missed(world: World) -> None:
    world.flow("customers", DAILY)
    world.flow("mart", HOURLY, on("customers", back=1))
    world.start()

    world.tick()

    assert world.state("mart", TEN) is State.SKIPPED
    assert world.why("mart", TEN) == ("upstream_skipped", "sensor 0: customers 2026-11-21T02:00:00Z was missed")


@pytest.mark.parametrize(("code", "said"), [(1, "failed"), (SKIPPED, "was skipped")])
def test_the_message_says_how_the_upstream_run_ended(world: World, code: int, said: str) -> None:
    a_mart_on_orders(world, on_failure="fail")

    end(world, code)

    assert world.why("mart", TEN)[1] == f"sensor 0: orders 2026-11-22T10:00:00Z {said}"


def test_a_mapping_that_finds_nothing_fails_the_run_by_default(world: World) -> None:
    world.flow("customers", DAILY)
    world.flow("mart", HOURLY, on("customers", match="same"))
    world.start()

    world.tick()

    assert world.state("mart", TEN) is State.FAILED
    reason, message = world.why("mart", TEN)
    assert reason == "no_match"
    assert message.startswith("sensor 0 on customers: ")


@pytest.mark.parametrize(
    ("policy", "state"), [("skip", State.SKIPPED), ("wait", State.WAITING), ("proceed", State.RUNNING)]
)
def test_a_mapping_that_finds_nothing_may_be_taken_otherwise(world: World, policy: str, state: State) -> None:
    world.flow("customers", DAILY)
    world.flow("mart", HOURLY, on("customers", match="same", on_missing=policy))
    world.start()

    world.tick()

    assert world.state("mart", TEN) is state


def test_any_of_several_upstream_runs_is_enough_where_the_sensor_says_so(world: World) -> None:
    world.flow("orders", HOURLY.replace("[run]", "[run]\nmax_active = 9"))
    world.flow("mart", DAILY.replace("2 *", "13 *"), on("orders", match="interval", within="3h", require="any"))
    world.start()
    world.tick("2026-11-22T13:00")
    world.end("orders", "2026-11-22T11:00", 1)
    world.tick()
    assert world.state("mart", "2026-11-22T13:00") is State.WAITING

    world.finish("orders", "2026-11-22T12:00")

    assert world.state("mart", "2026-11-22T13:00") is State.RUNNING


def test_two_of_three_wait_while_two_are_left_and_are_skipped_when_not(world: World) -> None:
    world.flow("orders", HOURLY.replace("[run]", "[run]\nmax_active = 9"))
    world.flow("mart", DAILY.replace("2 *", "13 *"), on("orders", match="interval", within="3h", require=2))
    world.start()
    world.tick("2026-11-22T13:00")

    world.end("orders", "2026-11-22T11:00", SKIPPED)
    world.tick()
    assert world.state("mart", "2026-11-22T13:00") is State.WAITING

    world.end("orders", "2026-11-22T12:00", SKIPPED)
    world.tick()
    assert world.state("mart", "2026-11-22T13:00") is State.SKIPPED


def test_one_upstream_in_two_sensors_counts_in_each(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"), on("orders", match="same"), on("orders", require="any"))
    world.start()
    world.tick()

    world.finish("orders", TEN)

    assert world.state("mart", TEN) is State.RUNNING
