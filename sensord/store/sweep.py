"""The SQL of the sweep: waiting runs by their ids, some at a time, and the counters of gates that were found wrong."""

from collections.abc import Sequence
from typing import NamedTuple

from sensord.store.database import Transaction
from sensord.store.runs import COLUMNS, Live


class Waiting(NamedTuple):
    """A waiting run, and what it is counted to wait for."""

    run: Live
    pending: int


LAST_ID = "SELECT COALESCE(MAX(id), 0) FROM run"

SLICE = f"""
SELECT run.pending, {COLUMNS}
FROM run WHERE run.id > :after AND run.id <= :until AND run.state + 0 = 1 ORDER BY run.id LIMIT :most
"""


def last_id(tx: Transaction) -> int:
    """The highest id of a run; 0 where there is none."""
    return int(tx.fetch(LAST_ID)[0][0])


def waiting_between(tx: Transaction, after: int, until: int, most: int) -> list[Waiting]:
    """The first `most` waiting runs with ids in (after, until], ascending: so many rows are read, in whatever state."""
    rows = tx.fetch(SLICE, after=after, until=until, most=most)
    return [Waiting(Live(*rest), pending) for pending, *rest in rows]


SET_COUNTED = """
UPDATE gate SET counted = x.counted
FROM ROWS(:gates, run_id, sensor, counted) x
WHERE gate.run_id = x.run_id AND gate.sensor = x.sensor
"""


def set_counted(tx: Transaction, gates: Sequence[tuple[int, int, int]]) -> None:
    """Write (run, sensor, counted)."""
    tx.run(SET_COUNTED, gates=gates)
