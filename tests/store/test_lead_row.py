"""The lead on PostgreSQL: terms and leases, and daemons that fall silent in every way."""

from collections.abc import Callable, Iterator
from itertools import count

import psycopg
import pytest

from sensord.errors import DaemonRunning, DatabaseError, LeadLost, Unreachable
from sensord.store import bounds, lead_row
from sensord.store.bounds import Bounds
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead, current_leader
from sensord.store.lead_row import RowLead
from sensord.store.postgres import PostgresDatabase

FIRST = Holder("etl1", 4711, "0.1.0")
SECOND = Holder("etl2", 4712, "0.1.0")


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def other(db: Database, open_db: Callable[[str], Database]) -> Database:
    return open_db(db.url)


def expire(db: Database) -> None:
    """Two seconds have passed."""
    db.run("UPDATE leader SET expires_at = 0")


def backend(db: Database) -> tuple[int, int]:
    pid, started = db.fetch("SELECT backend_pid, backend_at FROM leader")[0]
    return pid, started


def terminate(db: Database, pid: int) -> None:
    db.fetch("SELECT pg_terminate_backend(CAST(:pid AS integer), 5000)", pid=pid)


def test_every_taker_raises_the_term(db: Database) -> None:
    terms = []
    for _ in range(3):
        lead = Lead.take(db, FIRST)
        terms.append(lead.term)
        lead.release()

    assert terms == [1, 2, 3]


def test_a_silent_daemon_is_followed_when_its_lease_is_over(db: Database, other: Database) -> None:
    Lead.take(db, FIRST)
    with pytest.raises(DaemonRunning):
        Lead.take(other, SECOND)

    expire(other)
    Lead.take(other, SECOND)

    leader = current_leader(other)
    assert leader is not None
    assert (leader.holder, leader.term) == (SECOND, 2)


def test_a_daemon_that_was_overtaken_decides_nothing_more(db: Database, other: Database) -> None:
    first = Lead.take(db, FIRST)
    expire(other)
    db.run(
        "UPDATE leader SET backend_pid = NULL, heart_pid = NULL"
    )  # the second one may not end the first one's connection
    Lead.take(other, SECOND)

    with pytest.raises(LeadLost, match="to lead in term 1, got overtaken"), db.transaction() as tx:
        first.guard(tx)
    first.renew_every = 0
    with pytest.raises(LeadLost):
        first.renew()

    assert lead_row.leader_in(postgres(db)) == current_leader(other)


def postgres(db: Database) -> PostgresDatabase:
    assert isinstance(db, PostgresDatabase)
    return db


def test_a_daemon_whose_connection_is_gone_is_followed_at_once(db: Database, other: Database) -> None:
    Lead.take(db, FIRST)
    pid, _ = backend(other)
    terminate(other, pid)

    second = Lead.take(other, SECOND)

    assert second.term == 2


def test_a_process_that_only_has_the_same_number_is_not_taken_for_it(db: Database, other: Database) -> None:
    Lead.take(db, FIRST)
    other.run("UPDATE leader SET backend_at = backend_at - 1")

    Lead.take(other, SECOND)

    assert db.fetch("SELECT 1") == [(1,)]


def test_a_daemon_frozen_in_a_transaction_holds_nobody_up(db: Database, other: Database) -> None:
    first = Lead.take(db, FIRST)
    expire(db)

    def freeze() -> None:
        with db.transaction() as tx:
            first.guard(tx)
            tx.run("INSERT INTO problem (file, position, message, seen_at) VALUES ('f', 1, 'm', 0)")
            Lead.take(other, SECOND)

    with pytest.raises(Unreachable):
        freeze()

    assert other.fetch("SELECT * FROM problem") == []
    with pytest.raises(LeadLost), db.transaction() as tx:
        first.guard(tx)


def test_nor_does_one_that_was_frozen_while_the_server_told_it_much(db: Database, other: Database) -> None:
    """No timeout of the server's comes then: it cannot get rid of its answer."""
    first = Lead.take(db, FIRST)
    expire(db)
    writing = "SELECT 1 FROM pg_stat_activity WHERE pid = CAST(:pid AS integer) AND wait_event = 'ClientWrite'"

    def freeze() -> None:
        with db.transaction() as tx:
            first.guard(tx)
            postgres(db).connection.pgconn.send_query(b"SELECT repeat('x', 1000) FROM generate_series(1, 100000)")
            while not other.fetch(writing, pid=postgres(db).backend_pid):
                continue
            assert Lead.take(other, SECOND).term == 2
            postgres(db).connection.close()

    with pytest.raises(Unreachable):
        freeze()


@pytest.fixture
def stranger(db: Database, open_db: Callable[[str], Database]) -> Iterator[Database]:
    """A daemon that connects as another role, which may not end our connections."""
    db.run("CREATE ROLE stranger LOGIN")
    db.run("GRANT SELECT, INSERT, UPDATE ON leader TO stranger")
    yield open_db(db.url.replace("postgres@", "stranger@"))
    db.run("REVOKE ALL ON leader FROM stranger")
    db.run("DROP ROLE stranger")


