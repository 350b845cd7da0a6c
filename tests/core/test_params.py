"""Params: what a person may give one run in place of the value in the flow's file."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.params import Param, read_param, write_param
from sensord.errors import InvalidValue

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)


@given(VALUES)
def test_what_is_written_is_read_as_the_same(value: Param) -> None:
    read = read_param("x", write_param(value), value)

    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "like", "expected"),
    [
        ("full", "delta", "full"),
        ("", "delta", ""),
        ("7", "delta", "7"),
        ("{{ flow }}", "delta", "{{ flow }}"),
        ("true", False, True),
        ("false", True, False),
        ("-12", 3, -12),
        ("+007", 3, 7),
        ("2", 0.5, 2.0),
        ("-1.5e3", 0.5, -1500.0),
    ],
)
def test_a_value_has_the_type_of_the_one_in_the_file(text: str, like: Param, expected: Param) -> None:
    read = read_param("x", text, like)

    assert (read, type(read)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "like", "wanted"),
    [
        ("1", True, "true or false"),
        ("True", True, "true or false"),
        ("", True, "true or false"),
        ("1.0", 3, "a whole number"),
        ("ten", 3, "a whole number"),
        ("", 3, "a whole number"),
        ("1_000", 3, "a whole number"),
        ("\u0661", 3, "a whole number"),
        (" 1", 3, "a whole number"),
        ("1\n", 3, "a whole number"),
        (str(2**63), 3, "a whole number"),
        ("9" * 5000, 3, "a whole number"),
        ("nan", 0.5, "a number"),
        ("inf", 0.5, "a number"),
        ("1e999", 0.5, "a number"),
        (".5", 0.5, "a number"),
        ("a\0b", "x", "a text without null characters, in UTF-8"),
        ("\udcff", "x", "a text without null characters, in UTF-8"),
    ],
)
def test_what_cannot_have_that_type_is_refused(text: str, like: Param, wanted: str) -> None:
    with pytest.raises(InvalidValue, match=f"expected {wanted} for params.x, got "):
        read_param("x", text, like)


def test_whatever_is_refused_is_told_in_short() -> None:
    with pytest.raises(InvalidValue) as refused:
        read_param("x", "9" * 100_000, 3)

    assert len(refused.value.message) < 200


def test_no_number_that_is_read_is_none() -> None:
    assert math.isfinite(float(read_param("x", "1e308", 0.5)))
