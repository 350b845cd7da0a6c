"""`sensord db`: bring the database to the newest schema, or ask whether it is."""

import click

from sensord.cli.command import Group, Session, json_option, pass_session


@click.group("db", cls=Group)
def db() -> None:
    """Upgrade the database, or check it."""


@db.command("upgrade", examples=["sensord db upgrade", "SENSORD_DB=postgresql://etl@db/sensord sensord db upgrade"])
@pass_session
def upgrade(session: Session) -> None:
    """Bring the database to this version's schema.

    A database that is not there is made. The daemon does the same when it starts.
    """
    from sensord.cli import render
    from sensord.store import schema
    from sensord.store.database import Database

    with Database.open(session.url) as database:
        changed = schema.upgrade(database)
    render.message(f"upgraded to {schema.HEAD}" if changed else f"nothing to do: the database is at {schema.HEAD}")


@db.command("check", examples=["sensord db check", "sensord db check --json"])
@json_option
@pass_session
def check(session: Session, as_json: bool) -> None:
    """Say whether the database has this version's schema.

    Exits 1 where it has not.
    """
    from sensord.cli import render
    from sensord.store import schema
    from sensord.store.database import Database, redact

    session.require_database()
    with Database.open(session.url, readonly=True) as database:
        condition, revision = schema.condition(database), schema.revision(database)
    good = condition is schema.Condition.CURRENT
    if as_json:
        shape = {"database": redact(session.url), "revision": revision, "needed": schema.HEAD}
        render.show_json(shape | {"condition": condition.value})
    else:
        render.show([[render.Span(f"{redact(session.url)}: {condition.value}, at {revision or 'no revision'}")]])
    if not good:
        if not as_json:
            render.message(f"this version needs {schema.HEAD}; see `sensord db upgrade`")
        click.get_current_context().exit(1)
