"""What there is to compare after a course: the lines of the commands, the rows of the store, the logs of the daemons,
and what was done to them. Instants are microseconds since 1970.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sensord.core.instant import to_micros
from sensord.store.database import Database
from tests.chaos.blows import Kind
from tests.chaos.warehouse import LEDGER

Key = tuple[int, int]
"""A run and the number of one of its attempts."""


@dataclass(slots=True)
class Span:
    """A blow, and when it was over."""

    kind: Kind
    begin_at: int
    end_at: int | None
    whom: str


class Fall(NamedTuple):
    """An end that we did not bring about, of a process that was started at `born_at`."""

    born_at: int
    at: int
    code: int


class Run(NamedTuple):
    id: int
    flow: str
    date: int
    state: int
    reason: str | None
    attempt: int
    finished_at: int | None


class Attempt(NamedTuple):
    run_id: int
    number: int
    submitted_at: int
    stopping: str | None


class Outcome(NamedTuple):
    run_id: int
    attempt: int
    at: int
    exit_code: int | None
    signal: int | None
    problem: str | None


class Line(NamedTuple):
    """`code` is None in a line that was written at the start."""

    run_id: int
    attempt: int
    at: int
    code: int | None
    flow: str
    date: str


@dataclass(slots=True)
class Evidence:
    """`begin` and `end`, in seconds: the first and the last instant that may be a tick. leads: when which daemon took
    the lead. complaints: log lines that no blow explains."""

    url: str
    spans: list[Span]
    begin: int = 0
    end: int = 0
    lives: int = 0
    falls: list[Fall] = field(default_factory=list)
    runs: dict[int, Run] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    leads: list[tuple[int, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def collect(evidence: Evidence, work: Path, logs: Mapping[str, Path]) -> None:
    """Fill in what the store, the commands and the daemons have written."""
    with Database.open(evidence.url) as db:
        rows = db.fetch(
            "SELECT r.id, f.name, r.logical_date, r.state, r.reason, r.attempt, r.finished_at"
            " FROM run r JOIN flow f ON f.id = r.flow_id ORDER BY r.id"
        )
        evidence.runs = {row[0]: Run(*row) for row in rows}
        evidence.attempts = [
            Attempt(*row)
            for row in db.fetch("SELECT run_id, number, submitted_at, stopping FROM attempt ORDER BY 1, 2")
        ]
        told = db.fetch("SELECT run_id, attempt, at, exit_code, signal, problem FROM outcome")
        evidence.outcomes = {(row[0], row[1]): Outcome(*row) for row in told}
    ledger = work / LEDGER
    evidence.lines = [parse_line(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []
    for name, log in logs.items():
        for text in log.read_text().splitlines():
            _read_log(evidence, name, text)
    evidence.leads.sort()


def parse_line(text: str) -> Line:
    match text.split():
        case ["start", run_id, attempt, at, flow, date]:
            return Line(int(run_id), int(attempt), int(at) // 1000, None, flow, date)
        case ["end", run_id, attempt, at, code]:
            return Line(int(run_id), int(attempt), int(at) // 1000, int(code), "", "")
        case _:
            raise ValueError(f"expected a line of a command, got {text!r}")


def _read_log(evidence: Evidence, name: str, text: str) -> None:
    """A traceback is a complaint; so is a counter that had to be mended, and whatever is not JSON."""
    try:
        entry: dict[str, Any] = json.loads(text)
    except ValueError:
        if not text.startswith(("error: ", "hint: ")):
            evidence.complaints.append(f"{name}: {text}")
        return
    message = entry["message"]
    if "error" in entry or message.endswith("; mended") or "internal" in message:
        evidence.complaints.append(f"{name}: {text}")
    if " leads: " in message and message.startswith("sensord "):
        evidence.leads.append((to_micros(datetime.fromisoformat(entry["at"])), name))
