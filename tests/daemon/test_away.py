"""A leader and the attempts that an earlier one left elsewhere: they are heard of, signalled there, or lost."""

from datetime import timedelta
from itertools import count

import pytest

from sensord.core.run import State
from sensord.daemon.away import Away
from sensord.errors import Unreachable
from sensord.executors import base as executors
from sensord.executors.base import Attempt, Report
from sensord.store import stations, workers
from sensord.store.lead import Holder
from sensord.store.runs import Beginning, Ended
from sensord.store.stations import Presence
from sensord.store.wake import NOTHING, Heard
from sensord.store.workers import Beat
from tests.daemon.world import HOURLY, World, on
from tests.store.rows import make_flows, make_runs

TEN = "2026-11-22T10:00"


@pytest.fixture
def moved(world: World) -> World:
    """A leader at another station has started the run of ten o'clock, and a leader here follows it."""
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()
    world.tick()
    world.db.run("UPDATE attempt SET station = 'there', host = 'etl2'")
    world.executor.adopted.clear()
    world.restart()
    return world


def run_id(world: World) -> int:
    return world.attempt("orders", TEN).run_id


def report(world: World, began: bool = True, exit_code: int | None = None) -> None:
    """The daemon of the other station writes down what has become of the command."""
    key = run_id(world), 1
    ended = [] if exit_code is None else [Ended(*key, 9, State.ABSENT, None, exit_code, None, None, None)]
    with world.db.transaction() as tx:
        stations.report(tx, [Beginning(*key, 7, 4711)] if began else [], ended)


def test_it_asks_no_executor_of_its_own_about_them(moved: World) -> None:
    moved.executor.submit = pytest.fail  # type: ignore[assignment, method-assign]  # nothing is to be started
    moved.tick()

    assert moved.executor.adopted == []
    assert moved.state("orders", TEN) is State.RUNNING


def test_their_end_is_taken_up_and_what_waits_is_released(moved: World) -> None:
    moved.tick()
    report(moved, exit_code=0)

    moved.tick()

    assert moved.state("orders", TEN) is State.SUCCESS
    assert moved.state("mart", TEN) is State.RUNNING


def test_one_that_was_only_starting_is_heard_to_begin(moved: World) -> None:
    moved.db.run("UPDATE run SET state = 3, started_at = NULL")
    moved.db.run("UPDATE attempt SET began_at = NULL, pid = NULL")
    moved.restart()
    moved.tick()
    assert moved.state("orders", TEN) is State.STARTING

    report(moved)
    moved.tick()

    assert moved.state("orders", TEN) is State.RUNNING


def test_it_is_the_other_station_that_signals(moved: World) -> None:
    answer = moved.daemon.change("cancel", {"flow": "orders", "logical_date": TEN + ":00Z", "who": "ann"})
    moved.tick()

    assert answer
    assert moved.executor.killed == []
    assert [one.stopping for one in stations.assigned(moved.db, "there")] == ["cancelled"]

    report(moved, exit_code=143)
    moved.tick()
    assert moved.state("orders", TEN) is State.CANCELLED


@pytest.fixture
def seconds(moved: World) -> list[float]:
    """The monotonic clock of a leader that has just come, and gives up after a minute."""
    now = [0.0]
    moved.daemon._away = Away(timedelta(minutes=1), lambda: now[0])
    moved.daemon._stale = True
    moved.tick()
    return now


def test_they_are_lost_when_their_station_was_silent_for_too_long(moved: World, seconds: list[float]) -> None:
    seconds[0] = 59.0
    moved.tick()
    assert moved.state("orders", TEN) is State.RUNNING

    seconds[0] = 65.0
    moved.tick()

    assert moved.state("orders", TEN) is State.FAILED
    assert moved.why("orders", TEN) == ("lost", "no daemon on etl2 was heard of for 0:01:00")


def test_what_is_reported_later_changes_nothing_any_more(moved: World, seconds: list[float]) -> None:
    seconds[0] = 65.0
    moved.tick()

    report(moved, exit_code=0)
    moved.tick()

    assert moved.state("orders", TEN) is State.FAILED


class TestOnPostgres:
    @pytest.fixture
    def dialect(self) -> str:
        return "postgresql"

    def test_a_station_that_is_heard_of_keeps_them(self, moved: World, seconds: list[float]) -> None:
        there = Holder("etl2", 1, "test", "there")
        Presence(there).beat(moved.db)

        seconds[0] = 65.0
        moved.tick()
        assert moved.state("orders", TEN) is State.RUNNING

        moved.db.run("UPDATE daemon SET beat_at = beat_at - 61000000")
        seconds[0] = 75.0
        moved.tick()
        assert moved.state("orders", TEN) is State.FAILED


