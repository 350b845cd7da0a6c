"""`sensord run`: list runs, show one with its attempts, print an attempt's log. What changes them is in `change`."""

from typing import TYPE_CHECKING

import click

from sensord.cli import change
from sensord.cli.command import Group, Session, json_option, pass_session
from sensord.cli.instants import DateType, Since, SinceType, When
from sensord.core.run import State

if TYPE_CHECKING:
    from pathlib import Path

    from sensord.store.database import Database
    from sensord.store.reads.runs import Attempt, Run

STATES = [state.label for state in State if state is not State.ABSENT]


@click.group("run", cls=Group)
def run() -> None:
    """List runs; show one, or its log; run, cancel, mark or trigger one."""


@run.command(
    "list", examples=["sensord run list --state failed --since 1d", "sensord run list --flow mart/sales --json"]
)
@click.option("--flow", "name", metavar="FLOW", help="Only runs of this flow.")
@click.option("--state", type=click.Choice(STATES), help="Only runs in this state.")
@click.option("--since", type=SinceType(), help="Only logical dates from then on: a date, or a time ago such as 2h.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="The newest so many.",
)
@json_option
@pass_session
def list_runs(
    session: Session, name: str | None, state: str | None, since: Since | None, limit: int, as_json: bool
) -> None:
    """List runs by logical date, the newest last."""
    from sensord.cli import render, shapes
    from sensord.cli.listing import run_table
    from sensord.cli.lookup import select_runs

    with session.open() as db:
        found = select_runs(db, session.clock, name, State[state.upper()] if state else None, since, limit)
    if as_json:
        render.show_json({"runs": [shapes.run_shape(one) for one in found]})
    elif found:
        run_table(found, session.clock.now())
    else:
        render.message("no runs")


@run.command("show", examples=["sensord run show mart/sales 2026-08-01T02:00Z", "sensord run show 4711"])
@click.argument("flow", metavar="FLOW|RUN_ID")
@click.argument("date", type=DateType("latest", "now"), default="latest", metavar="[DATE]")
@json_option
@pass_session
def show_run(session: Session, flow: str, date: When, as_json: bool) -> None:
    """Show one run and its attempts.

    A number without a date is a run's id.
    """
    from sensord.cli import render, shapes
    from sensord.cli.listing import show_run_details
    from sensord.store.reads import runs

    with session.open() as db:
        found = _find(session, db, flow, date)
        attempts, details = runs.attempts(db, found), runs.details(db, found)
    logs = {attempt.number: str(_log_path(session, found, attempt.number)) for attempt in attempts}
    if as_json:
        shown = [shapes.attempt_shape(attempt, logs[attempt.number]) for attempt in attempts]
        render.show_json(shapes.run_shape(found) | details._asdict() | {"attempts": shown})
    else:
        show_run_details(found, attempts, logs, session.clock.now(), details)


@run.command(
    "logs", examples=["sensord run logs mart/sales latest", "sensord run logs mart/sales 2026-08-01 --attempt 1"]
)
@click.argument("flow", metavar="FLOW|RUN_ID")
@click.argument("date", type=DateType("latest", "now"), default="latest", metavar="[DATE]")
@click.option("--attempt", "number", metavar="N", type=click.IntRange(min=1), help="This one rather than the last.")
@click.option("--raw", is_flag=True, help="The bytes as the command wrote them, control characters and all.")
@pass_session
def show_logs(session: Session, flow: str, date: When, number: int | None, raw: bool) -> None:
    """Print what a run's command wrote.

    In its last attempt, unless told otherwise. Control characters are shown, not sent to the terminal.
    """
    from sensord.cli.logfile import copy
    from sensord.errors import NotFound
    from sensord.store.reads import runs

    with session.open() as db:
        found = _find(session, db, flow, date)
        attempts = {attempt.number: attempt for attempt in runs.attempts(db, found)}
    if (number or found.attempt) in runs.pruned_attempts(found, attempts):
        raise NotFound(f"the log of {found.flow} {_date(found)} is no more: retention has pruned it")
    if not attempts:
        raise NotFound(_never_started(found), hint=f"`sensord why {found.flow} {_date(found)}` says what it waits for")
    attempt = attempts.get(number or max(attempts))
    if attempt is None:
        known = ", ".join(map(str, attempts))
        raise NotFound(f"{found.flow} {_date(found)} has no attempt {number}", hint=f"its attempts: {known}")
    path = _log_path(session, found, attempt.number)
    if not path.exists():
        raise NotFound(f"no log of attempt {attempt.number} at {path}", hint=_elsewhere(attempt))
    copy(path, raw=raw)


for _change in change.RUN:
    run.add_command(_change)


def _find(session: Session, db: "Database", flow: str, date: When) -> "Run":
    from sensord.cli.lookup import find_run
    from sensord.errors import NotFound
    from sensord.store.reads import runs

    if not (flow.isdigit() and date == "latest"):
        return find_run(db, session.clock, flow, date)
    found = runs.by_id(db, int(flow)) if len(flow) < 19 else None
    if found is None:
        raise NotFound(f"no run with the id {flow}", hint="`sensord run list` shows the runs")
    return found


def _log_path(session: Session, found: "Run", number: int) -> "Path":
    from sensord.executors.folders import log_of

    return session.state_folder / "runs" / log_of(found.id, number)


def _date(found: "Run") -> str:
    from sensord.core.instant import format_instant

    return format_instant(found.logical_at)


def _never_started(found: "Run") -> str:
    return f"{found.flow} {_date(found)} has no log: it is {found.state.label} and was never started"


def _elsewhere(attempt: "Attempt") -> str:
    if attempt.began_at is None:
        return "its command has not begun yet"
    return f"it ran on {attempt.host}: look there, or give the daemon's --config"
