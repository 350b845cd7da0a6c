"""The schema: what the migrations make is what the tables say, and no database is touched that is not ours to touch."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from sensord.errors import DaemonRunning, DatabaseError
from sensord.store import schema
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead
from sensord.store.schema import Condition
from sensord.store.tables import METADATA

THIS = schema.HEAD
NEXT = f"{int(THIS) + 1:04}"

SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{next}", "{this}", None, None


def upgrade() -> None:
    op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("{statement}")
"""


@pytest.fixture
def empty(empty_url: str, open_db: Callable[[str], Database]) -> Database:
    return open_db(empty_url)


@pytest.fixture
def own(empty: Database) -> Database:
    """A database with all tables for this test alone, whose schema it may change."""
    schema.upgrade(empty)
    return empty


@pytest.fixture
def engine(db: Database) -> Iterator[sqlalchemy.Engine]:
    engine = schema.engine_of(db)
    yield engine
    engine.dispose()


def shape(db: Database) -> list[tuple[Any, ...]]:
    """Everything that the database itself says of its tables, indexes and constraints, as text."""
    if db.dialect == "sqlite":
        columns = db.fetch(
            "SELECT t.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk, t.wr, t.sql LIKE '%AUTOINCREMENT%'"
            " FROM (SELECT l.name, l.wr, m.sql FROM pragma_table_list l JOIN sqlite_master m ON m.name = l.name) t,"
            " pragma_table_info(t.name) c WHERE t.name NOT LIKE 'alembic%' ORDER BY t.name, c.cid"
        )
        indexes = db.fetch("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name NOT LIKE 'alembic%'")
        return [*columns, *sorted((name, sql and " ".join(sql.split())) for name, sql in indexes)]
    columns = db.fetch(
        "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default, is_identity"
        " FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
        " AND table_name NOT LIKE 'procrastinate%' ORDER BY 1, 2"
    )
    indexes = db.fetch(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        " AND tablename NOT LIKE 'procrastinate%'"
    )
    constraints = db.fetch(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = to_regnamespace('public') AND conname NOT LIKE 'alembic%'"
        " AND CAST(CAST(conrelid AS regclass) AS text) NOT LIKE 'procrastinate%' ORDER BY 1"
    )
    options = db.fetch("SELECT relname, CAST(reloptions AS text) FROM pg_class WHERE reloptions IS NOT NULL ORDER BY 1")
    return [*columns, *sorted(indexes), *constraints, *options]


def at_revision(db: Database, revision: str) -> None:
    db.run("UPDATE alembic_version SET version_num = :revision", revision=revision)


def test_the_migrations_make_what_the_tables_say(empty: Database, db: Database) -> None:
    engine = schema.engine_of(empty)
    with engine.begin() as connection:
        METADATA.create_all(connection)
    engine.dispose()

    assert shape(db) == shape(empty)
    assert len(shape(db)) > len(METADATA.tables)


def test_alembic_sees_no_difference_either(engine: sqlalchemy.Engine, dialect: str) -> None:
    defaults = dialect == "postgresql"  # SQLite's row ids are no identity columns, and alembic minds

    with engine.connect() as connection:
        options = {
            "compare_type": True,
            "compare_server_default": defaults,
            "include_name": lambda name, kind, _: kind != "table" or not str(name).startswith("procrastinate"),
        }
        found = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    assert found == []


def test_the_hot_tables_are_laid_out_as_measured(db: Database) -> None:
    text = "\n".join(str(row) for row in shape(db))

    assert "run_unfinished" in text
    assert "edge_run" in text
    assert text.count(" WHERE ") == 5  # run_unfinished, run_backfill, request_open, flow_failed, flow_stopped: partial
    if db.dialect == "sqlite":
        columns = [row for row in shape(db) if len(row) > 2]
        assert {row[0] for row in columns if row[6]} == {"edge", "gate"}  # without row ids
        # Rows of these may be pruned, but numbers are never given twice.
        assert {row[0] for row in columns if row[7]} == {"definition", "request", "backfill"}
    else:
        assert "('run', '{fillfactor=50}')" in text


def test_every_name_can_be_written_without_quotes(db: Database) -> None:
    for table in METADATA.sorted_tables:
        names = [column.name for column in table.columns]
        listed = ", ".join(f"{table.name}.{name}, t.{name}, x.{name} AS {name}" for name in names)
        others = f"(SELECT {', '.join(f'1 AS {name}' for name in names)}) t, ROWS(:x, {', '.join(names)}) x"

        assert db.fetch(f"SELECT {listed} FROM {table.name}, {others} LIMIT 0", x=[(1,) * len(names)]) == []
        assert db.fetch(f"SELECT {', '.join(names)} FROM {table.name} ORDER BY {', '.join(names)} LIMIT 0") == []


def test_the_newest_revision_is_known_without_asking_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)

    numbers = [script.revision for script in scripts.walk_revisions()]

    assert scripts.get_current_head() == schema.HEAD
    assert numbers == [f"{number:04}" for number in range(len(numbers), 0, -1)]


def test_an_empty_database_is_filled_once(empty: Database) -> None:
    assert (schema.revision(empty), schema.condition(empty)) == (None, Condition.EMPTY)

    assert schema.upgrade(empty)

    assert (schema.revision(empty), schema.condition(empty)) == (schema.HEAD, Condition.CURRENT)
    assert not schema.upgrade(empty)
    schema.require_current(empty)


def test_a_daemon_fills_an_empty_database_even_where_it_may_not_upgrade(empty: Database) -> None:
    schema.prepare(empty, migrate=False)

    assert schema.condition(empty) is Condition.CURRENT


