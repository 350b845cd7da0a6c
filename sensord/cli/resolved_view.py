"""`sensord flow show --resolved`: what holds for a flow, key by key, and the file that says so. Reads files only."""

import json
from datetime import date
from typing import Any

from sensord.cli import render
from sensord.cli.render import Column
from sensord.cli.session import Session
from sensord.config.resolved import Resolved, resolved
from sensord.errors import NotFound


def show(session: Session, name: str, *, as_json: bool) -> None:
    """NotFound where there is no such flow; ConfigError where one of its files cannot be used."""
    if not session.config_dir.is_dir():
        raise NotFound(f"no config folder at {session.config_dir}", hint="--config or SENSORD_CONFIG names another")
    values = resolved(session.config_dir, name)
    if as_json:
        render.show_json({"flow": name, "values": [_shape(one) for one in values]})
    else:
        columns = [Column("KEY"), Column("VALUE", flex=True), Column("FILE", flex=True)]
        render.table(columns, [[one.key, _words(one.value), f"{one.file}:{one.line}"] for one in values])


def _shape(one: Resolved) -> dict[str, Any]:
    return {
        "key": one.key,
        "value": _plain(one.value),
        "file": one.file,
        "line": one.line,
        "column": one.column,
    }


def _plain(value: Any) -> Any:
    """For JSON: dates are texts, as TOML has them."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _words(value: Any) -> str:
    """As TOML has it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(_words(one) for one in value)}]"
        case date():
            return value.isoformat()
        case _:
            return str(value)
