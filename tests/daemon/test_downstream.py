"""A rerun with all that had consumed the run, or without: then that is stale."""

import pytest

from sensord.core.run import State
from sensord.daemon import again
from sensord.daemon.changes import reruns
from sensord.errors import InvalidValue
from tests.daemon.world import HOURLY, World, at, on

NINE, TEN, ELEVEN = "2026-11-22T09:00", "2026-11-22T10:00", "2026-11-22T11:00"


def rerun(world: World, flow: str, date: str = TEN, **options: bool) -> str:
    answer = world.daemon.change("rerun", {"flow": flow, "logical_date": at(date).isoformat(), **options})
    world.tick()
    return answer


def stale(world: World) -> set[str]:
    """The flows that have a stale run."""
    return {
        name
        for (name,) in world.db.fetch(
            "SELECT f.name FROM run r JOIN flow f ON f.id = r.flow_id WHERE r.stale_at IS NOT NULL"
        )
    }


def all_succeed(world: World, *flows: str, date: str = TEN) -> None:
    for flow in flows:
        world.finish(flow, date)


@pytest.fixture
def diamond(world: World) -> World:
    """`top` has two downstreams, and `bottom` both of them; all have succeeded."""
    world.flow("top", HOURLY)
    world.flow("left", HOURLY, on("top"))
    world.flow("right", HOURLY, on("top"))
    world.flow("bottom", HOURLY, on("left"), on("right"))
    world.start()
    world.tick()
    all_succeed(world, "top", "left", "right", "bottom")
    return world


def test_each_run_goes_along_once_whatever_ways_lead_to_it(diamond: World) -> None:
    answer = rerun(diamond, "top", downstream=True)

    assert answer == "top 2026-11-22T10:00:00Z is queued, and 3 runs downstream with it"
    assert [diamond.state(flow, TEN) for flow in ("left", "right", "bottom")] == [State.WAITING] * 3
    all_succeed(diamond, "top", "left", "right", "bottom")
    assert diamond.state("bottom", TEN) is State.SUCCESS
    assert diamond.attempt("bottom", TEN).number == 2
    assert stale(diamond) == set()


def test_only_what_consumed_the_run_itself_is_stale_and_what_consumed_that_when_it_is_rerun(diamond: World) -> None:
    answer = rerun(diamond, "top")

    assert answer == "top 2026-11-22T10:00:00Z is queued; 2 runs that had consumed it are stale"
    assert stale(diamond) == {"left", "right"}
    all_succeed(diamond, "top")
    assert rerun(diamond, "left").endswith("is queued; 1 run that had consumed it is stale")
    assert stale(diamond) == {"right", "bottom"}


def test_what_is_stale_already_goes_along_though_it_consumed_an_earlier_attempt(diamond: World) -> None:
    rerun(diamond, "top")
    all_succeed(diamond, "top")

    rerun(diamond, "top", downstream=True)

    assert diamond.state("bottom", TEN) is State.WAITING
    assert stale(diamond) == set()


