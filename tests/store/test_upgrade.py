"""Every older database, with rows in every table, becomes one of today's and keeps them all."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config

from sensord.store import flows, runs, schema
from sensord.store.database import Database
from sensord.store.flows import NewFlow
from sensord.store.schema import Condition
from sensord.store.tables import METADATA
from tests.store.test_schema import shape

OLDER = [f"{number:04}" for number in range(1, int(schema.HEAD))]
SINGLE = ("leader", "engine")
"""Tables of one row, whose id is 1."""

Rows = dict[str, list[dict[str, Any]]]


def migrate_to(db: Database, revision: str) -> None:
    """As the sensord of that time left it."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    engine = schema.engine_of(db)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def tables_of(db: Database) -> sqlalchemy.MetaData:
    """The tables that are there, as the database itself tells of them."""
    found = sqlalchemy.MetaData()
    engine = schema.engine_of(db)
    found.reflect(engine)
    engine.dispose()
    return found


def value(column: sqlalchemy.Column[Any], number: int) -> Any:
    """Something that is told apart; NULL, in the second row, wherever that may be."""
    if column.nullable and number == 2:
        return None
    if isinstance(column.type, sqlalchemy.Text):
        return f"{column.name} {number} 'é'"
    if isinstance(column.type, sqlalchemy.LargeBinary):
        return f"{column.name} {number}".encode()
    # One leader alone; states and flags are small; the rest is larger than any 32 bits hold.
    if column.name == "id" or not isinstance(column.type, sqlalchemy.BigInteger):
        return number
    return number if column.primary_key else (1 << 50) + number


def fill(db: Database) -> Rows:
    """Two rows in each table, or the one that it may have. The leader's lease is long over."""
    written: Rows = {}
    for name, table in tables_of(db).tables.items():
        if name.startswith("alembic"):
            continue
        numbers = [1] if name in SINGLE else [1, 2]
        written[name] = [{column.name: value(column, number) for column in table.columns} for number in numbers]
        for row in written[name]:
            if name == "leader":
                row["expires_at"] = 1
            given = {key: one for key, one in row.items() if not _counts_by_itself(name, table.columns[key])}
            db.run(f"INSERT INTO {name} ({', '.join(given)}) VALUES ({', '.join(f':{key}' for key in given)})", **given)
    return written


def _counts_by_itself(table: str, column: sqlalchemy.Column[Any]) -> bool:
    return column.name == "id" and table not in SINGLE and not isinstance(column.type, sqlalchemy.Text)


def read(db: Database, rows: Rows) -> Rows:
    """The same columns of the same tables."""
    return {
        name: [
            dict(zip(first, row, strict=True)) for row in db.fetch(f"SELECT {', '.join(first)} FROM {name} ORDER BY 1")
        ]
        for name, (first, *_) in rows.items()
    }


@pytest.fixture(params=OLDER)
def old(request: pytest.FixtureRequest, empty_url: str, open_db: Callable[[str], Database]) -> Database:
    db = open_db(empty_url)
    migrate_to(db, request.param)
    assert schema.condition(db) is Condition.OLDER
    return db


def test_it_keeps_every_row(old: Database) -> None:
    written = fill(old)
    assert written.keys() >= {"flow", "definition", "run", "edge", "attempt", "outcome", "request", "leader"}
    assert read(old, written) == written

    schema.prepare(old)

    assert schema.condition(old) is Condition.CURRENT
    assert read(old, written) == written


def test_it_is_laid_out_as_a_new_one(old: Database, db: Database) -> None:
    fill(old)

    schema.upgrade(old)

    assert sorted(map(str, unordered(old))) == sorted(map(str, unordered(db)))
    assert tables_of(old).tables.keys() >= METADATA.tables.keys()


def unordered(db: Database) -> list[tuple[Any, ...]]:
    """The shape but for the places of columns, which come last where they were added."""
    return [row if len(row) < 4 or db.dialect == "sqlite" else (row[0], *row[2:]) for row in shape(db)]


def test_it_goes_on_from_there(old: Database) -> None:
    written = fill(old)
    schema.upgrade(old)

    with old.transaction() as tx:
        ids = flows.insert(tx, [NewFlow("new", 0, 1, 0)], 0)
        found = {row.name: row for row in flows.all_flows(tx)}
        (kept, _) = sorted(runs.by_id(tx, [1, 2]).values())

    assert ids == {"new": 3}
    assert found.keys() == {"new", *(row["name"] for row in written["flow"])}
    assert (kept.run_id, kept.state, kept.backfill_id) == (1, 1, written["run"][0].get("backfill_id"))


def test_who_was_failing_before_marks_came_is_marked(empty_url: str, open_db: Callable[[str], Database]) -> None:
    # given two flows whose newest run failed, one of which has no end noted; one that has succeeded since; one without
    db = open_db(empty_url)
    migrate_to(db, "0006")
    for name in ("failed", "failed early", "mended", "new"):
        db.run(
            "INSERT INTO flow (name, state, activated_at, planned_to, max_active, priority)"
            " VALUES (:name, 1, 0, 0, 1, 0)",
            name=name,
        )
    for flow, date, state, finished in ((1, 1, 6, 10), (1, 2, 7, 20), (2, 1, 7, None), (3, 1, 7, 10), (3, 2, 6, 20)):
        db.run(
            "INSERT INTO run (flow_id, logical_date, kind, state, priority, definition_id, created_at, finished_at)"
            " VALUES (:flow, :date, 0, :state, 0, 1, 5, :finished)",
            flow=flow,
            date=date,
            state=state,
            finished=finished,
        )

    # when
    schema.upgrade(db)

    # then
    marks = db.fetch("SELECT name, failed_at FROM flow ORDER BY id")
    assert marks == [("failed", 20), ("failed early", 5), ("mended", None), ("new", None)]
