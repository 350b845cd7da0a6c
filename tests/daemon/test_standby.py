"""A daemon that stands by, leads, and stands by again."""

from collections.abc import Callable
from contextlib import closing

import pytest

from sensord.core.run import State
from sensord.daemon.dispatch import Place
from sensord.daemon.signals import Signals
from sensord.daemon.standby import StandBy
from sensord.daemon.supervise import Supervisor
from sensord.errors import LeadLost
from sensord.store.database import Database
from sensord.store.hint import Hint
from sensord.store.lead import Holder
from sensord.store.lead_row import RowLead
from sensord.store.postgres import PostgresDatabase
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
