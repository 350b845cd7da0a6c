"""`sensord schema`: the JSON Schema of the files, for editors and for checks elsewhere."""

import click

from sensord.cli.command import Command
from sensord.config.names import SETTINGS_FILE

KINDS = ("flow", SETTINGS_FILE)


@click.command(
    "schema", cls=Command, examples=["sensord schema flow > config/schema/flow.json", "sensord schema sensord.toml"]
)
@click.argument("kind", type=click.Choice(KINDS), default=KINDS[0], metavar=f"[{'|'.join(KINDS)}]")
def schema(kind: str) -> None:
    """Print the JSON Schema of a flow's file, or of sensord.toml.

    That of a flow holds for templates and defaults.toml, too. Editors use it by a first line such as
    `#:schema ../schema/flow.json`, which `sensord init` and `sensord flow new` write. What keys mean together is more
    than a schema can say: `sensord check` knows.
    """
    from sensord.cli import render
    from sensord.config.json_schema import SCHEMAS

    render.show_json(SCHEMAS[kind]())
