"""`sensord worker`: start one that takes runs from a queue; list those that are there."""

from typing import TYPE_CHECKING

import click

from sensord.cli.command import Group, Session, json_option, pass_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensord.store.workers import Worker


@click.group("worker", cls=Group)
def worker() -> None:
    """Start a worker on this machine; list the workers."""


@worker.command(
    "start", examples=["sensord worker start --queue etl --slots 8", "sensord worker start --queue etl --name second"]
)
@click.option("--queue", metavar="QUEUE", help="Where it takes runs from. By default that of sensord.toml.")
@click.option(
    "--slots",
    metavar="N",
    type=click.IntRange(min=1, max=10_000),
    help="How many commands may run at once. By default those of sensord.toml.",
)
@click.option(
    "--name",
    metavar="NAME",
    help="Of this worker and its state folder: the same one after a restart. By default the queue's.",
)
@pass_session
def start(session: Session, queue: str | None, slots: int | None, name: str | None) -> None:
    """Run a worker until it is stopped.

    By SIGTERM or Ctrl-C: then it takes nothing more and ends when its commands have. A second signal ends it at once;
    the commands go on for as long as a worker may be away (`heartbeat_limit`), and the next one of that name takes
    them up. It needs PostgreSQL, and flows with executor = "procrastinate".
    """
    from sensord.daemon import logs
    from sensord.errors import UsageError
    from sensord.worker.main import is_name, run

    for option, value in (("--queue", queue), ("--name", name)):
        if value is not None and not is_name(value):
            raise UsageError(f"expected at most 40 letters, digits, _, - and dots for {option}, got {value!r}")
    logs.set_up(colour=session.colour)
    run(session.config_dir, session.chosen_url, queue=queue, slots=slots, name=name)


@worker.command("list", examples=["sensord worker list", "sensord worker list --json"])
@json_option
@pass_session
def list_workers(session: Session, as_json: bool) -> None:
    """List the workers by queue: their slots in use, since when each is there, and how long ago it was heard of.

    One that was silent for too long, and one that has drained, are not there.
    """
    from sensord.cli import render, shapes
    from sensord.store import workers

    with session.open() as db:
        found = workers.present(db)
    if as_json:
        render.show_json({"workers": [shapes.worker_shape(one) for one in found]})
    elif found:
        _show(found)
    else:
        render.message("no workers")


def _show(found: "Sequence[Worker]") -> None:
    from datetime import timedelta

    from sensord.cli.render import Cell, Column, Span, span_of, table
    from sensord.core.instant import format_instant, from_micros

    columns = [
        Column("QUEUE"),
        Column("WORKER"),
        Column("HOST", flex=True),
        Column("SLOTS", right=True),
        Column("STATE"),
        Column("SINCE", spare=True),
        Column("HEARD", right=True),
    ]
    rows: list[list[Cell]] = [
        [
            one.queue,
            one.name,
            one.host,
            f"{one.busy} of {one.slots}",
            Span("taking", "green") if one.is_taking else Span("draining", "yellow"),
            format_instant(from_micros(one.started_at)),
            f"{span_of(timedelta(seconds=one.silent))} ago",
        ]
        for one in found
    ]
    table(columns, rows)
