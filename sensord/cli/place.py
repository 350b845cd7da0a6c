"""Where the database and the state folder are, by sensord.toml: a short way to what `sensord.config.settings` says.

Its models take 100 ms to import, which reads cannot spare. What is not plain goes the long way, errors above all.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

STATE_FOLDER = "../.sensord"
DATABASE_FILE = "sensord.db"
_URL = re.compile(r"(sqlite:///|postgres(ql)?://)\S+")


class Place(NamedTuple):
    database_url: str
    state: Path


def read_place(directory: Path) -> Place:
    """By the settings of a config folder, or without any by the defaults. ConfigError where they cannot be used."""
    found = _short_way(directory)
    if found is None:
        from sensord.config.settings import load_settings

        settings = load_settings(directory)
        return Place(settings.database_url, settings.state)
    return found


def _short_way(directory: Path) -> Place | None:
    """None where there is anything to be said of the file."""
    folder = Path(os.path.abspath(directory))  # noqa: PTH100 -- resolve() would follow links
    try:
        table = _parse((folder / "sensord.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        table = {}
    except (OSError, ValueError):
        return None
    named, database = table.get("state", STATE_FOLDER), table.get("database", "")
    if "database_file" in table or not (isinstance(named, str) and isinstance(database, str) and named):
        return None
    if "database" in table and not _URL.fullmatch(database):
        return None
    state = Path(os.path.normpath(folder / named))
    return Place(database or f"sqlite://{state / DATABASE_FILE}", state)


def _parse(text: str) -> dict[str, object]:
    import tomllib

    return tomllib.loads(text)
