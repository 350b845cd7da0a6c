"""Columns, escapes, colours: what is printed where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.cli import render
from sensord.cli.render import Column, Line, Span
from sensord.escape import escape
from tests.cli.terminal import on_terminal

COLUMNS = (Column("FLOW"), Column("FOR", right=True), Column("WHY", flex=True))
ROWS = (
    ("ingest/orders", "2h5m", "exit 3"),
    ("mart/sales", "41s", "waits for a very long name indeed, of a flow that is called ingest/orders, and 12 more"),
    ("dim/x", "", ""),
)


def text(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in lines]


def test_piped_columns_are_aligned_and_never_cut() -> None:
    assert text(render.layout(COLUMNS, ROWS, width=None)) == [
        "FLOW            FOR  WHY",
        "ingest/orders  2h5m  exit 3",
        f"mart/sales      41s  {ROWS[1][2]}",
        "dim/x             -  -",
    ]


def test_at_80_columns_the_flexible_column_gives_way() -> None:
    lines = text(render.layout(COLUMNS, ROWS, width=80))
    assert lines == [
        "FLOW            FOR  WHY",
        "ingest/orders  2h5m  exit 3",
        "mart/sales      41s  waits for a very long name indeed, of a flow that is calle…",
        "dim/x             -  -",
    ]
    assert max(map(len, lines)) == 80


def test_at_120_columns_it_fits() -> None:
    assert text(render.layout(COLUMNS, ROWS, width=120)) == text(render.layout(COLUMNS, ROWS, width=None))


def test_other_columns_are_not_cut_even_where_there_is_no_room() -> None:
    lines = text(render.layout(COLUMNS, ROWS, width=10))
    assert lines[1].startswith("ingest/orders  2h5m")
    assert lines[2] == "mart/sales      41s  waits for a…"


SPARE = (Column("FLOW"), Column("FOR", spare=True), Column("NEXT", spare=True), Column("WHY", flex=True))
SPARE_ROWS = (("ingest/orders", "2h5m", "17m", "waits for customers"), ("mart/sales", "41s", "3m", "exit 3"))


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (None, "FLOW           FOR   NEXT  WHY"),
        (45, "FLOW           FOR   NEXT  WHY"),
        (39, "FLOW           FOR   NEXT  WHY"),
        (38, "FLOW           FOR   WHY"),
        (33, "FLOW           FOR   WHY"),
        (32, "FLOW           WHY"),
        (10, "FLOW           WHY"),
    ],
)
def test_spare_columns_are_left_out_one_by_one_where_cutting_is_not_enough(width: int | None, titles: str) -> None:
    lines = text(render.layout(SPARE, SPARE_ROWS, width=width))
    assert lines[0] == titles
    assert max(map(len, lines)) <= max(width or 80, len("ingest/orders  waits for c…"))


def test_wide_characters_count_for_what_they_take() -> None:
    lines = text(render.layout((Column("A"), Column("B")), [("日本", "x"), ("ab", "y")], width=None))
    assert lines == ["A     B", "日本  x", "ab    y"]


def test_a_cut_never_splits_a_wide_character() -> None:
    lines = text(render.layout((Column("A"), Column("B", flex=True)), [("a", "日本語日本語日本語日本語")], width=16))
    assert lines[1] == "a  日本語日本語…"


def test_text_is_escaped_before_it_is_measured() -> None:
    lines = render.layout((Column("A"), Column("B")), [("\x1b[31m", "x"), ("ab", "y")], width=None)
    assert [escape(line) for line in text(lines)][1:] == ["\\x1b[31m  x", "ab        y"]


@given(st.text())
def test_nothing_that_is_escaped_controls_a_terminal(foreign: str) -> None:
    assert escape(foreign).isprintable()


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("ünïcode 日本", "ünïcode 日本"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202eevil", r"\u202eevil"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
    ],
)
def test_what_would_control_a_terminal_is_shown(foreign: str, shown: str) -> None:
    assert escape(foreign) == shown


def test_plain_output_has_no_colours_and_no_spaces_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    render.show([[Span("failed", "bold red"), Span("   ")], [], [Span("[red]x\x1b")]])
    assert capsys.readouterr().out == "failed\n\n[red]x\\x1b\n"


def test_a_terminal_gets_colours_and_text_that_is_no_markup() -> None:
    shown = on_terminal("render.show([[Span('failed', 'bold red'), Span(' [red]x\\x1b :smile:')]])")
    assert shown == "\x1b[1;31mfailed\x1b[0m [red]x\\x1b :smile:\r\n"


def test_no_color_is_honoured() -> None:
    shown = on_terminal("render.show([[Span('failed', 'red')]])", NO_COLOR="1")
    assert shown == "failed\r\n"


def test_a_dumb_terminal_gets_plain_text() -> None:
    assert on_terminal("render.show([[Span('failed', 'red')]])", TERM="dumb") == "failed\r\n"


def test_a_terminal_does_not_wrap_in_the_middle_of_words() -> None:
    """Long lines are left to the terminal, which lets them be copied whole."""
    shown = on_terminal("render.show([[Span('word ' * 40)]])", COLUMNS="80")
    assert shown.rstrip() == ("word " * 40).rstrip()


def test_a_table_is_as_wide_as_the_terminal() -> None:
    code = "render.table((render.Column('A'), render.Column('B', flex=True)), [('a', 'b' * 100)])"
    assert on_terminal(code, COLUMNS="40", NO_COLOR="1").splitlines()[1] == "a  " + "b" * 36 + "…"


def test_json_is_ascii_and_keeps_the_order_of_keys(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_json({"b": "ü\x9b", "a": [1]})
    out = capsys.readouterr().out
    assert out.isascii()
    assert list(json.loads(out)) == ["b", "a"]
    assert json.loads(out)["b"] == "ü\x9b"
