"""The queue: who starts next, and who may not."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.limits import Berth
from sensord.core.queue import Queue
from sensord.core.queued import Hold, Queued
from sensord.core.run import Kind


def queued(
    run_id: int,
    flow: int = 1,
    *,
    date: int | None = None,
    kind: Kind = Kind.SCHEDULED,
    priority: int = 0,
    backfill: int | None = None,
) -> Queued:
    return Queued(run_id, flow, run_id if date is None else date, kind, priority, backfill_id=backfill)


def ids(taken: list[Queued]) -> list[int]:
    return [run.run_id for run in taken]


def queue_of(*runs: Queued, limit: int = 1) -> Queue:
    queue = Queue()
    for flow in {run.flow_id for run in runs}:
        queue.limit(flow, limit)
    for run in runs:
        queue.add(run)
    return queue


def test_the_oldest_run_of_a_flow_goes_first() -> None:
    queue = queue_of(queued(1, date=30), queued(2, date=10), queued(3, date=20), limit=3)

    assert ids(queue.take(3)) == [2, 3, 1]


def test_priority_orders_across_flows() -> None:
    queue = queue_of(queued(1, flow=1, priority=0), queued(2, flow=2, priority=5), queued(3, flow=3, priority=-1))

    assert ids(queue.take(9)) == [2, 1, 3]


def test_a_backfill_goes_after_what_is_scheduled_or_manual() -> None:
    old = queued(1, date=1, kind=Kind.BACKFILL)
    queue = queue_of(old, queued(2, date=8), queued(3, date=9, kind=Kind.MANUAL), limit=3)

    assert ids(queue.take(3)) == [2, 3, 1]


def test_a_flow_at_its_limit_lets_others_pass() -> None:
    queue = queue_of(queued(1, flow=1, priority=9), queued(2, flow=1, priority=9), queued(3, flow=2))

    assert ids(queue.take(9)) == [1, 3]
    assert queue.busy == 2

    queue.vacate(1)

    assert ids(queue.take(9)) == [2]


def test_no_more_are_taken_than_there_are_slots() -> None:
    queue = queue_of(*(queued(number, flow=number) for number in range(1, 6)))

    assert ids(queue.take(2)) == [1, 2]
    assert ids(queue.take(0)) == []
    assert ids(queue.take(9)) == [3, 4, 5]


def test_a_run_that_left_the_queue_is_passed_over() -> None:
    queue = queue_of(queued(1), queued(2))

    queue.remove(1)

    assert ids(queue.take(9)) == [2]


def test_a_run_that_is_queued_again_starts_once() -> None:
    queue = queue_of(queued(1), limit=5)
    queue.remove(1)
    queue.add(queued(1))

    assert ids(queue.take(9)) == [1]
    assert ids(queue.take(9)) == []


def test_a_held_flow_starts_nothing_until_it_is_let_go() -> None:
    queue = queue_of(queued(1))
    queue.limit(1, 1, Hold.ALL)

    assert ids(queue.take(9)) == []

    queue.limit(1, 1)

    assert ids(queue.take(9)) == [1]


def test_a_pause_holds_back_what_is_scheduled_alone() -> None:
    manual, backfill = queued(2, kind=Kind.MANUAL), queued(3, kind=Kind.BACKFILL)
    queue = queue_of(queued(1), manual, backfill, replace(queued(4), again=True), limit=9)
    queue.limit(1, 9, Hold.SCHEDULED)

    assert ids(queue.take(9)) == [2, 4, 3]

    queue.limit(1, 9)

    assert ids(queue.take(9)) == [1]


def test_a_run_that_rests_frees_its_slot_and_not_its_flow() -> None:
    queue = queue_of(queued(1), queued(2))
    queue.take(9)

    queue.rest(1)
    assert queue.busy == 0
    assert ids(queue.take(9)) == []

    queue.vacate(1)
    assert ids(queue.take(9)) == [2]


def test_adopted_runs_count_against_the_limit() -> None:
    queue = queue_of(queued(1))
    queue.occupy(queued(7))

    assert ids(queue.take(9)) == []

    queue.vacate(7)

    assert ids(queue.take(9)) == [1]


def test_a_higher_limit_is_used_at_once() -> None:
    queue = queue_of(queued(1), queued(2))
    queue.take(9)

    queue.limit(1, 2)

    assert queue.is_ready(1)
    assert ids(queue.take(9)) == [2]


def test_a_run_that_was_not_active_vacates_nothing() -> None:
    queue = queue_of(queued(1), queued(2))
    queue.take(9)

    queue.vacate(2)

    assert (queue.busy, ids(queue.take(9))) == (1, [])


def test_a_full_pool_holds_back_its_own_flows_alone() -> None:
    queue = queue_of(*(queued(number, flow=number) for number in range(1, 5)))
    queue.size_pools({"small": 1})
    for flow in (1, 2, 3):
        queue.limit(flow, 9, berth=Berth("small"))

    assert ids(queue.take(9)) == [1, 4]
    assert not queue.is_ready(1)

    queue.vacate(1)
    assert ids(queue.take(9)) == [2]


def test_a_pool_that_becomes_larger_is_used_at_once_and_one_that_becomes_smaller_lets_go_on() -> None:
    queue = queue_of(*(queued(number, flow=number) for number in range(1, 5)))
    queue.size_pools({"small": 1})
    for flow in range(1, 5):
        queue.limit(flow, 9, berth=Berth("small"))
    queue.take(9)

    queue.size_pools({"small": 3})
    assert ids(queue.take(9)) == [2, 3]

    queue.size_pools({"small": 1})
    queue.vacate(1)
    queue.vacate(2)
    assert ids(queue.take(9)) == []


def test_a_retry_gives_its_place_in_the_pool_back_and_not_its_place_in_the_flow() -> None:
    queue = queue_of(queued(1), queued(2), queued(3, flow=2))
    queue.size_pools({"small": 1})
    queue.limit(1, 1, berth=Berth("small"))
    queue.limit(2, 1, berth=Berth("small"))
    assert ids(queue.take(9)) == [1]

    queue.rest(1)

    assert ids(queue.take(9)) == [3]


def test_a_flow_that_changes_its_pool_waits_for_the_new_one() -> None:
    queue = queue_of(queued(1), queued(2), limit=2)
    queue.size_pools({"small": 1, "large": 2})
    queue.limit(1, 2, berth=Berth("small"))
    assert ids(queue.take(9)) == [1]

    queue.limit(1, 2, berth=Berth("large"))

    assert ids(queue.take(9)) == [2]
    queue.vacate(1)
    queue.vacate(2)
    assert queue.busy == 0


def test_a_pool_that_no_setting_names_has_one_slot() -> None:
    queue = queue_of(queued(1), queued(2), limit=2)
    queue.limit(1, 2, berth=Berth("gone"))

    assert ids(queue.take(9)) == [1]


def test_a_backfill_has_a_limit_of_its_own_among_all_flows() -> None:
    mine = [queued(number, flow=number % 2, kind=Kind.BACKFILL, backfill=7) for number in range(1, 5)]
    queue = queue_of(*mine, queued(9, flow=1), limit=9)
    queue.limit_backfill(7, 2, held=False)

    assert ids(queue.take(9)) == [9, 1, 2]

    queue.vacate(1)
    assert ids(queue.take(9)) == [3]


def test_a_run_that_a_backfill_has_let_go_and_another_one_takes_over_goes_once() -> None:
    queue = queue_of(queued(1, kind=Kind.BACKFILL), limit=9)

    queue.add(queued(1, kind=Kind.BACKFILL, backfill=7))

    assert ids(queue.take(9)) == [1]


def test_a_backfill_that_is_paused_starts_nothing_until_it_goes_on() -> None:
    queue = queue_of(queued(1, kind=Kind.BACKFILL, backfill=7), queued(2, kind=Kind.BACKFILL, backfill=8), limit=9)
    queue.limit_backfill(7, None, held=True)

    assert ids(queue.take(9)) == [2]

    queue.limit_backfill(7, None, held=False)
    assert ids(queue.take(9)) == [1]


def test_a_run_is_promoted_and_never_put_back() -> None:
    queue = queue_of(queued(1, flow=1), queued(2, flow=2), queued(3, flow=3, priority=5))

    queue.promote(2, 7)
    queue.promote(3, 1)
    queue.promote(99, 9)

    assert ids(queue.take(9)) == [2, 3, 1]


RUNS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 50), st.sampled_from(Kind), st.integers(-1, 1)), max_size=30
)


@given(RUNS, st.integers(1, 3), st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_every_run_starts_once_in_order_and_within_the_limits(
    runs: list[tuple[int, int, Kind, int]], limit: int, slots: list[int]
) -> None:
    waiting = [Queued(number, flow, date, kind, rank) for number, (flow, date, kind, rank) in enumerate(runs)]
    queue = queue_of(*waiting, limit=limit)
    started: list[Queued] = []

    for free in [*slots, *[len(waiting)] * len(waiting)]:
        taken = queue.take(free)
        assert len(taken) <= free
        assert max(Counter(run.flow_id for run in taken).values(), default=0) <= limit
        started += taken
        for run in taken:
            queue.vacate(run.run_id)

    assert sorted(ids(started)) == sorted(ids(waiting))
    for flow in range(1, 5):
        ranks = [run.rank for run in started if run.flow_id == flow]
        assert ranks == sorted(ranks)
    assert queue.busy == 0


def test_workers_slots_are_those_of_their_queue_and_none_of_this_host() -> None:
    queue = queue_of(queued(1, flow=1), queued(2, flow=2), queued(3, flow=3), queued(4, flow=4))
    for flow in (1, 2, 3):
        queue.limit(flow, 9, berth=Berth(queue="etl"))
    assert ids(queue.take(0)) == []

    queue.size_queues({"etl": 2})

    assert queue.is_ready(0)
    assert ids(queue.take(0)) == [1, 2]
    assert (queue.busy, queue.busy_here) == (2, 0)
    assert not queue.is_ready(0)
    assert ids(queue.take(1)) == [4]
    assert (queue.busy, queue.busy_here) == (3, 1)

    queue.vacate(1)
    assert ids(queue.take(0)) == [3]


def test_a_queue_that_loses_its_workers_starts_nothing_more() -> None:
    queue = queue_of(queued(1, flow=1), queued(2, flow=2))
    for flow in (1, 2):
        queue.limit(flow, 9, berth=Berth(queue="etl"))
    queue.size_queues({"etl": 1})
    queue.take(0)

    queue.size_queues({})
    queue.vacate(1)

    assert ids(queue.take(9)) == []


def test_a_run_takes_of_its_pool_and_of_its_queue() -> None:
    queue = queue_of(queued(1, flow=1), queued(2, flow=2), queued(3, flow=3))
    queue.size_pools({"small": 1})
    queue.size_queues({"etl": 2})
    queue.limit(1, 9, berth=Berth("small", "etl"))
    queue.limit(2, 9, berth=Berth("small"))
    queue.limit(3, 9, berth=Berth(None, "etl"))

    assert ids(queue.take(9)) == [1, 3]

    queue.rest(1)
    assert ids(queue.take(9)) == [2]
    assert (queue.busy, queue.busy_here) == (2, 1)
