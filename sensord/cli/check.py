"""`sensord check`: what is wrong in the files, each problem with the line that it stands in."""

import click

from sensord.cli.command import Command, Session, json_option, pass_session


@click.command("check", cls=Command, examples=["sensord check", "sensord --config /etc/sensord check --json"])
@json_option
@pass_session
def check(session: Session, as_json: bool) -> None:
    """Say what is wrong in the files, and where.

    Exits 1 if anything is. Reads the files only: no database, no daemon.
    """
    from sensord.cli import check_view, render

    report = check_view.examine(session)
    if as_json:
        render.show_json(check_view.shape(report))
    else:
        check_view.show(report, session.config_dir)
    if report.problems:
        click.get_current_context().exit(1)
