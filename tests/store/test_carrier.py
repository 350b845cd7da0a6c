"""Attempts on their way to workers: enqueued, taken and claimed, and never half of it."""

from collections.abc import Callable, Mapping

import pytest

from sensord.core.run import State
from sensord.store import attempts, runs, stations, workers
from sensord.store.database import Database, Transaction
from sensord.store.lead import Holder
from sensord.store.runs import Ended
from sensord.store.workers import Beat
from tests.store.rows import make_flows, make_runs

MINE = {"station": "mine", "host": "etl2"}
LIMIT = 10_000_000
NO_PRIORITIES: Mapping[int, int] = {}


@pytest.fixture
def dialect() -> str:
    return "postgresql"


def dispatched(
    db: Database, number: int = 1, *, queue: str = "etl", priorities: Mapping[int, int] = NO_PRIORITIES
) -> list[int]:
    """Runs that were handed to workers, each in its first attempt."""
    with db.transaction() as tx:
        made = make_runs(tx, make_flows(tx, "orders")["orders"], *range(1, number + 1))
        tx.run("UPDATE run SET state = 2")
        for date, priority in priorities.items():
            tx.run("UPDATE run SET priority = :priority WHERE logical_date = :date", date=date, priority=priority)
        run_ids = [run.run_id for run in made]
        runs.dispatch(
            tx, run_ids, executor="local", host="here", station="here", now=5, queues=dict.fromkeys(run_ids, queue)
        )
    return run_ids


def take(db: Database, most: int = 9, queue: str = "etl") -> tuple[int, list[int]]:
    with db.transaction() as tx:
        number, taken = runs.take(tx, queue, most, **MINE)
    return number, sorted(run.run_id for run in taken)


