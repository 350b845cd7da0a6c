"""The SQL of backfills: what was asked for, how far it is planned, and its runs as far as they are not over."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sensord.store.database import Transaction
from sensord.store.runs import COLUMNS, Live


class Leg(NamedTuple):
    """One flow of a backfill, in the order in which they are planned: its dates, and how far it is."""

    backfill_id: int
    position: int
    flow_id: int
    from_date: int
    to_date: int
    planned_to: int | None


class Row(NamedTuple):
    id: int
    state: int
    rerun: str | None
    upstream: int
    max_active: int | None


INSERT = """
INSERT INTO backfill (state, who, rerun, upstream, max_active, created_at)
VALUES (1, :who, :rerun, :upstream, :max_active, :now)
RETURNING id, state, rerun, upstream, max_active
"""


def insert(tx: Transaction, *, who: str, rerun: str | None, upstream: bool, max_active: int | None, now: int) -> Row:
    rows = tx.fetch(INSERT, who=who, rerun=rerun, upstream=int(upstream), max_active=max_active, now=now)
    return Row(*rows[0])


INSERT_LEGS = """
INSERT INTO backfill_flow (backfill_id, position, flow_id, from_date, to_date, planned_to)
SELECT x.backfill_id, x.place, x.flow_id, x.from_date, x.to_date, x.planned_to
FROM ROWS(:legs, backfill_id, place, flow_id, from_date, to_date, planned_to) x
"""


def insert_legs(tx: Transaction, legs: Sequence[Leg]) -> None:
    tx.run(INSERT_LEGS, legs=legs)


OPEN = "SELECT id, state, rerun, upstream, max_active FROM backfill WHERE finished_at IS NULL ORDER BY id"
LEGS = """
SELECT g.backfill_id, g.position, g.flow_id, g.from_date, g.to_date, g.planned_to
FROM backfill b JOIN backfill_flow g ON g.backfill_id = b.id
WHERE b.finished_at IS NULL ORDER BY g.backfill_id, g.position
"""


def unfinished(tx: Transaction) -> list[tuple[Row, list[Leg]]]:
    """The backfills that are not over, each with its flows in order."""
    legs = [Leg(*row) for row in tx.fetch(LEGS)]
    return [(one, [leg for leg in legs if leg.backfill_id == one.id]) for one in (Row(*row) for row in tx.fetch(OPEN))]


FIND = "SELECT id, state, rerun, upstream, max_active FROM backfill WHERE id = :id"
SET_STATE = "UPDATE backfill SET state = :state WHERE id = :id"
ADVANCE = """
UPDATE backfill_flow SET planned_to = :reached WHERE backfill_id = :id AND position = :place
"""


def find(tx: Transaction, backfill_id: int) -> Row | None:
    rows = tx.fetch(FIND, id=backfill_id)
    return Row(*rows[0]) if rows else None


def set_state(tx: Transaction, backfill_id: int, state: int) -> None:
    tx.run(SET_STATE, id=backfill_id, state=state)


def advance(tx: Transaction, leg: Leg, reached: int) -> None:
    """Everything of the flow up to this date is planned."""
    tx.run(ADVANCE, id=leg.backfill_id, place=leg.position, reached=reached)


EXISTING = """
SELECT run.flow_id, run.logical_date, run.id, run.state, run.backfill_id
FROM ROWS(:dates, flow_id, logical_date) x
JOIN run ON run.flow_id = x.flow_id AND run.logical_date = x.logical_date
"""


class Existing(NamedTuple):
    run_id: int
    state: int
    backfill_id: int | None


def existing(tx: Transaction, dates: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Existing]:
    """(flow, date) -> its run, for those that have one."""
    return {(flow_id, date): Existing(*rest) for flow_id, date, *rest in tx.fetch(EXISTING, dates=dates)}


TAKE_OVER = "UPDATE run SET backfill_id = :id FROM ROWS(:runs, run_id) x WHERE run.id = x.run_id"


def take_over(tx: Transaction, backfill_id: int, run_ids: Iterable[int]) -> None:
    """Runs that the backfill has sent back to waiting belong to it from now on."""
    tx.run(TAKE_OVER, id=backfill_id, runs=[(run_id,) for run_id in run_ids])


LET_GO = """
UPDATE run SET backfill_id = NULL FROM ROWS(:runs, run_id) x
WHERE run.id = x.run_id AND run.backfill_id IN (SELECT id FROM backfill WHERE state <> 1 AND finished_at IS NULL)
"""


def let_go(tx: Transaction, run_ids: Iterable[int]) -> None:
    """A person runs these again, apart from any backfill of theirs that is paused or cancelled."""
    tx.run(LET_GO, runs=[(run_id,) for run_id in run_ids])


LOWER_FIRST = """
UPDATE flow SET first_date = x.earliest
FROM ROWS(:rows, flow_id, earliest) x
WHERE flow.id = x.flow_id AND (flow.first_date IS NULL OR flow.first_date > x.earliest)
"""


def lower_first(tx: Transaction, rows: Sequence[tuple[int, int]]) -> None:
    """These flows have runs before their first date until now: (flow, date)."""
    tx.run(LOWER_FIRST, rows=rows)


CANCEL = f"""
UPDATE run SET state = 9, reason = 'by_operator', message = :words, finished_at = :now
WHERE id IN (SELECT id FROM run WHERE backfill_id = :id AND state IN (1, 2, 5) LIMIT :most)
RETURNING {COLUMNS}
"""


def cancel(tx: Transaction, backfill_id: int, words: str, now: int, most: int) -> list[Live]:
    """Cancel some of its runs that wait, are queued or retry later."""
    return [Live(*row) for row in tx.fetch(CANCEL, id=backfill_id, words=words, now=now, most=most)]


FINISH = """
UPDATE backfill SET state = CASE WHEN state = 3 THEN 3 ELSE 4 END, finished_at = :now
WHERE id IN (SELECT backfill_id FROM ROWS(:ids, backfill_id) x) AND finished_at IS NULL
      AND COALESCE((SELECT MIN(run.state) FROM run WHERE run.backfill_id = backfill.id), 6) >= 6
RETURNING id
"""


def finish(tx: Transaction, backfill_ids: Sequence[int], now: int) -> list[int]:
    """Of these backfills, which are planned to their end or cancelled, close those that have no run under way."""
    return [row[0] for row in tx.fetch(FINISH, ids=[(one,) for one in backfill_ids], now=now)]
