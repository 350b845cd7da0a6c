"""Reading what had consumed a run: how many runs of which flows a rerun would take along, and why a run is stale."""

from datetime import datetime
from typing import NamedTuple

from sensord.core.instant import from_micros
from sensord.core.run import State
from sensord.store.database import Database
from sensord.store.reads.runs import Run
from sensord.store.reruns import REACH


class Consumers(NamedTuple):
    """Runs of one flow that had consumed a run, near or far: how many, of which dates; `busy` have not ended."""

    flow: str
    number: int
    busy: int
    first_at: datetime
    last_at: datetime


COUNTED = f"""
{REACH}
SELECT f.name, COUNT(*), SUM(CASE WHEN run.state < 6 THEN 1 ELSE 0 END), MIN(run.logical_date), MAX(run.logical_date)
FROM reach x JOIN run ON run.id = x.run_id JOIN flow f ON f.id = run.flow_id
WHERE run.id <> :id
GROUP BY f.name ORDER BY f.name
"""


def consumers(db: Database, run: Run) -> list[Consumers]:
    """What had consumed the run, directly or by way of others, by flow."""
    return [
        Consumers(flow, number, busy, from_micros(first), from_micros(last))
        for flow, number, busy, first, last in db.fetch(COUNTED, id=run.id)
    ]


class Rerun(NamedTuple):
    """An upstream run that was rerun since a run had consumed it, and its state now."""

    flow: str
    logical_at: datetime
    rerun_at: datetime
    state: State


RERUN_SINCE = """
SELECT f.name, u.logical_date, u.rerun_at, u.state
FROM edge e
JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
JOIN flow f ON f.id = e.upstream_flow
WHERE e.run_id = :id AND u.rerun_at >= :since
ORDER BY u.rerun_at DESC, f.name, u.logical_date
"""


def rerun_since(db: Database, run: Run, since: int) -> list[Rerun]:
    """Those of its upstream runs that were rerun at or after `since` (microseconds), the latest first."""
    rows = db.fetch(RERUN_SINCE, id=run.id, since=since)
    return [Rerun(flow, from_micros(date), from_micros(at), State(state)) for flow, date, at, state in rows]
