"""Priority is inherited by what a run waits for; when it rises, when it stays, and what it costs."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from sensord.store import priorities as statements
from sensord.store.database import Transaction
from sensord.store.runs import Live
from tests.daemon.world import DAILY, World, on

URGENT = "priority = 5\n"
DATE = "2026-11-22T02:00"


def priority(world: World, flow: str) -> int:
    """Of the flow's newest run."""
    rows = world.db.fetch(
        "SELECT r.priority FROM run r JOIN flow f ON f.id = r.flow_id "
        "WHERE f.name = :flow ORDER BY r.logical_date DESC",
        flow=flow,
    )
    return int(rows[0][0])


def priorities(world: World, *flows: str) -> list[int]:
    return [priority(world, flow) for flow in flows]


@pytest.fixture
def chain(world: World) -> World:
    """c waits for b, and b for a, all daily; only c is urgent."""
    world.flow("a", DAILY)
    world.flow("b", DAILY, on("a"))
    world.flow("c", DAILY, URGENT, on("b"))
    world.start()
    world.tick()
    return world


def test_it_goes_all_the_way_up(chain: World) -> None:
    assert priorities(chain, "a", "b", "c") == [5, 5, 5]


def test_a_higher_one_is_not_lowered(world: World) -> None:
    world.flow("a", DAILY, "priority = 9\n")
    world.flow("b", DAILY, URGENT, on("a"))
    world.start()
    world.tick()

    assert priorities(world, "a", "b") == [9, 5]


def test_the_highest_of_many_counts(world: World) -> None:
    world.flow("a", DAILY)
    for number in (2, 7, 4):
        world.flow(f"b{number}", DAILY, f"priority = {number}\n", on("a"))
    world.start()
    world.tick()

    assert priority(world, "a") == 7


def test_an_upstream_that_comes_later_inherits_when_it_is_made(world: World) -> None:
    late = DAILY.replace("0 2", "0 20")
    world.flow("a", late)
    world.flow("b", DAILY, URGENT, on("a", match="next"))
    world.start()
    world.tick("2026-11-22T11:00")
    before = world.runs("a")

    world.tick("2026-11-22T20:00")

    assert list(before) == ["2026-11-21T20:00"]
    assert priority(world, "a") == 5


def test_it_stays_when_the_waiting_run_is_gone(chain: World) -> None:
    chain.daemon.change("cancel", {"flow": "c", "logical_date": f"{DATE}:00+00:00"})

    assert priorities(chain, "a", "b") == [5, 5]


def test_a_rerun_begins_with_its_own_and_inherits_from_what_waits_for_it_now(chain: World) -> None:
    chain.end("a", DATE, 1)
    chain.tick()
    chain.daemon.change("rerun", {"flow": "a", "logical_date": f"{DATE}:00+00:00"})
    assert priority(chain, "a") == 5

    chain.daemon.change("cancel", {"flow": "b", "logical_date": f"{DATE}:00+00:00"})
    chain.end("a", DATE, 1)
    chain.tick()
    chain.end("a", DATE, 1)
    chain.tick()
    chain.daemon.change("rerun", {"flow": "a", "logical_date": f"{DATE}:00+00:00"})

    assert priority(chain, "a") == 0


def test_a_new_priority_in_a_file_is_inherited(chain: World) -> None:
    chain.flow("c", DAILY, "priority = 8\n", on("b"))
    chain.daemon.reload()

    assert priorities(chain, "a", "b", "c") == [8, 8, 8]


def test_a_lower_one_in_a_file_keeps_at_least_what_others_need(chain: World) -> None:
    chain.flow("b", DAILY, "priority = 2\n", on("a"))
    chain.daemon.reload()

    assert priorities(chain, "a", "b", "c") == [5, 5, 5]


def test_a_reload_that_changes_something_else_takes_nothing_back(chain: World) -> None:
    chain.flow("b", DAILY, 'timeout = "1h"\n', on("a"))
    chain.daemon.reload()

    assert priority(chain, "b") == 5


def test_a_sensor_that_a_reload_adds_hurries_on_what_it_waits_for(chain: World) -> None:
    chain.flow("d", DAILY)
    chain.daemon.reload()
    chain.tick()
    assert priority(chain, "d") == 0

    chain.flow("c", DAILY, URGENT, on("b"), on("d"))
    chain.daemon.reload()

    assert priority(chain, "d") == 5


def test_it_is_kept_over_a_restart(world: World) -> None:
    world.slots = 1
    world.flow("a", DAILY)
    world.flow("b", DAILY)
    world.flow("c", DAILY, URGENT, on("b"))
    world.start()
    world.tick()
    world.restart()
    world.finish("b", DATE)

    assert [world.state(flow, DATE).label for flow in ("c", "a")] == ["running", "queued"]


def test_a_retry_has_what_was_inherited_while_it_ran(world: World) -> None:
    world.slots = 1
    world.flow("a", DAILY, 'retries = 1\nretry_delay = "1m"\n')
    world.flow("b", DAILY.replace("0 2", "0 11"), URGENT, on("a"))
    world.start()
    world.tick()
    world.flow("other", DAILY, "priority = 3\n")
    world.daemon.reload()
    world.tick("2026-11-22T11:00")
    world.end("a", DATE, 1)
    world.tick()
    world.end("other", DATE)

    world.tick("2026-11-22T11:01")

    assert (priority(world, "a"), world.state("a", DATE).label) == (5, "running")


def count_statements(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each statement of inheritance is asked for from now on."""
    asked: Counter[str] = Counter()

    def watch(name: str, step: Callable[[Transaction, Iterable[int]], list[Live]]) -> None:
        def call(tx: Transaction, run_ids: Iterable[int]) -> list[Live]:
            asked[name] += 1
            return step(tx, run_ids)

        monkeypatch.setattr(statements, name, call)

    watch("from_waiters", statements.from_waiters)
    watch("to_upstreams", statements.to_upstreams)
    return asked


def test_where_all_are_of_one_priority_it_costs_no_statement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.flow("a", DAILY)
    world.flow("b", DAILY, on("a"))
    world.start()
    asked = count_statements(monkeypatch)

    world.tick()

    assert (world.state("b", DATE).label, asked) == ("waiting", Counter())


def test_each_level_costs_one_statement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.flow("f0", DAILY)
    for number in range(1, 6):
        world.flow(f"f{number}", DAILY, URGENT if number == 5 else "", on(f"f{number - 1}"))
    world.start()
    asked = count_statements(monkeypatch)

    world.tick()

    assert priority(world, "f0") == 5
    assert asked == {"from_waiters": 1, "to_upstreams": 4}
