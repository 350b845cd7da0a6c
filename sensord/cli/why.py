"""`sensord why`: what a run waits for, down to the root cause, and what happens next; or how it came to its end."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from sensord.cli.command import Command, Session, json_option, pass_session
from sensord.cli.instants import DateType, When

if TYPE_CHECKING:
    from sensord.cli.answer import Answer
    from sensord.store.database import Database


@click.command("why", cls=Command, examples=["sensord why mart/sales", "sensord why mart/sales 2026-08-01T02:00Z"])
@click.argument("flow")
@click.argument("date", type=DateType("latest", "now"), default="latest", metavar="[DATE]")
@json_option
@pass_session
def why(session: Session, flow: str, date: When, as_json: bool) -> None:
    """Say what a run waits for, or has waited for, and why it stands where it stands.

    Down to the root cause: the upstream run that failed, is under way, or is still to come, and the end of its log if
    it failed; and what happens next. Of a run that is over: how long it waited, for what, what came last, and who or
    what ended it. Of a tick to come: what it will wait for. Without a date it is the flow's newest run.
    """
    from sensord.cli import render, why_text
    from sensord.cli.why_json import answer_shape

    now = session.clock.now()
    with session.open() as db:
        answer = _answer(session, db, flow, date, now)
    if as_json:
        render.show_json(answer_shape(answer))
    else:
        render.show(why_text.lines(answer, now))


def _answer(session: Session, db: "Database", name: str, when: When, now: datetime) -> "Answer":
    from sensord.cli.answer import answer_run, answer_tick
    from sensord.cli.lookup import find_date, find_flow
    from sensord.cli.manning import lacks_worker
    from sensord.core.run import State
    from sensord.store.reads import runs

    flow = find_flow(db, name)
    if when == "latest":
        run = runs.newest(db, name)
        at = run.logical_at if run else None
    else:
        at, run = find_date(db, session.clock, flow, when)
    logs = session.state_folder / "runs"
    if run and run.state is State.QUEUED:
        return answer_run(db, flow, run, logs, now, lacks_worker(session, db, flow))
    return answer_run(db, flow, run, logs, now) if run else answer_tick(db, flow, at, now)
