"""The SQL of inherited priority: a run has at least the priority of every run that waits for it.

Each statement goes one step along the edges; how far to go is for the caller to say.
"""

from collections.abc import Iterable

from sensord.store.database import Transaction
from sensord.store.runs import COLUMNS, Live

FROM_WAITERS = f"""
UPDATE run SET priority = x.highest
FROM (SELECT u.id AS upstream, MAX(w.priority) AS highest
      FROM ROWS(:ids, run_id) y
      JOIN run u ON u.id = y.run_id
      JOIN edge e ON e.upstream_flow = u.flow_id AND e.upstream_date = u.logical_date
      JOIN run w ON w.id = e.run_id
      WHERE w.state + 0 = 1 AND w.priority > u.priority
      GROUP BY u.id) x
WHERE run.id = x.upstream AND run.state + 0 < 6
RETURNING {COLUMNS}
"""


def from_waiters(tx: Transaction, run_ids: Iterable[int]) -> list[Live]:
    """Give these runs, as far as they are not over, the priority of those that wait for them. Returns the raised."""
    return [Live(*row) for row in tx.fetch(FROM_WAITERS, ids=[(run_id,) for run_id in run_ids])]


TO_UPSTREAMS = f"""
UPDATE run SET priority = x.highest
FROM (SELECT e.upstream_flow, e.upstream_date, MAX(w.priority) AS highest
      FROM ROWS(:ids, run_id) y
      JOIN run w ON w.id = y.run_id
      JOIN edge e ON e.run_id = w.id
      WHERE w.state + 0 = 1
      GROUP BY e.upstream_flow, e.upstream_date) x
WHERE run.flow_id = x.upstream_flow AND run.logical_date = x.upstream_date AND run.state + 0 < 6
      AND run.priority < x.highest
RETURNING {COLUMNS}
"""


def to_upstreams(tx: Transaction, run_ids: Iterable[int]) -> list[Live]:
    """Give the runs that these wait for, as far as they do, their priority. Returns the raised."""
    return [Live(*row) for row in tx.fetch(TO_UPSTREAMS, ids=[(run_id,) for run_id in run_ids])]


OF_FLOWS = f"""
UPDATE run SET priority = f.priority
FROM ROWS(:ids, flow_id) x JOIN flow f ON f.id = x.flow_id
WHERE run.flow_id = f.id AND run.state < 6 AND run.state = 1 AND run.keeps_definition = 0
RETURNING {COLUMNS}
"""


def reset(tx: Transaction, flow_ids: Iterable[int]) -> list[Live]:
    """Give the waiting runs of these flows their flow's own priority, but not those that keep their definition."""
    return [Live(*row) for row in tx.fetch(OF_FLOWS, ids=[(flow_id,) for flow_id in flow_ids])]
