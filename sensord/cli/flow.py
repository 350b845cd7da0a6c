"""`sensord flow`: the flows that the daemon knows, and one of them with its schedule and sensors."""

import click

from sensord.cli import change
from sensord.cli.command import Group, Session, json_option, pass_session


@click.group("flow", cls=Group)
def flow() -> None:
    """List flows; show, pause, resume or retire one; write a new one."""


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


@flow.command("show", examples=["sensord flow show mart/sales", "sensord flow show mart/sales --resolved"])
@click.argument("name", metavar="FLOW")
@click.option("--resolved", "from_files", is_flag=True, help="Each value, and which file says so.")
@json_option
@pass_session
def show_flow(session: Session, name: str, from_files: bool, as_json: bool) -> None:
    """Show one flow.

    Its schedule, command and sensors, who waits for it, and what is wrong in its file. With `--resolved`, instead, what
    its file, its templates and its defaults come to, key by key: that needs neither database nor daemon.
    """
    from sensord.cli import flow_view, render, resolved_view
    from sensord.cli.lookup import find_flow
    from sensord.store.reads import flows

    if from_files:
        resolved_view.show(session, name, as_json=as_json)
        return
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


@flow.command(
    "new",
    examples=[
        "sensord flow new mart/sales --upstream ingest/orders --upstream dim/customers",
        "sensord flow new mart/top --cron '0 6 * * *' --template dbt",
    ],
)
@click.argument("name", metavar="NAME")
@click.option("--cron", metavar="EXPRESSION", help="When it runs: every hour, unless what it builds on says.")
@click.option("--template", metavar="TEMPLATE", help="The template that it extends: one of templates/.")
@click.option("--upstream", "upstreams", metavar="FLOW", multiple=True, help="A flow that it waits for.")
@pass_session
def new_flow(session: Session, name: str, cron: str | None, template: str | None, upstreams: tuple[str, ...]) -> None:
    """Write the file of a new flow.

    With a sensor for each upstream, and a command to be replaced by your own; what a template or defaults.toml says is
    left to these. Nothing is written over. A daemon that watches its files takes the flow up at once.
    """
    from sensord.cli import render
    from sensord.cli.new_flow import make
    from sensord.errors import ConfigError

    made = make(session, name, cron, template, upstreams)
    render.message(f"made {made.path}")
    if made.problems:
        raise ConfigError(made.problems)


for _change in change.FLOW:
    flow.add_command(_change)
