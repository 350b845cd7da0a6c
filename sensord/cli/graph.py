"""`sensord graph`: which flow waits for which, from the files alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sensord.cli.command import Command, Session, json_option, pass_session

if TYPE_CHECKING:
    from sensord.config import Config
    from sensord.core.flow import Flow
    from sensord.core.graph import Graph

FORMATS = ("text", "mermaid", "dot", "svg")
_STEPS = click.IntRange(min=0)


@click.command(
    "graph",
    cls=Command,
    examples=[
        "sensord graph mart/sales",
        "sensord graph mart/sales --up 1 --down 0",
        "sensord graph --format svg > flows.svg",
    ],
)
@click.argument("flow", required=False, metavar="[FLOW]")
@click.option("--up", metavar="N", type=_STEPS, help="Go up so many steps from FLOW, rather than to the end.")
@click.option("--down", metavar="N", type=_STEPS, help="Go down so many steps from FLOW, rather than to the end.")
@click.option(
    "--format", "shown_as", type=click.Choice(FORMATS), default="text", show_default=True, help="What to draw it in."
)
@json_option
@pass_session
def graph(session: Session, flow: str | None, up: int | None, down: int | None, shown_as: str, as_json: bool) -> None:
    """Draw which flow waits for which.

    All flows, or what is around one. By the files alone. Beside each flow stands how its sensor maps; a flow that
    stands above already is not told again.
    """
    from sensord.cli import render
    from sensord.cli.files import all_flows, find_in_files, read_files
    from sensord.core.graph import around, graph_of

    if flow is None and (up is not None or down is not None):
        raise click.UsageError("--up and --down count from a flow: name one.")
    config = read_files(session)
    flows = all_flows(config)
    drawn = graph_of(flows)
    if flow is not None:
        drawn = around(drawn, find_in_files(config, flow).name, up, down)
    if as_json:
        render.show_json(_shape(drawn, config, flow))
    elif shown_as == "text":
        from sensord.cli import graph_text

        unread = _missing(drawn, flows)
        render.show(graph_text.lines(drawn, unread, frozenset(filter(config.holds, unread)), flow))
    else:
        click.echo("\n".join(_drawing(shown_as, drawn, flows, flow)))
    if config.problems:
        render.message(f"{render.count(len(config.problems), 'problem')} in the files; `sensord check` has them")


def _drawing(shown_as: str, drawn: "Graph", flows: "dict[str, Flow]", name: str | None) -> Iterator[str]:
    missing = _missing(drawn, flows)
    if shown_as == "svg":
        from sensord.cli.graph_svg import svg

        yield from svg(drawn, missing, name, {one: _note(flows[one]) for one in drawn.names if one in flows})
    else:
        from sensord.cli import graph_markup

        write = graph_markup.mermaid if shown_as == "mermaid" else graph_markup.dot
        yield from write(drawn, missing, name)


def _missing(drawn: "Graph", flows: "dict[str, Flow]") -> frozenset[str]:
    return frozenset(drawn.names) - frozenset(flows)


def _note(flow: "Flow") -> str:
    from sensord.cli.flow_view import schedule_words

    facts = (flow.name, flow.description, schedule_words(flow))
    return ": ".join(fact for fact in facts if fact)


def _shape(drawn: "Graph", config: "Config", name: str | None) -> dict[str, Any]:
    """As docs/reference/json.md has it."""
    return {
        "flow": name,
        "flows": [{"flow": one, "known": config.holds(one)} for one in drawn.names],
        "links": [
            {"upstream": link.upstream, "downstream": link.downstream, "matches": list(link.matches)}
            for link in drawn.links
        ],
    }
