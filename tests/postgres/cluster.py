"""A running PostgreSQL of our own, and the databases in it. The keeper starts it and sees to its end."""

import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier

from tests.postgres import keeper
from tests.postgres.binaries import NoServer

STOP_LIMIT = 60.0  # seconds


class Cluster:
    """One server on a Unix socket in a folder that nobody else enters. `pid` is the server's, `keeper` its keeper."""

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        """Start the server in `binaries`, 1 to 2 s. NoServer says why that cannot be. durable: see `keeper.DURABLE`."""
        self.keeper = subprocess.Popen(
            [sys.executable, "-I", keeper.__file__, binaries, *["durable"] * durable],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for the tests, which then end it in order
        )
        assert self.keeper.stdout is not None
        answer = json.loads(self.keeper.stdout.readline() or '{"problem": "the keeper died; see its words above"}')
        if "problem" in answer:
            self._end_keeper()
            raise NoServer(f"no PostgreSQL for the tests: {answer['problem']}")
        self.folder = Path(answer["folder"])
        self.pid: int = answer["pid"]
        self._numbers = count(1)
        self._admin = psycopg.connect(self.url("postgres"), autocommit=True)

    def url(self, database: str) -> str:
        """`postgresql://...` of a database in this cluster."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self.folder))}&port=5432"

    def create(self, template: str = "template1") -> str:
        """The name of a new database, a copy of `template` (to which nobody may be connected)."""
        name = f"test_{next(self._numbers)}"
        copy = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(Identifier(name), Identifier(template))
        self._admin.execute(copy)
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        self._admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(database)))

    def stop(self) -> None:
        """End the server and remove its folder; both are gone on return."""
        self._admin.close()
        self._end_keeper()

    def _end_keeper(self) -> None:
        assert self.keeper.stdin is not None
        assert self.keeper.stdout is not None
        self.keeper.stdin.close()
        self.keeper.stdout.close()
        self.keeper.wait(STOP_LIMIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
