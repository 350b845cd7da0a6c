"""`--param NAME=VALUE`: what the value may be, the flow's definition says, and so the daemon."""

import click


class ParamType(click.ParamType[tuple[str, str]]):
    """`mode=full`, as a pair; the value may hold further `=`, or nothing."""

    name = "param"

    def convert(
        self, value: str | tuple[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail(f"expected NAME=VALUE, got {value!r}.", param, ctx)
        return name, text
