"""Reading flows: one by its name, all with the newest of their runs, and what is wrong in the config files."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sensord.core.instant import from_micros
from sensord.core.run import State
from sensord.errors import Problem
from sensord.store.database import Database
from sensord.store.reads.runs import Run, at_or_none, columns, to_run

STRIP = 8
"""How many of a flow's newest runs an overview shows."""


class Flow(NamedTuple):
    """state: 1 active, 2 removed (its file is gone), 3 retired. Ticks at or before `planned_to` have been planned."""

    id: int
    name: str
    state: int
    planned_to: datetime
    paused_at: datetime | None
    removed_at: datetime | None
    max_active: int
    definition_id: int
    pool: str | None

    @property
    def label(self) -> str:
        if self.state == 1 and self.paused_at:
            return "paused"
        return ("active", "removed", "retired")[self.state - 1]


class Glance(NamedTuple):
    """A flow, the states of its newest runs (oldest first), the newest of them, and its definition (canonical JSON)."""

    flow: Flow
    states: tuple[State, ...]
    newest: Run | None
    body: str


_FLOW = "f.id, f.name, f.state, f.planned_to, f.paused_at, f.removed_at, f.max_active, f.definition_id, f.pool"
_WIDTH = len(Flow._fields)

ONE = f"SELECT {_FLOW} FROM flow f WHERE f.name = :name"
NAMES = "SELECT name FROM flow WHERE state <> 3 ORDER BY name"

_STATES = ", ".join(
    "COALESCE((SELECT s.state FROM run s WHERE s.flow_id = f.id"
    f" ORDER BY s.logical_date DESC LIMIT 1 OFFSET {place}), 0)"
    for place in reversed(range(STRIP))
)
"""One look into the index for each: neither database has a way to say "the newest n of each flow" that both know."""

_NEWEST = """
LEFT JOIN run r ON r.flow_id = f.id
     AND r.logical_date = (SELECT MAX(m.logical_date) FROM run m WHERE m.flow_id = f.id)
WHERE f.state <> 3
"""
GLANCES = f"""
SELECT {_FLOW}, {_STATES}, d.body, {columns("r", "f")}
FROM flow f JOIN definition d ON d.id = f.definition_id {_NEWEST}
ORDER BY f.name
"""
GLANCES_OF = f"""
SELECT {_FLOW}, {_STATES}, (SELECT d.body FROM definition d WHERE d.id = f.definition_id), {columns("r", "f")}
FROM ROWS(:ids, flow_id) x CROSS JOIN flow f {_NEWEST} AND f.id = x.flow_id
ORDER BY f.name
"""
NUMBER = """
SELECT (SELECT COUNT(*) FROM flow)
     - (SELECT COUNT(*) FROM flow f WHERE (f.state <> 1 OR f.paused_at IS NOT NULL) AND f.state = 3)
"""
"""Of all less the retired, since both are counted in indexes alone."""

PROBLEMS = "SELECT message, hint, file, line, col, flow, key FROM problem ORDER BY file, position"
WITH_BODIES = f"""
SELECT {_FLOW}, d.body FROM flow f JOIN definition d ON d.id = f.definition_id WHERE f.state <> 3 ORDER BY f.name
"""
BODY = "SELECT body FROM definition WHERE id = :id"


def find(db: Database, name: str) -> Flow | None:
    rows = db.fetch(ONE, name=name)
    return _flow(rows[0]) if rows else None


def names(db: Database) -> list[str]:
    """The names of all flows that are not retired."""
    return [row[0] for row in db.fetch(NAMES)]


def glances(db: Database) -> list[Glance]:
    """All flows that are not retired, by name."""
    return [_glance(row) for row in db.fetch(GLANCES)]


def glances_of(db: Database, flow_ids: Iterable[int]) -> list[Glance]:
    """Those of these flows that are not retired, by name."""
    return [_glance(row) for row in db.fetch(GLANCES_OF, ids=[(flow_id,) for flow_id in flow_ids])]


def number(db: Database) -> int:
    """How many flows there are that are not retired."""
    return int(db.fetch(NUMBER)[0][0])


def problems(db: Database) -> list[Problem]:
    """What the daemon found wrong in the config files when it last read them."""
    return [Problem(*row) for row in db.fetch(PROBLEMS)]


def all_active(db: Database) -> list[Flow]:
    """All flows that have their files, by name."""
    return [flow for flow, _ in with_bodies(db) if flow.state == 1]


def with_bodies(db: Database) -> list[tuple[Flow, str]]:
    """All flows that are not retired, by name, each with its current definition as canonical JSON."""
    return [(_flow(row[:_WIDTH]), row[_WIDTH]) for row in db.fetch(WITH_BODIES)]


def body(db: Database, flow: Flow) -> str:
    """The flow's current definition, as canonical JSON."""
    return body_of(db, flow.definition_id)


def body_of(db: Database, definition_id: int) -> str:
    """A definition's canonical JSON."""
    text: str = db.fetch(BODY, id=definition_id)[0][0]
    return text


def _flow(row: Sequence[Any]) -> Flow:
    flow_id, name, state, planned_to, paused, removed, *rest = row
    return Flow(flow_id, name, state, from_micros(planned_to), at_or_none(paused), at_or_none(removed), *rest)


def _glance(row: Sequence[Any]) -> Glance:
    flow, states, (body, *newest) = row[:_WIDTH], row[_WIDTH : _WIDTH + STRIP], row[_WIDTH + STRIP :]
    seen = tuple(State(state) for state in states if state)
    return Glance(_flow(flow), seen, to_run(newest) if newest[0] is not None else None, body)
