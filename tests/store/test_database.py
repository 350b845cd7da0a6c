"""What a connection promises, on both databases: all or nothing, the same types, errors that a person can read."""

import contextlib
from collections.abc import Callable

import pytest

from sensord.errors import DatabaseError
from sensord.store.database import Database, redact

NEW_FLOW = """
INSERT INTO flow (name, state, activated_at, planned_to, max_active, priority) VALUES (:name, 1, 0, 0, 1, 0)
"""


def names(db: Database) -> list[str]:
    return [name for (name,) in db.fetch("SELECT name FROM flow ORDER BY name")]


def test_a_transaction_commits_at_its_end(db: Database, open_db: Callable[[str], Database]) -> None:
    other = open_db(db.url)

    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        assert names(other) == []

    assert names(other) == ["a"]


def test_two_statements_at_once_both_happen_and_the_second_tells(db: Database) -> None:
    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        tx.run("INSERT INTO pool (name, slots) VALUES ('a', 1), ('b', 1)")
        told = tx.fetch_both(
            "UPDATE pool SET slots = :number WHERE name = :name",
            "UPDATE flow SET priority = :number WHERE name = :name RETURNING name, priority",
            name="a",
            number=7,
        )

    assert told == [("a", 7)]
    assert db.fetch("SELECT name, slots FROM pool ORDER BY name") == [("a", 7), ("b", 1)]


def test_of_two_statements_at_once_none_happens_where_one_fails(db: Database) -> None:
    def write() -> None:
        with db.transaction() as tx:
            tx.run(NEW_FLOW, name="a")
            tx.fetch_both(
                "INSERT INTO pool (name, slots) VALUES (:name, 1)",
                "INSERT INTO flow (name, state, activated_at, planned_to, max_active, priority) "
                "VALUES (:name, 1, 0, 0, 1, 0) RETURNING id",
                name="a",
            )

    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        write()

    assert names(db) == []
    assert db.fetch("SELECT name FROM pool") == []


def write_and_fail(db: Database) -> None:
    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        raise LookupError


def test_an_exception_takes_everything_back(db: Database) -> None:
    with pytest.raises(LookupError):
        write_and_fail(db)

    assert names(db) == []


def write_twice(db: Database) -> None:
    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        tx.run(NEW_FLOW, name="a")


def test_an_error_of_the_database_too_and_the_next_transaction_works(db: Database) -> None:
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        write_twice(db)

    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="b")

    assert names(db) == ["b"]


def write_in_spite_of_an_error(db: Database) -> None:
    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        with contextlib.suppress(DatabaseError):
            tx.run(NEW_FLOW, name="a")


def test_an_error_that_was_caught_does_not_commit_the_rest(db: Database) -> None:
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        write_in_spite_of_an_error(db)

    assert names(db) == []


def test_transactions_are_not_reentrant(db: Database) -> None:
    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        with pytest.raises(RuntimeError, match="one within another"), db.transaction():
            pytest.fail("the inner one must not begin")

    assert names(db) == ["a"]


def test_a_transaction_that_is_over_cannot_be_used(db: Database) -> None:
    with db.transaction() as tx:
        pass

    with pytest.raises(RuntimeError, match="one that is over"):
        tx.run(NEW_FLOW, name="a")
    with pytest.raises(RuntimeError, match="one that is over"):
        tx.fetch("SELECT 1")


def test_run_tells_how_many_rows_it_changed(db: Database) -> None:
    rows = [("a",), ("b",), ("c",)]
    insert = """
    INSERT INTO flow (name, state, activated_at, planned_to, max_active, priority)
    SELECT x.name, 1, 0, 0, 1, 0 FROM ROWS(:rows, name text) x WHERE true ON CONFLICT (name) DO NOTHING
    """

    assert db.run(insert, rows=rows) == 3
    assert db.run(insert, rows=[*rows, ("d",)]) == 1
    assert db.run("UPDATE flow SET state = 2 WHERE name >= :least", least="c") == 2
    assert db.run("WITH x AS (SELECT 'a' AS name) UPDATE flow SET state = 2 FROM x WHERE flow.name = x.name") == 1
    assert db.run("DELETE FROM flow WHERE name = 'nobody'") == 0
    assert db.run("DELETE FROM flow") == 4


