"""A daemon that stands by, leads, and stands by again."""

from collections.abc import Callable
from contextlib import closing

import pytest

from sensord.core.run import State
from sensord.daemon.dispatch import Place
from sensord.daemon.signals import Signals
from sensord.daemon.standby import StandBy
from sensord.daemon.supervise import Supervisor
from sensord.errors import LeadLost, Unreachable
from sensord.executors.base import Attempt
from sensord.store import attempts, bounds, runs
from sensord.store.bounds import Bounds
from sensord.store.database import Database, Transaction
from sensord.store.hint import Hint
from sensord.store.lead import Holder
from sensord.store.lead_row import RowLead
from sensord.store.postgres import PostgresDatabase
from sensord.store.runs import Ended
from sensord.store.stations import Presence
from sensord.testing import ManualExecutor
from tests.daemon.world import HOURLY, World

TEN = "2026-11-22T10:00"


@pytest.fixture
def dialect() -> str:
    return "postgresql"


class Other:
    """A daemon at another station than the world's."""

    def __init__(self, world: World, db: Database) -> None:
        assert isinstance(db, PostgresDatabase)
        self.world, self.db = world, db
        self.executor = ManualExecutor(world.clock)
        place = Place("manual", "etl2", "there", world.folder, {"PATH": "/bin"})
        holder = Holder("etl2", 4712, "test", "there")
        with Signals() as signals:
            self._standby = StandBy(
                db, Presence(holder), Supervisor(db, self.executor, place), signals, world.clock, lambda _: None
            )

    def stand_by(self) -> RowLead | None:
        """A look, and one more for what the first has led to; the lead where it is free."""
        with closing(Hint(self.db.url)) as hint:
            return self._standby._turn(hint) or self._standby._turn(hint)

    @property
    def is_refused(self) -> bool:
        """Whether the last look came to nothing."""
        return self._standby._failing


@pytest.fixture
def other(world: World, open_db: Callable[[str], Database]) -> Other:
    return Other(world, open_db(world.db.url))


def expire(world: World) -> None:
    """The leader was stopped for longer than its lease."""
    world.db.run("UPDATE leader SET expires_at = 0, backend_pid = NULL")


def test_what_it_heard_as_the_leader_and_could_not_record_it_asks_about_again(world: World, other: Other) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    attempt = world.attempt("orders", TEN)
    world.db.run("UPDATE attempt SET station = 'there', host = 'etl2'")
    other.executor.submit([world.job("orders", TEN)])
    other.stand_by()

    expire(world)
    lead = other.stand_by()
    assert lead is not None
    daemon = world.daemon_on(other.db, lead, other.executor, "there")
    daemon.adopt()
    daemon.tick()
    other.executor.end(attempt, 3)
    expire(world)
    world.start()
    with pytest.raises(LeadLost):
        daemon.tick()  # it has taken the report from its executor by then
    other.stand_by()

    world.tick()
    assert world.state("orders", TEN) is State.FAILED
    assert world.why("orders", TEN) == ("exit_code", "exit 3")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not lead waits for a moment only."""
    monkeypatch.setattr(bounds, "ANYBODY", Bounds(lock=50, idle=5_000))


def give_up(tx: Transaction, attempt: Attempt) -> None:
    """As a leader does where no daemon of a station was heard of for long."""
    lost = Ended(attempt.run_id, attempt.number, 7, State.FAILED, "lost", None, None, "lost", "nobody was heard of")
    runs.end(tx, [lost])


def cancel(tx: Transaction, attempt: Attempt) -> None:
    attempts.stop(tx, [(attempt.run_id, attempt.number, "cancelled")], 7)


@pytest.mark.parametrize("decide", [give_up, cancel])
def test_what_a_stopped_leader_keeps_it_from_writing_down_it_hears_again_when_it_leads(
    hurried: None, world: World, other: Other, decide: Callable[[Transaction, Attempt], None]
) -> None:
    """The leader was stopped within a transaction that has to do with the same attempt; its beginning is untold."""
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    attempt = world.attempt("orders", TEN)
    world.db.run("UPDATE attempt SET station = 'there', host = 'etl2', began_at = NULL, pid = NULL")
    world.db.run("UPDATE run SET state = 3, started_at = NULL")

    def stop() -> None:
        with world.db.transaction() as tx:
            world.daemon.lead.guard(tx)
            decide(tx, attempt)
            assert other.stand_by() is None  # it starts the command
            other.executor.end(attempt, 3)
            assert other.stand_by() is None
            assert other.is_refused
            other.db.run("UPDATE leader SET expires_at = 0")
            lead = other.stand_by()
            assert lead is not None
            daemon = world.daemon_on(other.db, lead, other.executor, "there")
            daemon.adopt()
            while not daemon.tick().idle:
                continue

    with pytest.raises(Unreachable):
        stop()

    assert world.why("orders", TEN) == ("exit_code", "exit 3")
    assert world.db.fetch("SELECT exit_code, problem FROM outcome") == [(3, None)]
    assert len(other.executor.jobs) == 1
