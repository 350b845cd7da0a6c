"""Reading how busy the daemon is: which runs are under way, and how many of each state a flow has."""

from typing import NamedTuple

from sensord.core.instant import to_micros
from sensord.core.run import State
from sensord.store.database import Database
from sensord.store.reads.runs import LIVE, Run, columns, to_run

ACTIVE = f"""
SELECT {columns("r", "f")} FROM run r JOIN flow f ON f.id = r.flow_id
WHERE {LIVE} AND r.state > 2 ORDER BY r.started_at, r.id LIMIT :limit
"""
SLOTS = f"SELECT COUNT(*) FROM run r WHERE {LIVE} AND r.state IN (3, 4)"
UNDER_WAY = f"""
SELECT {columns("r", "f")} FROM run r JOIN flow f ON f.id = r.flow_id
WHERE {LIVE} AND r.state > 2 AND r.flow_id = :flow ORDER BY r.logical_date LIMIT 3
"""
OF_FLOW = f"""
SELECT state, COUNT(*), COUNT(CASE WHEN logical_date < :date THEN 1 END)
FROM run r WHERE {LIVE} AND flow_id = :flow GROUP BY state
"""


class Ahead(NamedTuple):
    """What a queued run has before it: `active` runs of its flow (three of them `under_way`), `older` ones, slots."""

    active: int
    older: int
    slots: int
    under_way: list[Run]


def active(db: Database, limit: int) -> list[Run]:
    """Runs that are starting, running or retrying, the longest under way first."""
    return [to_run(row) for row in db.fetch(ACTIVE, limit=limit)]


def ahead_of(db: Database, run: Run) -> Ahead:
    """What a queued run has before it in the queue."""
    rows = db.fetch(OF_FLOW, flow=run.flow_id, date=to_micros(run.logical_at))
    number = {State(state): (count, before) for state, count, before in rows}
    active = sum(number.get(state, (0, 0))[0] for state in (State.STARTING, State.RUNNING, State.RETRYING))
    under_way = [to_run(row) for row in db.fetch(UNDER_WAY, flow=run.flow_id)]
    return Ahead(active, number.get(State.QUEUED, (0, 0))[1], db.fetch(SLOTS)[0][0], under_way)
