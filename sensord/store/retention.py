"""The SQL of retention: which runs are old enough, and what goes of them. The row of a run stays, with its outcome.

A cursor for each flow, `pruned_to`, goes along the logical dates. Runs that it had to go past (they had not ended, or
only just), and those that are made or sent back to waiting behind it, are in `unpruned`, with an instant to look again.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sensord.store.database import Transaction


class Cursor(NamedTuple):
    """How far a flow is pruned; None: not at all."""

    flow_id: int
    pruned_to: int | None


class Old(NamedTuple):
    """A run that may be old enough. `finished_at` is None where it has not ended."""

    run_id: int
    flow_id: int
    logical_date: int
    state: int
    attempt: int
    finished_at: int | None


CURSORS = "SELECT flow.id, flow.pruned_to FROM ROWS(:ids, flow_id) x JOIN flow ON flow.id = x.flow_id"


def cursors(tx: Transaction, flow_ids: Iterable[int]) -> list[Cursor]:
    """Of these flows."""
    return [Cursor(*row) for row in tx.fetch(CURSORS, ids=[(flow_id,) for flow_id in flow_ids])]


_COLUMNS = "run.id, run.flow_id, run.logical_date, run.state, run.attempt, run.finished_at"

NEXT = f"""
SELECT {_COLUMNS}
FROM run WHERE run.flow_id = :flow AND run.logical_date > :after
ORDER BY run.logical_date LIMIT :most
"""


def following(tx: Transaction, flow_id: int, after: int, most: int) -> list[Old]:
    """The next runs of a flow after a logical date, in order."""
    return [Old(*row) for row in tx.fetch(NEXT, flow=flow_id, after=after, most=most)]


LEFT_OVER = f"""
SELECT {_COLUMNS}
FROM (SELECT run_id, look_at FROM unpruned WHERE look_at <= :now ORDER BY look_at LIMIT :most) x
JOIN run ON run.id = x.run_id
ORDER BY x.look_at
"""


def left_over(tx: Transaction, now: int, most: int) -> list[Old]:
    """The runs behind their flow's cursor that are to be looked at again by now, the earliest first."""
    return [Old(*row) for row in tx.fetch(LEFT_OVER, now=now, most=most)]


NEXT_LOOK = "SELECT MIN(look_at) FROM unpruned"


def next_look(tx: Transaction) -> int | None:
    """When one of those is to be looked at; None where there is none."""
    look_at: int | None = tx.fetch(NEXT_LOOK)[0][0]
    return look_at


LATER = """
INSERT INTO unpruned (run_id, look_at)
SELECT x.run_id, x.look_at FROM ROWS(:looks, run_id, look_at) x
WHERE true
ON CONFLICT (run_id) DO UPDATE SET look_at = excluded.look_at
"""


def look_later(tx: Transaction, looks: Sequence[tuple[int, int]]) -> None:
    """Look at these runs again: (run, when)."""
    tx.run(LATER, looks=looks)


BEHIND = """
INSERT INTO unpruned (run_id, look_at)
SELECT run.id, :now
FROM ROWS(:ids, run_id) x JOIN run ON run.id = x.run_id JOIN flow f ON f.id = run.flow_id
WHERE run.logical_date <= f.pruned_to
ON CONFLICT (run_id) DO NOTHING
"""


def look_behind(tx: Transaction, run_ids: Sequence[int], now: int) -> None:
    """These runs are at work again, or new: those behind their flow's cursor are to be looked at again some time."""
    if run_ids:
        tx.run(BEHIND, ids=[(run_id,) for run_id in run_ids], now=now)


STILL_OLD = """
SELECT run.id FROM ROWS(:ids, run_id, until) x JOIN run ON run.id = x.run_id
WHERE run.state IN (6, 7, 8, 9) AND run.finished_at <= x.until
"""

_OF_RUNS = "run_id IN (SELECT run_id FROM ROWS(:ids, run_id) x)"
_TABLES = ("attempt", "outcome", "log_part", "edge", "gate", "timer", "unpruned")
FORGET = tuple(f"DELETE FROM {table} WHERE {_OF_RUNS}" for table in _TABLES)
FORGET_PAST = """
DELETE FROM past WHERE id IN (
    SELECT p.id FROM ROWS(:ids, run_id) x JOIN run ON run.id = x.run_id
    JOIN past p ON p.flow_id = run.flow_id AND p.logical_date = run.logical_date
)
"""
STRIP = """
UPDATE run SET message = NULL, passed_over = NULL
FROM ROWS(:ids, run_id) x
WHERE run.id = x.run_id AND (run.message IS NOT NULL OR run.passed_over IS NOT NULL)
"""


def prune(tx: Transaction, old: Sequence[tuple[int, int]]) -> set[int]:
    """Of these runs, (run, until), delete all but the outcome, if they had ended by `until`; returns which these are.

    What a person gave a run, its params, stays: a rerun needs it.
    """
    ids = [(row[0],) for row in tx.fetch(STILL_OLD, ids=old)]
    if ids:
        for statement in FORGET:
            tx.run(statement, ids=ids)
        tx.run(FORGET_PAST, ids=ids)
        tx.run(STRIP, ids=ids)
    return {run_id for (run_id,) in ids}


ADVANCE = """
UPDATE flow SET pruned_to = x.reached
FROM ROWS(:rows, flow_id, reached) x
WHERE flow.id = x.flow_id AND (flow.pruned_to IS NULL OR flow.pruned_to < x.reached)
"""


FORGET_MISSED = """
DELETE FROM past WHERE id IN (
    SELECT p.id FROM ROWS(:rows, flow_id, reached) x
    JOIN past p ON p.flow_id = x.flow_id AND p.logical_date <= x.reached
    LEFT JOIN run ON run.flow_id = p.flow_id AND run.logical_date = p.logical_date
    WHERE run.id IS NULL
)
"""


def advance(tx: Transaction, rows: Sequence[tuple[int, int]]) -> None:
    """Move cursors: (flow, the last logical date that is seen to). What is known of missed ticks goes with it."""
    tx.run(ADVANCE, rows=rows)
    tx.run(FORGET_MISSED, rows=rows)


PRUNE_REQUESTS = """
DELETE FROM request
WHERE id IN (SELECT id FROM request WHERE id > 0 ORDER BY id LIMIT :most) AND answered_at < :until
"""
OLDEST_REQUEST = "SELECT answered_at FROM request WHERE id > 0 ORDER BY id LIMIT 1"


def prune_requests(tx: Transaction, until: int, most: int) -> int:
    """Delete the oldest requests, as far as they were answered before `until`. Returns how many."""
    return tx.run(PRUNE_REQUESTS, until=until, most=most)


def oldest_request(tx: Transaction) -> int | None:
    """When the oldest request was answered; None where there is none, or it is still open."""
    rows = tx.fetch(OLDEST_REQUEST)
    answered_at: int | None = rows[0][0] if rows else None
    return answered_at
