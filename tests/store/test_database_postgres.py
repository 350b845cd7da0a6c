"""What is PostgreSQL's own: its session's settings, connections that break, errors that do not tell the password."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from sensord.errors import DatabaseError, Unreachable
from sensord.store import lead_row, postgres
from sensord.store.database import Database, Durability

NEW_FLOW = """
INSERT INTO flow (name, state, activated_at, planned_to, max_active, priority) VALUES (:name, 1, 0, 0, 1, 0)
"""


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def server(database_url: str) -> Iterator[psycopg.Connection]:
    """Another connection, to look at ours from outside."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def break_connection(server: psycopg.Connection, db: Database) -> None:
    pid = db.fetch("SELECT pg_backend_pid()")[0][0]
    server.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def setting(db: Database, name: str) -> str:
    return str(db.fetch("SELECT current_setting(:name)", name=name)[0][0])


def test_a_session_names_itself_and_does_not_idle_in_transactions(db: Database) -> None:
    assert setting(db, "application_name") == "sensord"
    assert setting(db, "idle_in_transaction_session_timeout") == "5s"


def test_what_the_url_says_goes_first(database_url: str, open_db: Callable[[str], Database]) -> None:
    db = open_db(f"{database_url}&application_name=other&options=-csearch_path%3Dpg_temp")

    assert setting(db, "application_name") == "other"
    assert setting(db, "search_path") == "pg_temp"


@pytest.mark.parametrize(("durability", "commit"), [("full", "on"), ("normal", "off")])
def test_durability_is_synchronous_commit(database_url: str, durability: Durability, commit: str) -> None:
    with Database.open(database_url, durability=durability) as db:
        assert setting(db, "synchronous_commit") == commit


def test_locks_are_taken(db: Database, server: psycopg.Connection) -> None:
    db.run(NEW_FLOW, name="a")

    with db.transaction() as tx:
        tx.fetch("SELECT id FROM flow LOCK(UPDATE)")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            server.execute("SELECT id FROM flow FOR UPDATE NOWAIT")


def test_hot_statements_are_prepared_once_whatever_the_size_of_their_numbers(db: Database) -> None:
    for number in (1, 2**20, 2**40, 2, 3):
        db.fetch("SELECT name FROM flow WHERE id = :id", id=number)

    prepared = db.fetch("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%FROM flow WHERE%'")
    assert prepared == [("SELECT name FROM flow WHERE id = $1",)]


def test_no_statement_is_compiled_for_what_it_has_to_scan(db: Database) -> None:
    with db.transaction() as tx:
        tx.run("SET LOCAL jit_above_cost = 0")
        plan = [line for (line,) in tx.fetch(f"EXPLAIN ANALYZE {lead_row.SEE}")]

    assert [line for line in plan if "JIT" in line] == []


def test_a_connection_that_broke_is_replaced(db: Database, server: psycopg.Connection) -> None:
    break_connection(server, db)

    with pytest.raises(Unreachable):
        db.fetch("SELECT 1")

    assert db.fetch("SELECT 1") == [(1,)]
    assert setting(db, "idle_in_transaction_session_timeout") == "5s"


def test_so_is_one_that_broke_where_a_transaction_begins(db: Database, server: psycopg.Connection) -> None:
    break_connection(server, db)
    with pytest.raises(Unreachable), db.transaction():
        pytest.fail("it must not begin")

    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")

    assert db.fetch("SELECT name FROM flow") == [("a",)]


def write_over_a_break(server: psycopg.Connection, db: Database) -> None:
    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        break_connection(server, db)
        with pytest.raises(Unreachable):
            tx.run(NEW_FLOW, name="b")
        tx.run(NEW_FLOW, name="c")


def test_a_transaction_never_goes_on_over_another_connection(db: Database, server: psycopg.Connection) -> None:
    with pytest.raises(Unreachable, match="within a transaction"):
        write_over_a_break(server, db)

    assert db.fetch("SELECT name FROM flow") == []


def write_and_break(server: psycopg.Connection, db: Database) -> None:
    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        break_connection(server, db)


def test_a_commit_that_cannot_be_sent_is_an_error(db: Database, server: psycopg.Connection) -> None:
    with pytest.raises(Unreachable):
        write_and_break(server, db)

    assert db.fetch("SELECT name FROM flow") == []


def write_after_a_nap(server: psycopg.Connection, db: Database) -> None:
    alive = f"SELECT 1 FROM pg_stat_activity WHERE pid = {db.fetch('SELECT pg_backend_pid()')[0][0]}".encode()
    db.run("SET idle_in_transaction_session_timeout = 1")
    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        while server.execute(alive).fetchall():
            continue
        tx.run(NEW_FLOW, name="b")


def test_a_transaction_that_dawdles_is_ended_by_the_server(db: Database, server: psycopg.Connection) -> None:
    with pytest.raises(Unreachable):
        write_after_a_nap(server, db)

    assert db.fetch("SELECT name FROM flow") == []
    assert setting(db, "idle_in_transaction_session_timeout") == "5s"


def test_a_database_that_was_closed_stays_closed(database_url: str) -> None:
    db = Database.open(database_url)
    db.close()

    with pytest.raises(RuntimeError, match="a closed one"):
        db.fetch("SELECT 1")


@pytest.fixture
def guarded(database_url: str) -> str:
    """The same database, by a URL with a password."""
    parts = urlsplit(database_url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"nobody:tell%20nobody@{place}"))


def test_no_error_tells_the_password(guarded: str) -> None:
    gone = urlunsplit(urlsplit(guarded)._replace(path="/no_such_database"))

    with pytest.raises(Unreachable) as caught:
        Database.open(gone)

    assert "nobody:***@" in str(caught.value)
    assert "tell" not in f"{caught.value} {caught.value.hint}"


def test_not_even_one_about_the_url_itself() -> None:
    with pytest.raises(DatabaseError, match="expected a database URL") as caught:
        Database.open("postgresql://me:secret%zz@host/db")

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "secret" not in str(caught.value)


def test_an_error_of_a_statement_is_one_line(db: Database) -> None:
    with pytest.raises(DatabaseError) as caught:
        db.fetch("SELECT nothing FROM flow")

    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, Unreachable)


def test_a_server_that_is_too_old_is_refused() -> None:
    with pytest.raises(DatabaseError, match="expected PostgreSQL 14 or newer, got 13"):
        postgres.require_version(130_011)
