"""`sensord status`: the daemon, the errors in the files, and every flow at a glance."""

import click

from sensord.cli.command import Command, Session, json_option, pass_session


@click.command("status", cls=Command, examples=["sensord status", "sensord status --json"])
@json_option
@pass_session
def status(session: Session, as_json: bool) -> None:
    """Show all flows at a glance.

    Each with the states of its newest runs, the newest last, and what that one waits for.
    """
    from sensord.cli import render, status_view

    with session.open() as db:
        overview = status_view.read(db)
    if as_json:
        render.show_json(status_view.shape(overview))
    else:
        status_view.show(overview, session.clock.now())
