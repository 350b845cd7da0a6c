"""The worker's turn: what it takes, what it does not, and what it does where something refuses."""

import signal
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from sensord.core.run import State
from sensord.daemon.dispatch import Place, jobs
from sensord.daemon.supervise import Supervisor
from sensord.errors import InvalidValue, Unreachable
from sensord.executors.base import Attempt
from sensord.executors.leash import Leash
from sensord.store import runs
from sensord.store.bounds import Bounds
from sensord.store.database import Database
from sensord.store.lead import Holder
from sensord.store.postgres import PostgresDatabase
from sensord.store.wake import Heard
from sensord.testing import ManualExecutor
from sensord.worker.heartbeat import Heartbeat
from sensord.worker.pruning import Pruner
from sensord.worker.shipping import Shipper
from sensord.worker.worker import Ears, Worker
from tests.daemon.world import World
from tests.executors.carried import Deaf
from tests.store.rows import make_flows, make_runs

BODY = '{"schedule": {"cron": "0 * * * *", "zone": "UTC"}, "run": {"argv": ["true"]}}'


@pytest.fixture
def dialect() -> str:
    return "postgresql"


class Ear:
    """Tells the worker something when the test says so."""

    def __init__(self) -> None:
        self.has_news = False
        self._sockets = socket.socketpair()

    def fileno(self) -> int:
        return self._sockets[0].fileno()

    def drain(self) -> Heard:
        told, self.has_news = self.has_news, False
        return Heard(told, frozenset())

    def close(self) -> None:
        for one in self._sockets:
            one.close()


class LeashedExecutor(ManualExecutor):
    """Keeps what it was let out for."""

    leash: Leash | None = None

    def let_out(self, leash: Leash) -> None:
        self.leash = leash


class Machine:
    """A worker with two slots, its executor and its clock in the test's hands."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.db, self.seconds = world, world.db, 100.0
        self.executor = LeashedExecutor(world.clock)
        self.queue, self.hail, self.signals = Ear(), Ear(), Deaf()
        place = Place("local", "etl2", "mine", folder, {"PATH": "/bin"})
        self.supervisor = Supervisor(self.db, self.executor, place)
        holder = Holder("etl2", 7, "test", "mine")
        self.worker = Worker(
            self.db,
            self.executor,
            self.supervisor,
            Heartbeat(holder, "one", "etl", 2, timedelta(minutes=1), lambda: self.seconds),
            Shipper(folder, lambda: self.seconds),
            Pruner(folder, lambda: self.seconds),
            self.signals,
            place,
            world.clock,
            Ears(self.queue, self.hail),
            lambda: self.seconds,
        )

    def dispatch(self, *dates: int) -> list[int]:
        """Runs for workers, each in its first attempt."""
        with self.db.transaction() as tx:
            made = make_runs(tx, make_flows(tx, f"flow{dates[0]}")[f"flow{dates[0]}"], *dates)
            tx.run("UPDATE definition SET body = :body", body=BODY)
            ids = [run.run_id for run in made]
            tx.run("UPDATE run SET state = 2 WHERE id >= :first", first=ids[0])
            queues = dict.fromkeys(ids, "etl")
            runs.dispatch(tx, ids, executor="local", host="here", station="here", now=5, queues=queues)
        return ids

    def turn(self, after: float = 0.0) -> None:
        self.seconds += after
        self.worker.turn()

    @property
    def started(self) -> list[int]:
        return sorted(attempt.run_id for attempt in self.executor.jobs)

    def beats(self) -> list[tuple[object, ...]]:
        return self.db.fetch("SELECT queue, slots, busy, is_taking FROM worker")


@pytest.fixture
def machine(world: World, tmp_path: Path) -> Iterator[Machine]:
    one = Machine(world, tmp_path)
    yield one
    for source in (one.queue, one.hail, one.signals):
        source.close()


@pytest.fixture
def world(db: Database, tmp_path: Path) -> World:
    return World(db, tmp_path / "config", "2026-11-22T10:30")


def test_it_says_that_it_is_there_and_lets_its_commands_go_on(machine: Machine) -> None:
    machine.turn()

    assert machine.beats() == [("etl", 2, 0, 1)]
    assert machine.executor.leash == Leash(160.0, 175.0)

    machine.turn(4.9)
    assert machine.executor.leash == Leash(160.0, 175.0)
    machine.turn(0.1)
    assert machine.executor.leash == Leash(165.0, 180.0)


def test_it_takes_no_more_than_it_has_slots_and_the_rest_when_one_is_free(machine: Machine) -> None:
    ids = machine.dispatch(1, 2, 3)

    machine.turn()
    assert machine.started == ids[:2]

    machine.executor.end(next(iter(machine.executor.jobs)), 0)
    machine.turn()
    assert machine.started == ids


def test_it_looks_into_its_queue_when_it_is_told_or_after_a_while(machine: Machine) -> None:
    machine.turn()
    ids = machine.dispatch(1)
    machine.turn()
    assert machine.started == []

    machine.queue.has_news = True
    machine.turn()
    assert machine.started == ids

    more = machine.dispatch(7)
    machine.turn(5.0)
    assert machine.started == [*ids, *more]


def test_a_command_that_cannot_be_made_here_holds_up_no_other(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = machine.dispatch(1, 2)

    def refuse(tx, definitions, starting, place):  # type: ignore[no-untyped-def]  # as `jobs` has it
        if ids[0] in {run.run_id for run in starting}:
            raise InvalidValue("expected a zone of this host, got Mars")
        return jobs(tx, definitions, starting, place)

    monkeypatch.setattr("sensord.daemon.supervise.jobs", refuse)
    machine.turn()

    refusals = {attempt.run_id: job.refusal for attempt, job in machine.executor.jobs.items()}
    assert refusals == {
        ids[0]: "the command cannot be made here: expected a zone of this host, got Mars",
        ids[1]: None,
    }


def test_it_does_not_leave_before_it_knows_what_an_earlier_one_left(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(machine.db, "run", away)
        machine.turn()
    machine.worker._obey(15)
    assert not machine.worker.done

    machine.turn()
    assert machine.worker.done


def test_it_does_not_leave_before_it_knows_whether_it_has_claimed_something(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.turn()
    ids = machine.dispatch(1)
    machine.queue.has_news = True
    commit = machine.db._commit

    def lose_the_answer() -> None:
        commit()
        raise Unreachable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(machine.db, "_commit", lose_the_answer)
        machine.turn()
    machine.worker._obey(15)
    assert not machine.worker.done

    machine.turn()
    assert machine.started == ids


def test_while_the_database_is_away_it_is_not_let_out_and_takes_up_its_reports_later(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_id,) = machine.dispatch(1)
    machine.turn()
    machine.turn()
    machine.executor.end(next(iter(machine.executor.jobs)), 3)
    before = machine.executor.leash

    with monkeypatch.context() as patch:
        patch.setattr(machine.db, "run", away)
        patch.setattr(machine.db, "transaction", away)
        machine.turn(10.0)
    assert machine.executor.leash == before
    assert machine.db.fetch("SELECT exit_code FROM outcome") == []

    machine.turn()
    assert machine.executor.leash != before
    assert machine.db.fetch("SELECT run_id, exit_code FROM outcome") == [(run_id, 3)]
    assert machine.db.fetch("SELECT state FROM run") == [(State.STARTING,)]  # that is for the leader


def away(*_: object, **__: object) -> None:
    raise Unreachable("gone")


@pytest.fixture
def leader(db: Database) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A session in a transaction, of a leader that does nothing any more."""
    with psycopg.connect(db.url) as connection:
        yield connection