def test_what_has_not_ended_goes_on_and_is_stale_and_what_had_consumed_it_goes_along(diamond: World) -> None:
    rerun(diamond, "left")
    assert diamond.state("left", TEN) is State.RUNNING

    answer = rerun(diamond, "top", downstream=True)

    assert answer.endswith("is queued, and 2 runs downstream with it; 1 run that had consumed it is stale")
    assert [diamond.state(flow, TEN) for flow in ("left", "bottom")] == [State.RUNNING, State.WAITING]
    assert stale(diamond) == {"left"}


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_it_makes_no_difference_how_many_are_sent_back_at_a_time(
    diamond: World, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(again, "SLICE", size)
    diamond.flow("watcher", HOURLY, on("bottom"), on("other"))
    diamond.flow("other", HOURLY)
    diamond.daemon.reload()
    diamond.tick()
    assert diamond.state("watcher", TEN) is State.WAITING

    rerun(diamond, "top", downstream=True)
    diamond.finish("other", TEN)
    assert diamond.state("watcher", TEN) is State.WAITING
    all_succeed(diamond, "top", "left", "right", "bottom")

    assert diamond.state("watcher", TEN) is State.RUNNING


def test_a_run_that_ends_at_once_takes_along_what_its_downstreams_policies_say(diamond: World) -> None:
    diamond.flow("left", HOURLY, on("top", offset="-1h"))
    diamond.flow("bottom", HOURLY, on("left"), on("right"))
    diamond.daemon.reload()

    rerun(diamond, "top", downstream=True)

    assert diamond.why("left", TEN)[0] == "upstream_skipped"
    assert diamond.why("bottom", TEN)[0] == "upstream_skipped"


@pytest.fixture
def ended(world: World) -> World:
    """`top` has failed: by its policy `left` is skipped, so `bottom` is too; `right` is blocked."""
    world.flow("top", HOURLY)
    world.flow("left", HOURLY, on("top", on_failure="skip"))
    world.flow("right", HOURLY, on("top"))
    world.flow("bottom", HOURLY, on("left"))
    world.start()
    world.tick()
    world.end("top", TEN, 1)
    world.tick()
    return world


def test_what_a_policy_had_ended_by_the_failure_goes_along(ended: World) -> None:
    answer = rerun(ended, "top", downstream=True)

    assert answer == "top 2026-11-22T10:00:00Z is queued, and 2 runs downstream with it"
    all_succeed(ended, "top", "left", "right", "bottom")
    assert ended.state("bottom", TEN) is State.SUCCESS
    assert stale(ended) == set()


def test_what_a_policy_had_ended_is_stale_otherwise_and_goes_along_later(ended: World) -> None:
    answer = rerun(ended, "top")

    assert answer == "top 2026-11-22T10:00:00Z is queued; 1 run that had consumed it is stale"
    all_succeed(ended, "top", "right")
    assert stale(ended) == {"left"}
    rerun(ended, "top", downstream=True)
    all_succeed(ended, "top", "left", "bottom")
    assert ended.state("bottom", TEN) is State.SUCCESS


def test_what_another_upstream_had_ended_stays_as_it_is(ended: World) -> None:
    ended.flow("other", HOURLY)
    ended.flow("both", HOURLY, on("top", on_failure="fail"), on("other", on_failure="fail"))
    ended.daemon.reload()
    ended.tick()
    ended.tick("2026-11-22T10:40")
    ended.end("other", TEN, 1)
    ended.tick()
    assert ended.why("both", TEN)[0] == "upstream_failed"

    rerun(ended, "other")

    assert stale(ended) == set()


def test_too_many_are_refused_and_nothing_is_done(diamond: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reruns, "MOST", 3)

    with pytest.raises(InvalidValue, match="expected at most 3 runs downstream of top 2026-11-22T10:00:00Z, got more"):
        rerun(diamond, "top", downstream=True)

    assert diamond.state("top", TEN) is State.SUCCESS
    assert rerun(diamond, "left", downstream=True).endswith("is queued, and 1 run downstream with it")


def test_a_chain_of_dates_goes_along_to_its_end(world: World) -> None:
    world.flow("ledger", HOURLY.replace("[run]", "start = 2026-11-21T00:00:00Z\n[run]"), on("ledger", back=1))
    world.start()
    world.tick()
    for date in world.hours("2026-11-21T00:00", 35):
        world.finish("ledger", date)

    assert rerun(world, "ledger", "2026-11-21T05:00", downstream=True).endswith("and 29 runs downstream with it")
    assert list(world.runs("ledger").values()).count(State.WAITING) == 29
    for date in world.hours("2026-11-21T05:00", 30):
        world.finish("ledger", date)

    assert set(world.runs("ledger").values()) == {State.SUCCESS}


def test_what_never_needed_the_run_is_not_stale(world: World) -> None:
    world.flow("orders", HOURLY.replace("[run]", "start = 2026-11-22T09:00:00Z\n[run]\nmax_active = 2"))
    world.flow("mart", HOURLY, on("orders", match="interval", within="2h", require="any"))
    world.start()
    world.tick()
    world.finish("orders", NINE)
    world.finish("mart", TEN)
    world.tick("2026-11-22T10:40")
    world.finish("orders", TEN)

    assert rerun(world, "orders") == "orders 2026-11-22T10:00:00Z is queued"
    assert rerun(world, "orders", NINE).endswith("1 run that had consumed it is stale")


def test_what_went_on_at_its_deadline_is_not_stale(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders", timeout="10m", on_timeout="proceed"))
    world.start()
    world.tick()
    world.tick("2026-11-22T10:40")
    world.finish("mart", TEN)
    world.tick("2026-11-22T10:50")
    world.finish("orders", TEN)

    rerun(world, "orders")

    assert stale(world) == set()


def test_what_went_on_without_a_failed_run_is_stale_when_that_is_repaired(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders", on_failure="proceed"))
    world.start()
    world.tick()
    world.end("orders", TEN, 1)
    world.tick()
    world.finish("mart", TEN)

    rerun(world, "orders")

    assert stale(world) == {"mart"}


def test_a_run_that_passes_over_its_sensors_says_what_it_passed_over(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"), on("orders", match="same", offset="-90m", on_missing="fail"))
    world.start()
    world.tick()
    assert world.why("mart", TEN)[0] == "no_match"

    assert rerun(world, "mart", at_once=True) == "mart 2026-11-22T10:00:00Z is queued"

    told = world.job("mart", TEN).env["SENSORD_UPSTREAM"]
    assert told.count("by_operator") == 2
    world.tick("2026-11-22T10:40")
    world.finish("orders", TEN)
    rerun(world, "orders")
    assert stale(world) == set()
    world.finish("mart", TEN)
    assert rerun(world, "mart").endswith("is failed already, by its sensors' policies")


def test_those_that_go_along_keep_their_definitions_too_if_that_is_asked_for(diamond: World) -> None:
    for flow in ("left", "right", "bottom"):
        diamond.flow(flow, HOURLY)
    diamond.daemon.reload()

    rerun(diamond, "top", downstream=True, same_definition=True)
    diamond.daemon.reload()
    diamond.restart()
    diamond.tick()

    assert [diamond.state(flow, TEN) for flow in ("left", "right", "bottom")] == [State.WAITING] * 3
    all_succeed(diamond, "top", "left", "right", "bottom")
    rerun(diamond, "left")
    assert diamond.state("left", TEN) is State.RUNNING
