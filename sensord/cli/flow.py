"""`sensord flow`: the flows that the daemon knows, and one of them with its schedule and sensors."""

import click

from sensord.cli import change
from sensord.cli.command import Group, Session, json_option, pass_session


@click.group("flow", cls=Group)
def flow() -> None:
    """List the flows that the daemon knows; show, pause or resume one."""


@flow.command("list", examples=["sensord flow list", "sensord flow list --json"])
@json_option
@pass_session
def list_flows(session: Session, as_json: bool) -> None:
    """List all flows."""
    from sensord.cli import flow_view, render
    from sensord.store.reads import flows

    with session.open() as db:
        found = [flow_view.read(one, body) for one, body in flows.with_bodies(db)]
    if as_json:
        render.show_json({"flows": [flow_view.flow_shape(view) for view in found]})
    elif found:
        flow_view.flow_table(found)
    else:
        render.message("no flows")


@flow.command("show", examples=["sensord flow show mart/sales", "sensord flow show mart/sales --json"])
@click.argument("name", metavar="FLOW")
@json_option
@pass_session
def show_flow(session: Session, name: str, as_json: bool) -> None:
    """Show one flow.

    Its schedule, command and sensors, who waits for it, and what is wrong in its file.
    """
    from sensord.cli import flow_view, render
    from sensord.cli.lookup import find_flow
    from sensord.store.reads import flows

    with session.open() as db:
        view = flow_view.read(find_flow(db, name), flows.body(db, find_flow(db, name)))
        problems = [problem for problem in flows.problems(db) if problem.flow == name]
        others = [flow_view.read(one, body) for one, body in flows.with_bodies(db)]
    downstreams = [other.row.name for other in others if name in other.flow.upstreams]
    now = session.clock.now()
    if as_json:
        render.show_json(flow_view.detail_shape(view, downstreams, problems, now))
    else:
        render.show(flow_view.detail_lines(view, downstreams, problems, now))


for _change in change.FLOW:
    flow.add_command(_change)
