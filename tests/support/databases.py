"""Databases for tests, on SQLite and on PostgreSQL in turn: with all tables and nothing in them.

They are migrated once. SQLite's is then copied; PostgreSQL's is emptied, which takes 2 ms where a copy takes 90.
The server comes from `tests.postgres`.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Table

from sensord.store import schema
from sensord.store.database import Database
from sensord.store.tables import METADATA
from tests.postgres.cluster import Cluster

DIALECTS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "sensord.db"
    with Database.open(f"sqlite://{path}") as db:
        schema.upgrade(db)
    return path


@pytest.fixture(scope="session")
def postgres_migrated(postgres_cluster: Cluster) -> str:
    url = postgres_cluster.url(postgres_cluster.create())
    with Database.open(url) as db:
        schema.upgrade(db)
    return url


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database with all tables and nothing in them."""
    if dialect == "sqlite":
        path = tmp_path / "state" / "sensord.db"
        path.parent.mkdir(mode=0o700)
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite://{path}"
    url: str = request.getfixturevalue("postgres_migrated")
    make_empty(url)
    return url


@pytest.fixture
def empty_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database without tables; on SQLite one that is not even a file yet."""
    if dialect == "sqlite":
        return f"sqlite://{tmp_path / 'empty' / 'sensord.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def open_db() -> Iterator[Callable[[str], Database]]:
    """Opens databases that the test does not have to close. They need not survive a power cut."""
    opened: list[Database] = []

    def open_one(url: str) -> Database:
        opened.append(Database.open(url, durability="normal"))
        return opened[-1]

    yield open_one
    for db in opened:
        db.close()


@pytest.fixture
def db(database_url: str, open_db: Callable[[str], Database]) -> Database:
    """A connection to a database with all tables and nothing in them."""
    return open_db(database_url)


LARGE = """
SELECT c.relname FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND pg_relation_size(c.oid) > 1000000
"""


def make_empty(url: str) -> None:
    """Delete everything that an earlier test left, connections included; ids begin with 1 again.

    What is deleted stays in the tables' files, and nothing vacuums here: those that have become large are truncated.
    """
    tables = METADATA.sorted_tables
    deletes = [f"DELETE FROM {table.name}" for table in tables if table.name != "engine"]
    deletes.append("DELETE FROM procrastinate_jobs")
    restarts = [f"ALTER TABLE {table.name} ALTER id RESTART" for table in tables if has_identity(table)]
    others = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("; ".join([others, *deletes, *restarts]).encode())
        if large := [name for (name,) in connection.execute(LARGE)]:
            connection.execute(f"TRUNCATE {', '.join(large)}".encode())


def has_identity(table: Table) -> bool:
    return "id" in table.columns and table.columns["id"].identity is not None
