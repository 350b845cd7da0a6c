"""Makes sensord/config/meanings.py from docs/reference: `python -m tests.config.meanings`, then `ruff format`."""

import re
from pathlib import Path

from sensord.config.shape import TABLES
from tests.config.test_reference import rows

FILE = Path(__file__).parents[2] / "sensord" / "config" / "meanings.py"
HEAD = '''"""What each key means, in the words of docs/reference: for editors, by way of the JSON Schema.

Made by `python -m tests.config.meanings`; a test compares.
"""

MEANINGS: dict[str, dict[str, str]] = {
'''
LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
WIDTH = 90


def meanings() -> dict[str, dict[str, str]]:
    """Table -> key -> its meaning, as plain text."""
    return {table: {key: _plain(cells[2]) for key, cells in rows(table).items()} for table in TABLES}


def _plain(meaning: str) -> str:
    return LINK.sub(r"\1", meaning).replace("`", "").replace(": see below.", ".")


def _module() -> str:
    lines = [HEAD]
    for table, keys in meanings().items():
        lines.append(f"{table!r}: {{\n")
        for key, meaning in keys.items():
            pieces = re.findall(rf".{{1,{WIDTH}}}(?:\s|$)", meaning)
            lines.append(f"{key!r}: ({' '.join(map(repr, pieces))}),\n")
        lines.append("},\n")
    return "".join([*lines, "}\n"])


if __name__ == "__main__":
    FILE.write_text(_module(), encoding="utf-8")
