"""`sensord daemon`: start it, stop it, have it read its files again, ask how it is."""

import sys
from typing import TYPE_CHECKING

import click

from sensord.cli.command import Group, Session, json_option, pass_session
from sensord.errors import SensordError

if TYPE_CHECKING:
    from sensord.store.database import Database
    from sensord.store.lead import Leader

LOOK = 0.2
"""Seconds between two looks at a daemon that is stopping."""

SHOWN = 10
"""How many of the runs that a daemon waits for are named."""


@click.group("daemon", cls=Group)
def daemon() -> None:
    """Start, stop or reload the daemon; ask how it is."""


@daemon.command("start", examples=["sensord daemon start", "sensord --config /etc/sensord daemon start --detach"])
@click.option(
    "--detach",
    is_flag=True,
    help="Return when it leads or stands by; its output goes to daemon.log in the state folder.",
)
@pass_session
def start(session: Session, detach: bool) -> None:
    """Run the daemon until it is stopped.

    By `sensord daemon stop`, SIGTERM or Ctrl-C: then it starts nothing more and ends when running commands have.
    A second signal ends it at once; the commands go on, and the next daemon takes them up.
    On PostgreSQL it stands by while another daemon leads, and takes over when that one ends.
    """
    if detach:
        from sensord.cli.detach import run_detached

        run_detached(session)
        return
    run_daemon(session)


@daemon.command("stop", examples=["sensord daemon stop", "sensord daemon stop --now"])
@click.option("--now", is_flag=True, help="Do not wait for commands that run: the next daemon takes them up.")
@pass_session
def stop(session: Session, now: bool) -> None:
    """Stop the daemon, and wait until it is gone.

    It starts nothing more and waits for running commands, which are named. It may be of an older version: so it can
    be stopped after an upgrade, too.
    """
    from sensord.cli.ask import ask, require_leader
    from sensord.store.schema import Condition, condition

    with session.open_for_change(of_any_version=True) as db:
        leader = require_leader(db)
        ask(session, db, "stop", {"now": now})
        _wait_until_gone(session, db, leader, named=condition(db) is Condition.CURRENT)


@daemon.command("reload", examples=["sensord daemon reload"])
@pass_session
def reload(session: Session) -> None:
    """Have the daemon read its files again now, and say what is wrong in them.

    A flow whose file is wrong goes on as it was.
    """
    from sensord.cli import render
    from sensord.cli.ask import ask
    from sensord.cli.problem_view import problem_lines
    from sensord.store.reads import flows

    with session.open_for_change() as db:
        problems = flows.problems(db) if ask(session, db, "reload", {}) else []
    if problems:
        render.show(problem_lines(problems), to=sys.stderr)


@daemon.command("status", examples=["sensord daemon status", "sensord daemon status --json"])
@json_option
@pass_session
def show_status(session: Session, as_json: bool) -> None:
    """Say who leads, who stands by, and how much there is to do.

    With the number of runs in each unfinished state, the workers by queue, and what is wrong in the files.
    """
    from sensord.cli import manning, render, shapes
    from sensord.cli.problem_view import problem_lines
    from sensord.store.database import redact
    from sensord.store.lead import current_leader
    from sensord.store.reads import flows, runs
    from sensord.store.reads.daemon import standing_by

    with session.open() as db:
        leader, counts, problems = current_leader(db), runs.counts(db), flows.problems(db)
        others, crews = standing_by(db, leader), manning.crews(db)
    if as_json:
        shown = {state.label: number for state, number in counts.items()}
        shape = {"daemon": shapes.leader_shape(leader), "database": redact(session.url), "runs": shown}
        lists = {
            "standing_by": [shapes.leader_shape(one) for one in others],
            "workers": [shapes.crew_shape(one) for one in crews],
            "problems": [shapes.problem_shape(problem) for problem in problems],
        }
        render.show_json(shape | lists)
        return
    live = ", ".join(f"{number:,} {state.label}" for state, number in counts.items())
    facts = {
        "daemon": str(leader) if leader else "none",
        "database": redact(session.url),
        "runs": live or "none unfinished",
        "files": render.count(len(problems), "problem"),
    }
    facts |= {"trouble": leader.trouble} if leader and leader.trouble else {}
    facts |= {"workers": manning.crew_words(crews)} if crews else {}
    facts |= {f"stand-by {number}" if number > 1 else "stand-by": str(one) for number, one in enumerate(others, 1)}
    lines = [[render.Span(f"{name + ':':10}", "bold"), render.Span(value)] for name, value in facts.items()]
    render.show([*lines, *problem_lines(problems)])


def run_daemon(session: Session) -> None:
    """Be the daemon, with the log on stderr. A fault of ours that ends it is in the log, whole; nobody was looking."""
    import logging

    from sensord.daemon import logs
    from sensord.daemon.main import run

    logs.set_up(colour=session.colour)
    try:
        run(session.config_dir, session.chosen_url)
    except SensordError:
        raise
    except Exception as error:
        logging.getLogger("sensord").exception("internal error: %r", error)  # noqa: TRY401 -- the line is read alone, too
        raise


def _wait_until_gone(session: Session, db: "Database", leader: "Leader", *, named: bool) -> None:
    """named: whether the runs that it waits for can be read, and told."""
    from sensord.cli import render
    from sensord.cli.listing import since
    from sensord.core.instant import format_instant
    from sensord.store.lead import current_leader
    from sensord.store.reads.daemon import active

    shown: list[int] = []
    while current_leader(db) == leader:
        running = active(db, SHOWN + 1) if named else []
        if [run.id for run in running] != shown:
            shown = [run.id for run in running]
            for run in running[:SHOWN]:
                words = since(run, session.clock.now())
                render.message(f"waiting for {run.flow} {format_instant(run.logical_at)}, {words}")
            if len(running) > SHOWN:
                render.message("waiting for more runs")
        session.wait(LOOK)
    render.message("stopped")
