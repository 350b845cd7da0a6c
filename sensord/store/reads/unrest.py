"""Reading which flows are not at rest, and for what: by small indexes, whatever else there is of flows and of runs."""

from collections import Counter
from enum import IntEnum
from typing import NamedTuple

from sensord.core.run import State
from sensord.store.database import Database
from sensord.store.failing import IS_FAILED
from sensord.store.reads.runs import UNFINISHED
from sensord.store.reads.waits import BLOCKED

MOST = 1_000
"""Flows that are found for one reason, at most."""


class Unrest(IntEnum):
    """Why a flow is not at rest. What wants a person comes first, then what is the nearest to its end."""

    FAILED = 0
    BLOCKED = 1
    REMOVED = 2
    UNDER_WAY = 3
    QUEUED = 4
    WAITING = 5
    PAUSED = 6


class Restless(NamedTuple):
    """Flow -> why it is not at rest, the first of several reasons. complete: there are no others."""

    causes: dict[int, Unrest]
    complete: bool


_STATES = {
    State.WAITING: Unrest.WAITING,
    State.QUEUED: Unrest.QUEUED,
    State.STARTING: Unrest.UNDER_WAY,
    State.RUNNING: Unrest.UNDER_WAY,
    State.RETRYING: Unrest.UNDER_WAY,
}

STANDING = f"""
SELECT x.cause, x.id FROM (
    SELECT {Unrest.FAILED} AS cause, f.id FROM flow f
    WHERE f.failed_at IS NOT NULL AND f.state <> 3 AND {IS_FAILED}
    ORDER BY f.failed_at DESC, f.id DESC LIMIT :most
) x
UNION ALL
SELECT x.cause, x.id FROM (
    SELECT {Unrest.REMOVED} AS cause, f.id FROM flow f
    WHERE (f.state <> 1 OR f.paused_at IS NOT NULL) AND f.state = 2 ORDER BY f.id LIMIT :most
) x
UNION ALL
SELECT x.cause, x.id FROM (
    SELECT {Unrest.PAUSED} AS cause, f.id FROM flow f
    WHERE (f.state <> 1 OR f.paused_at IS NOT NULL) AND f.state = 1 ORDER BY f.id LIMIT :most
) x
"""

UNFINISHED_OF = f"""
WITH RECURSIVE found (state, flow_id, place, most) AS (
    SELECT x.state, CAST(0 AS bigint), CAST(0 AS bigint), x.most FROM ROWS(:states, state, most) x
    UNION ALL
    SELECT found.state,
           (SELECT r.flow_id FROM run r
            WHERE {UNFINISHED} AND r.state <= found.state AND (r.state, r.flow_id) >= (found.state, found.flow_id + 1)
            ORDER BY r.state, r.flow_id LIMIT 1),
           found.place + 1, found.most
    FROM found WHERE found.flow_id IS NOT NULL AND found.place < found.most
)
SELECT found.state, found.flow_id FROM found
WHERE found.flow_id > 0 AND (SELECT f.state FROM flow f WHERE f.id = found.flow_id) <> 3
"""
"""One step of the index for each flow, over all its other runs in that state. The bounds are such that no other index
has the order (one of all runs also has flows in order, and would lead through the past) and that SQLite goes by both
columns: it does so up to a sum, not up to a column, and from an equal on, not past all that are equal.
"""


def find(db: Database) -> Restless:
    """The flows that are not at rest; of more than MOST for one reason, so many."""
    rows = db.fetch(STANDING, most=MOST)
    for state, flow_id in db.fetch(UNFINISHED_OF, states=[(int(state), MOST) for state in _STATES]):
        rows.append((_STATES[State(state)], flow_id))
    waiting = [(flow_id,) for cause, flow_id in rows if cause == Unrest.WAITING]
    rows += [(Unrest.BLOCKED, flow_id) for (flow_id,) in db.fetch(BLOCKED, ids=waiting)] if waiting else []
    causes = {flow_id: Unrest(cause) for cause, flow_id in sorted(rows, reverse=True)}
    return Restless(causes, complete=max(Counter(cause for cause, _ in rows).values(), default=0) < MOST)
