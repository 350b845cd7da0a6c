"""`sensord run rerun`: what a person is shown and asked before all that had consumed a run is run again with it."""

from typing import TYPE_CHECKING

import click

from sensord.cli.command import Command, Session, pass_session
from sensord.cli.instants import DateType, When

if TYPE_CHECKING:
    from sensord.store.database import Database
    from sensord.store.reads.runs import Run


@click.command(
    "rerun",
    cls=Command,
    examples=[
        "sensord run rerun dim/customers 2026-08-01T02:00Z",
        "sensord run rerun dim/customers 2026-08-01T02:00Z --downstream --yes",
    ],
)
@click.argument("flow", metavar="FLOW")
@click.argument("date", type=DateType("latest", "now"), metavar="DATE")
@click.option("--downstream", is_flag=True, help="With all that had consumed it, near or far, as far as it has ended.")
@click.option("--yes", is_flag=True, help="Do not ask before runs downstream are run again.")
@click.option("--same-definition", is_flag=True, help="By the definition that it had, not by its flow's current one.")
@click.option("--now", "at_once", is_flag=True, help="Do not wait for its sensors.")
@pass_session
def rerun(
    session: Session, flow: str, date: When, downstream: bool, yes: bool, same_definition: bool, at_once: bool
) -> None:
    """Run what has ended again.

    By the flow's current definition, after its sensors, with all its retries. What waits for it waits again; what had
    consumed it and is queued or further goes on, and is shown as stale until it is rerun itself.
    """
    from sensord.cli.ask import ask, require_leader
    from sensord.cli.consent import require_person
    from sensord.cli.lookup import find_run

    asks = downstream and not yes
    if asks:
        require_person(session, "--downstream")
    with session.open_for_change() as db:
        require_leader(db)
        run = find_run(db, session.clock, flow, date)
        if asks:
            _consult(db, run)
        body = {"flow": flow, "logical_date": run.logical_at.isoformat()}
        flags = {"downstream": downstream, "same_definition": same_definition, "at_once": at_once}
        ask(session, db, "rerun", body | {name: True for name, given in flags.items() if given})


def _consult(db: "Database", run: "Run") -> None:
    """Show what would run again, and ask. Where that is nothing, or the daemon will refuse, there is nothing to ask."""
    from sensord.cli import render
    from sensord.cli.consent import confirm
    from sensord.cli.listing import consumer_table
    from sensord.core.run import FINAL
    from sensord.store.reads.consumers import consumers

    found = consumers(db, run) if run.state in FINAL else []
    if found:
        consumer_table(found)
        confirm(f"Run {render.count(sum(one.number - one.busy for one in found), 'run')} downstream again, too?")