def test_sums_counts_and_comparisons_are_plain_integers(db: Database) -> None:
    rows = [(2**40, 1), (2**40, 2)]

    sql = "SELECT SUM(a), COUNT(*), MAX(b), MIN(a) = MAX(a), AVG(b) FROM ROWS(:rows, a, b) x"
    got = db.fetch(sql, rows=rows)[0]

    assert got == (2**41, 2, 2, 1, 1.5)
    assert [type(value) for value in got] == [int, int, int, int, float]


def test_a_bit_of_a_mask_is_asked_for_in_the_same_way(db: Database) -> None:
    sql = "SELECT x.state FROM ROWS(:rows, mask, state) x WHERE (x.mask & (1 << CAST(x.state AS integer))) <> 0"

    assert db.fetch(sql, rows=[(0b100, 2), (0b100, 1)]) == [(2,)]


def test_update_from_a_set_returns_what_it_changed(db: Database) -> None:
    for name in ("a", "b"):
        db.run(NEW_FLOW, name=name)

    changed = db.fetch(
        "UPDATE flow SET planned_to = x.reached FROM ROWS(:rows, flow_id, reached) x"
        " WHERE flow.id = x.flow_id AND flow.planned_to < x.reached RETURNING id, planned_to",
        rows=[(1, 5), (2, -1), (3, 9)],
    )

    assert changed == [(1, 5)]


def test_ids_count_from_one(db: Database) -> None:
    ids = [db.fetch(f"{NEW_FLOW} RETURNING id", name=name)[0][0] for name in ("a", "b")]

    assert ids == [1, 2]


def test_every_statement_is_counted(db: Database) -> None:
    before = db.statements

    with db.transaction() as tx:
        tx.run(NEW_FLOW, name="a")
        tx.fetch("SELECT 1")
    db.fetch("SELECT 1")

    assert db.statements - before == 5


def test_a_statement_that_many_calls_share_is_prepared_without_change(db: Database) -> None:
    answers = [
        db.fetch("SELECT a + :n, t FROM ROWS(:rows, a, t text) x", n=n, rows=[(1, None), (2, "t")]) for n in range(9)
    ]

    assert answers == [[(1 + n, None), (2 + n, "t")] for n in range(9)]


def test_a_table_that_is_not_there_is_an_error_with_a_hint(db: Database) -> None:
    with pytest.raises(DatabaseError, match="nowhere") as caught:
        db.fetch("SELECT 1 FROM nowhere")

    assert caught.value.hint == "sensord db upgrade"


def test_a_closed_database_can_be_closed_again(database_url: str) -> None:
    with Database.open(database_url) as db:
        db.close()


def test_a_reader_reads_and_cannot_write(db: Database) -> None:
    db.run(NEW_FLOW, name="a")

    with Database.open(db.url, readonly=True) as reader:
        assert names(reader) == ["a"]
        with pytest.raises(DatabaseError, match=r"read-?only"):
            reader.run(NEW_FLOW, name="b")


@pytest.mark.parametrize("url", ["", "sensord.db", "mysql://host/db", "sqlite:state.db", "sqlite://relative"])
def test_a_url_of_another_kind_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(DatabaseError, match="expected a database URL") as caught:
        Database.open(url)

    assert "postgresql://" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:p@ss/w:rd@host/db", "postgresql://me:***@host/db"),
        ("postgresql://host/db?user=me&password=secret&x=1", "postgresql://host/db?user=me&password=***&x=1"),
        ("postgresql://host/db?sslpassword=secret", "postgresql://host/db?sslpassword=***"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("sqlite:///var/lib/sensord.db", "sqlite:///var/lib/sensord.db"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert redact(url) == shown
