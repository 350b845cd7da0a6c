"""What moves the deadline of a sensor, and what does not; and that what was applied at one stays applied."""

from datetime import timedelta

import pytest

from sensord.core.run import State
from tests.daemon.test_deadlines import AT_TEN, NEXT, change, pending, two_upstreams
from tests.daemon.world import HOURLY, World, at, on


class TestWhatMovesADeadline:
    def test_a_restart_does_not(self, world: World) -> None:
        two_upstreams(world)
        world.clock.set(at("2026-11-23T10:40"))
        world.restart()
        assert world.daemon.next_at == at("2026-11-23T11:00")

        world.tick("2026-11-23T11:00")

        assert world.state("mart", NEXT) is State.FAILED

    def test_a_deadline_that_passed_while_nobody_looked_is_kept(self, world: World) -> None:
        two_upstreams(world)
        world.clock.set(at("2026-11-23T12:00"))
        world.restart()

        world.tick()

        assert world.state("mart", NEXT) is State.FAILED

    @pytest.mark.parametrize("written", [{"timeout": "1h", "match": "same"}, {"timeout": "3h"}, {"timeout": "5m"}])
    def test_a_reload_does_not_also_where_the_timeout_is_another(self, world: World, written: dict[str, str]) -> None:
        two_upstreams(world)
        world.tick("2026-11-23T10:30")
        world.flow("mart", AT_TEN, on("load", **written), on("dim"))
        world.daemon.reload()

        world.tick("2026-11-23T10:59:59")
        assert world.state("mart", NEXT) is State.WAITING
        world.tick("2026-11-23T11:00")
        assert world.state("mart", NEXT) is State.FAILED

    def test_a_new_schedule_of_the_upstream_does_not(self, world: World) -> None:
        two_upstreams(world)
        world.tick("2026-11-23T10:30")
        world.flow("load", AT_TEN.replace("0 10", "0 9"))
        world.daemon.reload()

        world.tick("2026-11-23T11:00")

        assert world.state("mart", NEXT) is State.FAILED

    def test_the_policy_is_that_of_the_definition_when_it_passes(self, world: World) -> None:
        two_upstreams(world)
        world.flow("mart", AT_TEN, on("load", timeout="1h", on_timeout="skip"), on("dim"))
        world.daemon.reload()

        world.tick("2026-11-23T11:00")

        assert world.state("mart", NEXT) is State.SKIPPED

    def test_a_reload_without_a_timeout_takes_it_away_and_one_with_it_gives_it(self, world: World) -> None:
        two_upstreams(world)
        world.flow("mart", AT_TEN, on("load"), on("dim"))
        world.daemon.reload()
        world.tick("2026-11-23T11:30")
        assert world.state("mart", NEXT) is State.WAITING

        # then it counts from the logical date, as for any run
        world.flow("mart", AT_TEN, on("load", timeout="2h"), on("dim"))
        world.daemon.reload()
        world.tick("2026-11-23T11:59")
        assert world.state("mart", NEXT) is State.WAITING
        world.tick("2026-11-23T12:00")
        assert world.state("mart", NEXT) is State.FAILED

    def test_another_upstream_in_its_place_has_a_deadline_of_its_own(self, world: World) -> None:
        two_upstreams(world)
        world.flow("mart", AT_TEN, on("dim", timeout="3h"), on("load"))
        world.daemon.reload()

        world.tick("2026-11-23T12:59")
        assert world.state("mart", NEXT) is State.WAITING
        world.tick("2026-11-23T13:00")
        assert world.why("mart", NEXT)[1].startswith("sensor 0 on dim")

    def test_a_rerun_starts_a_new_one(self, world: World) -> None:
        two_upstreams(world)
        world.tick("2026-11-23T11:00")
        world.tick("2026-11-23T15:00")
        change(world, "rerun", "mart", NEXT)

        world.tick("2026-11-23T15:59")
        assert world.state("mart", NEXT) is State.WAITING
        world.tick("2026-11-23T16:00")
        assert world.state("mart", NEXT) is State.FAILED

    def test_a_rerun_before_the_old_one_passed_starts_a_new_one_too(self, world: World) -> None:
        two_upstreams(world)
        change(world, "cancel", "mart", NEXT)
        world.tick("2026-11-23T10:30")
        change(world, "rerun", "mart", NEXT)

        world.tick("2026-11-23T11:29")
        assert world.state("mart", NEXT) is State.WAITING
        world.tick("2026-11-23T11:30")
        assert world.state("mart", NEXT) is State.FAILED

    @pytest.mark.parametrize("kind", ["rerun", "mark"])
    @pytest.mark.parametrize("first", ["10:20", "12:00"])
    def test_a_return_to_waiting_starts_a_new_one(self, world: World, kind: str, first: str) -> None:
        # given a sensor that was satisfied, whether its first deadline has passed meanwhile or not
        two_upstreams(world)
        world.finish("load", NEXT)
        world.tick(f"2026-11-23T{first}")

        # when its upstream run no longer counts
        change(world, kind, "load", NEXT, state="failed")

        # then it has an hour from there
        world.tick((world.clock.now() + timedelta(minutes=59)).isoformat()[:16])
        assert world.state("mart", NEXT) is State.WAITING
        world.tick((world.clock.now() + timedelta(minutes=1)).isoformat()[:16])
        assert world.state("mart", NEXT) is State.FAILED

    def test_a_run_that_was_taken_away_and_given_back_in_time_goes_on(self, world: World) -> None:
        two_upstreams(world)
        world.finish("load", NEXT)
        world.tick("2026-11-23T10:50")
        change(world, "rerun", "load", NEXT)
        world.tick("2026-11-23T11:30")
        world.finish("load", NEXT)

        world.tick("2026-11-23T13:00")

        assert world.state("mart", NEXT) is State.WAITING

    def test_a_sensor_that_has_enough_left_does_not_begin_anew(self, world: World) -> None:
        # given a sensor that needs one of three, of which two are done
        world.flow("load", HOURLY + "max_active = 9\n")
        world.flow("dim", AT_TEN.replace("0 10", "30 12"))
        some = on("load", match="interval", within="3h", require="any", timeout="1h")
        world.flow("mart", AT_TEN.replace("0 10", "30 12"), some, on("dim"))
        world.start()
        world.tick("2026-11-22T12:30")
        world.finish("load", "2026-11-22T11:00", "2026-11-22T12:00")
        change(world, "rerun", "load", "2026-11-22T11:00")
        world.tick("2026-11-22T13:31")
        assert world.state("mart", "2026-11-22T12:30") is State.WAITING

        # when the last one goes, its hour begins
        change(world, "rerun", "load", "2026-11-22T12:00")
        world.tick("2026-11-22T14:30")
        assert world.state("mart", "2026-11-22T12:30") is State.WAITING
        world.tick("2026-11-22T14:31")
        assert world.state("mart", "2026-11-22T12:30") is State.FAILED

    def test_a_reload_by_which_a_satisfied_sensor_waits_again_gives_it_its_full_time(self, world: World) -> None:
        two_upstreams(world)
        world.finish("load", NEXT)
        world.tick("2026-11-23T10:30")
        world.flow("mart", AT_TEN, on("load", match="next", strict=True, timeout="1h"), on("dim"))
        world.daemon.reload()

        world.tick("2026-11-23T11:29")
        assert world.state("mart", NEXT) is State.WAITING
        world.tick("2026-11-23T11:30")
        assert world.state("mart", NEXT) is State.FAILED


