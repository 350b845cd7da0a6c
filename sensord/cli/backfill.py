"""`sensord backfill`: ask for the ticks of a flow between two dates; list, show, pause, resume and cancel what was."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from sensord.cli.command import Group, Session, json_option, pass_session
from sensord.cli.instants import DateType, When

if TYPE_CHECKING:
    from sensord.store.database import Database
    from sensord.store.reads.backfills import Backfill
    from sensord.store.reads.flows import Flow

_COMMON = ("--config", "--db")
_SECOND = timedelta(seconds=1)


class Backfills(Group):
    """`backfill FLOW ...` is short for `backfill start FLOW ...`, unless the flow is called as one of the verbs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = 0
        while first < len(args) and args[first].partition("=")[0] in _COMMON:
            first += 1 if "=" in args[first] else 2
        if first < len(args) and args[first] != "--help" and args[first] not in self.commands:
            args = [*args[:first], "start", *args[first:]]
        return super().parse_args(ctx, args)


@click.group("backfill", cls=Backfills)
def backfill() -> None:
    """Run past ticks of a flow; list, pause or cancel that.

    `backfill FLOW --from DATE --to DATE` is short for `backfill start`.
    """


@backfill.command(
    "start",
    examples=[
        "sensord backfill start mart/sales --from 2026-08 --to 2026-08",
        "sensord backfill start mart/sales --from 2026-08-01 --to now --rerun failed --upstream --yes",
    ],
)
@click.argument("flow", metavar="FLOW")
@click.option("--from", "since", type=DateType("now"), required=True, help="The first date.")
@click.option(
    "--to", "until", type=DateType("now"), required=True, help="The last date; nothing is made in the future."
)
@click.option(
    "--rerun",
    type=click.Choice(["failed", "skipped", "all"]),
    help="Those too that have ended: failed or cancelled, skipped, or any.",
)
@click.option("--upstream", is_flag=True, help="With all upstream runs that they wait for, near or far.")
@click.option("--downstream", is_flag=True, help="With all runs downstream that wait for them, near or far.")
@click.option("--max-active", metavar="N", type=click.IntRange(1, 10_000), help="At most so many of its runs at once.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.option("--dry-run", is_flag=True, help="Say how many runs that are, and leave it at that.")
@pass_session
def start(
    session: Session,
    flow: str,
    since: When,
    until: When,
    rerun: str | None,
    upstream: bool,
    downstream: bool,
    max_active: int | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Run the ticks of a flow between two dates that have no run.

    `start` may be left out, unless the flow is called as one of the verbs. Both dates belong to it, and one that is
    said in part means all of it: --to 2026-08 ends with August. Says first how many runs that are, and asks.

    Unfinished runs are left alone. The new ones wait for their sensors as any other, and go after those that are
    scheduled or made by hand.
    """
    from sensord.cli.ask import ask, require_leader
    from sensord.cli.consent import require_person
    from sensord.cli.lookup import find_flow

    if not (yes or dry_run):
        require_person(session, "a backfill")
    with session.open_for_change() as db:
        require_leader(db)
        found = find_flow(db, flow)
        first, last = _dates(session, db, found, since, until)
        body: dict[str, Any] = {"flow": flow, "from": first.isoformat(), "to": last.isoformat(), "rerun": rerun}
        body |= {"upstream": upstream, "downstream": downstream, "max_active": max_active}
        if dry_run or not yes:
            from sensord.cli.backfill_preview import consult, preview

            if dry_run:
                preview(db, body, session.clock.now())
                return
            consult(db, body, session.clock.now())
        ask(session, db, "backfill", body)


@backfill.command("list", examples=["sensord backfill list", "sensord backfill list --json"])
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), default=20, show_default=True, help="The newest so many."
)
@json_option
@pass_session
def list_backfills(session: Session, limit: int, as_json: bool) -> None:
    """List backfills and how far they are, the newest last."""
    from sensord.cli import backfill_view, render
    from sensord.store.reads import backfills

    with session.open() as db:
        found = backfills.newest(db, limit)
    if as_json:
        render.show_json({"backfills": [backfill_view.shape(one) for one in found]})
    elif found:
        backfill_view.table(found)
    else:
        render.message("no backfills")


@backfill.command("show", examples=["sensord backfill show 7", "sensord backfill show 7 --json"])
@click.argument("number", metavar="NUMBER", type=int)
@json_option
@pass_session
def show(session: Session, number: int, as_json: bool) -> None:
    """Show how far a backfill is, flow by flow."""
    from sensord.cli import backfill_view, render
    from sensord.store.reads import backfills

    with session.open() as db:
        found, parts = _find(number, backfills.find(db, number)), backfills.parts(db, number)
    if as_json:
        render.show_json(backfill_view.detail_shape(found, parts))
    else:
        render.show(backfill_view.detail_lines(found, parts, session.clock.now()))


@backfill.command("pause", examples=["sensord backfill pause 7"])
@click.argument("number", metavar="NUMBER", type=int)
@pass_session
def pause(session: Session, number: int) -> None:
    """Plan and start nothing more of a backfill; what runs goes on."""
    _ask(session, "pause_backfill", number)


@backfill.command("resume", examples=["sensord backfill resume 7"])
@click.argument("number", metavar="NUMBER", type=int)
@pass_session
def resume(session: Session, number: int) -> None:
    """Go on with a paused backfill."""
    _ask(session, "resume_backfill", number)


@backfill.command("cancel", examples=["sensord backfill cancel 7"])
@click.argument("number", metavar="NUMBER", type=int)
@pass_session
def cancel(session: Session, number: int) -> None:
    """Cancel all runs of a backfill that have not started; those that run go on to their end."""
    _ask(session, "cancel_backfill", number)


def _dates(session: Session, db: "Database", flow: "Flow", since: When, until: When) -> tuple[datetime, datetime]:
    """The first and the last instant."""
    from functools import partial

    from sensord.cli.instants import period_of
    from sensord.cli.lookup import instant_for, zone_of

    period = period_of(until, session.clock, partial(zone_of, db, flow))
    last = period[1] - _SECOND if period else instant_for(db, session.clock, flow, until)
    return instant_for(db, session.clock, flow, since), last


def _ask(session: Session, kind: str, number: int) -> None:
    from sensord.cli.ask import ask, require_leader
    from sensord.store.reads import backfills

    with session.open_for_change() as db:
        require_leader(db)
        _find(number, backfills.find(db, number))
        ask(session, db, kind, {"backfill": number})


def _find(number: int, found: "Backfill | None") -> "Backfill":
    from sensord.errors import NotFound

    if found is None:
        raise NotFound(f"no backfill {number}", hint="`sensord backfill list` shows them")
    return found
