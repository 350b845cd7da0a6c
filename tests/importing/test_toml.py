"""What is written as TOML is read as what it was."""

import tomllib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.config.document import read_document
from sensord.importing.toml import Value, write_table, write_value
from tests.support.cases import share

TEXT = st.text(st.characters(codec="utf-8")) | st.text(alphabet="a'\"\\\n\r\t{%}")
VALUE = TEXT | st.booleans() | st.integers(-1000, 1000) | st.lists(TEXT)


@share(2)
@given(st.dictionaries(TEXT, VALUE, min_size=1))
def test_values_come_back(values: dict[str, Value]) -> None:
    written = write_table("[run]", values)
    assert tomllib.loads(written) == {"run": values}
    assert read_document(written).data == {"run": values}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ('echo "a"', "'echo \"a\"'"),
        (r"date +\%F", r"'date +\%F'"),
        ("it's", '"it\'s"'),
        ("one\ntwo", "'''\none\ntwo'''"),
        ("it's '''\n\\", '"""\nit\'s \'\'\'\n\\\\"""'),
        (True, "true"),
        (3, "3"),
        (["sh", "-c"], '["sh", "-c"]'),
        (datetime(2026, 1, 31, 6, tzinfo=UTC), "2026-01-31T06:00:00Z"),
        (datetime(2026, 1, 31, 6), "2026-01-31T06:00:00"),
    ],
)
def test_it_is_as_legible_as_it_can_be(value: Value, written: str) -> None:
    assert write_value(value) == written


def test_nothing_is_written_of_a_table_without_values() -> None:
    assert write_table("[params]", {}) == ""
