"""The reference pages say all keys and no others, their true defaults, and examples that load."""

import re
from pathlib import Path

import pytest
import toml_rs

from sensord.config import load, load_settings
from sensord.config.meanings import MEANINGS
from sensord.config.names import SETTINGS_FILE
from sensord.config.shape import TABLES
from sensord.core.template import VARIABLES
from sensord.core.template_filters import FILTERS
from tests.config.folder import RUN, SCHEDULE, Folder, sensor

PAGES = Path(__file__).parents[2] / "docs" / "reference"
FLOW, SETTINGS = ((PAGES / page).read_text() for page in ("flow.md", "settings.md"))
CHAPTERS = {"": "Top of the file", "schedule": "schedule", "run": "run", "sensors": "sensors"}


def chapter(table: str) -> str:
    if table == SETTINGS_FILE:
        return SETTINGS
    found = re.search(rf"^## {CHAPTERS[table]}\n(.*?)(?=^## |\Z)", FLOW, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def rows(table: str) -> dict[str, list[str]]:
    """Key -> type, default, meaning."""
    lines = [line.strip("|").split(" | ") for line in chapter(table).splitlines() if line.startswith("| `")]
    return {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in lines}


def examples(text: str) -> list[tuple[str, str]]:
    """(file, content) of each example, which names its file in its first line."""
    return re.findall(r"```toml\n# (\S+)\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("table", TABLES)
def test_each_key_is_told_with_type_default_and_meaning(table: str) -> None:
    assert list(rows(table)) == list(TABLES[table].model_fields)
    for key, cells in rows(table).items():
        assert len(cells) == 3, key
        assert all(cells), key


@pytest.mark.parametrize("table", TABLES)
def test_each_key_has_an_example(table: str) -> None:
    written: set[str] = set()
    for _, content in examples(SETTINGS if table == SETTINGS_FILE else FLOW):
        whole = toml_rs.loads(content)
        inner = whole if table in ("", SETTINGS_FILE) else whole.get(table, {})
        for one in inner if isinstance(inner, list) else [inner]:
            written |= one.keys()
    assert TABLES[table].model_fields.keys() - {"match"} <= written


def test_the_examples_of_flows_load_together(folder: Folder) -> None:
    for file, content in examples(FLOW):
        folder.write(file, content)
    config = load(folder.path)
    assert config.problems == []
    files = {file for file, _ in examples(FLOW) if file.startswith("flows/") and not file.endswith("/defaults.toml")}
    assert {loaded.file for loaded in config.flows.values()} == files
    assert len(files) >= 5


def test_the_filters_and_variables_are_told() -> None:
    filled_in = re.search(r"^## What a run fills in\n(.*?)^## ", FLOW, re.MULTILINE | re.DOTALL)
    assert filled_in
    first_cells = [line.split("|")[1] for line in filled_in[1].splitlines() if line.startswith("| `")]
    told = {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    assert told == {*VARIABLES, *FILTERS, "params.name"}


def test_the_examples_of_settings_load(folder: Folder) -> None:
    folder.write("database.url", "postgresql://me:secret@host/db")
    for file, content in examples(SETTINGS):
        folder.write(file, content)
        assert load_settings(folder.path).database_url


def _defaults() -> list[tuple[str, str, str]]:
    told = [(table, key, cells[1]) for table in TABLES for key, cells in rows(table).items()]
    return [(table, key, default.strip("`")) for table, key, default in told if default.startswith("`")]


@pytest.mark.parametrize(("table", "key", "default"), _defaults())
def test_to_write_a_default_changes_nothing(folder: Folder, table: str, key: str, default: str) -> None:
    line = f"{key} = {default}\n"
    if table == SETTINGS_FILE:
        before = folder.load().settings
        folder.write(SETTINGS_FILE, line)
        assert folder.load().settings == before
        return
    keys = {"closed": 'match = "interval"', "week_start": 'align = "week"', "on_timeout": 'timeout = "2h"'}.get(key, "")
    own = sensor(keys, line if table == "sensors" else "") if key != "sensors" else ""
    parts = {"": (line, SCHEDULE, RUN), "schedule": (SCHEDULE, line, RUN), "run": (SCHEDULE, RUN, line)}
    assert folder.read(*parts.get(table, (SCHEDULE, RUN)), own) == folder.read(
        SCHEDULE, RUN, sensor(keys) if own else ""
    )


def test_defaults_are_told_at_all() -> None:
    assert len(_defaults()) > 20


def test_editors_are_told_the_same() -> None:
    from tests.config.meanings import meanings

    assert meanings() == MEANINGS, "run: python -m tests.config.meanings, then ruff format"
