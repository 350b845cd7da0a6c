"""The SQL of flows and their definitions: what the daemon knows of each flow from one start to the next."""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from sensord.errors import Problem
from sensord.store.database import Database, Transaction


class FlowState(IntEnum):
    ACTIVE = 1
    REMOVED = 2
    RETIRED = 3


class FlowRow(NamedTuple):
    id: int
    name: str
    state: int
    definition_id: int
    planned_to: int
    first_date: int | None
    paused_at: int | None
    removed_at: int | None


class Definition(NamedTuple):
    """One version of a flow. `body` is its canonical JSON; it holds from `effective_at` (exclusive) on."""

    id: int
    flow_id: int
    digest: str
    schedule_digest: str
    effective_at: int
    body: str


class NewFlow(NamedTuple):
    name: str
    planned_to: int
    max_active: int
    priority: int


class NewDefinition(NamedTuple):
    flow_id: int
    digest: str
    schedule_digest: str
    body: str
    effective_at: int


ALL = "SELECT id, name, state, definition_id, planned_to, first_date, paused_at, removed_at FROM flow"


def all_flows(tx: Transaction) -> list[FlowRow]:
    return [FlowRow(*row) for row in tx.fetch(ALL)]


BY_NAME = f"{ALL} WHERE name IN (SELECT name FROM ROWS(:names, name text) x)"


def by_name(tx: Transaction, names: Iterable[str]) -> list[FlowRow]:
    """Those of these names that there are."""
    return [FlowRow(*row) for row in tx.fetch(BY_NAME, names=[(name,) for name in names])]


_VERSIONS = "SELECT id, flow_id, digest, schedule_digest, effective_at, body FROM definition"
_IN_ORDER = "ORDER BY flow_id, effective_at, id"
DEFINITIONS = f"{_VERSIONS} {_IN_ORDER}"
DEFINITIONS_OF = f"{_VERSIONS} WHERE flow_id IN (SELECT flow_id FROM ROWS(:ids, flow_id) x) {_IN_ORDER}"


def definitions(tx: Transaction) -> list[Definition]:
    """Every version of every flow, the oldest first."""
    return [Definition(*row) for row in tx.fetch(DEFINITIONS)]


def definitions_of(tx: Transaction, flow_ids: Iterable[int]) -> list[Definition]:
    """Every version of these flows, the oldest first."""
    return [Definition(*row) for row in tx.fetch(DEFINITIONS_OF, ids=[(flow_id,) for flow_id in flow_ids])]


BODY = "SELECT body FROM definition WHERE id = :id"


def body(db: Database | Transaction, definition_id: int) -> str:
    """The canonical JSON of one definition."""
    return str(db.fetch(BODY, id=definition_id)[0][0])


NAME_AND_BODY = "SELECT f.name, d.body FROM definition d JOIN flow f ON f.id = d.flow_id WHERE d.id = :id"


def name_and_body(db: Database | Transaction, definition_id: int) -> tuple[str, str]:
    """The name of the flow that a definition is of, and its canonical JSON."""
    ((name, text),) = db.fetch(NAME_AND_BODY, id=definition_id)
    return name, text


INSERT = """
INSERT INTO flow (name, state, activated_at, planned_to, max_active, priority)
SELECT x.name, 1, :now, x.planned_to, x.max_active, x.priority
FROM ROWS(:flows, name text, planned_to, max_active, priority) x
RETURNING id, name
"""


def insert(tx: Transaction, flows: Sequence[NewFlow], now: int) -> dict[str, int]:
    """New flows, active from now on. Returns their ids by name."""
    return {name: flow_id for flow_id, name in tx.fetch(INSERT, flows=flows, now=now)}


DEFINE = """
INSERT INTO definition (flow_id, digest, schedule_digest, body, effective_at)
SELECT x.flow_id, x.digest, x.schedule_digest, x.body, x.effective_at
FROM ROWS(:rows, flow_id, digest text, schedule_digest text, body text, effective_at) x
RETURNING id, flow_id, digest, schedule_digest, effective_at, body
"""


def define(tx: Transaction, rows: Sequence[NewDefinition]) -> list[Definition]:
    return [Definition(*row) for row in tx.fetch(DEFINE, rows=rows)]


ADOPT = """
UPDATE flow SET definition_id = x.definition_id, max_active = x.max_active, priority = x.priority,
                pool = x.pool, state = 1, removed_at = NULL
FROM ROWS(:rows, flow_id, definition_id, max_active, priority, pool text) x
WHERE flow.id = x.flow_id
"""


