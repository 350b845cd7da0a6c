"""The SQL of what falls due for runs: retries, timeouts, deadlines of sensors. A timer fires once; whether it still
matters, its run's state and attempt say, so nobody has to take one back.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from sensord.store.database import Transaction


class What(IntEnum):
    """What falls due."""

    RETRY = 1
    TIMEOUT = 2
    KILL = 3


DEADLINE = 16
"""`what` of the deadline of a run's first sensor; that of sensor n is DEADLINE + n."""


class Timer(NamedTuple):
    """Something that falls due for an attempt of a run: a What, or the deadline of one of its sensors."""

    run_id: int
    what: int
    attempt: int
    due_at: int


SET = """
INSERT INTO timer (run_id, what, attempt, due_at)
SELECT x.run_id, x.what, x.attempt, x.due_at FROM ROWS(:timers, run_id, what, attempt, due_at) x
WHERE true
ON CONFLICT (run_id, what) DO UPDATE SET attempt = excluded.attempt, due_at = excluded.due_at
"""


def set_timers(tx: Transaction, timers: Sequence[Timer]) -> None:
    """Set timers; one of the same kind that a run has already is replaced."""
    tx.run(SET, timers=timers)


KEEP = """
INSERT INTO timer (run_id, what, attempt, due_at)
SELECT x.run_id, x.what, x.attempt, x.due_at FROM ROWS(:timers, run_id, what, attempt, due_at) x
WHERE true
ON CONFLICT (run_id, what) DO NOTHING
"""


def keep_timers(tx: Transaction, timers: Sequence[Timer]) -> None:
    """Set those of these timers that are not set; one of the same kind that a run has already stays as it is."""
    tx.run(KEEP, timers=timers)


FIRE = """
DELETE FROM timer
WHERE run_id IN (SELECT run_id FROM timer WHERE due_at <= :now ORDER BY due_at LIMIT 500) AND due_at <= :now
RETURNING run_id, what, attempt, due_at
"""


def fire(tx: Transaction, now: int) -> list[Timer]:
    """Take the timers that are due, of at most 500 runs, the oldest of them first. A run's are taken together."""
    return sorted((Timer(*row) for row in tx.fetch(FIRE, now=now)), key=lambda timer: timer.due_at)


NEXT = "SELECT MIN(due_at) FROM timer"


def next_due(tx: Transaction) -> int | None:
    """When the next timer is due; None where there is none."""
    due_at: int | None = tx.fetch(NEXT)[0][0]
    return due_at
