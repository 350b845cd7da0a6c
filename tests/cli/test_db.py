"""`sensord db`, and what reads make of databases that are not there or not of this version."""

from pathlib import Path

import pytest

from sensord.store import schema
from sensord.store.database import Database
from sensord.testing import ManualClock
from tests.cli.program import Program
from tests.daemon.world import World, at

READS = (["status"], ["run", "list"], ["flow", "list"], ["why", "x"], ["daemon", "status"], ["run", "logs", "x"])


@pytest.fixture
def on_empty(empty_url: str, tmp_path: Path) -> Program:
    return Program(tmp_path / "config", empty_url, ManualClock(at("2026-11-22T10:30")))


@pytest.mark.parametrize("read", READS)
def test_reads_make_no_database(on_files: Program, read: list[str]) -> None:
    said = on_files(*read)
    assert (said.code, said.out) == (4, "")
    assert said.err.splitlines()[0] == f"error: no database at {on_files.folder.parent}/.sensord/sensord.db"
    assert not (on_files.folder.parent / ".sensord").exists()


def test_reads_migrate_no_database(on_empty: Program, dialect: str) -> None:
    if dialect == "sqlite":
        assert on_empty.url is not None
        Database.open(on_empty.url).close()
    said = on_empty("status")
    assert said.code == 1
    assert "is empty" in said.err
    assert "sensord db upgrade" in said.err


def test_upgrade_makes_what_is_needed_once(on_empty: Program) -> None:
    assert on_empty("db", "upgrade").err == f"upgraded to {schema.HEAD}\n"
    assert on_empty("db", "upgrade").err == f"nothing to do: the database is at {schema.HEAD}\n"
    assert on_empty("db", "check").code == 0
    assert on_empty("status").code == 0


def test_check_of_a_current_database(sensord: Program) -> None:
    shown = sensord("db", "check", "--json").json
    assert (shown["condition"], shown["revision"], shown["needed"]) == ("current", schema.HEAD, schema.HEAD)
    assert sensord("db", "check").out.endswith(f": current, at {schema.HEAD}\n")


@pytest.mark.parametrize(("revision", "condition"), [("0000", "older"), ("9999", "newer")])
def test_a_schema_of_another_version_is_an_error(on_empty: Program, revision: str, condition: str) -> None:
    on_empty("db", "upgrade")
    assert on_empty.url is not None
    with Database.open(on_empty.url) as db:
        db.run("UPDATE alembic_version SET version_num = :revision", revision=revision)
    said = on_empty("db", "check", "--json")
    assert said.code == 1
    assert f'"condition": "{condition}"' in said.out
    read = on_empty("status")
    assert read.code == 1
    assert condition in read.err


def test_check_without_a_database(on_files: Program) -> None:
    assert on_files("db", "check").code == 4


def test_a_url_that_is_none(on_files: Program) -> None:
    said = on_files("status", "--db", "mysql://host/x")
    assert said.code == 1
    assert "expected a database URL" in said.err


def test_a_file_that_is_no_database(on_files: Program, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("no database, and long enough for that to be seen" * 20)
    said = on_files("status", "--db", f"sqlite://{tmp_path}/x.db")
    assert said.code == 1
    assert said.err.startswith(f"error: {tmp_path}/x.db: file is not a database")


def test_reads_go_on_while_the_daemon_writes(world: World, sensord: Program) -> None:
    world.start()
    with world.db.transaction() as tx:
        tx.run("DELETE FROM problem")
        assert sensord("status").code == 0
