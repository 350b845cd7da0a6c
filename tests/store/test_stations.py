"""Daemons beside each other: who is there, and what becomes of attempts at a station, whoever leads."""

from collections.abc import Callable

import pytest

from sensord.core.instant import from_micros
from sensord.core.run import State
from sensord.store import attempts, runs, stations
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead, current_leader
from sensord.store.reads.daemon import standing_by
from sensord.store.runs import Beginning, Ended, NewRun
from sensord.store.stations import Assigned, Fate, Presence
from sensord.store.timers import Timer, What, set_timers

HERE = Holder("etl1", 1, "0.1.0", "here")
THERE = Holder("etl2", 2, "0.1.0", "there")


def start(db: Database, *stations_of: str) -> list[int]:
    """One run each, handed to an executor at these stations."""
    with db.transaction() as tx:
        made = runs.insert(tx, [NewRun(1, date, 1, 0, 7) for date, _ in enumerate(stations_of)], 0)
        tx.run("UPDATE run SET state = 2")
        for run, station in zip(made, stations_of, strict=True):
            runs.dispatch(tx, [run.run_id], executor="local", host="etl1", station=station, now=5)
    return [run.run_id for run in made]


def test_each_station_finds_its_own(db: Database) -> None:
    mine, _, begun = start(db, "here", "there", "here")
    with db.transaction() as tx:
        runs.begin(tx, [Beginning(begun, 1, 9, 4711)])

    assert stations.assigned(db, "here") == [
        Assigned(mine, 1, State.STARTING, None, None),
        Assigned(begun, 1, State.RUNNING, None, None),
    ]
    with db.transaction() as tx:
        assert [one.station for one in attempts.elsewhere(tx, "here")] == ["there"]


def test_what_is_to_be_ended_says_when(db: Database) -> None:
    (mine,) = start(db, "here")
    with db.transaction() as tx:
        attempts.stop(tx, [(mine, 1, "timed_out")], 6)
        set_timers(tx, [Timer(mine, What.KILL, 1, 99), Timer(mine, What.TIMEOUT, 1, 50)])

    assert stations.assigned(db, "here") == [Assigned(mine, 1, State.STARTING, "timed_out", 99)]


def test_a_report_changes_no_run_and_is_found(db: Database) -> None:
    first, second, third = start(db, "here", "here", "here")
    with db.transaction() as tx:
        ended = Ended(second, 1, 20, State.ABSENT, None, 7, None, None, None)
        stations.report(tx, [Beginning(first, 1, 10, 4711), Beginning(second, 1, 11, 4712)], [ended])

    assert stations.fates(db, [(first, 1), (second, 1), (third, 1)]) == [
        Fate(first, 1, from_micros(10), 4711, None, None, None, None, None),
        Fate(second, 1, from_micros(11), 4712, from_micros(20), 7, None, None, None),
    ]
    assert db.fetch("SELECT DISTINCT state FROM run") == [(State.STARTING,)]
    assert {one.run_id for one in stations.assigned(db, "here")} == {first, third}


def test_the_first_to_tell_is_believed(db: Database) -> None:
    (mine,) = start(db, "here")
    lost = Ended(mine, 1, 20, State.ABSENT, None, None, None, "lost", "unheard of")
    late = Ended(mine, 1, 15, State.ABSENT, None, 0, None, None, None)

    for end in (lost, late):
        with db.transaction() as tx:
            stations.report(tx, [], [end])

    assert [fate.problem for fate in stations.fates(db, [(mine, 1)])] == ["lost"]


class TestPresence:
    @pytest.fixture
    def dialect(self) -> str:
        return "postgresql"

    def test_who_does_not_lead_stands_by(self, db: Database, open_db: Callable[[str], Database]) -> None:
        Lead.take(db, HERE)
        for holder in (HERE, THERE):
            Presence(holder).beat(db)

        leader = current_leader(db)

        assert [one.holder.host for one in standing_by(db, leader)] == ["etl2"]
        assert [one.holder.host for one in standing_by(db, None)] == ["etl1", "etl2"]

    def test_who_leaves_or_falls_silent_is_shown_no_more(self, db: Database) -> None:
        presence, other = Presence(HERE), Presence(THERE)
        presence.beat(db)
        other.beat(db)

        presence.leave(db)
        assert [one.holder.host for one in standing_by(db, None)] == ["etl2"]
        db.run("UPDATE daemon SET beat_at = beat_at - 16000000")
        assert standing_by(db, None) == []

    def test_beating_costs_nothing_until_it_is_time(self, db: Database) -> None:
        seconds = iter([0.0, 4.0, 6.0])
        presence = Presence(HERE, lambda: next(seconds))
        presence.beat(db)
        statements = db.statements

        presence.beat(db)
        assert db.statements == statements
        presence.beat(db)
        assert db.statements == statements + 1

    def test_a_station_was_last_heard_of_by_any_of_its_daemons(self, db: Database) -> None:
        Presence(HERE).beat(db)
        db.run("UPDATE daemon SET beat_at = beat_at - 30000000")
        Presence(HERE).beat(db)

        ages = stations.heard(db, ["here", "nowhere"])

        assert ages.keys() == {"here"}
        assert 0 <= ages["here"] < 30_000_000

    def test_rows_of_daemons_that_are_gone_do_not_gather(self, db: Database) -> None:
        for _ in range(3):
            Presence(HERE).beat(db)
            db.run("UPDATE daemon SET beat_at = beat_at - 61000000")
        Presence(THERE).beat(db)

        Presence(HERE).beat(db)

        assert sorted(db.fetch("SELECT station FROM daemon")) == [("here",), ("there",)]


def test_on_sqlite_nobody_stands_by(db: Database) -> None:
    if db.dialect == "sqlite":
        assert standing_by(db, None) == []
        assert stations.heard(db, ["here"]) == {}
    else:
        assert stations.heard(db, []) == {}
