"""`sensord status`: the daemon, the errors in the files, and flows at a glance."""

from typing import TYPE_CHECKING, NoReturn

import click

from sensord.cli.command import Command, Session, json_option, pass_session
from sensord.core.run import State

if TYPE_CHECKING:
    from sensord.cli.overview import Wanted
    from sensord.store.database import Database

PAUSE = 2.0
"""Seconds between two looks of `--watch`."""

STATES = (*(state.label for state in State if state is not State.ABSENT), "blocked", "paused", "removed")


@click.command(
    "status",
    cls=Command,
    examples=[
        "sensord status",
        "sensord status 'mart/*' --state blocked --state failed",
        "sensord status --all",
        "sensord status --watch",
    ],
)
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only flows with this tag.")
@click.option("--owner", "owners", metavar="OWNER", multiple=True, help="Only flows of this owner.")
@click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    help="Only flows whose newest run is in this state, is blocked, or that are paused or removed themselves.",
)
@click.option("--all", "at_rest", is_flag=True, help="Also flows at rest, however many there are.")
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C. On a terminal only.")
@json_option
@pass_session
def status(
    session: Session,
    patterns: tuple[str, ...],
    tags: tuple[str, ...],
    owners: tuple[str, ...],
    states: tuple[str, ...],
    at_rest: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Show flows at a glance: all, or those that fit.

    Each with the states of its newest runs, the newest last; how long that one has been in its state, or took; how long
    until the next tick; and what it waits for. A PATTERN is a flow's name, in which * stands for any text, ? for one
    character. An option that is given several times takes any of its values.

    Where there are more than 100 flows and nothing is asked for, those at rest are only counted: of which nothing waits
    or runs, whose newest run has not failed, and that are neither paused nor removed. At most 100 of the others are
    shown, what wants a person first: failed, blocked, removed, then what runs, is queued, waits, is paused.
    """
    from sensord.cli import overview, render, status_view

    wanted = overview.Wanted(patterns, tags, owners, states, at_rest)
    if watch:
        _require_terminal(as_json)
    with session.open() as db:
        if watch:
            _watch(session, db, wanted)
        found = overview.read(db, wanted, session.clock.now())
    if as_json:
        render.show_json(status_view.shape(found))
        return
    width = render.terminal_width()
    render.show(status_view.lines(found, session.clock.now(), width=width))
    if (remark := status_view.remark(found)) and (width is None or not found.flows):
        render.message(remark)


def _require_terminal(as_json: bool) -> None:
    from sensord.cli import render

    if as_json or render.terminal_width() is None:
        raise click.UsageError("--watch draws on a terminal: it goes with neither --json nor a pipe.")


def _watch(session: Session, db: "Database", wanted: "Wanted") -> NoReturn:
    """Draw until Ctrl-C."""
    from sensord.cli import overview, render, status_view

    while True:
        now = session.clock.now()
        found = overview.read(db, wanted, now)
        width, height = render.terminal_size()
        shown = status_view.lines(found, now, width=width, height=height - 1)
        render.redraw(shown if found.flows else [*shown, [render.Span(status_view.remark(found))]])
        session.wait(PAUSE)
