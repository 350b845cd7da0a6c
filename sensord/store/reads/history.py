"""Reading what has been: how long a flow's runs took, how runs ended, which are still to end."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from sensord.core.instant import from_micros, to_micros
from sensord.core.run import State
from sensord.store.database import Database

NEWEST = 20
"""Of how many of a flow's newest runs the durations are looked at."""

DURATIONS = """
SELECT t.finished_at - t.started_at
FROM (SELECT n.state, n.started_at, n.finished_at FROM run n WHERE n.flow_id = :flow
      ORDER BY n.logical_date DESC LIMIT :newest) t
WHERE t.state = 6 AND t.started_at IS NOT NULL AND t.finished_at >= t.started_at
"""
PACE = """
SELECT t.finished_at - t.started_at, t.finished_at - t.logical_date
FROM (SELECT n.state, n.started_at, n.finished_at, n.logical_date, n.kind FROM run n
      WHERE n.flow_id = (SELECT id FROM flow WHERE name = :flow) ORDER BY n.logical_date DESC LIMIT :newest) t
WHERE t.state = 6 AND t.kind = 0 AND t.started_at IS NOT NULL AND t.finished_at >= t.started_at
"""
FIRST_DATE = "SELECT first_date FROM flow WHERE id = :flow"
ENDED = """
SELECT x.flow, r.logical_date, r.state
FROM ROWS(:dates, flow text, at) x
JOIN flow f ON f.name = x.flow
JOIN run r ON r.flow_id = f.id AND r.logical_date = x.at
WHERE r.state >= 6
"""
WAITING = """
SELECT f.name, r.logical_date FROM run r JOIN flow f ON f.id = r.flow_id
WHERE r.state < 6 AND f.state = 1 AND r.logical_date < :before ORDER BY r.logical_date, f.name
"""
FIRST_DATES = "SELECT name, first_date FROM flow WHERE first_date IS NOT NULL"


def durations(db: Database, flow_id: int) -> list[timedelta]:
    """How long the successful ones of a flow's newest runs took; empty where there are none."""
    return [timedelta(microseconds=row[0]) for row in db.fetch(DURATIONS, flow=flow_id, newest=NEWEST)]


class Pace(NamedTuple):
    """takes: how long a run of the flow needs; lands: how long after its logical date it has succeeded. Medians."""

    takes: timedelta
    lands: timedelta


def paces(db: Database, names: Iterable[str]) -> dict[str, Pace]:
    """Of these flows, those that have successful ones among their newest runs."""
    found = {}
    for name in sorted(names):
        rows = db.fetch(PACE, flow=name, newest=NEWEST)
        if rows:
            takes, lands = (timedelta(microseconds=median(column)) for column in zip(*rows, strict=True))
            found[name] = Pace(takes, lands)
    return found


def first_date(db: Database, flow_id: int) -> datetime | None:
    """The first logical date that the flow ever planned."""
    at = db.fetch(FIRST_DATE, flow=flow_id)[0][0]
    return None if at is None else from_micros(at)


def ended(db: Database, dates: Sequence[tuple[str, datetime]]) -> dict[tuple[str, datetime], State]:
    """The final states of those of these (flow, logical date) that have one."""
    rows = [(flow, to_micros(at)) for flow, at in dates]
    return {(flow, from_micros(at)): State(state) for flow, at, state in db.fetch(ENDED, dates=rows)} if rows else {}


def unfinished(db: Database, before: datetime) -> list[tuple[str, datetime]]:
    """All runs of an earlier logical date that have not ended, as (flow, logical date), the oldest first."""
    return [(flow, from_micros(at)) for flow, at in db.fetch(WAITING, before=to_micros(before))]


def first_dates(db: Database) -> dict[str, datetime]:
    """The first logical date of each flow that has planned any."""
    return {name: from_micros(at) for name, at in db.fetch(FIRST_DATES)}
