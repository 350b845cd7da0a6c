"""The heart: the lease goes on while the leader is at work, and its loss is noticed without the leader's asking."""

import select
from collections.abc import Callable, Iterator

import pytest

from sensord.errors import DaemonRunning, LeadLost, Locked, Unreachable
from sensord.store import bounds
from sensord.store.bounds import Bounds
from sensord.store.database import Database
from sensord.store.heart import Heart
from sensord.store.hint import Hint
from sensord.store.lead import Holder, Lead
from sensord.store.lead_row import STAND_IN_LINE, RowLead
from sensord.store.postgres import PostgresDatabase

FIRST = Holder("etl1", 4711, "0.1.0", "one")
SECOND = Holder("etl2", 4712, "0.1.0", "two")
PATIENCE = 60


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def other(db: Database, open_db: Callable[[str], Database]) -> Database:
    return open_db(db.url)


@pytest.fixture
def heart(db: Database) -> Iterator[Heart]:
    made = Heart(db.url)
    yield made
    made.close()


@pytest.fixture
def lead(db: Database, heart: Heart, monkeypatch: pytest.MonkeyPatch) -> RowLead:
    """The first daemon's, with a heart that beats quickly."""
    monkeypatch.setattr("sensord.store.lead_row.RENEW_SECONDS", 0.01)
    taken = Lead.take(db, FIRST)
    assert isinstance(taken, RowLead)
    taken.live(heart)
    return taken


@pytest.fixture
def still(db: Database, heart: Heart, monkeypatch: pytest.MonkeyPatch) -> RowLead:
    """The first daemon's, whose heart beats once and then only when told to."""
    monkeypatch.setattr("sensord.store.lead_row.RENEW_SECONDS", 3600.0)
    taken = Lead.take(db, FIRST)
    assert isinstance(taken, RowLead)
    taken.live(heart)
    return taken


def lease(db: Database) -> int:
    return int(db.fetch("SELECT expires_at FROM leader")[0][0])


def await_beat(other: Database) -> None:
    """Until the lease has been renewed once more."""
    before = lease(other)
    while lease(other) == before:
        continue


def await_word(heart: Heart) -> None:
    """Until the heart has something to tell."""
    ready, _, _ = select.select([heart], [], [], PATIENCE)
    assert ready
    heart.drain()


def end_connection(db: Database, other: Database) -> None:
    assert isinstance(db, PostgresDatabase)
    other.fetch("SELECT pg_terminate_backend(CAST(:pid AS integer), 5000)", pid=db.backend_pid)


def test_the_lease_is_renewed_within_a_long_transaction(db: Database, other: Database, lead: RowLead) -> None:
    with db.transaction() as tx:
        lead.guard(tx)
        await_beat(other)
        await_beat(other)
        with pytest.raises(DaemonRunning, match="4711"):
            Lead.take(other, SECOND)
        lead.guard(tx)


def test_a_leader_that_was_overtaken_hears_of_it(other: Database, lead: RowLead, heart: Heart) -> None:
    lead.renew()
    other.run("UPDATE leader SET term = term + 1")

    await_word(heart)

    with pytest.raises(LeadLost, match="overtaken"):
        lead.renew()
    assert other.fetch("SELECT COUNT(*) FROM leader WHERE expires_at > 0 AND backend_pid IS NOT NULL") == [(1,)]


def test_it_beats_on_over_a_new_connection_and_tells(
    db: Database, other: Database, lead: RowLead, heart: Heart
) -> None:
    await_beat(other)

    end = "SELECT pg_terminate_backend(heart_pid, 5000) FROM leader"
    assert other.fetch(end) == [(1,)]

    await_word(heart)
    await_beat(other)
    lead.renew()


def test_nothing_is_decided_over_a_connection_that_nobody_could_end(
    db: Database, other: Database, still: RowLead
) -> None:
    end_connection(db, other)
    with pytest.raises(Unreachable), db.transaction():
        pass

    with db.transaction() as tx:
        still.guard(tx)
        registered = other.fetch("SELECT backend_pid FROM leader")
        assert registered == tx.fetch("SELECT pg_backend_pid()")


def test_both_of_its_connections_are_ended_by_a_taker(db: Database, other: Database, still: RowLead) -> None:
    alive = "SELECT COUNT(*) FROM pg_stat_activity a, leader l WHERE a.pid IN (l.backend_pid, l.heart_pid)"
    assert other.fetch(alive) == [(2,)]
    pids = other.fetch("SELECT backend_pid, heart_pid FROM leader")[0]

    other.run("UPDATE leader SET expires_at = 0")
    Lead.take(other, SECOND)

    assert (
        other.fetch("SELECT pid FROM pg_stat_activity a JOIN ROWS(:pids, p) x ON a.pid = x.p", pids=[*zip(pids)]) == []
    )


def test_one_connection_that_is_left_is_a_sign_of_life(db: Database, other: Database, still: RowLead) -> None:
    end_connection(db, other)

    with pytest.raises(DaemonRunning):
        Lead.take(other, SECOND)


def test_a_lead_that_was_let_go_stays_so(other: Database, lead: RowLead) -> None:
    lead.release()

    second = Lead.take(other, SECOND)

    assert second.term == lead.term + 1


def test_the_hint_comes_when_the_leader_goes(db: Database, other: Database, lead: RowLead) -> None:
    hint = Hint(db.url)
    hint.wait()
    assert not hint.take()

    lead.release()

    ready, _, _ = select.select([hint], [], [], PATIENCE)
    assert ready
    assert hint.take()
    assert not hint.take()
    hint.close()


def test_a_connection_that_breaks_is_a_hint_too(db: Database, other: Database, lead: RowLead) -> None:
    hint = Hint(db.url)
    hint.wait()
    waiting = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not other.fetch(waiting):
        continue

    ready, _, _ = select.select([hint], [], [], PATIENCE)

    assert ready
    assert hint.take()
    hint.close()


def test_without_a_database_there_is_no_hint() -> None:
    hint = Hint("postgresql://nobody@/nothing?host=/nowhere")
    hint.wait()
    assert not hint.take()
    hint.close()


def test_a_taker_that_stands_still_does_not_hold_it_up_for_long(
    db: Database, other: Database, still: RowLead, heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes the lead has the leader's row. Then nobody can decide either."""
    monkeypatch.setattr(bounds, "ANYBODY", Bounds(lock=50, idle=5_000))
    heart.close()
    hasty = Heart(db.url)
    with other.transaction() as tx:
        tx.fetch(STAND_IN_LINE)
        with pytest.raises(Locked):
            still.live(hasty)

    still.live(hasty)
    hasty.close()
