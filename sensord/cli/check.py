"""`sensord check`: what is wrong in the files, and whether every sensor finds its ticks."""

from datetime import datetime

import click

from sensord.cli.command import Command, Session, json_option, pass_session
from sensord.cli.instants import DateType


@click.command("check", cls=Command, examples=["sensord check", "sensord check --from 2026-01-01 --horizon 5y --json"])
@click.option("--from", "since", type=DateType("now"), default="now", help="Its beginning; without a zone, UTC.")
@click.option("--horizon", metavar="DURATION", default="2y", show_default=True, help="How far to look.")
@json_option
@pass_session
def check(session: Session, since: datetime, horizon: str, as_json: bool) -> None:
    """Say what is wrong in the files, and where.

    Then prove that over the horizon every sensor finds its ticks on every tick of its flow, and that no set of flows
    waits for itself; else show the first date on which it goes wrong. Exits 1 if anything is wrong; warnings alone do
    not count. Reads the files only: no database, no daemon.
    """
    from sensord.cli import check_view, render
    from sensord.cli.examine import examine

    report = examine(session, since, horizon)
    if as_json:
        render.show_json(check_view.shape(report))
    else:
        check_view.show(report, session.config_dir)
    if not report.ok:
        click.get_current_context().exit(1)
