"""`sensord run`: list runs, show one with its attempts. Their logs are in `logs`, what changes them in `change`."""

from typing import TYPE_CHECKING

import click

from sensord.cli import change
from sensord.cli.command import Group, Session, json_option, pass_session
from sensord.cli.instants import DateType, Since, SinceType, When
from sensord.cli.logs import show_logs
from sensord.core.run import State

if TYPE_CHECKING:
    from sensord.store.database import Database
    from sensord.store.reads.runs import Run

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


@run.command("show", examples=["sensord run show mart/sales 2026-08-01T02:00Z", "sensord run show 4711 --definition"])
@click.argument("flow", metavar="FLOW|RUN_ID")
@click.argument("date", type=DateType("latest", "now"), default="latest", metavar="[DATE]")
@click.option("--definition", is_flag=True, help="Show the definition of its flow that the run has, instead.")
@click.option("--attempt", "number", metavar="N", type=click.IntRange(min=1), help="The definition that this one had.")
@json_option
@pass_session
def show_run(session: Session, flow: str, date: When, definition: bool, number: int | None, as_json: bool) -> None:
    """Show one run and its attempts.

    And what it had come to before somebody ran it again or marked it. A number without a date is a run's id.
    """
    from sensord.cli import past, past_json, past_text, render, shapes
    from sensord.cli.listing import show_run_details
    from sensord.cli.logfile import log_path
    from sensord.cli.lookup import find_run_or_id
    from sensord.config.settings import PROCRASTINATE
    from sensord.errors import UsageError
    from sensord.store.reads import runs

    if number is not None and not definition:
        raise UsageError("expected --definition with --attempt, got --attempt alone", hint="all attempts are shown")
    with session.open() as db:
        found = find_run_or_id(db, session.clock, flow, date)
        if definition:
            _show_definition(db, found, number, as_json)
            return
        attempts, details = runs.attempts(db, found), runs.details(db, found)
        hurried, ends = runs.hurried_by(db, found), past.earlier_ends(db, found)
    logs = {
        attempt.number: str(log_path(session.state_folder, found.id, attempt.number))
        for attempt in attempts
        if attempt.executor != PROCRASTINATE
    }
    if as_json:
        extra = {"priority_from": shapes.name_shape(hurried)}
        lists = {
            "ends": [past_json.end_shape(end) for end in ends],
            "attempts": [shapes.attempt_shape(attempt, logs.get(attempt.number)) for attempt in attempts],
        }
        render.show_json(shapes.run_shape(found) | extra | details._asdict() | lists)
    else:
        show_run_details(found, attempts, logs, session.clock.now(), details, hurried, past_text.earlier(ends))


def _show_definition(db: "Database", found: "Run", number: int | None, as_json: bool) -> None:
    from sensord.cli import definition_view, render
    from sensord.core.instant import format_instant
    from sensord.errors import NotFound
    from sensord.store.reads import definitions

    held = definitions.of_attempt(db, found, number) if number else definitions.of_run(db, found)
    if held is None:
        name = f"{found.flow} {format_instant(found.logical_at)}"
        raise NotFound(f"{name} has no attempt {number}, or retention has pruned it", hint=f"sensord run show {name}")
    if as_json:
        render.show_json(definition_view.shape(found, number, held))
    else:
        render.show(definition_view.lines(found, number, held))


for _command in (show_logs, *change.RUN):
    run.add_command(_command)
