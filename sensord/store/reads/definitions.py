"""Reading definitions: the one that a run has, and those that its attempts were started with."""

from datetime import datetime
from typing import NamedTuple

from sensord.core.instant import from_micros
from sensord.store.database import Database
from sensord.store.reads.runs import Run


class Definition(NamedTuple):
    """One version of a flow: its canonical JSON, in force after `since_at`. current: it is in force now."""

    id: int
    body: str
    since_at: datetime
    current: bool


_SELECT = """
SELECT d.id, d.body, d.effective_at, CASE WHEN f.definition_id = d.id THEN 1 ELSE 0 END
FROM definition d JOIN flow f ON f.id = d.flow_id
"""
BY_ID = f"{_SELECT} WHERE d.id = :id"
OF_ATTEMPT = f"{_SELECT} JOIN attempt a ON a.definition_id = d.id WHERE a.run_id = :id AND a.number = :number"


def of_run(db: Database, run: Run) -> Definition:
    """The definition that the run waits by, or was released with."""
    return _definition(db.fetch(BY_ID, id=run.definition_id)[0])


def of_attempt(db: Database, run: Run, number: int) -> Definition | None:
    """The definition of an attempt; None where there was none of that number, or it was pruned."""
    rows = db.fetch(OF_ATTEMPT, id=run.id, number=number)
    return _definition(rows[0]) if rows else None


def _definition(row: tuple[int, str, int, int]) -> Definition:
    definition_id, body, effective_at, current = row
    return Definition(definition_id, body, from_micros(effective_at), bool(current))
