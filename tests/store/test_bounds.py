"""What a session waits for others, and how long it may stand still itself: by what it is at the moment."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sensord.errors import DaemonRunning, LeadLost, Locked, Unreachable
from sensord.store import bounds, lead_row
from sensord.store.bounds import Bounds
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead
from sensord.store.lead_row import RowLead
from sensord.store.postgres import PostgresDatabase

FIRST = Holder("etl1", 4711, "0.1.0", "one")
SECOND = Holder("etl2", 4712, "0.1.0", "two")

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

SETTINGS = """
SELECT MAX(CASE name WHEN 'lock_timeout' THEN CAST(setting AS integer) END), MAX(CAST(setting AS integer))
FROM pg_settings WHERE name IN ('lock_timeout', 'idle_in_transaction_session_timeout')
"""


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def other(db: Database, open_db: Callable[[str], Database]) -> Database:
    return open_db(db.url)


@pytest.fixture
def stranger(db: Database) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A session in a transaction, of somebody who does nothing any more."""
    with psycopg.connect(db.url) as connection:
        yield connection


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody waits for a moment only."""
    for name in ("ANYBODY", "TAKER", "LEADER"):
        monkeypatch.setattr(bounds, name, Bounds(lock=50, idle=getattr(bounds, name).idle))


def bounds_of(db: Database) -> Bounds:
    return Bounds(*db.fetch(SETTINGS)[0])


def postgres(db: Database) -> PostgresDatabase:
    assert isinstance(db, PostgresDatabase)
    return db


def break_connection(db: Database, other: Database) -> None:
    other.fetch("SELECT pg_terminate_backend(CAST(:pid AS integer), 5000)", pid=postgres(db).backend_pid)
    with pytest.raises(Unreachable):
        db.fetch("SELECT 1")


def test_whoever_does_not_lead_gives_way_before_the_leader_gives_up() -> None:
    for one in (bounds.ANYBODY, bounds.TAKER, bounds.UPGRADE):
        assert one.idle < bounds.LEADER.lock
    assert bounds.TAKER.idle * 1000 <= lead_row.LEASE


@pytest.mark.parametrize(
    ("who", "one"),
    [
        ("the leader", bounds.LEADER),
        ("stand-bys, workers, the command line, the thread that renews the lease", bounds.ANYBODY),
        ("a daemon as it takes the lead", bounds.TAKER),
        ("an upgrade of the schema", bounds.UPGRADE),
    ],
)
def test_they_are_as_documented(who: str, one: Bounds) -> None:
    assert f"| {who} | {one.lock // 1000} s | {one.idle // 1000} s |" in OPERATIONS.read_text()


def test_the_leader_is_given_more_time_for_as_long_as_it_leads(db: Database) -> None:
    assert bounds_of(db) == bounds.ANYBODY

    lead = Lead.take(db, FIRST)
    assert bounds_of(db) == bounds.LEADER

    lead.release()
    assert bounds_of(db) == bounds.ANYBODY


def test_also_over_another_connection(db: Database, other: Database) -> None:
    lead = Lead.take(db, FIRST)
    break_connection(db, other)
    assert bounds_of(db) == bounds.LEADER

    lead.release()
    break_connection(db, other)
    assert bounds_of(db) == bounds.ANYBODY


def test_who_is_refused_the_lead_has_no_more_time(db: Database, other: Database) -> None:
    Lead.take(db, FIRST)

    with pytest.raises(DaemonRunning):
        Lead.take(other, SECOND)

    assert bounds_of(other) == bounds.ANYBODY


def test_nor_has_who_was_overtaken(db: Database, other: Database) -> None:
    lead = Lead.take(db, FIRST)
    other.run("UPDATE leader SET expires_at = 0, backend_pid = NULL")
    Lead.take(other, SECOND)
    with pytest.raises(LeadLost), db.transaction() as tx:
        lead.guard(tx)

    lead.release()

    assert bounds_of(db) == bounds.ANYBODY


def test_what_somebody_keeps_locked_is_an_error_that_says_so(
    hurried: None, db: Database, open_db: Callable[[str], Database], stranger: psycopg.Connection
) -> None:
    db.run("INSERT INTO problem (file, position, message, seen_at) VALUES ('f', 1, 'm', 0)")
    stranger.execute("SELECT * FROM problem FOR UPDATE")
    hasty = open_db(db.url)

    with pytest.raises(Locked, match="lock timeout") as caught:
        hasty.run("DELETE FROM problem")

    assert caught.value.hint is not None
    assert "pg_stat_activity" in caught.value.hint
    stranger.rollback()
    assert hasty.run("DELETE FROM problem") == 1


def test_a_candidate_that_finds_the_row_locked_is_told_so_and_leads_later(
    hurried: None, db: Database, stranger: psycopg.Connection
) -> None:
    Lead.take(db, FIRST).release()
    stranger.execute("SELECT * FROM leader FOR UPDATE")

    with pytest.raises(Locked):
        Lead.take(db, SECOND)
    stranger.rollback()

    assert Lead.take(db, SECOND).term == 2


def test_a_lead_that_cannot_be_let_go_ends_by_itself(
    hurried: None, db: Database, stranger: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    lead = Lead.take(db, FIRST)
    stranger.execute("SELECT * FROM leader FOR UPDATE")

    lead.release()

    assert "the lead ends by itself in a moment" in caplog.text


def test_a_taker_that_stands_still_is_ended_by_the_server(
    db: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the leader's row, and is stopped before it says who leads."""
    monkeypatch.setattr(bounds, "TAKER", Bounds(lock=1_000, idle=50))
    Lead.take(db, FIRST).release()
    take = lead_row._take

    def stopped(*given):  # type: ignore[no-untyped-def]  # as `_take` has it
        pid = postgres(other).backend_pid
        while db.fetch("SELECT 1 FROM pg_stat_activity WHERE pid = CAST(:pid AS integer)", pid=pid):
            continue
        return take(*given)

    monkeypatch.setattr(lead_row, "_take", stopped)
    with pytest.raises(Unreachable):
        Lead.take(other, SECOND)

    monkeypatch.setattr(lead_row, "_take", take)
    assert Lead.take(db, FIRST).term == 2


def before_taking(db: Database, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Something happens between a taker's ending the old leader's sessions and its own transaction."""
    transaction = db.transaction

    def dawdle():  # type: ignore[no-untyped-def]  # as `transaction` has it
        monkeypatch.undo()
        do()
        return transaction()

    monkeypatch.setattr(db, "transaction", dawdle)


def silent_leader(db: Database) -> RowLead:
    lead = Lead.take(db, FIRST)
    assert isinstance(lead, RowLead)
    db.run("UPDATE leader SET expires_at = 0")
    return lead


def test_a_taker_stopped_before_its_transaction_keeps_nobody_from_leading(
    db: Database, other: Database, open_db: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    silent_leader(db)
    third = open_db(db.url)
    before_taking(other, monkeypatch, lambda: Lead.take(third, Holder("etl3", 4713, "0.1.0", "three")))

    with pytest.raises(DaemonRunning, match="process 4713 on etl3"):
        Lead.take(other, SECOND)

    assert bounds_of(other) == bounds.ANYBODY


def test_nor_the_old_leader_whose_sessions_it_has_ended(
    db: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = silent_leader(db)
    lead.renew_every = 0

    def go_on() -> None:
        with pytest.raises(Unreachable):
            lead.renew()
        lead.renew()

    before_taking(other, monkeypatch, go_on)

    with pytest.raises(DaemonRunning, match="process 4711 on etl1"):
        Lead.take(other, SECOND)
    with db.transaction() as tx:
        lead.guard(tx)
