"""Flows whose files are gone: they are waited for, then given up; and they may come back at any time."""

import pytest

from sensord.core.run import State
from sensord.errors import InvalidValue
from tests.daemon.anew import prove
from tests.daemon.world import DAILY, HOURLY, World, at, on

TEN, ELEVEN, NOON = "2026-11-22T10:00", "2026-11-22T11:00", "2026-11-22T12:00"
WIDE = HOURLY + "max_active = 99\n"
BROKEN = "[schedule]\ncron = "


def change(world: World, kind: str, flow: str = "orders", date: str = TEN) -> str:
    answer = world.daemon.change(kind, {"flow": flow, "logical_date": at(date).isoformat()})
    world.tick()
    return answer


def remove(world: World, *names: str) -> None:
    for name in names:
        world.remove(name)
    world.daemon.reload()
    world.tick()


def put_back(world: World, text: str = HOURLY) -> None:
    world.flow("orders", text)
    world.daemon.reload()
    world.tick()


def flow_states(world: World) -> dict[str, int]:
    return dict(world.db.fetch("SELECT name, state FROM flow"))


@pytest.fixture
def removed(world: World) -> World:
    """`orders`, whose file went at 10:30 while its run of ten runs; `mart` waits for it."""
    world.flow("orders", HOURLY + "retries = 3\n")
    world.flow("mart", WIDE, on("orders"))
    world.start()
    world.tick()
    remove(world, "orders")
    return world


class TestWhenItIs:
    def test_retired_after_ten_minutes(self, removed: World) -> None:
        removed.tick("2026-11-22T10:39:59")
        assert flow_states(removed) == {"orders": 2, "mart": 1}
        assert removed.daemon.next_at == at("2026-11-22T10:40")

        removed.tick("2026-11-22T10:40")
        assert flow_states(removed) == {"orders": 3, "mart": 1}
        assert removed.why("mart", TEN) == ("no_match", "sensor 0 on orders: orders is retired: its file is gone")

    def test_what_the_same_turn_released_starts_no_more(self, world: World) -> None:
        world.flow("orders", HOURLY)
        world.flow("mart", HOURLY, on("orders"))
        world.start()
        world.tick()
        remove(world, "mart")

        world.end("orders", TEN)
        world.tick("2026-11-22T10:40")

        assert world.state("mart", TEN) is State.CANCELLED
        with world.db.transaction() as tx:
            prove(world.daemon._picture, tx)

    def test_counted_from_when_it_was_first_missed_whatever_restarts(self, removed: World) -> None:
        removed.clock.set(at("2026-11-22T10:38"))
        removed.restart()
        removed.tick()
        assert removed.state("mart", TEN) is State.WAITING

        removed.restart()
        removed.tick("2026-11-22T10:40")
        assert removed.state("mart", TEN) is State.FAILED

    def test_gone_while_no_daemon_was_there_to_see(self, world: World) -> None:
        world.flow("orders", HOURLY)
        world.start()
        world.remove("orders")
        world.clock.set(at("2026-11-22T11:00"))

        world.restart()
        world.tick("2026-11-22T11:09")
        assert flow_states(world) == {"orders": 2}
        world.tick("2026-11-22T11:10")
        assert flow_states(world) == {"orders": 3}

    def test_as_the_settings_have_it_from_the_next_reload_on(self, removed: World) -> None:
        (removed.folder / "sensord.toml").write_text('retire_after = "2h"')
        removed.daemon.reload()

        removed.tick("2026-11-22T12:29")
        assert flow_states(removed)["orders"] == 2
        removed.tick("2026-11-22T12:30")
        assert flow_states(removed)["orders"] == 3

    def test_not_while_its_folder_cannot_be_read(self, world: World) -> None:
        world.flow("orders", HOURLY)
        world.start()
        (world.folder / "flows").rename(world.folder / "elsewhere")
        with pytest.raises(Exception, match="flows"):
            world.daemon.reload()

        world.tick(NOON)

        assert flow_states(world) == {"orders": 1}

    def test_by_somebody_at_once_and_only_once(self, removed: World) -> None:
        assert change(removed, "retire") == "orders is retired; 0 of its runs are cancelled"

        assert removed.state("mart", TEN) is State.FAILED
        with pytest.raises(InvalidValue, match="retired already"):
            change(removed, "retire")

    def test_not_as_long_as_its_file_is_there(self, removed: World) -> None:
        with pytest.raises(InvalidValue, match="expected a flow whose file is gone, got mart, which has one"):
            change(removed, "retire", "mart")