def roll_back(db: Database, act: Callable[[Transaction], None]) -> None:
    """Do it in a transaction that fails at its end."""

    def fail() -> None:
        with db.transaction() as tx:
            act(tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()


def jobs(db: Database) -> int:
    return int(db.fetch("SELECT COUNT(*) FROM procrastinate_jobs")[0][0])


def test_what_is_dispatched_is_enqueued_and_taken_once(db: Database) -> None:
    (run_id,) = dispatched(db)
    assert jobs(db) == 1

    assert take(db) == (1, [run_id])

    assert take(db) == (0, [])
    assert (jobs(db), db.fetch("SELECT COUNT(*) FROM procrastinate_events")) == (0, [(0,)])
    [assigned] = stations.assigned(db, "mine")
    assert (assigned.run_id, assigned.number, assigned.state) == (run_id, 1, State.STARTING)
    assert db.fetch("SELECT executor, host, queue FROM attempt") == [("procrastinate", "etl2", "etl")]


def test_a_dispatch_that_is_rolled_back_is_not_enqueued(db: Database) -> None:
    def dispatch(tx: Transaction) -> None:
        (run,) = make_runs(tx, make_flows(tx, "orders")["orders"], 1)
        tx.run("UPDATE run SET state = 2")
        queues = {run.run_id: "etl"}
        runs.dispatch(tx, [run.run_id], executor="local", host="here", station="here", now=5, queues=queues)

    roll_back(db, dispatch)

    assert jobs(db) == 0
    assert db.fetch("SELECT COUNT(*) FROM attempt") == [(0,)]


def test_what_a_worker_takes_and_does_not_commit_is_there_for_the_next(
    db: Database, open_db: Callable[[str], Database]
) -> None:
    (run_id,) = dispatched(db)

    def take_half(tx: Transaction) -> None:
        assert [run.run_id for run in runs.take(tx, "etl", 9, **MINE)[1]] == [run_id]
        assert take(open_db(db.url)) == (0, [])

    roll_back(db, take_half)

    assert take(db) == (1, [run_id])


def test_no_more_than_asked_for_and_the_most_urgent_first(db: Database) -> None:
    first, second, third = dispatched(db, 3, priorities={2: 7})

    assert take(db, 2) == (2, [first, second])
    assert take(db, 2) == (1, [third])


def test_a_worker_takes_from_its_own_queue_alone(db: Database) -> None:
    dispatched(db, queue="gpu")

    assert take(db, queue="etl") == (0, [])
    assert take(db, queue="gpu")[0] == 1


@pytest.mark.parametrize(
    "since", ["UPDATE run SET state = 9", "UPDATE run SET attempt = 2", "UPDATE attempt SET station = 'other'"]
)
def test_a_job_that_is_stale_is_dropped(db: Database, since: str) -> None:
    dispatched(db)
    db.run(since)

    assert take(db) == (1, [])
    assert jobs(db) == 0


def test_what_is_ended_before_a_worker_has_it_is_over_and_never_starts(db: Database) -> None:
    (run_id,) = dispatched(db)

    with db.transaction() as tx:
        attempts.stop(tx, [(run_id, 1, "cancelled")], 7)

    [fate] = stations.fates(db, [(run_id, 1)])
    assert (fate.problem, fate.message) == ("not_started", "no worker had taken it yet")
    assert take(db) == (1, [])


def test_what_a_worker_has_is_not(db: Database) -> None:
    (run_id,) = dispatched(db)
    take(db)

    with db.transaction() as tx:
        attempts.stop(tx, [(run_id, 1, "cancelled")], 7)

    assert stations.fates(db, [(run_id, 1)]) == []
    assert [one.stopping for one in stations.assigned(db, "mine")] == ["cancelled"]


def beat(db: Database, station: str = "mine", *, taking: bool = True, queue: str = "etl") -> None:
    workers.beat(db, Holder("etl2", 7, "test", station), Beat("one", queue, 8, 1, LIMIT, taking))


def age(db: Database, by: int) -> None:
    db.run("UPDATE worker SET beat_at = beat_at - :by", by=by)


def test_the_slots_of_workers_that_are_there_add_up(db: Database) -> None:
    beat(db)
    beat(db, "second")
    beat(db, "draining", taking=False)
    beat(db, "elsewhere", queue="gpu")
    assert workers.room(db) == {"etl": 16, "gpu": 8}
    assert len(workers.present(db)) == 4

    age(db, LIMIT * 3 // 2)

    assert workers.room(db) == {}
    assert workers.present(db) == []


def test_what_a_worker_has_is_lost_after_its_limit_and_half_of_it_again(db: Database) -> None:
    (run_id,) = dispatched(db)
    keys = [(run_id, 1)]
    assert workers.gone(db, keys) == []  # nobody has it yet: it waits

    beat(db)
    take(db)
    age(db, LIMIT)
    assert workers.gone(db, keys) == []

    age(db, LIMIT // 2)
    assert [(one.run_id, one.number, one.host) for one in workers.gone(db, keys)] == [(run_id, 1, "etl2")]

    beat(db)
    assert workers.gone(db, keys) == []
    workers.leave(db, "mine")
    assert len(workers.gone(db, keys)) == 1


def test_a_report_that_comes_too_late_changes_no_run(db: Database) -> None:
    """The leader has said `lost`, and the run is in its second attempt."""
    (run_id,) = dispatched(db)
    take(db)
    db.run("UPDATE run SET attempt = 2, state = 4")

    late = Ended(run_id, 1, 9, State.SUCCESS, None, 0, None, None, None)
    with db.transaction() as tx:
        stations.report(tx, [], [late])
        assert runs.end(tx, [late]) == []

    assert db.fetch("SELECT state, attempt FROM run") == [(State.RUNNING, 2)]


def test_runs_that_retention_has_pruned_are_told(db: Database) -> None:
    run_ids = dispatched(db, 2)
    db.run("DELETE FROM attempt WHERE run_id = :run", run=run_ids[0])

    assert workers.no_longer_known(db, [*run_ids, 4711]) == [run_ids[0], 4711]
