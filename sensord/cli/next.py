"""`sensord next`: the ticks of a flow, from the files alone."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from sensord.cli.command import Command, Session, json_option, pass_session
from sensord.cli.instants import DateType

if TYPE_CHECKING:
    from sensord.core.ticks import Ticks


@click.command("next", cls=Command, examples=["sensord next mart/sales", "sensord next mart/sales --after 2026-08-01"])
@click.argument("flow")
@click.option("--after", type=DateType("now"), default="now", help="Ticks after this date, not that one itself.")
@click.option("-n", "number", metavar="N", type=click.IntRange(min=1), default=5, show_default=True, help="How many.")
@json_option
@pass_session
def next_ticks(session: Session, flow: str, after: datetime, number: int, as_json: bool) -> None:
    """Show the next ticks of a flow.

    By its file alone, as if its schedule had always held.
    """
    from sensord.cli import render
    from sensord.cli.files import find_in_files, read_files
    from sensord.cli.instants import at_instant
    from sensord.core.instant import format_instant

    schedule = find_in_files(read_files(session), flow).schedule
    start = at_instant(after, session.clock, lambda: schedule.zone)
    ticks = [format_instant(tick) for tick in _take(schedule, start, number)]
    if as_json:
        render.show_json({"flow": flow, "ticks": ticks})
    elif ticks:
        render.show([[render.Span(tick)] for tick in ticks])
    else:
        render.message(f"{flow} has no ticks after {format_instant(start)}")


def _take(schedule: "Ticks", after: datetime, number: int) -> list[datetime]:
    ticks: list[datetime] = []
    while len(ticks) < number and (tick := schedule.next(ticks[-1] if ticks else after)):
        ticks.append(tick)
    return ticks
