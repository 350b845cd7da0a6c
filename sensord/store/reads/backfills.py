"""Reading backfills: what was asked for, how far each is planned, and how its runs stand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sensord.core.instant import from_micros
from sensord.core.run import BackfillState, State
from sensord.store.database import Database
from sensord.store.reads.runs import at_or_none


class Backfill(NamedTuple):
    """flow, since, until: what it is of. planned: whether all its runs have been made. flows: how many flows are
    planned by dates of their own, itself one of them. counts: its runs by state, as far as they have been made.
    """

    id: int
    flow: str
    since_at: datetime
    until_at: datetime
    state: BackfillState
    rerun: str | None
    upstream: bool
    flows: int
    planned: bool
    max_active: int | None
    who: str
    created_at: datetime
    finished_at: datetime | None
    counts: dict[State, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def number(self, *states: State) -> int:
        return sum(self.counts.get(state, 0) for state in states)


class Part(NamedTuple):
    """How the runs of one flow stand."""

    flow: str
    counts: dict[State, int]


_SELECT = """
SELECT b.id, f.name, g.from_date, g.to_date, b.state, b.rerun, b.upstream,
       (SELECT COUNT(*) FROM backfill_flow o WHERE o.backfill_id = b.id),
       (SELECT COUNT(*) FROM backfill_flow o
        WHERE o.backfill_id = b.id AND (o.planned_to IS NULL OR o.planned_to < o.to_date)),
       b.max_active, b.who, b.created_at, b.finished_at
FROM backfill b
JOIN backfill_flow g ON g.backfill_id = b.id AND g.position = 0
JOIN flow f ON f.id = g.flow_id
"""
NEWEST = f"{_SELECT} ORDER BY b.id DESC LIMIT :limit"
ONE = f"{_SELECT} WHERE b.id = :id"
COUNTS = """
SELECT run.backfill_id, run.state, COUNT(*) FROM ROWS(:ids, backfill_id) x JOIN run ON run.backfill_id = x.backfill_id
GROUP BY run.backfill_id, run.state
"""
PARTS = """
SELECT f.name, run.state, COUNT(*) FROM run JOIN flow f ON f.id = run.flow_id
WHERE run.backfill_id = :id GROUP BY f.name, run.state ORDER BY f.name
"""
STATES = """
SELECT run.flow_id, run.logical_date, run.state
FROM ROWS(:dates, flow_id, logical_date) x
JOIN run ON run.flow_id = x.flow_id AND run.logical_date = x.logical_date
"""


def newest(db: Database, limit: int) -> list[Backfill]:
    """The newest backfills, the newest last."""
    return _with_counts(db, list(reversed(db.fetch(NEWEST, limit=limit))))


def find(db: Database, number: int) -> Backfill | None:
    found = _with_counts(db, db.fetch(ONE, id=number))
    return found[0] if found else None


def parts(db: Database, number: int) -> list[Part]:
    """The runs of a backfill by flow."""
    by_flow: dict[str, dict[State, int]] = {}
    for name, state, count in db.fetch(PARTS, id=number):
        by_flow.setdefault(name, {})[State(state)] = count
    return [Part(name, counts) for name, counts in by_flow.items()]


def states(db: Database, dates: Sequence[tuple[int, int]]) -> dict[tuple[int, int], State]:
    """(flow, date) -> the state of its run, for those that have one."""
    return {(flow_id, date): State(state) for flow_id, date, state in db.fetch(STATES, dates=dates)}


def _with_counts(db: Database, rows: Sequence[Sequence[Any]]) -> list[Backfill]:
    by_id: dict[int, dict[State, int]] = {row[0]: {} for row in rows}
    for backfill_id, state, count in db.fetch(COUNTS, ids=[(one,) for one in by_id]) if by_id else []:
        by_id[backfill_id][State(state)] = count
    return [_backfill(row, by_id[row[0]]) for row in rows]


def _backfill(row: Sequence[Any], counts: dict[State, int]) -> Backfill:
    number, flow, since, until, state, rerun, upstream, flows, open_flows, most, who, created, finished = row
    return Backfill(
        number,
        flow,
        from_micros(since),
        from_micros(until),
        BackfillState(state),
        rerun,
        bool(upstream),
        flows,
        not open_flows,
        most,
        who,
        from_micros(created),
        at_or_none(finished),
        counts,
    )