def adopt(tx: Transaction, rows: Sequence[tuple[int, int, int, int, str | None]]) -> None:
    """Give flows their current definition: (flow, definition, max_active, priority, pool). A removed flow is active
    again.
    """
    tx.run(ADOPT, rows=rows)


REMOVE = """
UPDATE flow SET state = 2, removed_at = :now
FROM ROWS(:ids, flow_id) x
WHERE flow.id = x.flow_id AND flow.state = 1
"""


def remove(tx: Transaction, flow_ids: Sequence[int], now: int) -> None:
    """The files of these flows are gone: they plan and start nothing until they come back."""
    tx.run(REMOVE, ids=[(flow_id,) for flow_id in flow_ids], now=now)


RESTORE = """
UPDATE flow SET state = 1, removed_at = NULL
FROM ROWS(:ids, flow_id) x
WHERE flow.id = x.flow_id AND flow.state = 2
"""


def restore(tx: Transaction, flow_ids: Sequence[int]) -> None:
    """The files of these removed flows are back, with whatever is in them."""
    tx.run(RESTORE, ids=[(flow_id,) for flow_id in flow_ids])


RETIRE = """
UPDATE flow SET state = 3
FROM ROWS(:ids, flow_id) x
WHERE flow.id = x.flow_id AND flow.state = 2
"""


def retire(tx: Transaction, flow_ids: Sequence[int]) -> None:
    """Removed flows are given up."""
    tx.run(RETIRE, ids=[(flow_id,) for flow_id in flow_ids])


PAUSE = "UPDATE flow SET paused_at = :now WHERE id = :id AND paused_at IS NULL"
RESUME = "UPDATE flow SET paused_at = NULL WHERE id = :id AND paused_at IS NOT NULL"


def pause(tx: Transaction, flow_id: int, now: int) -> bool:
    """Whether it was not paused already."""
    return bool(tx.run(PAUSE, id=flow_id, now=now))


def resume(tx: Transaction, flow_id: int) -> bool:
    """Whether it was paused."""
    return bool(tx.run(RESUME, id=flow_id))


ADVANCE = """
UPDATE flow SET planned_to = x.reached, first_date = COALESCE(flow.first_date, x.earliest)
FROM (SELECT y.flow_id, MAX(y.reached) AS reached, MIN(y.earliest) AS earliest
      FROM ROWS(:rows, flow_id, reached, earliest) y GROUP BY y.flow_id) x
WHERE flow.id = x.flow_id AND flow.planned_to < x.reached
"""


def advance(tx: Transaction, rows: Sequence[tuple[int, int, int | None]]) -> None:
    """Move planning cursors: (flow, the last tick that is planned, the first of this batch). Never backward.

    The first tick that a flow ever plans is its first date; None where all in the batch are passed over. A flow may
    have several rows.
    """
    tx.run(ADVANCE, rows=rows)


POOLS = "SELECT name, slots FROM pool"
FORGET_POOLS = "DELETE FROM pool"
ADD_POOLS = "INSERT INTO pool (name, slots) SELECT x.name, x.slots FROM ROWS(:rows, name text, slots) x"


def pools(tx: Transaction) -> dict[str, int]:
    """The slots of each pool."""
    return dict(tx.fetch(POOLS))


def set_pools(tx: Transaction, slots: Mapping[str, int]) -> None:
    """Replace the pools that there are."""
    if slots != pools(tx):
        tx.run(FORGET_POOLS)
        tx.run(ADD_POOLS, rows=list(slots.items()))


FORGET_PROBLEMS = "DELETE FROM problem"
ADD_PROBLEMS = """
INSERT INTO problem (file, position, line, col, flow, key, message, hint, seen_at)
SELECT x.file, x.position, x.line, x.col, x.flow, x.key, x.message, x.hint, :now
FROM ROWS(:rows, file text, position, line, col, flow text, key text, message text, hint text) x
"""


def set_problems(tx: Transaction, problems: Sequence[Problem], now: int) -> None:
    """Replace what is known to be wrong in the config files; it stays visible until the files are mended."""
    tx.run(FORGET_PROBLEMS)
    rows = [
        (one.file or "", position, one.line, one.column, one.flow, one.key, one.message, one.hint)
        for position, one in enumerate(problems)
    ]
    if rows:
        tx.run(ADD_PROBLEMS, rows=rows, now=now)
