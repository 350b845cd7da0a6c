"""The SQL of what released runs went on without, and of the last good upstream run in its place."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sensord.store.database import Database, Transaction
from sensord.store.edges import UPSTREAM_RUNS


class Lookup(NamedTuple):
    """Which run of an upstream flow a sensor takes instead: the latest before `before` in one of the `states`."""

    run_id: int
    sensor: int
    upstream_flow: int
    before: int
    states: int


LAST_ACCEPTED = """
SELECT x.run_id, x.sensor, r.logical_date, r.state
FROM ROWS(:lookups, run_id, sensor, upstream_flow, earliest, states) x
JOIN run r ON r.id = (
    SELECT u.id FROM run u
    WHERE u.flow_id = x.upstream_flow AND u.logical_date < x.earliest AND (x.states & (1 << u.state)) <> 0
    ORDER BY u.logical_date DESC LIMIT 1
)
"""


def last_accepted(tx: Transaction, lookups: Sequence[Lookup]) -> dict[tuple[int, int], tuple[int, int]]:
    """(run, sensor) -> (logical date, state), for those that have one."""
    rows = tx.fetch(LAST_ACCEPTED, lookups=lookups)
    return {(run_id, sensor): (date, state) for run_id, sensor, date, state in rows}


RECORD = """
UPDATE run SET passed_over = x.passed FROM ROWS(:rows, run_id, passed text) x WHERE run.id = x.run_id
"""


def record(tx: Transaction, rows: Sequence[tuple[int, str | None]]) -> None:
    """Write what runs passed over, as JSON; None is nothing."""
    tx.run(RECORD, rows=rows)


WITH_UPSTREAM_RUNS = f"""
{UPSTREAM_RUNS}
UNION ALL
SELECT run.id, -1, run.passed_over, 0, 0 FROM ROWS(:ids, run_id) x JOIN run ON run.id = x.run_id
WHERE run.passed_over IS NOT NULL
ORDER BY 1, 2, 4
"""


def with_upstream_runs(
    db: Database | Transaction, run_ids: Iterable[int]
) -> tuple[dict[int, str], list[tuple[int, int, str, int, int]]]:
    """What a command is told, read at once: what these runs passed over, as JSON (not those that passed over nothing),
    and what they were mapped to, as `edges.upstream_runs` has it.
    """
    rows = [(*row,) for row in db.fetch(WITH_UPSTREAM_RUNS, ids=[(run_id,) for run_id in run_ids])]
    return {row[0]: row[2] for row in rows if row[1] < 0}, [row for row in rows if row[1] >= 0]
