"""`sensord resolve`: what the sensors of a flow map a date to, from the files alone."""

import click

from sensord.cli.command import Command, Session, json_option, pass_session
from sensord.cli.instants import DateType, When


@click.command(
    "resolve",
    cls=Command,
    examples=["sensord resolve mart/sales 2026-08-01T02:00", "sensord resolve mart/sales latest --json"],
)
@click.argument("flow")
@click.argument("date", type=DateType("latest", "now"), metavar="DATE")
@json_option
@pass_session
def resolve(session: Session, flow: str, date: When, as_json: bool) -> None:
    """Map a date of a flow to its upstream dates.

    By the files alone, as if they had always held. `latest` is the flow's last tick; a date need not be a tick.
    """
    from sensord.cli import render, resolve_view
    from sensord.cli.files import all_flows, find_in_files, read_files

    config = read_files(session)
    wanted = find_in_files(config, flow)
    at = resolve_view.instant_of(date, wanted, session.clock)
    shape = resolve_view.shape(wanted, at, all_flows(config))
    if as_json:
        render.show_json(shape)
    else:
        render.show(resolve_view.lines(shape))
