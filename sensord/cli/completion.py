"""What the shell proposes for a FLOW and a DATE: what the database knows, or else the files.

A proposal is never worth an error: where nothing can be read there is none.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sensord.cli.session import Session
from sensord.errors import SensordError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

NEWEST = 30
"""How many runs of a flow are proposed by their dates."""


class FlowType(click.types.StringParamType):
    """The name of a flow; any text is taken, and looked up later."""

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 -- click's signature
        incomplete: str,
    ) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in _names(_session(ctx)) if name.startswith(incomplete)]


def complete_date(ctx: click.Context, incomplete: str, words: Sequence[str]) -> "list[CompletionItem]":
    """The words, and the dates of the newest runs of the flow that stands before, each with its state."""
    from click.shell_completion import CompletionItem

    found = [CompletionItem(word) for word in words]
    flow = ctx.params.get("flow") or ctx.params.get("name")
    if isinstance(flow, str):
        found += _dates(_session(ctx), flow)
    return [item for item in found if item.value.startswith(incomplete)]


def _dates(session: Session, flow: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    from sensord.store.reads import runs

    try:
        with session.open() as db:
            newest = runs.select(db, runs.Filter(NEWEST, flow))
    except SensordError:
        return []
    return [CompletionItem(f"{run.logical_at:%Y-%m-%dT%H%M%SZ}", help=run.state.label) for run in reversed(newest)]


def _names(session: Session) -> list[str]:
    from sensord.store.reads import flows

    try:
        with session.open() as db:
            return flows.names(db)
    except SensordError:
        return _names_of_files(session)


def _names_of_files(session: Session) -> list[str]:
    from sensord.config.files import find_files

    try:
        return [found.name for found in find_files(session.config_dir).files]
    except SensordError:
        return []


def _session(ctx: click.Context) -> Session:
    return ctx.find_root().ensure_object(Session)
