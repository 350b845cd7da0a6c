"""The SQL of logs that workers have shipped: the last part of what an attempt wrote, in pieces. PostgreSQL only.

Bytes travel as base64, since statements hold numbers and text.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import NamedTuple

from sensord.store.database import Database, Transaction


class Part(NamedTuple):
    """Bytes of a log, from `start` on."""

    start: int
    data: bytes


SHIP = """
INSERT INTO log_part (run_id, attempt, start, data)
SELECT :run, :attempt, x.start, decode(x.data, 'base64') FROM ROWS(:parts, start, data text) x
ON CONFLICT (run_id, attempt, start) DO UPDATE SET data = excluded.data
"""
TRIM = """
DELETE FROM log_part
WHERE run_id = :run AND attempt = :attempt AND start + length(data) <= CAST(:keep_from AS bigint)
"""


def ship(tx: Transaction, run_id: int, number: int, parts: Sequence[Part], *, keep_from: int) -> None:
    """Add to an attempt's log; what lies wholly before `keep_from` goes."""
    encoded = [(part.start, b64encode(part.data).decode()) for part in parts]
    tx.run(SHIP, run=run_id, attempt=number, parts=encoded)
    if keep_from > 0:
        tx.run(TRIM, run=run_id, attempt=number, keep_from=keep_from)


READ = """
SELECT start, translate(encode(data, 'base64'), E'\n', '') FROM log_part
WHERE run_id = :run AND attempt = :attempt AND start + length(data) > :after ORDER BY start
"""


def read(db: Database, run_id: int, number: int, after: int = 0) -> list[Part]:
    """What is there of an attempt's log from byte `after` on, in order. Empty on SQLite, which no worker uses."""
    if db.dialect == "sqlite":
        return []
    rows = db.fetch(READ, run=run_id, attempt=number, after=after)
    parts = [Part(start, b64decode(data)) for start, data in rows]
    return [part if part.start >= after else Part(after, part.data[after - part.start :]) for part in parts]