class TestWhatWasAppliedStaysApplied:
    def test_after_a_restart_and_a_reload(self, world: World) -> None:
        two_upstreams(world, on_timeout="proceed")
        world.tick("2026-11-23T11:00")

        world.flow("mart", AT_TEN, on("load", timeout="9h", match="same"), on("dim", on_failure="skip"))
        world.restart()
        world.tick()
        for state in ("success", "failed"):
            change(world, "mark", "load", NEXT, state=state)
            world.end("load", NEXT)
            world.tick()
            assert pending(world, "mart", NEXT) == 1

        world.finish("dim", NEXT)
        assert world.state("mart", NEXT) is State.RUNNING

    def test_where_the_mapping_found_nothing_too(self, world: World) -> None:
        world.flow("load", AT_TEN.replace("[run]", "start = 2027-01-01\n[run]"))
        world.flow("dim", AT_TEN)
        missing = {"on_missing": "wait", "timeout": "1h", "on_timeout": "proceed"}
        world.flow("mart", AT_TEN, on("load", **missing), on("dim"))
        world.start()
        world.tick(NEXT)
        world.tick("2026-11-23T11:00")

        world.flow("mart", AT_TEN, on("load", **missing), on("dim", on_failure="proceed"))
        world.daemon.reload()
        world.end("dim", NEXT, 1)
        world.tick()

        assert world.state("mart", NEXT) is State.RUNNING

    def test_but_not_for_another_upstream_in_its_place(self, world: World) -> None:
        two_upstreams(world, on_timeout="proceed")
        world.flow("other", AT_TEN)
        world.daemon.reload()
        world.tick("2026-11-23T11:00")

        world.flow("mart", AT_TEN, on("other"), on("dim"))
        world.daemon.reload()
        world.finish("dim", NEXT)

        assert world.state("mart", NEXT) is State.WAITING

    def test_nor_after_a_rerun(self, world: World) -> None:
        two_upstreams(world, on_timeout="proceed")
        world.tick("2026-11-23T11:00")
        world.finish("dim", NEXT)
        world.finish("mart", NEXT)

        change(world, "rerun", "mart", NEXT)

        assert world.state("mart", NEXT) is State.WAITING
        assert world.db.fetch("SELECT COUNT(*) FROM run WHERE passed_over IS NOT NULL") == [(0,)]
