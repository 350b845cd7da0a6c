"""Reading runs: one, some by a filter, their attempts, and how many there are in each state."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sensord.core.instant import from_micros, to_micros
from sensord.core.run import FINAL, Kind, State
from sensord.store.database import Database
from sensord.store.timers import DEADLINE, What


class Run(NamedTuple):
    """A run as people see it, its flow by name. `pending` is how many conditions it still waits for.

    stale_at: when an upstream run that it had consumed was rerun; None where none was since. rerun_at: when it was last
    sent back itself.
    """

    id: int
    flow_id: int
    flow: str
    logical_at: datetime
    kind: Kind
    state: State
    reason: str | None
    message: str | None
    pending: int
    attempt: int
    priority: int
    definition_id: int
    created_at: datetime
    released_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    stale_at: datetime | None = None
    rerun_at: datetime | None = None

    @property
    def since_at(self) -> datetime:
        """Since when it is in its state, as far as that was noted."""
        return self.finished_at or self.started_at or self.released_at or self.rerun_at or self.created_at


def pruned_attempts(run: Run, kept: Iterable[int]) -> range:
    """The numbers of its attempts of which retention has left nothing; `kept` are those that are still there."""
    return range(1, min(kept, default=run.attempt + 1))


class Attempt(NamedTuple):
    """One try at a run and how it ended; `ended_at` and what follows are None as long as it has not."""

    number: int
    executor: str
    host: str
    submitted_at: datetime
    began_at: datetime | None
    pid: int | None
    ended_at: datetime | None
    exit_code: int | None
    signal: int | None
    problem: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs: all of these that are given. `limit` keeps the newest by logical date; `before_at` is exclusive."""

    limit: int
    flow: str | None = None
    state: State | None = None
    since_at: datetime | None = None
    before_at: datetime | None = None


_ENDED = FINAL | {State.RETRYING}
"""The states that say something of an attempt that is over."""

_STORED = (
    "logical_date",
    *("kind", "state", "reason", "message", "pending", "attempt", "priority", "definition_id"),
    *("created_at", "released_at", "started_at", "finished_at", "stale_at", "rerun_at"),
)


def columns(run: str, flow: str) -> str:
    """The columns of a Run, given the names of its tables in a query."""
    return ", ".join([f"{run}.id, {run}.flow_id, {flow}.name", *(f"{run}.{name}" for name in _STORED)])


def to_run(row: Sequence[Any]) -> Run:
    """A row of `columns`. What an earlier attempt has left behind, and its run's state contradicts, is left out."""
    values = list(row)
    values[3:6] = from_micros(row[3]), Kind(row[4]), State(row[5])
    values[12:] = from_micros(row[12]), *map(at_or_none, row[13:])
    run = Run(*values)
    if run.state in _ENDED:
        return run
    if run.state in (State.STARTING, State.RUNNING):
        return run._replace(reason=None, message=None, finished_at=None)
    released_at = None if run.state is State.WAITING else run.released_at
    return run._replace(reason=None, message=None, released_at=released_at, started_at=None, finished_at=None)


_COLUMNS = columns("r", "f")
SELECT = f"SELECT {_COLUMNS} FROM run r JOIN flow f ON f.id = r.flow_id WHERE 1 = 1"
OF_FLOWS = f"SELECT {_COLUMNS} FROM flow f CROSS JOIN run r WHERE r.flow_id = f.id"
"""In this order on SQLite: a few runs of each flow, by the index, never all runs."""

UNFINISHED = "r.state < 6"
"""The condition of the partial index on unfinished runs; SQLite uses it only for queries that have it as it stands."""
LIVE = f"{UNFINISHED} AND r.state IN (2, 3, 4, 5)"

BY_ID = f"{SELECT} AND r.id = :id"
BY_DATE = f"{SELECT} AND f.name = :flow AND r.logical_date = :date"
NEWEST = f"{SELECT} AND f.name = :flow ORDER BY r.logical_date DESC LIMIT 1"
NEAREST = """
SELECT r.logical_date FROM run r JOIN flow f ON f.id = r.flow_id WHERE f.name = :flow AND r.logical_date {side} :date
ORDER BY r.logical_date {order} LIMIT :number
"""
ATTEMPTS = """
SELECT a.number, a.executor, a.host, a.submitted_at, a.began_at, a.pid,
       o.at, o.exit_code, o.signal, o.problem, o.message
FROM attempt a LEFT JOIN outcome o ON o.run_id = a.run_id AND o.attempt = a.number
WHERE a.run_id = :id ORDER BY a.number
"""
FLOOR = """
SELECT MAX((
    SELECT r.logical_date FROM run r WHERE r.flow_id = f.id ORDER BY r.logical_date DESC LIMIT 1 OFFSET :before
))
FROM flow f
"""
"""The nth newest date of the flow in which that is the latest: what is older is not among the newest n of all."""

TIMERS = "SELECT what, due_at FROM timer WHERE run_id = :id AND attempt = :attempt"
COUNTS = "SELECT state, COUNT(*) FROM run WHERE state < 6 GROUP BY state"