class TestItsRuns:
    def test_that_have_not_started_are_cancelled_and_what_runs_ends(self, world: World) -> None:
        world.flow("gate", HOURLY)
        world.flow("orders", HOURLY, on("gate"))
        world.start()
        world.tick(NOON)
        world.finish("gate", TEN)
        world.finish("gate", ELEVEN)
        assert world.runs("orders") == {TEN: State.RUNNING, ELEVEN: State.QUEUED, NOON: State.WAITING}

        remove(world, "orders")
        assert change(world, "retire") == "orders is retired; 2 of its runs are cancelled"
        world.finish("gate", NOON)
        world.finish("orders", TEN)

        assert world.runs("orders") == {TEN: State.SUCCESS, ELEVEN: State.CANCELLED, NOON: State.CANCELLED}
        assert world.why("orders", ELEVEN) == ("flow_retired", "its flow's file is gone")

    def test_are_not_tried_again(self, removed: World) -> None:
        change(removed, "retire")

        removed.end("orders", TEN, 1)
        removed.tick()

        assert removed.state("orders", TEN) is State.FAILED

    def test_that_were_to_be_tried_again_are_cancelled(self, removed: World) -> None:
        removed.end("orders", TEN, 1)
        removed.tick()
        assert removed.state("orders", TEN) is State.RETRYING

        change(removed, "retire")
        removed.tick(NOON)

        assert removed.state("orders", TEN) is State.CANCELLED
        assert removed.daemon.active == 0

    def test_are_taken_up_by_the_next_daemon(self, removed: World) -> None:
        change(removed, "retire")
        removed.restart()
        removed.finish("orders", TEN)

        assert removed.state("orders", TEN) is State.SUCCESS

    def test_are_not_made_by_hand_any_more_but_may_be_marked(self, removed: World) -> None:
        change(removed, "retire")
        removed.finish("orders", TEN)

        with pytest.raises(InvalidValue, match="expected a flow at work, got orders, which is retired"):
            change(removed, "rerun")
        with pytest.raises(InvalidValue, match="expected a flow that has its file"):
            change(removed, "trigger", date="2026-11-22T10:20")
        removed.daemon.change("mark", {"flow": "orders", "logical_date": at(TEN).isoformat(), "state": "failed"})
        assert removed.state("orders", TEN) is State.FAILED


class TestWhoWaitsForIt:
    def test_keeps_what_has_been_satisfied(self, world: World) -> None:
        world.flow("orders", HOURLY)
        world.flow("other", HOURLY)
        world.flow("mart", WIDE, on("orders"), on("other"))
        world.start()
        world.tick()
        world.finish("orders", TEN)
        remove(world, "orders")
        change(world, "retire")
        assert world.state("mart", TEN) is State.WAITING

        world.finish("other", TEN)

        assert world.state("mart", TEN) is State.RUNNING

    def test_finds_what_was_done_later_too(self, world: World) -> None:
        world.flow("orders", DAILY)
        world.flow("mart", WIDE, on("orders"))
        world.start()
        world.tick()
        world.finish("orders", "2026-11-22T02:00")
        remove(world, "orders")
        change(world, "retire")

        world.tick("2026-11-23T02:00")

        assert world.state("mart", "2026-11-23T01:00") is State.RUNNING
        assert world.state("mart", "2026-11-23T02:00") is State.FAILED

    @pytest.mark.parametrize(
        ("policy", "state"),
        [("fail", State.FAILED), ("skip", State.SKIPPED), ("proceed", State.RUNNING), ("wait", State.WAITING)],
    )
    @pytest.mark.parametrize("require", ["all", "any", 2])
    def test_does_what_its_policy_says(self, world: World, policy: str, state: State, require: object) -> None:
        world.flow("orders", HOURLY)
        world.flow("mart", WIDE, on("orders", count=3, ahead=1, require=require, on_missing=policy, on_skipped="wait"))
        world.start()
        world.tick()
        remove(world, "orders")

        change(world, "retire")

        assert world.state("mart", TEN) is state

    def test_without_end_goes_on_when_the_file_is_back(self, world: World) -> None:
        world.flow("orders", HOURLY)
        world.flow("mart", WIDE, on("orders", on_missing="wait"))
        world.start()
        world.tick()
        remove(world, "orders")
        change(world, "retire")
        world.finish("orders", TEN)
        assert world.state("mart", TEN) is State.WAITING

        put_back(world)

        assert world.state("mart", TEN) is State.RUNNING

    def test_hears_of_several_that_go_together(self, world: World) -> None:
        world.flow("orders", HOURLY)
        world.flow("stock", HOURLY, on("orders"))
        world.flow("mart", WIDE, on("stock", on_failure="skip"), on("orders", on_failure="skip"))
        world.start()
        world.tick()

        remove(world, "orders", "stock")
        world.tick("2026-11-22T10:40")

        assert world.state("stock", TEN) is State.CANCELLED
        assert world.why("mart", TEN)[0] == "no_match"