def test_no_one_takes_over_while_a_decision_is_under_way(
    db: Database, stranger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Lead.take(db, FIRST)
    expire(db)
    monkeypatch.setattr(bounds, "TAKER", Bounds(lock=50, idle=2_000))

    with db.transaction() as tx:
        first.guard(tx)
        with pytest.raises(DatabaseError, match="lock timeout"):
            Lead.take(stranger, SECOND)
        tx.run("INSERT INTO problem (file, position, message, seen_at) VALUES ('f', 1, 'm', 0)")

    assert Lead.take(stranger, SECOND).term == 2
    assert len(db.fetch("SELECT * FROM problem")) == 1


def overtake(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Something happens between a taker's look at the leader and its taking the lead."""
    look = lead_row.see

    def look_and_dawdle(db: PostgresDatabase) -> lead_row.Sight | None:
        seen = look(db)
        monkeypatch.undo()
        do()
        return seen

    monkeypatch.setattr(lead_row, "see", look_and_dawdle)


def test_of_two_that_take_at_once_one_is_refused(
    db: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lead.take(db, Holder("etl0", 1, "0.1.0")).release()
    overtake(monkeypatch, lambda: Lead.take(other, SECOND))

    with pytest.raises(DaemonRunning, match="process 4712 on etl2"):
        Lead.take(db, FIRST)


def test_a_leader_that_comes_back_to_life_in_time_goes_on(
    db: Database, monkeypatch: pytest.MonkeyPatch, stranger: Database
) -> None:
    first = Lead.take(db, FIRST)
    expire(db)
    first.renew_every = 0
    overtake(monkeypatch, first.renew)

    with pytest.raises(DaemonRunning, match="process 4711 on etl1"):
        Lead.take(stranger, SECOND)

    with db.transaction() as tx:
        first.guard(tx)


def test_so_is_one_of_two_that_are_the_first_ever(
    db: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtake(monkeypatch, lambda: Lead.take(other, SECOND))

    with pytest.raises(DaemonRunning, match="process 4712 on etl2"):
        Lead.take(db, FIRST)


def test_renewing_costs_nothing_until_it_is_time(db: Database) -> None:
    lease = "SELECT expires_at FROM leader"
    seconds = count()
    lead = RowLead(postgres(db), Lead.take(db, FIRST).term, seconds=lambda: next(seconds) / 10)
    (before,) = db.fetch(lease)
    statements = db.statements

    lead.renew()  # 0.1 s later
    lead.renew()
    assert db.statements == statements
    lead.renew()

    assert db.statements > statements
    assert db.fetch(lease)[0] > before


def test_a_leader_over_a_new_connection_still_leads(db: Database, other: Database) -> None:
    lead = Lead.take(db, FIRST)
    before = backend(other)
    terminate(other, before[0])
    lead.renew_every = 0
    with pytest.raises(Unreachable):
        lead.renew()

    lead.renew()

    assert backend(other) != before
    with pytest.raises(DaemonRunning, match="4711"):
        Lead.take(other, SECOND)


def test_a_lease_that_ran_out_while_nobody_wanted_it_can_be_renewed(db: Database) -> None:
    lead = Lead.take(db, FIRST)
    expire(db)
    assert current_leader(db) is None

    lead.renew_every = 0
    lead.renew()

    leader = current_leader(db)
    assert leader is not None
    assert leader.holder == FIRST


def test_letting_go_of_a_database_that_is_gone_is_no_error(
    db: Database, other: Database, caplog: pytest.LogCaptureFixture
) -> None:
    lead = Lead.take(db, FIRST)
    terminate(other, backend(other)[0])

    lead.release()

    assert "the lead ends by itself in a moment" in caplog.text


def test_there_is_only_ever_one_row(db: Database) -> None:
    Lead.take(db, FIRST)

    with pytest.raises(DatabaseError, match="leader_single_check"):
        db.run("INSERT INTO leader SELECT 2, host, pid, version, term, started_at, expires_at FROM leader")


def test_the_guard_keeps_takers_out_and_lets_the_lease_be_renewed(db: Database, other: Database) -> None:
    lead = Lead.take(db, FIRST)

    with db.transaction() as tx, psycopg.connect(db.url) as outside:
        lead.guard(tx)
        outside.execute("SELECT term FROM leader FOR NO KEY UPDATE NOWAIT")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            outside.execute("SELECT term FROM leader FOR UPDATE NOWAIT")


def paused(lead: Lead, seconds: float) -> None:
    """The process was stopped for so long."""
    assert isinstance(lead, RowLead)
    lead._renewed -= seconds


def test_what_was_decided_just_now_is_done_without_asking(db: Database) -> None:
    lead = Lead.take(db, FIRST)
    statements = db.statements

    lead.confirm()

    assert db.statements == statements


def test_after_a_pause_it_is_done_only_by_who_still_leads(db: Database, other: Database) -> None:
    lead = Lead.take(db, FIRST)
    paused(lead, 3)
    lead.confirm()

    expire(other)
    other.run("UPDATE leader SET backend_pid = NULL")
    Lead.take(other, SECOND)

    with pytest.raises(LeadLost, match="overtaken"):
        lead.confirm()
