"""Databases to measure on: SQLite in both durabilities, and a PostgreSQL of our own that syncs as in production."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sensord.store import schema
from sensord.store.database import Database, Durability
from tests.postgres import binaries
from tests.postgres.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Place:
    """An empty database with all tables, and a folder beside it for whatever else is needed."""

    name: str
    url: str
    durability: Durability
    folder: Path

    def open(self) -> Database:
        return Database.open(self.url, durability=self.durability)


NAMES = ("SQLite FULL", "SQLite NORMAL", "PostgreSQL")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A server that syncs what it commits, on the disk that temporary files are on."""
    for variable in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[variable]  # libpq would mix them into our URLs
    with Cluster(binaries.find(), durable=True) as running:
        yield running


def places(names: tuple[str, ...] = NAMES) -> Iterator[Place]:
    """One after the other; what is in its folder stays until all is measured."""
    for name in names:
        with several(name, 1) as (place,):
            yield place


@contextmanager
def several(name: str, number: int) -> Iterator[list[Place]]:
    """So many beside each other, of one kind."""
    folders = [_make_folder() for _ in range(number)]
    if name != "PostgreSQL":
        durability: Durability = "full" if name == "SQLite FULL" else "normal"
        yield [_prepared(Place(name, f"sqlite://{one / 'sensord.db'}", durability, one)) for one in folders]
        return
    with cluster() as server:
        yield [_prepared(Place(name, server.url(server.create()), "full", one)) for one in folders]


def _make_folder() -> Path:
    """Removed at the end of all: a file system without a journal is slow to make files where some have just gone."""
    folder = Path(tempfile.mkdtemp(prefix="sensord-bench-"))
    atexit.register(shutil.rmtree, folder)
    return folder


def _prepared(place: Place) -> Place:
    with place.open() as db:
        schema.upgrade(db)
    return place
