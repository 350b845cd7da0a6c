"""Shared SQL, as each database gets to read it, and its sets of rows, which must arrive as they were sent."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensord.core.run import Reason, State
from sensord.store import postgres, sqlite
from sensord.store.database import Database
from sensord.store.sql import clean, parse

ROUND_TRIP = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # nothing is written
INTEGERS = st.none() | st.integers(-(2**63), 2**63 - 1)
TEXTS = st.none() | st.text(st.characters(), max_size=20)


def both(sql: str) -> tuple[str, str]:
    return sqlite.translate(sql).text, postgres.translate(sql).text


def test_a_parameter_keeps_its_name_on_sqlite_and_gets_one_number_on_postgresql() -> None:
    sql = "SELECT :a, :b, :a"

    assert both(sql) == ("SELECT :a, :b, :a", "SELECT $1, $2, $1")


def test_a_set_becomes_a_table_with_one_array_a_column() -> None:
    sql = "SELECT x.flow FROM ROWS(:x, flow, note text) x WHERE x.flow > :least"

    on_sqlite, on_postgres = both(sql)

    table = "(SELECT value ->> 0 AS flow, value ->> 1 AS note FROM json_each(:x))"
    assert on_sqlite == f"SELECT x.flow FROM {table} x WHERE x.flow > :least"
    table = "(SELECT * FROM unnest($1::bigint[], $2::text[]) AS _(flow, note))"
    assert on_postgres == f"SELECT x.flow FROM {table} x WHERE x.flow > $3"


def test_what_only_one_of_them_has_is_left_out_or_renamed_on_the_other() -> None:
    sql = "SELECT GREATEST(a, LEAST(b, 2)) FROM t LOCK(UPDATE OF t SKIP LOCKED)"

    on_sqlite, on_postgres = both(sql)

    assert on_sqlite == "SELECT MAX(a, MIN(b, 2)) FROM t "
    assert on_postgres == "SELECT GREATEST(a, LEAST(b, 2)) FROM t FOR UPDATE OF t SKIP LOCKED"


@pytest.mark.parametrize(
    "verbatim",
    [
        "'12:30:00 :no ROWS(:no, a)'",
        "'it''s :no'",
        '":no"',
        "-- who? :no 'unfinished\n1",
        "/* :no :: ? */ 1",
        "7 % 4",
        "'100%s %(no)s %'",
    ],
)
def test_literals_names_and_comments_go_through_untouched(verbatim: str) -> None:
    sql = f"SELECT {verbatim}"

    assert both(sql) == (sql, sql)
    assert sqlite.translate(sql).names == frozenset()


@pytest.mark.parametrize("sql", ["SELECT a::int", "SELECT ?", "SELECT $1", "SELECT * FROM ROWS(:x, A-B) x"])
def test_what_would_not_mean_the_same_on_both_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse(sql)


def test_one_set_cannot_have_two_shapes() -> None:
    with pytest.raises(ValueError, match="same types"):
        parse("SELECT 1 FROM ROWS(:x, a) x, ROWS(:x, b text) y")


def test_percent_and_colon_mean_themselves_in_both_databases(db: Database) -> None:
    assert db.fetch("SELECT 7 % 4, 'a%s:b', :c", c="%s :d") == [(3, "a%s:b", "%s :d")]


@pytest.mark.parametrize("count", [0, 1, 10, 1000])
def test_a_set_of_any_size_arrives_whole(db: Database, count: int) -> None:
    rows = [(number, f"text {number}") for number in range(count)]

    assert db.fetch("SELECT a, b FROM ROWS(:rows, a, b text) x ORDER BY a", rows=rows) == rows


@ROUND_TRIP
@given(rows=st.lists(st.tuples(INTEGERS, TEXTS, INTEGERS), max_size=5))
def test_numbers_and_texts_come_back_as_they_were_sent(db: Database, rows: list[tuple[int, str, int]]) -> None:
    expected = [(a, b and clean(b), c) for a, b, c in rows]

    got = db.fetch("SELECT a, b, c FROM ROWS(:rows, a, b text, c) x", rows=rows)

    assert sorted(got, key=repr) == sorted(expected, key=repr)


@ROUND_TRIP
@given(rows=st.lists(st.tuples(INTEGERS), max_size=5), texts=st.lists(st.tuples(TEXTS), max_size=5))
def test_so_do_sets_of_a_single_column(
    db: Database, rows: list[tuple[int | None]], texts: list[tuple[str | None]]
) -> None:
    numbers = db.fetch("SELECT id FROM ROWS(:ids, id) x", ids=rows)
    words = db.fetch("SELECT word FROM ROWS(:words, word text) x", words=texts)

    assert sorted(numbers, key=repr) == sorted(rows, key=repr)
    assert sorted(words, key=repr) == sorted([(text and clean(text),) for (text,) in texts], key=repr)


@ROUND_TRIP
@given(number=st.integers(-(2**63), 2**63 - 1), text=TEXTS)
def test_so_do_plain_parameters(db: Database, number: int, text: str | None) -> None:
    rows = db.fetch("SELECT :number, CAST(:text AS text)", number=number, text=text)

    assert rows == [(number, text and clean(text))]


def test_enums_and_truth_go_in_as_what_they_stand_for(db: Database) -> None:
    rows = [(State.FAILED, Reason.LOST, True)]

    assert db.fetch("SELECT a, b, c FROM ROWS(:x, a, b text, c) x", x=rows) == [(7, "lost", 1)]
    assert db.fetch("SELECT :a, :b, :c", a=State.FAILED, b=Reason.LOST, c=True) == [(7, "lost", 1)]


def test_text_that_no_database_takes_is_mended() -> None:
    assert clean("nul \0, half a pair \ud800, ä") == "nul \ufffd, half a pair ?, ä"


@pytest.mark.parametrize("values", [{}, {"a": 1, "b": 2}, {"b": 1}])
def test_a_forgotten_or_superfluous_parameter_is_an_error_at_once(db: Database, values: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"expected the parameters \['a'\]"):
        db.fetch("SELECT :a", **values)


@pytest.mark.parametrize("rows", [[(1,)], [(1, 2), (1, 2, 3)], "no rows", None])
def test_so_are_rows_of_another_width_and_what_is_no_row(db: Database, rows: list[tuple[int, ...]]) -> None:
    with pytest.raises(TypeError, match="expected"):
        db.fetch("SELECT a, b FROM ROWS(:rows, a, b) x", rows=rows)
