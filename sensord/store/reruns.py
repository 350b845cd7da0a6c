"""The SQL of reruns: back to waiting; which runs had consumed others, near or far, and what becomes of those.

A run has consumed an upstream run if an edge leads to it, and it was released when that had ended. Where the edge's
sensor did not need that run (it has a gate, or went on without), the times tell; a stale run had consumed it before.
So has a run that never was released, since a policy of its had ended it by what that upstream run came to.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sensord.core.sensor import GATED
from sensord.store.database import Transaction
from sensord.store.retention import look_behind
from sensord.store.runs import COLUMNS, Live

RERUN = f"""
UPDATE run SET state = 1, pending = 0, reason = NULL, message = NULL, keeps_definition = :keep,
               definition_id = CASE WHEN :keep = 1 THEN run.definition_id ELSE f.definition_id END,
               retried_from = attempt, priority = f.priority, released_at = NULL, started_at = NULL, finished_at = NULL,
               rerun_at = :now, mapped_at = NULL, stale_at = NULL, passed_over = NULL
FROM ROWS(:ids, run_id) x, flow f
WHERE run.id = x.run_id AND f.id = run.flow_id AND run.state IN (6, 7, 8, 9)
RETURNING {COLUMNS}
"""


def rerun(tx: Transaction, run_ids: Sequence[int], now: int, *, keep: bool = False) -> list[Live]:
    """Final -> waiting, with the flow's current definition, or to `keep` their own. Those not final are left alone."""
    ids = [(run_id,) for run_id in run_ids]
    waiting = [Live(*row) for row in tx.fetch(RERUN, ids=ids, now=now, keep=int(keep))]
    look_behind(tx, [run.run_id for run in waiting], now)
    return waiting


CONSUMERS = f"""
JOIN edge e ON e.upstream_flow = u.flow_id AND e.upstream_date = u.logical_date
JOIN run r ON r.id = e.run_id
WHERE r.state <> 1 AND (
    r.released_at IS NOT NULL
    AND ((e.ends & {GATED}) = 0 OR r.stale_at IS NOT NULL OR r.released_at >= u.finished_at)
    OR r.released_at IS NULL AND r.reason IN ('upstream_failed', 'upstream_skipped')
    AND (r.stale_at IS NOT NULL OR ((e.ends & (1 << u.state)) <> 0 AND r.finished_at >= u.finished_at))
)
"""
"""After a `run u`: what has consumed it, as `run r`."""

REACH = f"""
WITH RECURSIVE reach (run_id) AS (
    SELECT CAST(:id AS bigint)
    UNION
    SELECT r.id FROM reach known JOIN run u ON u.id = known.run_id {CONSUMERS}
)
"""
"""A run, all that had consumed it, what had consumed that, and so on."""

REACHED = (
    f"{REACH} SELECT run.id, run.flow_id, run.state FROM reach known JOIN run ON run.id = known.run_id LIMIT :most"
)


class Reached(NamedTuple):
    run_id: int
    flow_id: int
    state: int


def reach(tx: Transaction, run_id: int, most: int) -> list[Reached]:
    """The run itself, and all that had consumed it, directly or by way of others; at most so many."""
    return [Reached(*row) for row in tx.fetch(REACHED, id=run_id, most=most)]


MARK_STALE = f"""
UPDATE run SET stale_at = :now
FROM (SELECT DISTINCT r.id AS consumer FROM ROWS(:ids, run_id) x JOIN run u ON u.id = x.run_id {CONSUMERS}) c
WHERE run.id = c.consumer
"""


def mark_stale(tx: Transaction, run_ids: Sequence[int], now: int) -> int:
    """These runs have ended and are about to be rerun: what had consumed them is stale. Returns how many that are."""
    return tx.run(MARK_STALE, ids=[(run_id,) for run_id in run_ids], now=now)


LET_GO = f"UPDATE edge SET ends = {GATED} WHERE run_id IN (SELECT run_id FROM ROWS(:ids, run_id) x)"


def let_go(tx: Transaction, run_ids: Sequence[int]) -> None:
    """These runs go on without their upstream runs: from now on only the times tell what they have consumed."""
    tx.run(LET_GO, ids=[(run_id,) for run_id in run_ids])
