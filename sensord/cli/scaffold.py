"""What `sensord init` and `sensord flow new` write: the texts of new files. None is ever written over."""

import json
from collections.abc import Sequence
from pathlib import Path

from sensord.config.json_schema import SCHEMAS
from sensord.config.names import FLOWS_FOLDER, SETTINGS_FILE, show

SCHEMA_FOLDER = "schema"

SETTINGS = """\
# Where runs are kept, and how many commands run at once. Without a key its default holds.

# database = "postgresql://sensord@db.example/sensord"   # default: a SQLite file in the state folder
# slots = 8                                              # default: four for each CPU
"""

ORDERS = """\
description = "An example to begin with: orders, every five minutes"
tags = ["example"]

[schedule]
cron = "*/5 * * * *"

[run]
command = ["echo", "loading the orders of", "{{ data_interval_start }}", "to", "{{ data_interval_end }}"]
"""

SUMMARY = """\
description = "An example to begin with: each minute, what the newest orders come to"
tags = ["example"]

[schedule]
cron = "* * * * *"

[run]
command = ["echo", "adding up the newest orders at", "{{ logical_date }}"]

[[sensors]]
upstream = "example/orders"     # the last run of it at or before the minute, once that has succeeded
"""


def first_files() -> dict[str, str]:
    """The files of a new config folder, by their paths in it."""
    schemas = {
        f"{SCHEMA_FOLDER}/{file_of(name)}": f"{json.dumps(make(), indent=2)}\n" for name, make in SCHEMAS.items()
    }
    return schemas | {
        SETTINGS_FILE: f"{header(SETTINGS_FILE, SETTINGS_FILE)}\n{SETTINGS}",
        "flows/example/orders.toml": f"{header('flows/example/orders.toml')}\n{ORDERS}",
        "flows/example/summary.toml": f"{header('flows/example/summary.toml')}\n{SUMMARY}",
    }


def file_of(schema: str) -> str:
    return f"{schema.removesuffix('.toml')}.json"


def header(file: str, schema: str = "flow") -> str:
    """The line by which editors find the schema of a file of the config folder, from where that is."""
    return f"#:schema {'../' * file.count('/') or './'}{SCHEMA_FOLDER}/{file_of(schema)}\n"


def new_flow(
    name: str, *, cron: str | None, command: bool, template: str | None = None, upstreams: Sequence[str] = ()
) -> str:
    """The text of a flow's file. Without `cron` or `command` it leaves these to what it builds on."""
    parts = [header(f"{FLOWS_FOLDER}/{name}.toml").rstrip()]
    if template:
        parts.append(f"extends = {show(template)}")
    if cron:
        parts.append(f"[schedule]\ncron = {show(cron)}")
    if command:
        parts.append('[run]\ncommand = ["echo", "{{ flow }}", "{{ logical_date }}"]')
    parts += [f"[[sensors]]\nupstream = {show(upstream)}" for upstream in upstreams]
    return "\n\n".join(parts) + "\n"


def write_new(path: Path, text: str) -> bool:
    """Whether it was written: a file that is there stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