def by_id(db: Database, run_id: int) -> Run | None:
    return _first(db.fetch(BY_ID, id=run_id))


def by_date(db: Database, flow: str, at: datetime) -> Run | None:
    return _first(db.fetch(BY_DATE, flow=flow, date=to_micros(at)))


def newest(db: Database, flow: str) -> Run | None:
    """The flow's run of the latest logical date."""
    return _first(db.fetch(NEWEST, flow=flow))


def nearest(db: Database, flow: str, at: datetime, number: int = 2) -> list[datetime]:
    """The logical dates of runs next to `at`, at most `number` on each side, ascending."""
    before = db.fetch(NEAREST.format(side="<", order="DESC"), flow=flow, date=to_micros(at), number=number)
    after = db.fetch(NEAREST.format(side=">", order="ASC"), flow=flow, date=to_micros(at), number=number)
    return [from_micros(row[0]) for row in [*reversed(before), *after]]


def select(db: Database, wanted: Filter) -> list[Run]:
    """The newest runs that fit, by logical date and flow, ascending."""
    since = to_micros(wanted.since_at) if wanted.since_at else None
    select = SELECT
    if wanted.flow is None and wanted.state is None:
        select = OF_FLOWS
        floor = db.fetch(FLOOR, before=wanted.limit - 1)[0][0]
        since = max((one for one in (since, floor) if one is not None), default=None)
    terms: dict[str, tuple[str, int | str | None]] = {
        "f.name = :flow": ("flow", wanted.flow),
        "r.logical_date >= :since": ("since", since),
        "r.logical_date < :before": ("before", to_micros(wanted.before_at) if wanted.before_at else None),
        f"r.state = :state{_hint(wanted.state)}": ("state", None if wanted.state is None else int(wanted.state)),
    }
    chosen = {term: pair for term, pair in terms.items() if pair[1] is not None}
    sql = f"{' AND '.join([select, *chosen])} ORDER BY r.logical_date DESC, f.name DESC LIMIT :limit"
    rows = db.fetch(sql, limit=wanted.limit, **dict(chosen.values()))
    return [to_run(row) for row in reversed(rows)]


def _hint(state: State | None) -> str:
    return f" AND {UNFINISHED}" if state is not None and state not in FINAL else ""


def attempts(db: Database, run: Run) -> list[Attempt]:
    """Every attempt of the run, the first one first."""
    found = []
    for number, executor, host, submitted, began, pid, ended, *outcome in db.fetch(ATTEMPTS, id=run.id):
        found.append(
            Attempt(number, executor, host, from_micros(submitted), at_or_none(began), pid, at_or_none(ended), *outcome)
        )
    return found


def timers(db: Database, run: Run) -> dict[What, datetime]:
    """What falls due for the run's present attempt, and when: its next try, its timeout."""
    rows = db.fetch(TIMERS, id=run.id, attempt=run.attempt)
    return {What(what): from_micros(due_at) for what, due_at in rows if what < DEADLINE}


def deadlines(db: Database, run: Run) -> dict[int, datetime]:
    """The deadlines that a waiting run's sensors were given: index -> instant; of no meaning for a satisfied one."""
    rows = db.fetch(TIMERS, id=run.id, attempt=run.attempt) if run.state is State.WAITING else []
    return {what - DEADLINE: from_micros(due_at) for what, due_at in rows if what >= DEADLINE}


HURRIED_BY = """
SELECT f.name, r.logical_date
FROM run u
JOIN flow own ON own.id = u.flow_id
JOIN edge e ON e.upstream_flow = u.flow_id AND e.upstream_date = u.logical_date
JOIN run r ON r.id = e.run_id
JOIN flow f ON f.id = r.flow_id
WHERE u.id = :id AND u.priority > own.priority AND r.state + 0 = 1 AND r.priority = u.priority
ORDER BY r.logical_date, f.name LIMIT 1
"""


def hurried_by(db: Database, run: Run) -> tuple[str, datetime] | None:
    """The first run, as (flow, logical date), that waits for this one and gave it its priority; None where it has that
    by its flow, or keeps it from one that waits no more.
    """
    rows = db.fetch(HURRIED_BY, id=run.id) if run.state not in FINAL else []
    return (rows[0][0], from_micros(rows[0][1])) if rows else None


class Details(NamedTuple):
    """What is looked up of a single run only.

    passed_over: what it went on without, as core.passed_over writes it; empty where that was nothing. params: what a
    person gave it, by name.
    """

    passed_over: list[dict[str, Any]]
    params: dict[str, Any]


DETAILS = "SELECT passed_over, params FROM run WHERE id = :id"


def details(db: Database, run: Run) -> Details:
    passed_over, params = db.fetch(DETAILS, id=run.id)[0]
    return Details(json.loads(passed_over or "[]"), json.loads(params or "{}"))


def counts(db: Database) -> dict[State, int]:
    """How many runs are in each state that is not final; none where there are none."""
    return {State(state): number for state, number in sorted(db.fetch(COUNTS))}


def _first(rows: Sequence[Sequence[Any]]) -> Run | None:
    return to_run(rows[0]) if rows else None


def at_or_none(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
