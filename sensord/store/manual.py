"""The SQL of runs that people make by hand: which dates are free, and the params that they gave."""

import json
from collections.abc import Iterable

from sensord.core.params import Param
from sensord.store.database import Database, Transaction

DATES = "SELECT logical_date FROM run WHERE flow_id = :flow AND logical_date > :after AND logical_date <= :until"


def dates(tx: Transaction, flow_id: int, after: int, until: int) -> set[int]:
    """The logical dates in (after, until] at which the flow has a run."""
    return {date for (date,) in tx.fetch(DATES, flow=flow_id, after=after, until=until)}


PARAMS = """
SELECT run.id, run.params FROM ROWS(:ids, run_id) x JOIN run ON run.id = x.run_id WHERE run.params IS NOT NULL
"""


def params(db: Database | Transaction, run_ids: Iterable[int]) -> dict[int, dict[str, Param]]:
    """What people gave these runs; not those that were given nothing."""
    return {run_id: json.loads(text) for run_id, text in db.fetch(PARAMS, ids=[(run_id,) for run_id in run_ids])}


def write_params(given: dict[str, Param]) -> str | None:
    """As a run holds them; None where nothing was given."""
    return json.dumps(given, sort_keys=True) if given else None
