"""The tables of Procrastinate: made and migrated beside ours, and never mistaken for somebody else's."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sensord.errors import DaemonRunning, DatabaseError
from sensord.store import engine, schema
from sensord.store.database import Database
from sensord.store.engine import Fitness
from sensord.store.lead import Holder, Lead


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def empty(empty_url: str, open_db: Callable[[str], Database]) -> Database:
    return open_db(empty_url)


@pytest.fixture
def own(empty: Database) -> Database:
    schema.upgrade(empty)
    return empty


def number_of_functions(db: Database) -> int:
    rows = db.fetch("SELECT COUNT(*) FROM pg_proc WHERE proname LIKE 'procrastinate_%'")
    return int(rows[0][0])


THEIRS = """
SELECT 'TABLE', CAST(tablename AS text) FROM pg_tables WHERE tablename LIKE 'procrastinate_%'
UNION ALL SELECT 'FUNCTION', CAST(CAST(oid AS regprocedure) AS text) FROM pg_proc WHERE proname LIKE 'procrastinate_%'
UNION ALL SELECT 'TYPE', typname FROM pg_type WHERE typname LIKE 'procrastinate_job_%'
"""


def later_package(folder: Path, monkeypatch: pytest.MonkeyPatch, statement: str) -> str:
    """A newer Procrastinate, with one migration more; its name."""
    name = "99.00.00_01_pre_more.sql"
    (folder / "migrations").mkdir()
    for known in engine.migrations():
        (folder / "migrations" / known).write_text("SELECT this_was_applied_before();")
    (folder / "migrations" / name).write_text(statement)
    monkeypatch.setattr(engine, "_folder", lambda *names: folder.joinpath(*names))
    engine.migrations.cache_clear()
    monkeypatch.setattr(engine.migrations, "cache_clear", engine.migrations.cache_clear)
    return name


@pytest.fixture(autouse=True)
def _forget_packages() -> None:
    engine.migrations.cache_clear()


def test_an_upgrade_makes_them(own: Database) -> None:
    assert engine.fitness(own) is Fitness.CURRENT
    assert engine.applied(own) == engine.migrations()[-1]
    assert number_of_functions(own) > 10
    engine.require_current(own)


def test_a_database_from_before_gets_them(own: Database, open_db: Callable[[str], Database]) -> None:
    for kind, name in own.fetch(THEIRS):
        own.run(f"DROP {kind} IF EXISTS {name} CASCADE")
    own.run("DELETE FROM engine")
    assert engine.fitness(own) is Fitness.MISSING
    with pytest.raises(DatabaseError, match="at nothing yet") as caught:
        engine.require_current(own)
    assert "sensord db upgrade" in str(caught.value.hint)

    assert schema.upgrade(own)

    engine.require_current(own)


def test_a_newer_package_migrates_them(own: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = later_package(tmp_path, monkeypatch, "ALTER TABLE procrastinate_jobs ADD COLUMN odd text DEFAULT '100%';")
    assert engine.fitness(own) is Fitness.OLDER

    assert schema.upgrade(own)

    assert engine.applied(own) == name
    assert own.fetch("SELECT odd FROM procrastinate_jobs") == []
    assert not schema.upgrade(own)


def test_a_migration_that_fails_changes_nothing(own: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = engine.applied(own)
    later_package(tmp_path, monkeypatch, "ALTER TABLE procrastinate_jobs ADD COLUMN odd text; SELECT nonsense;")

    with pytest.raises(DatabaseError, match=r"cannot be upgraded: .*nonsense"):
        schema.upgrade(own)

    assert engine.applied(own) == before
    assert not own.fetch("SELECT 1 FROM information_schema.columns WHERE column_name = 'odd'")


def test_none_is_changed_under_a_daemon_that_leads(
    own: Database, open_db: Callable[[str], Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_package(tmp_path, monkeypatch, "SELECT 1;")
    lead = Lead.take(open_db(own.url), Holder("etl1", 4711, "0.1.0"))

    with pytest.raises(DaemonRunning):
        schema.upgrade(own)

    lead.release()
    assert schema.upgrade(own)


def test_newer_ones_are_left_alone(own: Database) -> None:
    own.run("UPDATE engine SET migration = '99.00.00_01_pre_more.sql'")

    assert not schema.upgrade(own)
    with pytest.raises(DatabaseError, match="newer than the installed package knows"):
        engine.require_current(own)


def test_those_of_somebody_else_are_left_alone(empty: Database) -> None:
    empty.run("CREATE TABLE procrastinate_jobs (id integer)")

    schema.upgrade(empty)

    assert engine.fitness(empty) is Fitness.FOREIGN
    with pytest.raises(DatabaseError, match="tables of Procrastinate that sensord has not made") as caught:
        engine.require_current(empty)
    assert "of its own" in str(caught.value.hint)


def test_it_takes_no_import_of_the_package(own: Database) -> None:
    script = (
        "import sys\n"
        "from sensord.store import engine\n"
        "from sensord.store.database import Database\n"
        "with Database.open(sys.argv[1]) as db:\n"
        "    engine.require_current(db)\n"
        "assert 'procrastinate' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", script, own.url], check=True)


class TestOnSqlite:
    @pytest.fixture
    def dialect(self) -> str:
        return "sqlite"

    def test_there_are_none(self, own: Database) -> None:
        assert not engine.is_behind(own)
        with pytest.raises(DatabaseError, match="expected a database on PostgreSQL for workers") as caught:
            engine.require_current(own)
        assert "postgresql://" in str(caught.value.hint)
