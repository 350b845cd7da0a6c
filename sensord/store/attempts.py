"""The SQL of attempts under way: how often was tried, which are being ended from outside, which are elsewhere.

How an attempt changes its run's state is in `runs`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sensord.store import carrier
from sensord.store.database import Transaction

TRIES = """
SELECT r.id, r.flow_id, r.definition_id, r.attempt - r.retried_from
FROM ROWS(:attempts, run_id, number) x JOIN run r ON r.id = x.run_id AND r.attempt = x.number
WHERE r.state + 0 IN (3, 4)
"""


def tries(tx: Transaction, attempts: Sequence[tuple[int, int]]) -> dict[int, tuple[int, int, int]]:
    """Of these attempts (run, number) those under way: run -> (flow, definition, tries so far in its retry budget)."""
    rows = tx.fetch(TRIES, attempts=attempts)
    return {run_id: (flow_id, definition_id, number) for run_id, flow_id, definition_id, number in rows}


STOP = """
UPDATE attempt SET stopping = x.reason
FROM ROWS(:attempts, run_id, number, reason text) x
WHERE attempt.run_id = x.run_id AND attempt.number = x.number
"""


def stop(tx: Transaction, attempts: Sequence[tuple[int, int, str]], now: int) -> None:
    """Note why attempts are being ended from outside, before their commands are told. What still waits for a worker is
    over at once.
    """
    tx.run(STOP, attempts=attempts)
    if tx.dialect == "postgresql":
        carrier.revoke(tx, attempts, now)


class Elsewhere(NamedTuple):
    """An attempt whose command was started, or is to start, at another station; or by whatever worker claims it."""

    run_id: int
    number: int
    station: str | None
    host: str
    queue: str | None


ELSEWHERE = """
SELECT r.id, a.number, a.station, a.host, a.queue
FROM run r JOIN attempt a ON a.run_id = r.id AND a.number = r.attempt
WHERE r.state < 6 AND r.state IN (3, 4) AND (a.station <> :station OR a.queue IS NOT NULL)
"""


def elsewhere(tx: Transaction, station: str) -> list[Elsewhere]:
    """The attempts under way that were handed to an executor at another station, or to workers."""
    return [Elsewhere(*row) for row in tx.fetch(ELSEWHERE, station=station)]


STOPPING = """
SELECT a.run_id, a.number, a.stopping
FROM run r JOIN attempt a ON a.run_id = r.id AND a.number = r.attempt
WHERE r.state < 6 AND r.state IN (3, 4) AND a.stopping IS NOT NULL
"""


def stopping(tx: Transaction) -> dict[tuple[int, int], str]:
    """The attempts that are being ended from outside: (run, attempt) -> reason."""
    return {(run_id, number): reason for run_id, number, reason in tx.fetch(STOPPING)}