def test_a_read_of_an_empty_database_says_what_to_do(empty: Database) -> None:
    with pytest.raises(DatabaseError, match="is empty") as caught:
        schema.require_current(empty)

    assert caught.value.hint == "sensord daemon start, or sensord db upgrade"


def test_a_newer_database_is_left_alone(own: Database) -> None:
    at_revision(own, "0099")

    for use in (schema.require_current, schema.prepare, schema.upgrade):
        with pytest.raises(DatabaseError, match=rf"at revision 0099, newer than this sensord \S+ knows \({THIS}\)"):
            use(own)


def test_a_database_of_another_program_is_left_alone(empty: Database) -> None:
    empty.run("CREATE TABLE dag_run (id INTEGER)")

    for use in (schema.require_current, schema.prepare, schema.upgrade):
        with pytest.raises(DatabaseError, match="got one with tables dag_run") as caught:
            use(empty)

    assert "of its own" in str(caught.value.hint)


def test_so_is_one_that_another_programs_alembic_looks_after(own: Database) -> None:
    at_revision(own, "5f2621c13b39")

    with pytest.raises(DatabaseError, match="got one with revision 5f2621c13b39"):
        schema.prepare(own)


def test_procrastinates_tables_may_be_there_first(empty: Database) -> None:
    empty.run("CREATE TABLE procrastinate_jobs (id INTEGER)")

    assert schema.upgrade(empty)
    assert not schema.upgrade(empty)


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A later sensord, whose newest migration makes a table and then runs a statement."""

    def install(statement: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(schema.MIGRATIONS, folder)
        (folder / "versions" / f"{NEXT}_extra.py").write_text(SECOND.format(next=NEXT, this=THIS, statement=statement))
        monkeypatch.setattr(schema, "MIGRATIONS", folder)
        monkeypatch.setattr(schema, "HEAD", NEXT)

    return install


INSERT_FLOW = "INSERT INTO flow (name, state, activated_at, planned_to, max_active, priority) VALUES ('a',1,0,0,1,0)"


def test_an_older_database_is_upgraded_and_keeps_its_rows(own: Database, next_version: Callable[[str], None]) -> None:
    own.run(INSERT_FLOW)
    next_version("UPDATE flow SET priority = 7")
    assert schema.condition(own) is Condition.OLDER

    schema.prepare(own)

    assert schema.revision(own) == NEXT
    assert own.fetch("SELECT name, priority FROM flow") == [("a", 7)]


def test_gates_that_were_shut_before_deadlines_came_stay_shut(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda config, _: upgrade(config, "0001"))
        patch.setattr("sensord.store.engine.upgrade", lambda _: None)
        schema.upgrade(empty)
    columns = "run_id, sensor, need, counted, mapped, problem"
    empty.run(f"INSERT INTO gate ({columns}) VALUES (1, 0, 0, 0, 0, 'none'), (1, 1, 2, 1, 3, NULL)")

    schema.upgrade(empty)

    assert empty.fetch("SELECT sensor, need, counted, timed_out FROM gate ORDER BY sensor") == [
        (0, 1, 0, 0),
        (1, 2, 1, 0),
    ]


def test_unless_told_not_to(own: Database, next_version: Callable[[str], None]) -> None:
    next_version("SELECT 1")

    for use in (schema.require_current, lambda db: schema.prepare(db, migrate=False)):
        with pytest.raises(DatabaseError, match=rf"at revision {THIS}, older than sensord \S+ needs \({NEXT}\)"):
            use(own)

    assert schema.revision(own) == THIS


def test_a_migration_that_fails_changes_nothing(own: Database, next_version: Callable[[str], None]) -> None:
    before = shape(own)
    next_version("UPDATE nowhere SET a = 1")

    with pytest.raises(DatabaseError, match=r"cannot be upgraded: .*nowhere") as caught:
        schema.upgrade(own)

    assert caught.value.hint == "nothing was changed"
    assert (schema.revision(own), shape(own)) == (THIS, before)


def test_so_does_one_that_cannot_be_found(own: Database) -> None:
    at_revision(own, "0000")

    with pytest.raises(DatabaseError, match=r"cannot be upgraded: .*0000"):
        schema.upgrade(own)


def test_no_schema_is_changed_under_a_daemon_that_leads(
    own: Database, open_db: Callable[[str], Database], next_version: Callable[[str], None]
) -> None:
    lead = Lead.take(open_db(own.url), Holder("etl1", 4711, "0.1.0"))
    next_version("SELECT 1")

    with pytest.raises(DaemonRunning, match="process 4711 on etl1"):
        schema.prepare(own)

    lead.release()
    schema.prepare(own)
    assert schema.condition(own) is Condition.CURRENT


def test_processes_that_upgrade_at_once_take_turns(empty_url: str) -> None:
    program = f"""
from sensord.store import schema
from sensord.store.database import Database
with Database.open({empty_url!r}) as db:
    schema.prepare(db)
    print(schema.revision(db))
"""
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ended = [(*process.communicate(timeout=60), process.returncode) for process in started]

    assert ended == [(f"{schema.HEAD}\n", "", 0)] * 3


def test_a_database_that_is_current_needs_no_alembic(database_url: str) -> None:
    program = f"""
import sys
from sensord.store import schema
from sensord.store.database import Database
with Database.open({database_url!r}) as db:
    schema.prepare(db)
heavy = {{"sqlalchemy", "sqlmodel", "alembic", "pydantic"}} & sys.modules.keys()
sys.exit(f"imported {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
