"""What the log looks like, on a terminal and elsewhere."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sensord.daemon import logs

AT = datetime(2026, 11, 22, 10, 30, 5, 123456, tzinfo=UTC).timestamp()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before once the test is over."""
    found, ours = logging.getLogger(), logging.getLogger("sensord")
    handlers, level, our_level = found.handlers[:], found.level, ours.level
    yield found
    found.handlers[:] = handlers
    found.setLevel(level)
    ours.setLevel(our_level)


def record(message: str, *arguments: object, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"levelno": level, "levelname": logging.getLevelName(level), "created": AT, **extra})
    made.msg, made.args = message, arguments
    return made


def test_a_line_for_people() -> None:
    shown = logs.ReadableFormatter(colour=False).format(record("%s flows", 3))
    assert shown == "10:30:05Z info     3 flows"


def test_what_is_bad_is_coloured_and_the_rest_is_not() -> None:
    formatter = logs.ReadableFormatter(colour=True)
    assert formatter.format(record("x", level=logging.ERROR)) == "\x1b[31m10:30:05Z error    x\x1b[0m"
    assert formatter.format(record("x")) == "10:30:05Z info     x"


def test_foreign_text_cannot_control_the_terminal() -> None:
    shown = logs.ReadableFormatter(colour=False).format(record("%s", "\x1b[2J\nfake line"))
    assert shown == "10:30:05Z info     \\x1b[2J\\nfake line"


def test_a_traceback_follows_on_lines_of_its_own() -> None:
    try:
        int("\x1b")
    except ValueError as error:
        broken = record("it broke\x1b", exc_info=(ValueError, error, error.__traceback__))
    lines = logs.ReadableFormatter(colour=False).format(broken).splitlines()
    assert lines[0] == "10:30:05Z info     it broke\\x1b"
    assert lines[1] == "    Traceback (most recent call last):"
    assert lines[-1].startswith("    ValueError: invalid literal")
    entry = json.loads(logs.JsonFormatter().format(broken))
    assert entry["error"].startswith("Traceback")


def test_a_line_for_machines_has_what_the_call_knew() -> None:
    line = logs.JsonFormatter().format(record("%s ended", "x\x9b", flow="mart/sales", run_id=7, attempt=2))
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {
        "at": "2026-11-22T10:30:05.123Z",
        "level": "info",
        "message": "x\x9b ended",
        "flow": "mart/sales",
        "run_id": 7,
        "attempt": 2,
    }


def test_a_field_never_takes_the_place_of_what_every_line_has() -> None:
    entry = json.loads(logs.JsonFormatter().format(record("x", at="yesterday")))
    assert entry["at"] == "2026-11-22T10:30:05.123Z"


def test_a_terminal_gets_lines_and_anything_else_json() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        logs.set_up(stream, colour=False)
        logging.getLogger("sensord").info("ready")
    assert terminal.getvalue().endswith("Z info     ready\n")
    assert json.loads(pipe.getvalue())["message"] == "ready"


def test_setting_it_up_again_replaces_the_last_one(root: logging.Logger) -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.set_up(first)
    logs.set_up(second)
    logging.getLogger("sensord").info("once")
    assert (first.getvalue(), len(root.handlers)) == ("", 1)
    assert second.getvalue().count("once") == 1


def test_libraries_only_warn() -> None:
    stream = io.StringIO()
    logs.set_up(stream)
    logging.getLogger("alembic").info("chatter")
    logging.getLogger("alembic").warning("careful")
    assert "chatter" not in stream.getvalue()
    assert "careful" in stream.getvalue()
