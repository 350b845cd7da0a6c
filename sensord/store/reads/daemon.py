"""Reading how busy the daemon is: which runs are under way, how many of each state a flow has; and who stands by."""

from collections.abc import Sequence
from typing import NamedTuple

from sensord.core.instant import from_micros, to_micros
from sensord.core.limits import UNKNOWN_POOL
from sensord.core.run import State
from sensord.store.database import Database
from sensord.store.lead import Holder, Leader
from sensord.store.reads.runs import LIVE, Run, columns, to_run
from sensord.store.sql import SERVER_NOW

ACTIVE = f"""
SELECT {columns("r", "f")} FROM run r JOIN flow f ON f.id = r.flow_id
WHERE {LIVE} AND r.state > 2 ORDER BY r.started_at, r.id LIMIT :limit
"""
POOLS = "SELECT name, slots FROM pool ORDER BY name"
POOLS_USED = f"""
SELECT f.pool, COUNT(*) FROM run r JOIN flow f ON f.id = r.flow_id
WHERE {LIVE} AND r.state IN (3, 4) AND f.pool IS NOT NULL GROUP BY f.pool ORDER BY f.pool
"""
IN_POOL = f"""
SELECT {columns("r", "f")} FROM run r JOIN flow f ON f.id = r.flow_id
WHERE {LIVE} AND r.state IN (3, 4) AND f.pool = :pool ORDER BY r.started_at, r.id LIMIT 3
"""
SLOTS = f"SELECT COUNT(*) FROM run r WHERE {LIVE} AND r.state IN (3, 4)"
UNDER_WAY = f"""
SELECT {columns("r", "f")} FROM run r JOIN flow f ON f.id = r.flow_id
WHERE {LIVE} AND r.state > 2 AND r.flow_id = :flow ORDER BY r.logical_date LIMIT 3
"""
OF_FLOW = f"""
SELECT state, COUNT(*), COUNT(CASE WHEN logical_date < :date THEN 1 END)
FROM run r WHERE {LIVE} AND flow_id = :flow GROUP BY state
"""

_SILENT = 15_000_000
"""Microseconds without a beat after which a daemon is not shown any more."""

PRESENT = f"""
SELECT host, pid, version, started_at FROM daemon
WHERE has_left = 0 AND beat_at > {SERVER_NOW} - {_SILENT} ORDER BY started_at, id
"""


class Pool(NamedTuple):
    """A pool, and how many of its slots are in use."""

    name: str
    slots: int
    used: int

    @property
    def is_full(self) -> bool:
        return self.used >= self.slots


HELD = """
SELECT CASE WHEN f.state <> 1 OR (f.paused_at IS NOT NULL AND r.kind = 0 AND r.attempt = 0 AND r.rerun_at IS NULL
                                  AND r.backfill_id IS NULL) THEN 1 ELSE 0 END,
       b.id
FROM run r JOIN flow f ON f.id = r.flow_id LEFT JOIN backfill b ON b.id = r.backfill_id AND b.state = 2
WHERE r.id = :id
"""


class Ahead(NamedTuple):
    """What a queued run has before it: `active` runs of its flow (three of them `under_way`), `older` ones, slots; the
    pool of its flow, and three runs `in_pool`. is_held: its flow, paused or without a file, holds it back, as does a
    backfill that is `paused`, by its number.
    """

    active: int
    older: int
    slots: int
    under_way: list[Run]
    pool: Pool | None = None
    in_pool: Sequence[Run] = ()
    is_held: bool = False
    paused: int | None = None


def active(db: Database, limit: int) -> list[Run]:
    """Runs that are starting, running or retrying, the longest under way first."""
    return [to_run(row) for row in db.fetch(ACTIVE, limit=limit)]


def pools(db: Database) -> list[Pool]:
    """All pools, by name; also one that sensord.toml has no more, as long as something runs in it."""
    used = dict(db.fetch(POOLS_USED))
    slots = dict(db.fetch(POOLS))
    return [Pool(name, slots.get(name, UNKNOWN_POOL), used.get(name, 0)) for name in sorted({*slots, *used})]


def ahead_of(db: Database, run: Run, pool: str | None) -> Ahead:
    """What a queued run has before it in the queue; `pool` is that of its flow."""
    rows = db.fetch(OF_FLOW, flow=run.flow_id, date=to_micros(run.logical_at))
    number = {State(state): (count, before) for state, count, before in rows}
    active = sum(number.get(state, (0, 0))[0] for state in (State.STARTING, State.RUNNING, State.RETRYING))
    under_way = [to_run(row) for row in db.fetch(UNDER_WAY, flow=run.flow_id)]
    is_held, paused = db.fetch(HELD, id=run.id)[0]
    slots = db.fetch(SLOTS)[0][0]
    ahead = Ahead(active, number.get(State.QUEUED, (0, 0))[1], slots, under_way, is_held=bool(is_held), paused=paused)
    if pool is None:
        return ahead
    found = next((one for one in pools(db) if one.name == pool), Pool(pool, UNKNOWN_POOL, 0))
    return ahead._replace(pool=found, in_pool=[to_run(row) for row in db.fetch(IN_POOL, pool=pool)])


def standing_by(db: Database, leader: Leader | None) -> list[Leader]:
    """The daemons that wait for the lead, those that came first before the others. On SQLite there are none."""
    if db.dialect == "sqlite":
        return []
    found = [
        Leader(Holder(host, pid, version), from_micros(started_at), 0)
        for host, pid, version, started_at in db.fetch(PRESENT)
    ]
    return [one for one in found if leader is None or one.holder != leader.holder]
