"""A run's own life in the database, on SQLite and on PostgreSQL: every step is taken once."""

import pytest

from sensord.core.run import State
from sensord.store import edges, reruns, runs
from sensord.store.database import Database, Transaction
from sensord.store.runs import Beginning, NewRun
from tests.store.rows import ended, make_flows, make_runs, states


def test_a_logical_date_has_one_run_however_often_it_is_planned(db: Database) -> None:
    with db.transaction() as tx:
        flow = make_flows(tx, "orders")["orders"]
        (first,) = make_runs(tx, flow, 10)

        again = runs.insert(tx, [NewRun(flow, 10, 0, 0, 1), NewRun(flow, 11, 0, 0, 1)], 5)

        assert [run.logical_date for run in again] == [11]
        assert first.run_id in states(tx)
        assert len(states(tx)) == 2


def test_a_queued_run_is_dispatched_once_each_time_with_a_new_attempt(db: Database) -> None:
    with db.transaction() as tx:
        (run,) = make_runs(tx, make_flows(tx, "orders")["orders"], 10)
        edges.set_pending(tx, [(run.run_id, 0)], 1)

        first = runs.dispatch(tx, [run.run_id], executor="local", host="here", station="here", now=2)
        second = runs.dispatch(tx, [run.run_id], executor="local", host="here", station="here", now=3)

        assert [(one.attempt, one.state) for one in first] == [(1, State.STARTING)]
        assert second == []
        assert tx.fetch("SELECT run_id, number, host, submitted_at FROM attempt") == [(run.run_id, 1, "here", 2)]


def test_a_run_begins_and_ends_with_its_current_attempt(db: Database) -> None:
    with db.transaction() as tx:
        (run,) = make_runs(tx, make_flows(tx, "orders")["orders"], 10)
        edges.set_pending(tx, [(run.run_id, 0)], 1)
        runs.dispatch(tx, [run.run_id], executor="local", host="here", station="here", now=2)

        runs.begin(tx, [Beginning(run.run_id, 2, 3, 99), Beginning(run.run_id, 1, 4, 77)])
        assert tx.fetch("SELECT state, started_at FROM run") == [(State.RUNNING, 4)]
        assert tx.fetch("SELECT began_at, pid FROM attempt") == [(4, 77)]

        assert runs.end(tx, [ended(run, State.FAILED, attempt=2)]) == []
        (over,) = runs.end(tx, [ended(run, State.SUCCESS)])
        assert over.state == State.SUCCESS
        assert runs.end(tx, [ended(run, State.FAILED)]) == []
        assert states(tx)[run.run_id][0] is State.SUCCESS


def test_the_first_to_tell_how_an_attempt_ended_is_believed(db: Database) -> None:
    with db.transaction() as tx:
        (run,) = make_runs(tx, make_flows(tx, "orders")["orders"], 10)

        runs.end(tx, [ended(run, State.SUCCESS)._replace(exit_code=0)])
        runs.end(tx, [ended(run, State.FAILED)._replace(exit_code=1)])

        assert tx.fetch("SELECT exit_code FROM outcome") == [(0,)]


def test_an_end_without_a_beginning_is_an_end(db: Database) -> None:
    with db.transaction() as tx:
        (run,) = make_runs(tx, make_flows(tx, "orders")["orders"], 10)
        edges.set_pending(tx, [(run.run_id, 0)], 1)
        runs.dispatch(tx, [run.run_id], executor="local", host="here", station="here", now=2)

        runs.end(tx, [ended(run, State.FAILED)._replace(reason="not_started", message="no such file")])

        assert tx.fetch("SELECT state, reason, message, started_at, finished_at FROM run") == [
            (State.FAILED, "not_started", "no such file", None, 9)
        ]


def test_only_a_waiting_run_is_ended_by_policy(db: Database) -> None:
    with db.transaction() as tx:
        waiting, queued = make_runs(tx, make_flows(tx, "orders")["orders"], 10, 11)
        edges.set_pending(tx, [(queued.run_id, 0)], 1)

        over = runs.conclude(tx, [(run.run_id, State.SKIPPED, "r", "m") for run in (waiting, queued)], 5)

        assert [run.run_id for run in over] == [waiting.run_id]
        assert states(tx)[queued.run_id][0] is State.QUEUED


def test_live_are_the_runs_between_queued_and_their_end(db: Database) -> None:
    with db.transaction() as tx:
        _, queued, starting, over = make_runs(tx, make_flows(tx, "orders")["orders"], 10, 11, 12, 13)
        edges.set_pending(tx, [(run.run_id, 0) for run in (queued, starting, over)], 1)
        runs.dispatch(tx, [starting.run_id, over.run_id], executor="local", host="here", station="here", now=2)
        runs.end(tx, [ended(over, State.SUCCESS)])

        found = {run.run_id: run.state for run in runs.live(tx)}

        assert found == {queued.run_id: State.QUEUED, starting.run_id: State.STARTING}


def test_only_a_run_that_has_ended_is_rerun(db: Database) -> None:
    with db.transaction() as tx:
        over, waiting = make_runs(tx, make_flows(tx, "orders")["orders"], 10, 11)
        runs.conclude(tx, [(over.run_id, State.FAILED, "r", "m")], 5)

        again = reruns.rerun(tx, [over.run_id, waiting.run_id], 77)

        assert [run.run_id for run in again] == [over.run_id]
        assert tx.fetch("SELECT state, reason, message, finished_at FROM run WHERE id = :id", id=over.run_id) == [
            (State.WAITING, None, None, None)
        ]


def test_a_run_is_found_by_flow_and_date(db: Database) -> None:
    with db.transaction() as tx:
        (run,) = make_runs(tx, make_flows(tx, "orders")["orders"], 10)

        assert runs.find(tx, "orders", 10) == run
        assert runs.find(tx, "orders", 11) is None
        assert runs.find(tx, "Orders", 10) is None


def test_a_transaction_that_fails_leaves_nothing(db: Database) -> None:
    with pytest.raises(TypeError, match="expected the parameters"), db.transaction() as tx:
        make_then_fail(tx)

    assert db.fetch("SELECT COUNT(*) FROM run") == [(0,)]


def make_then_fail(tx: Transaction) -> None:
    make_runs(tx, make_flows(tx, "orders")["orders"], 10)
    tx.fetch(runs.LIVE, surplus=1)
