"""`sensord run logs`: what a run's command wrote, and what it goes on to write."""

from typing import TYPE_CHECKING

import click

from sensord.cli.command import Command, Session, pass_session
from sensord.cli.instants import DateType, When

if TYPE_CHECKING:
    from sensord.store.reads.runs import Attempt, Run


@click.command(
    "logs",
    cls=Command,
    examples=[
        "sensord run logs mart/sales latest",
        "sensord run logs mart/sales -f",
        "sensord run logs mart/sales 2026-08-01T05 --attempt 1",
    ],
)
@click.argument("flow", metavar="FLOW|RUN_ID")
@click.argument("date", type=DateType("latest", "now"), default="latest", metavar="[DATE]")
@click.option("--attempt", "number", metavar="N", type=click.IntRange(min=1), help="This one rather than the last.")
@click.option("-f", "--follow", is_flag=True, help="Go on, with further attempts too, until the run ends or Ctrl-C.")
@click.option("--raw", is_flag=True, help="The bytes as the command wrote them, control characters and all.")
@pass_session
def show_logs(session: Session, flow: str, date: When, number: int | None, follow: bool, raw: bool) -> None:
    """Print what a run's command wrote.

    In its last attempt, unless told otherwise. Control characters are shown, not sent to the terminal. With -f it waits
    for a run that has not begun, and says on stderr when an attempt begins and how the run ends. Of what ran on a
    worker the database has the last MiB.
    """
    from sensord.cli.logfile import copy, log_path, show_shipped
    from sensord.cli.lookup import find_run_or_id
    from sensord.config.settings import PROCRASTINATE
    from sensord.errors import NotFound
    from sensord.store import logs
    from sensord.store.reads import runs

    with session.open() as db:
        found = find_run_or_id(db, session.clock, flow, date)
        if follow:
            from sensord.cli.follow import follow_run

            follow_run(session, db, found, number, raw=raw)
            return
        attempts = {attempt.number: attempt for attempt in runs.attempts(db, found)}
        shipped = logs.read(db, found.id, number or found.attempt)
    if (number or found.attempt) in runs.pruned_attempts(found, attempts):
        raise NotFound(f"the log of {found.flow} {_date(found)} is no more: retention has pruned it")
    if not attempts:
        raise NotFound(_never_started(found), hint=f"`sensord why {found.flow} {_date(found)}` says what it waits for")
    attempt = attempts.get(number or max(attempts))
    if attempt is None:
        known = ", ".join(map(str, attempts))
        raise NotFound(f"{found.flow} {_date(found)} has no attempt {number}", hint=f"its attempts: {known}")
    path = log_path(session.state_folder, found.id, attempt.number)
    if path.exists():
        copy(path, raw=raw)
        if not path.stat().st_size:
            _say_empty(attempt)
    elif shipped:
        show_shipped(shipped, attempt.host, raw=raw)
    elif attempt.executor == PROCRASTINATE and attempt.ended_at and attempt.problem != "lost":
        _say_empty(attempt)  # a worker ships all before it reports the end
    else:
        raise NotFound(f"no log of attempt {attempt.number} at {path}", hint=_elsewhere(attempt))


def _date(found: "Run") -> str:
    from sensord.core.instant import format_instant

    return format_instant(found.logical_at)


def _never_started(found: "Run") -> str:
    return f"{found.flow} {_date(found)} has no log: it is {found.state.label} and was never started"


def _say_empty(attempt: "Attempt") -> None:
    """A command that could not be started has written nothing: its message says why."""
    from sensord.cli.listing import how_ended
    from sensord.cli.render import message

    if attempt.ended_at is None:
        message(f"attempt {attempt.number} has written nothing yet")
    else:
        message(f"attempt {attempt.number} wrote nothing: {how_ended(attempt)}")


def _elsewhere(attempt: "Attempt") -> str:
    from sensord.config.settings import PROCRASTINATE

    if attempt.began_at is None and attempt.ended_at is None:
        return "its command has not begun yet"
    if attempt.executor == PROCRASTINATE and attempt.ended_at:
        return f"it was lost with {attempt.host}, before its worker had shipped anything"
    if attempt.executor == PROCRASTINATE:
        return f"it runs on {attempt.host}, and has written nothing yet that its worker has shipped"
    return f"it ran on {attempt.host}: look there, or give the daemon's --config"
