"""A daemon that does not lead sees to the commands of its own station, and decides nothing."""

import signal

import pytest

from sensord.core.instant import to_micros
from sensord.core.run import State
from sensord.daemon.dispatch import Place
from sensord.daemon.supervise import Supervisor
from sensord.errors import InvalidValue, LeadLost, Unreachable
from sensord.store.lead import Holder, Lead
from sensord.store.lead_row import RowLead
from sensord.testing import ManualExecutor
from tests.daemon.world import HOURLY, World, at

TEN = "2026-11-22T10:00"
COMMAND = '[schedule]\ncron = "0 * * * *"\n[run]\ncommand = ["load", "{{ logical_date }}"]\n'


class Station:
    """Another daemon beside the world's: what it led with is gone, or was never told to its executor."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.executor = ManualExecutor(world.clock)
        place = Place("manual", "etl2", "there", world.folder, {"PATH": "/bin"})
        self.supervisor = Supervisor(world.db, self.executor, place)

    def turn(self, now: str = "2026-11-22T10:30") -> None:
        self.supervisor.hear()
        self.supervisor.look(to_micros(at(now)))
        self.supervisor.hear()
        self.supervisor.report()


@pytest.fixture
def station(world: World) -> Station:
    """The run of ten o'clock was to start there, when its leader lost the lead."""
    world.flow("orders", COMMAND)
    world.start()
    world.tick()
    world.db.run("UPDATE attempt SET station = 'there', host = 'etl2', began_at = NULL, pid = NULL")
    world.db.run("UPDATE run SET state = 3, started_at = NULL")
    world.restart()
    return Station(world)


def test_what_its_executor_never_heard_of_is_started(station: Station) -> None:
    station.turn()

    attempt = station.world.attempt("orders", TEN)
    assert station.executor.jobs == {attempt: station.world.job("orders", TEN)}
    assert station.executor.jobs[attempt].argv == ("load", "2026-11-22T10:00:00Z")
    assert station.supervisor.busy == 1

    station.world.tick()
    assert station.world.state("orders", TEN) is State.RUNNING


def test_what_runs_is_taken_up_and_its_end_reported(station: Station) -> None:
    attempt = station.world.attempt("orders", TEN)
    station.executor.submit([station.world.job("orders", TEN)])
    station.world.db.run("UPDATE run SET state = 4")

    station.turn()
    assert station.executor.adopted == [attempt]

    assert station.supervisor.busy == 1
    station.executor.end(attempt, 7)
    station.turn()
    assert station.supervisor.busy == 0
    assert station.world.state("orders", TEN) is State.RUNNING

    station.world.tick()
    assert station.world.why("orders", TEN) == ("exit_code", "exit 7")


def test_what_cannot_be_made_there_is_refused_and_holds_up_no_other(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InvalidValue("expected a zone of this host, got Mars")

    monkeypatch.setattr("sensord.daemon.supervise.jobs", refuse)

    station.turn()

    attempt = station.world.attempt("orders", TEN)
    told = "the command cannot be made here: expected a zone of this host, got Mars"
    assert station.executor.jobs[attempt].refusal == told


def test_it_looks_again_and_again_but_submits_once(station: Station) -> None:
    station.turn()
    station.executor.jobs.clear()

    station.turn()

    assert station.executor.jobs == {}


def test_a_report_that_the_database_refuses_is_kept(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    station.turn()
    station.executor.end(station.world.attempt("orders", TEN), 0)
    station.supervisor.hear()

    with monkeypatch.context() as patch:
        patch.setattr(station.world.db, "transaction", broken)
        with pytest.raises(Unreachable):
            station.supervisor.report()
    station.supervisor.report()

    station.world.tick()
    assert station.world.state("orders", TEN) is State.SUCCESS


def broken() -> None:
    raise Unreachable("gone")


def test_it_ends_what_the_leader_wants_ended_gently_then_not(station: Station) -> None:
    station.turn()
    station.world.daemon.change("cancel", {"flow": "orders", "logical_date": TEN + ":00Z", "who": "ann"})
    attempt = station.world.attempt("orders", TEN)
    grace_over = station.world.db.fetch("SELECT due_at FROM timer WHERE what = 3")[0][0]

    station.turn()
    station.turn()
    assert station.executor.killed == [(attempt, signal.SIGTERM)]

    for _ in range(2):
        station.supervisor.look(grace_over)
    assert station.executor.killed == [(attempt, signal.SIGTERM), (attempt, signal.SIGKILL)]

    station.world.db.run("UPDATE timer SET due_at = due_at + 1")
    station.supervisor.look(grace_over + 1)
    assert station.executor.killed[2:] == [(attempt, signal.SIGKILL)]


def test_it_does_not_miss_the_leaders_time_for_that_though_it_looks_later(station: Station) -> None:
    """The leader, when that time has come, at once sets a new one, half a minute on."""
    station.turn()
    station.world.daemon.change("cancel", {"flow": "orders", "logical_date": TEN + ":00Z", "who": "ann"})
    attempt = station.world.attempt("orders", TEN)
    station.turn()

    station.world.db.run("UPDATE timer SET due_at = due_at + 30000000 WHERE what = 3")
    station.turn()

    assert station.executor.killed == [(attempt, signal.SIGTERM), (attempt, signal.SIGKILL)]


def test_what_was_given_up_is_killed(station: Station) -> None:
    """A newer attempt may be under way elsewhere."""
    station.turn()
    attempt = station.world.attempt("orders", TEN)

    station.world.db.run("UPDATE run SET state = 5")
    station.turn()

    assert station.executor.killed == [(attempt, signal.SIGKILL)]
    assert station.supervisor.busy == 0


def test_it_rests_while_its_own_station_leads(station: Station) -> None:
    station.turn()
    station.supervisor.rest()
    assert station.supervisor.busy == 0

    station.executor.end(station.world.attempt("orders", TEN), 0)
    station.supervisor.hear()
    station.supervisor.report()

    station.world.tick()
    assert station.world.state("orders", TEN) is State.SUCCESS


class TestOnPostgres:
    @pytest.fixture
    def dialect(self) -> str:
        return "postgresql"

    def test_a_leader_that_was_paused_and_overtaken_starts_nothing(self, world: World) -> None:
        """Between its commit and the submission, for longer than its lease."""
        world.flow("orders", HOURLY)
        world.start()
        lead = world.daemon.lead
        assert isinstance(lead, RowLead)
        confirm = lead.confirm

        def sleep_and_confirm() -> None:
            world.db.run("UPDATE leader SET expires_at = 0, backend_pid = NULL")
            Lead.take(world.db, Holder("etl2", 2, "test", "there"))
            lead._renewed -= 3
            confirm()

        lead.confirm = sleep_and_confirm  # type: ignore[method-assign]  # it sleeps first

        with pytest.raises(LeadLost, match="overtaken"):
            world.tick()

        assert world.state("orders", TEN) is State.STARTING
        assert world.executor.jobs == {}
