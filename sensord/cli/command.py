"""What all commands share: examples in their help, and the options that say where the config and the database are."""

from collections.abc import Sequence
from typing import Any

import click

from sensord.cli.completion import FlowType
from sensord.cli.session import Session

WHOLE = 500
"""Characters of a sentence in a list of commands: it goes on in the next line, click would cut it off."""


def _keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """An option given before the command holds unless it is given again after it."""
    if value is not None:
        ctx.find_root().ensure_object(Session).choose(str(param.name), value)


def common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--config"],
            metavar="DIR",
            expose_value=False,
            callback=_keep,
            help="Where sensord.toml and flows/ are (SENSORD_CONFIG, else config/).",
        ),
        click.Option(
            ["--db"],
            metavar="URL",
            expose_value=False,
            callback=_keep,
            help="The database, without a password (SENSORD_DB, else as sensord.toml says).",
        ),
    ]


def _complete_flows(param: click.Parameter) -> None:
    """What help calls a FLOW, or a PATTERN of its name, is completed by the shell."""
    shown = param.metavar or (param.name or "").upper()
    if param.type is click.STRING and ("FLOW" in shown or "PATTERN" in shown):
        param.type = FlowType()


class Command(click.Command):
    """A command with `examples`, whole command lines that its help shows as they are."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = examples
        for param in self.params:
            _complete_flows(param)
        self.params.extend(common_options())

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 -- click's signature
        return super().get_short_help_str(WHOLE)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")


class Group(click.Group):
    """A noun. The verbs are Commands."""

    command_class = Command

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params.extend(common_options())

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 -- click's signature
        return super().get_short_help_str(WHOLE)


pass_session = click.make_pass_decorator(Session, ensure=True)
"""Hand the Session to a command as its first argument."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

__all__ = ["Command", "Group", "Session", "common_options", "json_option", "pass_session"]
