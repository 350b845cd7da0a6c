"""The SQL of waiting runs by flow: those of flows, by which definition they wait, and since when."""

from collections.abc import Iterable, Sequence

from sensord.store.database import Transaction
from sensord.store.runs import COLUMNS, Live

REDEFINE = """
UPDATE run SET definition_id = f.definition_id
FROM ROWS(:ids, flow_id) x JOIN flow f ON f.id = x.flow_id
WHERE run.flow_id = f.id AND run.state < 6 AND run.state = 1 AND run.keeps_definition = 0
"""

FIND = f"""
SELECT {COLUMNS}
FROM ROWS(:ids, flow_id) x CROSS JOIN run
WHERE run.flow_id = x.flow_id AND run.state < 6 AND run.state = 1
"""

FIND_WITH_OWN = f"{FIND} AND run.keeps_definition = 1"


def redefine(tx: Transaction, flow_ids: Sequence[int]) -> None:
    """Give the waiting runs of these flows their flow's current definition, but not those that keep their own."""
    if flow_ids:
        tx.run(REDEFINE, ids=[(flow_id,) for flow_id in flow_ids])


def find(tx: Transaction, flow_ids: Sequence[int]) -> list[Live]:
    """The waiting runs of these flows."""
    return [Live(*row) for row in tx.fetch(FIND, ids=[(flow_id,) for flow_id in flow_ids])]


def find_with_own(tx: Transaction, flow_ids: Sequence[int]) -> list[Live]:
    """Those of them that keep a definition of their own."""
    return [Live(*row) for row in tx.fetch(FIND_WITH_OWN, ids=[(flow_id,) for flow_id in flow_ids])]


BEGUN = "SELECT r.id, COALESCE(r.rerun_at, r.created_at) FROM ROWS(:ids, run_id) x JOIN run r ON r.id = x.run_id"


def begun(tx: Transaction, run_ids: Iterable[int]) -> dict[int, int]:
    """Since when these runs have been there to wait: made, or sent back by a rerun."""
    return dict(tx.fetch(BEGUN, ids=[(run_id,) for run_id in run_ids]))
