"""What people change: `sensord run rerun|cancel|mark|trigger`, `sensord flow pause|resume|retire`; each a request."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sensord.cli.command import Command, Session, pass_session
from sensord.cli.instants import DateType, When
from sensord.cli.params import ParamType
from sensord.cli.rerun import rerun
from sensord.core.run import FINAL

if TYPE_CHECKING:
    from sensord.store.database import Database

_FLOW = click.argument("flow", metavar="FLOW")
_DATE = click.argument("date", type=DateType("latest", "now"), metavar="DATE")


@click.command("cancel", cls=Command, examples=["sensord run cancel mart/sales latest"])
@_FLOW
@_DATE
@pass_session
def cancel(session: Session, flow: str, date: When) -> None:
    """End a run before its time.

    A command that runs is sent SIGTERM, and after the flow's grace SIGKILL.
    """
    _ask_of_run(session, "cancel", flow, date)


@click.command("mark", cls=Command, examples=["sensord run mark dim/customers 2026-08-01T02:00Z success"])
@_FLOW
@_DATE
@click.argument("state", type=click.Choice([state.label for state in sorted(FINAL)]))
@pass_session
def mark(session: Session, flow: str, date: When, state: str) -> None:
    """Say how a run ended, whatever it did.

    Those that wait for it take it at that. A command that runs is ended first.
    """
    _ask_of_run(session, "mark", flow, date, state=state)


@click.command(
    "trigger",
    cls=Command,
    examples=[
        "sensord run trigger mart/sales",
        "sensord run trigger mart/sales --date 2026-08-01T02:00Z",
        "sensord run trigger mart/sales --at 2026-08-01T02:10 --param mode=full --param limit=10",
    ],
)
@_FLOW
@click.option(
    "--date", "tick", metavar="TICK", type=DateType(), help="For this tick of the flow, which has no run yet."
)
@click.option(
    "--at", metavar="INSTANT", type=DateType("now"), help="For any instant that has no run and is past. [default: now]"
)
@click.option(
    "--param", "params", metavar="NAME=VALUE", type=ParamType(), multiple=True, help="Instead of the flow's own value."
)
@pass_session
def trigger(session: Session, flow: str, tick: When | None, at: When | None, params: Sequence[tuple[str, str]]) -> None:
    """Make a run by hand, for now or for a date that has none.

    It waits for its sensors as every run does. At a tick of the flow it counts for those that wait for that date; off
    the ticks it counts for nobody. Params are those that the flow's command or variables fill in, each of the type that
    the flow's file has it in.
    """
    from sensord.cli.ask import ask, require_leader
    from sensord.cli.lookup import find_date, find_flow, instant_for
    from sensord.errors import UsageError

    if tick is not None and at is not None:
        raise UsageError("expected --date or --at, got both", hint="--date is for a tick, --at for any other instant")
    if twice := [name for name, number in Counter(name for name, _ in params).items() if number > 1]:
        raise UsageError(f"expected each param once, got {', '.join(twice)} again")
    with session.open_for_change() as db:
        require_leader(db)
        found, date = find_flow(db, flow), None
        if tick is not None:
            date = find_date(db, session.clock, found, tick)[0].isoformat()
        elif at is not None and at != "now":
            date = instant_for(db, session.clock, found, at).isoformat()
        body = {"flow": flow, "logical_date": date, "tick": tick is not None, "params": dict(params)}
        ask(session, db, "trigger", body)


@click.command("pause", cls=Command, examples=["sensord flow pause mart/sales"])
@_FLOW
@pass_session
def pause(session: Session, flow: str) -> None:
    """Plan nothing more of a flow, and start nothing that is scheduled.

    What runs goes on, with its retries, and so does what people ask for: manual runs and reruns.
    """
    _ask_of_flow(session, "pause", flow)


@click.command("resume", cls=Command, examples=["sensord flow resume mart/sales"])
@_FLOW
@pass_session
def resume(session: Session, flow: str) -> None:
    """Go on with a paused flow.

    The ticks that passed were missed: its `catchup` says which of them are run.
    """
    _ask_of_flow(session, "resume", flow)


@click.command("retire", cls=Command, examples=["sensord flow retire mart/sales"])
@_FLOW
@pass_session
def retire(session: Session, flow: str) -> None:
    """Give up a flow whose file is gone, without waiting for `retire_after`.

    Its runs that have not started are cancelled, and what runs ends. Who waits for it finds no match. How its runs
    ended is kept, and still counts; if its file comes back, it goes on.
    """
    _ask_of_flow(session, "retire", flow)


RUN = (rerun, cancel, mark, trigger)
FLOW = (pause, resume, retire)


def _ask_of_run(session: Session, kind: str, flow: str, date: When, **more: str) -> None:
    from sensord.cli.ask import ask, require_leader
    from sensord.cli.lookup import find_run

    with session.open_for_change() as db:
        require_leader(db)
        at = find_run(db, session.clock, flow, date).logical_at
        ask(session, db, kind, {"flow": flow, "logical_date": at.isoformat(), **more})


def _ask_of_flow(session: Session, kind: str, flow: str) -> None:
    from sensord.cli.ask import ask, require_leader

    with session.open_for_change() as db:
        require_leader(db)
        ask(session, db, kind, {"flow": _name(db, flow)})


def _name(db: "Database", flow: str) -> str:
    from sensord.cli.lookup import find_flow

    return find_flow(db, flow).name
