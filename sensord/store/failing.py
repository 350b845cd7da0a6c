"""The SQL of marks on flows whose newest run may have failed, so that a look at all that fails passes by all others.

A failure sets the mark, which is rare. What comes after it does not take it away: that would cost each end of a run a
statement. The sweep does, where the newest run turns out to be another; whoever reads marks has to look at that, too.
"""

from collections.abc import Collection
from typing import NamedTuple

from sensord.store.database import Transaction

MARK = """
UPDATE flow SET failed_at = :now
FROM ROWS(:ids, flow_id) x
WHERE flow.id = x.flow_id AND flow.failed_at IS NULL
"""


def mark(tx: Transaction, flow_ids: Collection[int], now: int) -> None:
    """A run of each of these flows has failed."""
    tx.run(MARK, ids=[(flow_id,) for flow_id in sorted(flow_ids)], now=now)


IS_FAILED = """
COALESCE((SELECT r.state FROM run r WHERE r.flow_id = f.id ORDER BY r.logical_date DESC LIMIT 1), 0) = 7
"""
"""Whether the newest run of flow f has failed."""

MARKED = f"""
SELECT f.failed_at, f.id, CASE WHEN {IS_FAILED} THEN 1 ELSE 0 END
FROM flow f WHERE f.failed_at IS NOT NULL AND (f.failed_at, f.id) > (:at, :id)
ORDER BY f.failed_at, f.id LIMIT :most
"""


class Mark(NamedTuple):
    """A flow that has one. stands: its newest run has failed."""

    at: int
    flow_id: int
    stands: int


FIRST = Mark(-1, 0, 0)
"""Comes before all."""


def marked(tx: Transaction, after: Mark, most: int) -> list[Mark]:
    """The first so many marks after that one, the oldest first."""
    return [Mark(*row) for row in tx.fetch(MARKED, at=after.at, id=after.flow_id, most=most)]


CLEAR = "UPDATE flow SET failed_at = NULL FROM ROWS(:ids, flow_id) x WHERE flow.id = x.flow_id"


def clear(tx: Transaction, flow_ids: Collection[int]) -> None:
    """Take away the marks of these flows."""
    tx.run(CLEAR, ids=[(flow_id,) for flow_id in flow_ids])
