"""Which schema the database has, and bringing it to the newest. The migrations themselves are in `migrations`.

Asking takes plain SQL only: alembic is imported when something is to be done.
"""

import os
import socket
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sensord import __version__
from sensord.errors import DatabaseError
from sensord.store import bounds, engine
from sensord.store.database import Database, redact
from sensord.store.lead import current_leader, running

if TYPE_CHECKING:
    from sqlalchemy import Engine

HEAD = "0007"
"""The newest revision. Revisions are numbered, so that a newer one can be told from that of another program."""

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_364_657_310
"""PostgreSQL's advisory lock of whoever migrates; any number that no one else is likely to use."""


class Condition(Enum):
    """What a database is to this version of sensord."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    FOREIGN = "foreign"


_TABLES = {
    "sqlite": "(SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%')",
    "postgresql": "(SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema())",
}


def revision(db: Database) -> str | None:
    """The revision that the database is at; None where no migration was ever applied."""
    if not db.fetch(f"SELECT 1 FROM {_TABLES[db.dialect]} t WHERE name = 'alembic_version'"):
        return None
    rows = db.fetch("SELECT version_num FROM alembic_version")
    return str(rows[0][0]) if rows else None


def condition(db: Database) -> Condition:
    """What the database is to us. Procrastinate's tables may be there before ours."""
    at = revision(db)
    if at is None:
        return Condition.FOREIGN if _strangers(db) else Condition.EMPTY
    if at == HEAD:
        return Condition.CURRENT
    if not (at.isdigit() and len(at) == len(HEAD)):
        return Condition.FOREIGN
    return Condition.OLDER if at < HEAD else Condition.NEWER


def _strangers(db: Database) -> list[str]:
    rows = db.fetch(
        f"SELECT name FROM {_TABLES[db.dialect]} t"
        " WHERE name <> 'alembic_version' AND name NOT LIKE 'procrastinate%' ORDER BY name LIMIT 3"
    )
    return [row[0] for row in rows]


def require_current(db: Database) -> None:
    """DatabaseError, which says what to do, unless the database has the newest schema."""
    match condition(db):
        case Condition.CURRENT:
            return
        case Condition.EMPTY:
            raise DatabaseError(f"{redact(db.url)} is empty", hint="sensord daemon start, or sensord db upgrade")
        case Condition.OLDER:
            raise DatabaseError(
                f"the database is at revision {revision(db)}, older than sensord {__version__} needs ({HEAD})",
                hint="sensord daemon stop, if one leads; then sensord daemon start, or sensord db upgrade",
            )
        case Condition.NEWER:
            raise DatabaseError(
                f"the database is at revision {revision(db)}, newer than this sensord {__version__} knows ({HEAD})",
                hint="use the newer sensord that upgraded it",
            )
        case Condition.FOREIGN:
            found = f"revision {revision(db)}" if revision(db) else f"tables {', '.join(_strangers(db))}"
            raise DatabaseError(
                f"expected an empty database or one of sensord at {redact(db.url)}, got one with {found}",
                hint="give sensord a database, or at least a schema (options=-csearch_path=...), of its own",
            )


def require_ours(db: Database) -> None:
    """DatabaseError unless the database has a schema of sensord, be it an older or a newer one."""
    if condition(db) not in (Condition.OLDER, Condition.NEWER):
        require_current(db)


def upgrade(db: Database) -> bool:
    """Bring the database to the newest schema, in one transaction. Whether there was anything to do.

    Several processes may do so at once: they take turns. DaemonRunning while another process leads on an older schema.
    """
    match condition(db):
        case Condition.CURRENT if engine.is_behind(db):
            _refuse_under(db)
            _migrate(db)
            return True
        case Condition.CURRENT:
            return False
        case Condition.EMPTY | Condition.OLDER as found:
            if found is Condition.OLDER:
                _refuse_under(db)
            _migrate(db)
            return True
        case _:
            require_current(db)
            return False


def prepare(db: Database, *, migrate: bool = True) -> None:
    """What a daemon does before it takes the lead: fill an empty database, upgrade an older one unless told not to."""
    if migrate or condition(db) is Condition.EMPTY:
        upgrade(db)
    require_current(db)


def _refuse_under(db: Database) -> None:
    """An older daemon must not have its tables changed while it works with them."""
    leader = current_leader(db)
    if leader and (leader.holder.host, leader.holder.pid) != (socket.gethostname(), os.getpid()):
        raise running(db, leader)


def _migrate(db: Database) -> None:
    import sqlalchemy
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    pool = engine_of(db)
    try:
        with pool.begin() as connection:
            if db.dialect == "postgresql":
                connection.execute(sqlalchemy.text(bounds.FOR_THE_TRANSACTION), bounds.UPGRADE.settings)
                connection.execute(sqlalchemy.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if db.dialect == "postgresql":
                engine.upgrade(connection.exec_driver_sql)
    except (sqlalchemy.exc.DBAPIError, CommandError) as error:
        text = " ".join(str(getattr(error, "orig", error)).split())
        raise DatabaseError(f"{redact(db.url)}: cannot be upgraded: {text}", hint="nothing was changed") from error
    finally:
        pool.dispose()


def engine_of(db: Database) -> "Engine":
    """An engine of SQLAlchemy's for the same database; its transactions on SQLite begin with a write lock."""
    import sqlalchemy
    from sqlalchemy import event
    from sqlalchemy.pool import NullPool

    if db.dialect == "postgresql":
        import psycopg

        return sqlalchemy.create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(db.url), poolclass=NullPool
        )
    from sensord.store.sqlite import connect, path_of

    engine = sqlalchemy.create_engine(
        "sqlite://", creator=lambda: connect(path_of(db.url), mode="rw"), poolclass=NullPool
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
