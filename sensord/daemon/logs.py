"""How the daemon's log looks: a readable line each on a terminal, a JSON object a line everywhere else.

What a log call passes in `extra` (flow, logical_date, run_id, attempt) becomes fields of the object.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from sensord.escape import escape

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOURS = {logging.DEBUG: "2", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}


class JsonFormatter(logging.Formatter):
    """`{"at", "level", "message", ...}`, ASCII only; `at` has milliseconds, `error` a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {"at": _stamp(record), "level": record.levelname.lower()}
        entry["message"] = record.getMessage()
        entry |= {name: value for name, value in vars(record).items() if name not in _STANDARD and name not in entry}
        if error := _error(self, record):
            entry["error"] = error
        return json.dumps(entry, default=str)


class ReadableFormatter(logging.Formatter):
    """`02:00:01Z warning  text`, in the level's colour if wanted; a traceback follows on lines of its own."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self.colour = colour

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_stamp(record)[11:19]}Z {record.levelname.lower():8} {escape(record.getMessage())}"
        code = _COLOURS.get(record.levelno) if self.colour else None
        shown = f"\x1b[{code}m{line}\x1b[0m" if code else line
        error = _error(self, record)
        return "\n".join([shown, *(f"    {escape(part)}" for part in error.splitlines())])


def set_up(stream: TextIO | None = None, *, level: int = logging.INFO, colour: bool = True) -> None:
    """Send the log to `stream` (stderr), in the form that fits it; again replaces the last. Libraries only warn."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ReadableFormatter(colour=colour) if stream.isatty() else JsonFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("sensord").setLevel(level)


def _stamp(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _error(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""