@pytest.fixture
def hurried(db: Database) -> None:
    """It waits for a moment only."""
    assert isinstance(db, PostgresDatabase)
    db.go_by(Bounds(lock=50, idle=5_000))


LOST = "INSERT INTO outcome (run_id, attempt, at, problem) SELECT run_id, number, 1, 'lost' FROM attempt"


@pytest.mark.parametrize("decision", ["UPDATE attempt SET stopping = 'cancelled'", LOST])
def test_what_a_leader_keeps_locked_is_reported_later_and_it_beats_on(
    machine: Machine, leader: psycopg.Connection, hurried: None, decision: str
) -> None:
    (run_id,) = machine.dispatch(1)
    machine.turn()
    machine.executor.end(next(iter(machine.executor.jobs)), 3)

    leader.execute(decision.encode())
    for _ in range(3):
        machine.turn(20.0)
        assert machine.executor.leash == Leash(machine.seconds + 60, machine.seconds + 75)
    assert machine.db.fetch("SELECT exit_code FROM outcome") == []

    leader.rollback()
    machine.turn()
    assert machine.db.fetch("SELECT run_id, exit_code FROM outcome") == [(run_id, 3)]
    assert machine.db.fetch("SELECT began_at > 0 FROM attempt") == [(True,)]


def test_what_is_to_be_ended_is_ended_though_a_report_is_refused(
    machine: Machine, leader: psycopg.Connection, hurried: None
) -> None:
    first, second = machine.dispatch(1, 2)
    machine.turn()
    machine.turn()
    machine.executor.end(Attempt(first, 1), 3)
    leader.execute(LOST.encode())

    machine.db.run("UPDATE attempt SET stopping = 'cancelled' WHERE run_id = :run", run=second)
    machine.hail.has_news = True
    machine.turn()

    assert machine.db.fetch("SELECT * FROM outcome") == []
    assert machine.executor.killed == [(Attempt(second, 1), signal.SIGTERM)]


def test_what_a_leader_keeps_locked_is_taken_later(machine: Machine, leader: psycopg.Connection, hurried: None) -> None:
    ids = machine.dispatch(1)
    leader.execute("UPDATE attempt SET stopping = 'cancelled'")
    machine.turn()
    assert machine.started == []

    leader.rollback()
    machine.turn()
    assert machine.started == ids
    assert machine.db.fetch("SELECT COUNT(*) FROM procrastinate_jobs") == [(0,)]


def test_nothing_is_locked_while_commands_are_made(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their definitions may be long, and whoever is stopped while it reads is not ended by the server."""
    machine.dispatch(1)
    seen = []

    def look(tx, definitions, claimed, place):  # type: ignore[no-untyped-def]  # as `jobs` has it
        with psycopg.connect(machine.db.url, autocommit=True) as outside:
            seen.append(outside.execute("UPDATE attempt SET stopping = 'cancelled' WHERE station = 'mine'").rowcount)
        return jobs(tx, definitions, claimed, place)

    monkeypatch.setattr("sensord.daemon.supervise.jobs", look)
    machine.turn()

    assert seen == [1]


def test_what_is_claimed_and_could_not_be_started_is_started_later_and_waited_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = machine.dispatch(1)
    with monkeypatch.context() as patch:
        patch.setattr("sensord.daemon.supervise.jobs", away)
        machine.turn()
    machine.worker._obey(signal.SIGTERM)
    assert not machine.worker.done
    assert machine.started == []

    machine.turn()

    assert machine.started == ids
    assert not machine.worker.done
    machine.executor.end(next(iter(machine.executor.jobs)), 0)
    machine.turn()
    assert machine.worker.done