def test_only_those_of_which_there_is_news_are_asked_about(moved: World, seconds: list[float]) -> None:
    moved.tick()
    report(moved, exit_code=0)
    statements = moved.db.statements

    moved.daemon.tick(NOTHING)
    moved.daemon.tick(Heard(False, {(4711, 1)}))
    assert moved.db.statements == statements
    assert moved.state("orders", TEN) is State.RUNNING

    moved.daemon.tick(Heard(False, {(4711, 1), (run_id(moved), 1)}))

    assert moved.state("orders", TEN) is State.SUCCESS


def test_where_a_wake_up_was_lost_all_are_asked_about_once_in_a_while(moved: World, seconds: list[float]) -> None:
    moved.tick()
    report(moved, exit_code=0)
    seconds[0] = 4.9
    moved.daemon.tick(NOTHING)
    assert moved.state("orders", TEN) is State.RUNNING

    seconds[0] = 5.0
    moved.daemon.tick(NOTHING)

    assert moved.state("orders", TEN) is State.SUCCESS


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_where_many_are_with_workers_each_look_sees_a_quarter(world: World) -> None:
    seconds = [0.0]
    away = Away(monotonic=lambda: seconds[0])
    with world.db.transaction() as tx:
        made = make_runs(tx, make_flows(tx, "many")["many"], *range(5000))
        tx.run("INSERT INTO attempt SELECT id, 1, definition_id, '', '', 1, 2, 3, NULL, 'there', 'etl' FROM run")
        tx.run("UPDATE attempt SET station = 'gone' WHERE run_id = :last", last=made[-1].run_id)
    workers.beat(world.db, Holder("etl2", 7, "test", "there"), Beat("one", "etl", 8, 1, 10**9, is_taking=True))
    away.carry([run._replace(attempt=1) for run in made])

    def look() -> list[Report]:
        seconds[0] += 5.0
        return away.news(world.db, world.clock.now(), told=frozenset())

    assert [len(look()) for _ in range(3)] == [1250, 1250, 1250]  # each is heard to have begun
    *began, lost = look()

    assert len(began) == 1250
    assert isinstance(lost, executors.Ended)
    assert (lost.attempt.run_id, lost.problem) == (made[-1].run_id, "lost")
    assert look() == []


def test_what_was_heard_is_not_lost_where_the_next_statement_fails(
    moved: World, seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    report(moved, exit_code=0)
    seconds[0] = 65.0

    with monkeypatch.context() as patch:
        patch.setattr(stations, "heard", gone)
        with pytest.raises(Unreachable):
            moved.daemon.tick()
    moved.tick()

    assert moved.state("orders", TEN) is State.SUCCESS


def gone(*_: object) -> dict[str, int]:
    raise Unreachable("the connection broke")


def test_an_end_that_is_written_down_as_it_is_given_up_goes_before(
    moved: World, seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds[0] = 65.0

    def slow(*_: object) -> dict[str, int]:
        """So slow that the station is back before it answers."""
        report(moved, exit_code=0)
        return {}

    monkeypatch.setattr(stations, "heard", slow)
    moved.tick()

    assert moved.state("orders", TEN) is State.SUCCESS


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_one_that_no_worker_has_claimed_is_over_as_soon_as_it_is_cancelled(moved: World, seconds: list[float]) -> None:
    moved.db.run("UPDATE run SET state = 3, started_at = NULL WHERE state = 4")
    moved.db.run("UPDATE attempt SET queue = 'etl', station = NULL, began_at = NULL, pid = NULL")
    moved.restart()
    moved.tick()
    assert moved.state("orders", TEN) is State.STARTING

    moved.daemon.change("cancel", {"flow": "orders", "logical_date": TEN + ":00Z", "who": "ann"})
    moved.daemon.tick(NOTHING)

    assert moved.state("orders", TEN) is State.CANCELLED


def test_nobody_looks_where_there_is_nothing_to_look_for(world: World) -> None:
    away = Away(monotonic=map(float, count(step=10**6)).__next__)
    statements = world.db.statements

    assert away.news(world.db, world.clock.now()) == []
    assert Attempt(1, 1) not in away
    assert world.db.statements == statements