class TestBack:
    def test_before_its_time_it_catches_up(self, removed: World) -> None:
        removed.finish("orders", TEN)
        (removed.folder / "sensord.toml").write_text('retire_after = "1d"')
        removed.daemon.reload()
        removed.tick("2026-11-22T13:30")

        put_back(removed, HOURLY.replace("[run]", 'catchup = "latest"\n[run]'))

        assert list(removed.runs("orders")) == [TEN, "2026-11-22T13:00"]
        assert removed.why("mart", ELEVEN)[0] == "upstream_skipped"
        assert removed.state("mart", "2026-11-22T13:00") is State.WAITING

    def test_after_it_was_retired_it_has_what_it_had_and_catches_up(self, removed: World) -> None:
        change(removed, "retire")
        removed.finish("orders", TEN)
        removed.tick("2026-11-22T12:30")

        put_back(removed)

        assert removed.runs("orders") == {TEN: State.SUCCESS, ELEVEN: State.RUNNING, NOON: State.QUEUED}
        assert flow_states(removed)["orders"] == 1

    def test_with_an_error_it_goes_on_as_it_last_was(self, removed: World) -> None:
        removed.tick("2026-11-22T10:35")
        put_back(removed, BROKEN)
        removed.tick(ELEVEN)

        removed.finish("orders", TEN)

        assert flow_states(removed)["orders"] == 1
        assert removed.runs("orders") == {TEN: State.SUCCESS, ELEVEN: State.RUNNING}

    def test_with_an_error_after_it_was_retired_it_stays_so(self, removed: World) -> None:
        change(removed, "retire")

        put_back(removed, BROKEN)
        removed.tick(ELEVEN)

        assert flow_states(removed)["orders"] == 3
        assert list(removed.runs("orders")) == [TEN]

    def test_it_stays_paused_if_it_was(self, world: World) -> None:
        world.flow("orders", HOURLY.replace("[run]", 'catchup = "none"\n[run]'))
        world.start()
        world.tick()
        change(world, "pause")
        remove(world, "orders")
        put_back(world, HOURLY)
        world.tick("2026-11-22T12:30")
        assert list(world.runs("orders")) == [TEN]

        change(world, "resume")

        assert list(world.runs("orders")) == [TEN, ELEVEN, NOON]

    def test_who_has_a_new_definition_in_the_same_reload_hears_of_missed_ticks_by_its_new_sensors(
        self, removed: World
    ) -> None:
        (removed.folder / "sensord.toml").write_text('retire_after = "1d"')
        removed.daemon.reload()
        removed.tick("2026-11-22T12:30")

        removed.flow("mart", WIDE, on("orders", on_skipped="wait"))
        put_back(removed, HOURLY.replace("[run]", 'catchup = "none"\n[run]'))

        assert removed.state("mart", ELEVEN) is State.WAITING
