"""Waiting in the database: counters that follow every move of an upstream run, and never lose count."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensord.core.run import State
from sensord.core.sensor import GATED
from sensord.store import edges, flows
from sensord.store.database import Database
from sensord.store.edges import Edge, Gate
from tests.store.rows import SKIPPED, SUCCESS, make_flows, make_runs, moved, states, wait_for

RUNNING, DONE, FAILED, WAITING = State.RUNNING, State.SUCCESS, State.FAILED, State.WAITING


def test_a_run_is_released_by_the_last_of_what_it_waits_for(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        first, second = make_runs(tx, ids["orders"], 10, 11)
        (mart,) = make_runs(tx, ids["mart"], 12)
        wait_for(tx, mart, (ids["orders"], 10), (ids["orders"], 11))
        edges.set_pending(tx, [(mart.run_id, 2)], 1)

        assert edges.count(tx, [moved(first, RUNNING, DONE)], 2) == []
        (released,) = edges.count(tx, [moved(second, RUNNING, DONE)], 3)

        assert (released.run_id, released.state) == (mart.run_id, State.QUEUED)


def test_one_batch_releases_what_hangs_on_several_of_it(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        upstream = make_runs(tx, ids["orders"], *range(5))
        (mart,) = make_runs(tx, ids["mart"], 12)
        wait_for(tx, mart, *((ids["orders"], date) for date in range(5)))
        edges.set_pending(tx, [(mart.run_id, 5)], 1)

        released = edges.count(tx, [moved(run, RUNNING, DONE) for run in upstream], 2)

        assert [run.run_id for run in released] == [mart.run_id]


def test_a_move_away_from_what_counts_is_taken_back(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        first, _ = make_runs(tx, ids["orders"], 10, 11)
        (mart,) = make_runs(tx, ids["mart"], 12)
        wait_for(tx, mart, (ids["orders"], 10), (ids["orders"], 11))
        edges.set_pending(tx, [(mart.run_id, 2)], 1)

        edges.count(tx, [moved(first, RUNNING, DONE)], 2)
        edges.count(tx, [moved(first, DONE, WAITING)], 3)

        assert states(tx)[mart.run_id] == (WAITING, 2)


def test_a_released_run_is_counted_no_more(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        (orders,) = make_runs(tx, ids["orders"], 10)
        (mart,) = make_runs(tx, ids["mart"], 10)
        wait_for(tx, mart, (ids["orders"], 10))
        edges.set_pending(tx, [(mart.run_id, 1)], 1)
        edges.count(tx, [moved(orders, RUNNING, DONE)], 2)

        edges.count(tx, [moved(orders, DONE, WAITING)], 3)

        assert states(tx)[mart.run_id] == (State.QUEUED, 0)


def test_a_gate_opens_at_its_need_and_shuts_below(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        one, two, three = make_runs(tx, ids["orders"], 1, 2, 3)
        (mart,) = make_runs(tx, ids["mart"], 12)
        wait_for(tx, mart, *((ids["orders"], date) for date in (1, 2, 3)), gated=True)
        wait_for(tx, mart, (ids["orders"], 9), sensor=1)
        edges.insert(tx, [], [Gate(mart.run_id, 0, 2, 0, 3, None)])
        edges.set_pending(tx, [(mart.run_id, 2)], 1)

        edges.count_both(tx, [moved(one, RUNNING, DONE)], 2)
        assert states(tx)[mart.run_id] == (WAITING, 2)
        edges.count_both(tx, [moved(two, RUNNING, DONE), moved(three, RUNNING, DONE)], 2)
        assert states(tx)[mart.run_id] == (WAITING, 1)
        edges.count_both(tx, [moved(two, DONE, WAITING), moved(three, DONE, WAITING)], 2)
        assert states(tx)[mart.run_id] == (WAITING, 2)


def test_what_one_move_brings_and_takes_away_releases_nobody(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        (orders,) = make_runs(tx, ids["orders"], 1)
        (mart,) = make_runs(tx, ids["mart"], 1)
        edges.insert(tx, [Edge(ids["orders"], 1, mart.run_id, 0, 1 << FAILED, 0)], [])
        edges.insert(
            tx, [Edge(ids["orders"], 1, mart.run_id, 1, SUCCESS, GATED)], [Gate(mart.run_id, 1, 1, 1, 1, None)]
        )
        edges.set_pending(tx, [(mart.run_id, 1)], 1)

        assert edges.count_both(tx, [moved(orders, DONE, FAILED)], 2) == []
        assert states(tx)[mart.run_id] == (WAITING, 1)


def test_an_upstream_date_without_a_run_was_missed_or_is_still_to_come(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart", planned_to=15)
        make_runs(tx, ids["orders"], 11)
        (mart,) = make_runs(tx, ids["mart"], 30)
        wait_for(tx, mart, *((ids["orders"], date) for date in (10, 11, 15, 20)))

        found = {(State(one.state), one.number, one.upstream_date) for one in edges.tally(tx, [mart.run_id])}

        assert found == {(State.SKIPPED, 2, 10), (State.WAITING, 1, 11), (State.ABSENT, 1, 20)}


def test_a_cursor_that_moves_tells_of_what_it_left_without_a_run(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        make_runs(tx, ids["orders"], 11)
        (mart,) = make_runs(tx, ids["mart"], 30)
        wait_for(tx, mart, *((ids["orders"], date) for date in (5, 10, 11, 12, 20)))

        found = edges.passed_over(tx, [(ids["orders"], 5, 12)])

        assert {(move.logical_date, move.old, move.new) for move in found} == {
            (10, State.ABSENT, State.SKIPPED),
            (12, State.ABSENT, State.SKIPPED),
        }


def test_touched_are_the_waiting_runs_that_a_state_may_end(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        (orders,) = make_runs(tx, ids["orders"], 10)
        waiting, queued = make_runs(tx, ids["mart"], 10, 11)
        for run in (waiting, queued):
            wait_for(tx, run, (ids["orders"], 10))
        edges.set_pending(tx, [(queued.run_id, 0)], 1)

        assert edges.touched(tx, [moved(orders, RUNNING, FAILED)]) == []
        assert [run.run_id for run in edges.touched(tx, [moved(orders, RUNNING, State.SKIPPED)])] == [waiting.run_id]


def test_what_a_run_waited_for_can_be_forgotten(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        kept, cleared = make_runs(tx, ids["mart"], 10, 11)
        for run in (kept, cleared):
            wait_for(tx, run, (ids["orders"], 10))
            edges.insert(tx, [], [Gate(run.run_id, 1, 1, 0, 0, "nothing there")])

        edges.clear(tx, [cleared.run_id])

        assert edges.tally(tx, [cleared.run_id]) == []
        assert len(edges.tally(tx, [kept.run_id])) == 1
        assert [gate.run_id for gate in edges.gates(tx, [kept.run_id, cleared.run_id])] == [kept.run_id]


def test_a_cursor_never_goes_back(db: Database) -> None:
    with db.transaction() as tx:
        flow = make_flows(tx, "orders")["orders"]

        flows.advance(tx, [(flow, 10, 8)])
        flows.advance(tx, [(flow, 5, 5)])
        flows.advance(tx, [(flow, 12, 11)])

        (row,) = flows.all_flows(tx)
        assert (row.planned_to, row.first_date) == (12, 8)


def test_a_sensor_that_is_let_go_counts_nothing_and_ends_nobody(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        (orders,) = make_runs(tx, ids["orders"], 10)
        (mart,) = make_runs(tx, ids["mart"], 12)
        wait_for(tx, mart, (ids["orders"], 10), timed=True)
        wait_for(tx, mart, (ids["orders"], 10), sensor=1)
        edges.set_pending(tx, [(mart.run_id, 2)], 1)

        edges.open_for_good(tx, [Gate(mart.run_id, 0, 0, 0, 1, None, timed_out=1)])
        assert edges.set_pending(tx, [(mart.run_id, 1)], 1) == []

        assert edges.any_counted(tx)
        for count in (edges.count, edges.count_both):
            count(tx, [moved(orders, RUNNING, FAILED)], 2)
            assert states(tx)[mart.run_id] == (WAITING, 1)
        assert edges.lost(tx, [moved(orders, DONE, FAILED)]) == []
        (released,) = edges.count_both(tx, [moved(orders, FAILED, DONE)], 3)
        assert released.run_id == mart.run_id


def test_a_gate_that_is_there_is_opened_for_good(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        (orders,) = make_runs(tx, ids["orders"], 10)
        (mart,) = make_runs(tx, ids["mart"], 12)
        wait_for(tx, mart, (ids["orders"], 10), (ids["orders"], 11), gated=True, timed=True)
        edges.insert(tx, [], [Gate(mart.run_id, 0, 2, 0, 2, None), Gate(mart.run_id, 1, 1, 0, 0, "nothing")])
        edges.set_pending(tx, [(mart.run_id, 2)], 1)

        edges.open_for_good(tx, [Gate(mart.run_id, 0, 0, 0, 2, None, 1), Gate(mart.run_id, 1, 0, 0, 0, "nothing", 1)])
        edges.set_pending(tx, [(mart.run_id, 1)], 1)
        edges.count_both(tx, [moved(orders, RUNNING, DONE)], 2)

        assert states(tx)[mart.run_id] == (WAITING, 1)
        assert sorted(edges.gates(tx, [mart.run_id])) == [
            Gate(mart.run_id, 0, 0, 1, 2, None, 1),
            Gate(mart.run_id, 1, 0, 0, 0, "nothing", 1),
        ]


def test_only_sensors_with_a_deadline_are_told_of_what_they_lost(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart")
        orders, more = make_runs(tx, ids["orders"], 10, 11)
        (mart,) = make_runs(tx, ids["mart"], 12)
        wait_for(tx, mart, (ids["orders"], 10), (ids["orders"], 11), timed=True)
        wait_for(tx, mart, (ids["orders"], 10), sensor=1)

        assert edges.lost(tx, [moved(orders, DONE, WAITING)]) == [(mart.run_id, 0, 1)]
        assert edges.lost(tx, [moved(orders, FAILED, WAITING)]) == []
        # what one move takes and another one brings is no loss
        assert edges.lost(tx, [moved(orders, DONE, WAITING), moved(more, RUNNING, DONE)]) == []


DATES = range(4)
DEADLINES = st.sets(st.integers(0, 3))
"""The waiters whose deadline passes now, and lets them proceed."""
STEPS = st.lists(
    DEADLINES
    | st.lists(
        st.tuples(st.sampled_from(DATES), st.sampled_from([WAITING, RUNNING, DONE, FAILED, State.SKIPPED])),
        min_size=1,
        max_size=4,
        unique_by=lambda step: step[0],
    ),
    max_size=12,
)
WAITERS = st.lists(st.tuples(st.sets(st.sampled_from(DATES), min_size=1), st.integers(0, 2)), min_size=1, max_size=4)


@given(WAITERS, STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_the_counters_equal_a_count_of_the_edges_after_any_moves(
    db: Database, waiters: list[tuple[set[int], int]], steps: list[list[tuple[int, State]] | set[int]]
) -> None:
    with db.transaction() as tx:
        for table in ("run", "edge", "gate", "flow", "definition"):
            tx.run(f"DELETE FROM {table}")
        ids = make_flows(tx, "orders", "mart")
        upstream = {run.logical_date: run for run in make_runs(tx, ids["orders"], *DATES)}
        marts = make_runs(tx, ids["mart"], *range(len(waiters)))
        for run, (dates, need) in zip(marts, waiters, strict=True):
            # a second sensor, that is never satisfied, so that what the first one counts can be seen
            wait_for(tx, run, (ids["orders"], 99), sensor=1)
            wait_for(tx, run, *((ids["orders"], date) for date in dates), gated=bool(need), timed=True)
            edges.insert(tx, [], [Gate(run.run_id, 0, min(need, len(dates)), 0, len(dates), None)] if need else [])
            edges.set_pending(tx, [(run.run_id, 2 if need else 1 + len(dates))], 1)
        now = dict.fromkeys(DATES, WAITING)
        let_go: set[int] = set()

        for step in steps:
            if isinstance(step, set):
                late = [n for n in step - let_go if n < len(marts)]
                let_go.update(late)
                counts = [done(now, waiters[n][0]) for n in late]
                gates = [
                    Gate(marts[n].run_id, 0, 0, counted, 1, None, 1) for n, counted in zip(late, counts, strict=True)
                ]
                edges.open_for_good(tx, gates)
                edges.set_pending(tx, [(marts[n].run_id, 1) for n in late], 1)
            else:
                edges.count_both(tx, [moved(upstream[date], now[date], new) for date, new in step], 2)
                now.update(step)

            kept = {gate.run_id: gate.counted for gate in edges.gates(tx, [run.run_id for run in marts])}
            for number, (run, (dates, need)) in enumerate(zip(marts, waiters, strict=True)):
                counted = done(now, dates)
                missing = int(counted < min(need, len(dates))) if need else len(dates) - counted
                assert states(tx)[run.run_id] == (WAITING, 1 + (0 if number in let_go else missing))
                assert kept.get(run.run_id, counted) == counted


def done(now: dict[int, State], dates: set[int]) -> int:
    return sum(now[date] is DONE for date in dates)


def test_edges_tell_a_released_run_what_it_was_mapped_to(db: Database) -> None:
    with db.transaction() as tx:
        ids = make_flows(tx, "orders", "mart", planned_to=20)
        make_runs(tx, ids["orders"], 10)
        (mart,) = make_runs(tx, ids["mart"], 12)
        wait_for(tx, mart, (ids["orders"], 10), (ids["orders"], 9))

        assert edges.upstream_runs(tx, [mart.run_id]) == [
            (mart.run_id, 0, "orders", 9, State.SKIPPED),
            (mart.run_id, 0, "orders", 10, WAITING),
        ]


def test_the_mark_of_a_gate_is_no_state() -> None:
    assert GATED & ~((1 << len(State)) - 1) == GATED
    assert Edge(1, 1, 1, 0, SUCCESS, SKIPPED | GATED).ends & SUCCESS == 0
