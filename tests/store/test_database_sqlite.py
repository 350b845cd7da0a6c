"""What is SQLite's own: its file, its modes, its durability."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sensord.errors import DatabaseError
from sensord.store import sqlite
from sensord.store.database import Database, Durability


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sensord.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pragma(db: Database, name: str) -> object:
    return db.fetch(f"PRAGMA {name}")[0][0]


def test_a_new_database_is_for_its_owner_alone(path: Path) -> None:
    with Database.open(f"sqlite://{path}") as db:
        db.run("CREATE TABLE t (a INTEGER)")

        assert mode(path.parent) == 0o700
        assert {file.name: mode(file) for file in path.parent.iterdir()} == {
            "sensord.db": 0o600,
            "sensord.db-wal": 0o600,
            "sensord.db-shm": 0o600,
        }


def test_a_new_database_has_its_log_before_it_has_its_name(path: Path) -> None:
    sqlite.make_file(str(path))
    sqlite.make_file(str(path))

    write_ahead = 2
    assert set(path.read_bytes()[18:20]) == {write_ahead}
    assert list(path.parent.iterdir()) == [path]


def test_a_database_without_such_a_log_gets_one(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("CREATE TABLE t (a INTEGER)")

    with Database.open(f"sqlite://{path}") as db:
        assert pragma(db, "journal_mode") == "wal"


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
def test_durability_is_sqlites_synchronous(path: Path, durability: Durability, synchronous: int) -> None:
    with Database.open(f"sqlite://{path}", durability=durability) as db:
        assert pragma(db, "synchronous") == synchronous
        assert pragma(db, "journal_mode") == "wal"


def test_full_is_the_default(path: Path) -> None:
    with Database.open(f"sqlite://{path}") as db:
        assert pragma(db, "synchronous") == 2


def test_a_writer_waits_for_the_other_one(path: Path) -> None:
    with Database.open(f"sqlite://{path}") as db:
        assert pragma(db, "busy_timeout") == 10_000


def test_a_link_leads_to_the_real_path(path: Path, tmp_path: Path) -> None:
    Database.open(f"sqlite://{path}").close()
    link = tmp_path / "link.db"
    link.symlink_to(path)

    assert sqlite.path_of(f"sqlite://{link}") == str(path.resolve())


@pytest.mark.parametrize("name", ["a b.db", "50%25.db", "what?mode=memory.db", "half#.db", "ä.db"])
def test_a_path_is_taken_as_it_is_written(tmp_path: Path, name: str) -> None:
    with Database.open(f"sqlite://{tmp_path / name}") as db:
        db.run("CREATE TABLE t (a INTEGER)")

    assert (tmp_path / name).stat().st_size > 0


def test_a_reader_makes_no_database(path: Path) -> None:
    with pytest.raises(DatabaseError, match="got none") as caught:
        Database.open(f"sqlite://{path}", readonly=True)

    assert caught.value.hint == "start the daemon: it makes one"
    assert not path.parent.exists()


def test_only_the_last_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="No such file or directory"):
        Database.open(f"sqlite://{tmp_path}/no/such/sensord.db")


def test_a_file_of_another_kind_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not a database at all, but long enough to look at" * 40)

    with pytest.raises(DatabaseError, match="not a database") as caught:
        Database.open(f"sqlite://{path}")

    assert "backup" in str(caught.value.hint)


def test_a_sqlite_that_is_too_old_is_refused() -> None:
    with pytest.raises(DatabaseError, match=r"expected SQLite 3\.38\.0 or newer, got 3\.37\.2"):
        sqlite.require_version((3, 37, 2))


def test_a_lock_that_outlasts_the_wait_is_an_error_with_a_hint(path: Path) -> None:
    with Database.open(f"sqlite://{path}") as first, Database.open(f"sqlite://{path}") as second:
        second.run("PRAGMA busy_timeout = 0")
        with first.transaction(), pytest.raises(DatabaseError, match="locked") as caught, second.transaction():
            pytest.fail("the second must not begin")

    assert "try again" in str(caught.value.hint)


def test_a_transaction_that_sqlite_itself_took_back_leaves_its_own_error(path: Path) -> None:
    with Database.open(f"sqlite://{path}") as db:
        db.run("CREATE TABLE t (a INTEGER PRIMARY KEY ON CONFLICT ROLLBACK)")
        with pytest.raises(DatabaseError, match="UNIQUE") as caught, db.transaction() as tx:
            tx.run("INSERT INTO t VALUES (1), (1)")

        assert not hasattr(caught.value, "__notes__")
        assert db.fetch("SELECT * FROM t") == []


def test_driver_errors_keep_their_cause(path: Path) -> None:
    with Database.open(f"sqlite://{path}") as db, pytest.raises(DatabaseError) as caught:
        db.fetch("SELECT")

    assert isinstance(caught.value.__cause__, sqlite3.Error)
    assert str(path) in str(caught.value)


def test_what_is_committed_survives_a_kill(path: Path) -> None:
    program = f"""
import os, signal
from sensord.store.database import Database, Durability
db = Database.open("sqlite://{path}")
db.run("CREATE TABLE t (a INTEGER)")
with db.transaction() as tx:
    tx.run("INSERT INTO t VALUES (1)")
with db.transaction() as tx:
    tx.run("INSERT INTO t VALUES (2)")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)

    with Database.open(f"sqlite://{path}", readonly=True) as db:
        assert db.fetch("SELECT a FROM t") == [(1,)]


def test_reads_import_neither_psycopg_nor_sqlalchemy(path: Path) -> None:
    Database.open(f"sqlite://{path}").close()
    program = f"""
import sys
from sensord.store import schema
from sensord.store.database import Database, Durability
from sensord.store.lead import current_leader
from sensord.store.wake import wake
with Database.open("sqlite://{path}", readonly=True) as db:
    db.fetch("SELECT a FROM ROWS(:x, a) x", x=[(1,)])
    assert schema.revision(db) is None and current_leader(db) is None and not wake(db)
heavy = {{"psycopg", "sqlalchemy", "sqlmodel", "alembic", "pydantic"}} & sys.modules.keys()
sys.exit(f"imported {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
