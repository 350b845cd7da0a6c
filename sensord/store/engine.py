"""The tables of Procrastinate beside ours, which carry attempts to workers: made and migrated together with our own.

Its SQL is read from the package that is installed, which need not be imported. It keeps no version of its own, so the
newest migration that its tables have had is noted in `engine`.
"""

from enum import Enum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensord.errors import DatabaseError
from sensord.store.database import Database, redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import CursorResult

APPLIED = "SELECT migration FROM engine"
IS_THERE = "SELECT 1 WHERE to_regclass('procrastinate_jobs') IS NOT NULL"
NOTE = """
INSERT INTO engine (id, migration) VALUES (1, '{migration}')
ON CONFLICT (id) DO UPDATE SET migration = GREATEST(engine.migration, excluded.migration)
"""


class Fitness(Enum):
    """What the tables of Procrastinate are to the package that is installed."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    FOREIGN = "not made by sensord"


@cache
def migrations() -> tuple[str, ...]:
    """The names of all migrations that the package has, the newest last: they begin with its versions."""
    return tuple(sorted(path.name for path in _folder("migrations").glob("*.sql")))


def applied(db: Database) -> str | None:
    """The newest migration that the tables have had; None where we have not made them."""
    rows = db.fetch(APPLIED)
    return str(rows[0][0]) if rows else None


def fitness(db: Database) -> Fitness:
    """For a database of PostgreSQL that has our own tables."""
    at = applied(db)
    if at is None:
        return Fitness.FOREIGN if db.fetch(IS_THERE) else Fitness.MISSING
    newest = migrations()[-1]
    if at == newest:
        return Fitness.CURRENT
    return Fitness.OLDER if at < newest else Fitness.NEWER


def require_current(db: Database) -> None:
    """DatabaseError, which says what to do, unless runs can be carried over this database."""
    if db.dialect == "sqlite":
        raise DatabaseError(
            f"expected a database on PostgreSQL for workers, got {redact(db.url)}",
            hint='workers share a server: database = "postgresql://user@host/database" in sensord.toml',
        )
    newest = migrations()[-1]
    match fitness(db):
        case Fitness.CURRENT:
            return
        case Fitness.FOREIGN:
            raise DatabaseError(
                f"{redact(db.url)} has tables of Procrastinate that sensord has not made",
                hint="give sensord a database, or at least a schema (options=-csearch_path=...), of its own",
            )
        case Fitness.NEWER:
            raise DatabaseError(
                f"the tables of Procrastinate are at {applied(db)}, newer than the installed package knows ({newest})",
                hint="install the newer Procrastinate that they were upgraded for",
            )
        case Fitness.OLDER | Fitness.MISSING:
            raise DatabaseError(
                f"the tables of Procrastinate are at {applied(db) or 'nothing yet'}, and {newest} is needed",
                hint="stop the daemon, and: sensord db upgrade",
            )


def is_behind(db: Database) -> bool:
    """Whether `upgrade` has something to do for a database that has our own tables."""
    return db.dialect == "postgresql" and fitness(db) in (Fitness.MISSING, Fitness.OLDER)


def upgrade(execute: "Callable[[str], CursorResult[Any]]") -> None:
    """Bring the tables to the newest migration, within the transaction that has migrated ours: `execute` runs SQL as it
    stands. Those that somebody else has made are left alone.
    """
    rows = execute(APPLIED).all()
    if not rows and execute(IS_THERE).all():
        return
    for script in _scripts_after(rows[0][0]) if rows else [_folder() / "schema.sql"]:
        execute(script.read_text(encoding="utf-8").replace("%", "%%"))
    execute(NOTE.format(migration=migrations()[-1]))


def _scripts_after(migration: str) -> list[Path]:
    return [_folder("migrations") / name for name in migrations() if name > migration]


def _folder(*names: str) -> Path:
    spec = find_spec("procrastinate")
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseError("the package procrastinate is not installed", hint="install sensord with what it needs")
    return Path(spec.submodule_search_locations[0], "sql", *names)
