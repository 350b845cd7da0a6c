"""Whatever a flow's file holds, loading it says what is wrong or gives a flow; it never raises, nor harms others."""

from typing import Any

import pytest
import toml_rs
from hypothesis import given
from hypothesis import strategies as st

from sensord.config import Config, flow_from_body
from sensord.config.document import Fault, read_document
from sensord.config.shape import TABLES
from sensord.config.tables import SettingsTable
from tests.config.flow_strategies import FLOWS
from tests.config.folder import PLAIN, Folder

KEYS = sorted({key for table in TABLES.values() for key in table.model_fields} - {*SettingsTable.model_fields})
VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.dates(),
        st.datetimes(),
        st.times(),
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.sampled_from(
            ["up", "mine", "1d", "@daily", "all", "latest", "python:os:path", "success", "{{ x }}", "wait"]
        ),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "é", ""]), inner, max_size=3),
    max_leaves=8,
)
TABLES_OF_ANYTHING = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)
PUNCTUATION = [*"[]{}\"'=.,#\\é\n \ufeff\0", "[[", "]]", '"""', "'''", "\r\n"]
WORDS = [
    "schedule",
    "run",
    "sensors",
    "cron",
    "command",
    "upstream",
    "1",
    "true",
    "0x",
    "1e9",
    "2025-01-01",
    "T06:00",
    "Z",
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("shared") / "config")
    for name in ("up", "other/up"):
        folder.flow(name)
    folder.write("sensord.toml", 'mapping_modules = ["tests.config.calendars"]\n')
    return folder


def load(folder: Folder, content: bytes | str) -> Config:
    """Load the folder with `mine` as told, and hold it to what is true of every load."""
    folder.write("flows/mine.toml", content)
    config = folder.load()
    assert {"up", "other/up"} <= config.flows.keys()
    assert ("mine" in config.flows) == (not config.problems)
    for problem in config.problems:
        assert (problem.file, problem.flow) == ("flows/mine.toml", "mine")
        assert problem.message
        str(problem).encode()
        assert (problem.line is None) == (problem.column is None)
    if "mine" in config.flows:
        loaded = config.flows["mine"]
        assert flow_from_body("mine", loaded.body) == loaded.flow
    return config


@given(st.binary(max_size=200))
def test_any_bytes(shared: Folder, content: bytes) -> None:
    load(shared, content)


@given(st.lists(st.sampled_from(PUNCTUATION + WORDS), max_size=30).map("".join))
def test_pieces_of_toml(shared: Folder, content: str) -> None:
    load(shared, content)


@given(st.text(st.sampled_from(list("ab[]{}.,=#\"'\\\n\r1-é")), max_size=60))
def test_any_text_is_read_or_refused_at_a_place_within_it(text: str) -> None:
    fault = None
    try:
        document = read_document(text)
    except Fault as error:
        fault = error
    if fault is None:
        assert document.data == toml_rs.loads(text, toml_version="1.0.0")
        return
    assert fault.place is not None
    lines = text.split("\n")
    assert 1 <= fault.place.line <= len(lines)
    assert 1 <= fault.place.column <= len(lines[fault.place.line - 1]) + 1


@given(TABLES_OF_ANYTHING)
def test_keys_of_ours_with_any_values(shared: Folder, table: dict[str, Any]) -> None:
    load(shared, _dump(table))


@given(FLOWS, st.sampled_from(["", "schedule", "run"]), st.sampled_from(KEYS), VALUES)
def test_a_good_flow_with_one_value_changed(
    shared: Folder, table: dict[str, Any], part: str, key: str, value: object
) -> None:
    changed = table | {key: value} if not part else table | {part: table[part] | {key: value}}
    load(shared, _dump(changed))


@given(TABLES_OF_ANYTHING)
def test_a_sensor_of_anything(shared: Folder, table: dict[str, Any]) -> None:
    load(shared, PLAIN + _dump({"sensors": [{"upstream": "up", **table}]}))


@given(FLOWS, st.integers(0, 400), st.binary(max_size=4))
def test_a_good_file_with_some_bytes_changed(shared: Folder, table: dict[str, Any], at: int, put: bytes) -> None:
    content = _dump(table).encode()
    load(shared, content[:at] + put + content[at + len(put) :])


def _dump(table: dict[str, Any]) -> str:
    return toml_rs.dumps(table, toml_version="1.0.0")
