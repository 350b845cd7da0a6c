"""The config folder changes under the daemon."""

import pytest

from sensord.core.run import State
from sensord.daemon import remap
from sensord.errors import ConfigError
from tests.daemon.world import DAILY, HOURLY, World, on

TEN, ELEVEN = "2026-11-22T10:00", "2026-11-22T11:00"


def problems(world: World) -> list[str]:
    return [row[0] for row in world.db.fetch("SELECT file FROM problem ORDER BY file")]


def test_a_broken_file_stops_no_other_flow_and_its_own_goes_on_as_it_was(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("stock", HOURLY)
    world.start()

    world.flow("orders", "[schedule\ncron =")
    world.daemon.reload()
    world.tick()

    assert problems(world) == ["flows/orders.toml"]
    assert world.state("orders", TEN) is State.RUNNING
    assert world.state("stock", TEN) is State.RUNNING


def test_the_last_good_definition_survives_a_restart(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.flow("orders", HOURLY.replace("cron", "corn"))

    world.restart()
    world.tick()

    assert world.state("orders", TEN) is State.RUNNING


def test_an_error_is_forgotten_when_the_file_is_mended(world: World) -> None:
    world.flow("orders", "?")
    world.start()
    assert problems(world) == ["flows/orders.toml"]

    world.flow("orders", HOURLY)
    world.daemon.reload()
    world.tick()

    assert problems(world) == []
    assert world.state("orders", TEN) is State.RUNNING


def test_a_flow_on_an_unknown_upstream_starts_when_that_appears(world: World) -> None:
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    assert world.runs("mart") == {}

    world.flow("orders", HOURLY)
    world.daemon.reload()
    world.tick()

    assert world.state("mart", TEN) is State.WAITING


def test_a_removed_flow_plans_no_more_and_goes_on_when_it_is_back(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.finish("orders", TEN)

    world.remove("orders")
    world.daemon.reload()
    world.tick(ELEVEN)
    assert list(world.runs("orders")) == [TEN]

    world.flow("orders", HOURLY)
    world.daemon.reload()
    world.tick()
    assert world.runs("orders") == {TEN: State.SUCCESS, ELEVEN: State.RUNNING}


def test_a_waiting_run_follows_the_new_definition(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("customers", DAILY)
    world.flow("mart", HOURLY, on("orders"), on("customers"))
    world.start()
    world.tick()
    world.finish("orders", TEN)
    assert world.state("mart", TEN) is State.WAITING

    world.flow("mart", HOURLY, on("orders"))
    world.daemon.reload()
    world.tick()

    assert world.state("mart", TEN) is State.RUNNING


def test_a_released_run_keeps_the_definition_it_was_released_with(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick(ELEVEN)
    assert world.state("orders", ELEVEN) is State.QUEUED

    world.flow("orders", HOURLY.replace('["true"]', '["false"]'))
    world.daemon.reload()
    world.finish("orders", TEN)
    world.tick("2026-11-22T12:00")
    world.finish("orders", ELEVEN)

    assert world.job("orders", ELEVEN).argv == ("true",)
    assert world.job("orders", "2026-11-22T12:00").argv == ("false",)


def test_the_past_is_mapped_by_the_schedule_that_held_then(world: World) -> None:
    world.flow("customers", DAILY)
    world.flow("mart", HOURLY, on("customers"))
    world.start()
    world.tick()

    world.flow("customers", DAILY.replace("0 2 *", "0 11 *"))
    world.daemon.reload()
    world.tick("2026-11-22T11:30")

    assert world.runs("customers") == {"2026-11-22T02:00": State.RUNNING, ELEVEN: State.QUEUED}
    world.finish("customers", "2026-11-22T02:00")
    assert world.runs("mart") == {TEN: State.RUNNING, ELEVEN: State.WAITING}


def test_a_new_limit_holds_at_once(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick("2026-11-22T12:00")

    world.flow("orders", HOURLY.replace("[run]", "[run]\nmax_active = 2"))
    world.daemon.reload()
    world.tick()

    assert list(world.runs("orders").values()) == [State.RUNNING, State.RUNNING, State.QUEUED]


def test_settings_with_errors_change_nothing(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    (world.folder / "sensord.toml").write_text("slots = 'many'")

    with pytest.raises(ConfigError):
        world.daemon.reload()
    world.tick()

    assert world.state("orders", TEN) is State.RUNNING


def test_what_becomes_of_one_run_is_never_told_to_another_by_its_old_sensors(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given b blocked on x, and waiting for a, all mapped one after the other
    monkeypatch.setattr(remap, "SLICE", 1)
    for name in ("x", "y", "gone"):
        world.flow(name, HOURLY)
    world.flow("a", HOURLY, on("y"))
    world.flow("b", HOURLY, on("x"), on("a"))
    world.start()
    world.tick()
    world.end("x", TEN, 1)
    world.end("gone", TEN, 99)
    world.tick()

    # when a is skipped by its new sensor, and b no longer waits for x
    world.flow("a", HOURLY, on("gone"))
    world.flow("b", HOURLY, on("y", on_failure="fail"), on("a", on_skipped="wait"))
    world.daemon.reload()

    assert world.state("a", TEN) is State.SKIPPED
    assert world.state("b", TEN) is State.WAITING
