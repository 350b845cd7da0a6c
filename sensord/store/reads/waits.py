"""Reading waits: what a run's sensors mapped to, and, down every chain of runs that wait, what holds it.

An upstream tick without a run counts as skipped (missed) at or behind its flow's cursor; ahead of it, it is absent.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sensord.core.instant import from_micros
from sensord.core.run import State
from sensord.store.database import Database
from sensord.store.reads.runs import Run, columns, to_run

GATED = 1 << 14
"""That of core.sensor, whose import would cost a quick read 20 ms."""

MOST = 20_000
"""How many unmet conditions `unmet` gathers at most."""


class Upstream(NamedTuple):
    """One upstream run that `sensor` of the run `run_id` maps to. `run` is None where there is none: see `state`.

    planned_to: how far the upstream flow is planned. held: "removed" or "paused" where it cannot go on for as long as
    its flow's file is gone, or its flow is paused; else "".
    """

    run_id: int
    sensor: int
    flow: str
    logical_at: datetime
    state: State
    counts: bool
    planned_to: datetime
    held: str
    run: Run | None


class Expected(NamedTuple):
    """An upstream date, in microseconds, that a sensor of a run to come maps to; `counts` as of an edge."""

    sensor: int
    flow_id: int
    date: int
    counts: int


class Gate(NamedTuple):
    """A sensor that needs `need` of its `mapped` runs, or (with `problem`) one that mapped to nothing.

    timed_out: it went on at its deadline.
    """

    run_id: int
    sensor: int
    need: int
    counted: int
    mapped: int
    problem: str | None
    timed_out: int = 0


class Wait(NamedTuple):
    """What a waiting run waits for, in short: so many runs of a flow in one state, the first at `logical_at`. held: as
    that of an Upstream.
    """

    run_id: int
    upstream: str
    state: State
    number: int
    logical_at: datetime
    held: str


_STATE = "COALESCE(u.state, CASE WHEN e.upstream_date <= f.planned_to THEN 8 ELSE 0 END)"
_COUNTS = f"(e.counts & (1 << {_STATE})) <> 0"
_COUNTED = "(e.counts & (1 << u.state)) <> 0"
_HELD = f"""
CASE WHEN f.state <> 1 AND {_STATE} IN (0, 1, 2, 5) THEN 'removed'
     WHEN f.paused_at IS NOT NULL
          AND ({_STATE} = 0 OR (u.state IN (1, 2) AND u.kind = 0 AND u.attempt = 0 AND u.backfill_id IS NULL
                                    AND u.rerun_at IS NULL))
     THEN 'paused'
     ELSE '' END
"""
"""A pause holds back what is scheduled and was not started before; a file that is gone all that does not run yet."""
_UPSTREAM = f"""
SELECT e.run_id, e.sensor, f.name, e.upstream_date, {_STATE}, CASE WHEN {_COUNTS} THEN 1 ELSE 0 END, f.planned_to,
       {_HELD}, {columns("u", "f")}
"""
_JOINS = """
JOIN flow f ON f.id = e.upstream_flow
LEFT JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
"""
_UNSATISFIED = f"""
((e.ends & {GATED}) = 0 OR EXISTS
 (SELECT 1 FROM gate g WHERE g.run_id = e.run_id AND g.sensor = e.sensor AND g.counted < g.need))
"""

UPSTREAMS = f"{_UPSTREAM} FROM edge e {_JOINS} WHERE e.run_id = :id ORDER BY e.sensor, e.upstream_date"

EXPECTED = f"""
{_UPSTREAM} FROM (SELECT 0 AS run_id, x.sensor, x.upstream_flow, x.upstream_date, x.counts
                  FROM ROWS(:dates, sensor, upstream_flow, upstream_date, counts) x) e {_JOINS}
ORDER BY e.sensor, e.upstream_date
"""

_REACH = f"""
WITH RECURSIVE reach (run_id) AS (
    SELECT CAST(:id AS bigint)
    UNION
    SELECT u.id
    FROM reach w
    JOIN edge e ON e.run_id = w.run_id
    JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
    WHERE (u.state = 1 OR u.reason IN ('upstream_failed', 'upstream_skipped')) AND NOT {_COUNTED} AND {_UNSATISFIED}
)
"""
UNMET = f"""
{_REACH}
{_UPSTREAM} FROM reach w JOIN edge e ON e.run_id = w.run_id {_JOINS}
WHERE NOT {_COUNTS} AND {_UNSATISFIED}
ORDER BY CASE WHEN u.state = 1 THEN 1 ELSE 0 END, e.run_id, e.sensor, e.upstream_date
LIMIT :most
"""
STUCK = f"""
{_REACH}
SELECT g.run_id, g.sensor, g.need, g.counted, g.mapped, g.problem, g.timed_out
FROM reach w JOIN gate g ON g.run_id = w.run_id
WHERE g.problem IS NOT NULL AND g.counted < g.need
LIMIT :most
"""
GATES = "SELECT run_id, sensor, need, counted, mapped, problem, timed_out FROM gate WHERE run_id = :id ORDER BY sensor"

SUMMARY = f"""
SELECT e.run_id, f.name, {_STATE}, COUNT(*), MIN(e.upstream_date), {_HELD}
FROM ROWS(:ids, run_id) x JOIN edge e ON e.run_id = x.run_id {_JOINS}
WHERE NOT {_COUNTS} AND {_UNSATISFIED}
GROUP BY e.run_id, f.name, {_STATE}, {_HELD}
ORDER BY e.run_id, f.name
"""

BLOCKED = f"""
SELECT x.flow_id FROM ROWS(:ids, flow_id) x WHERE (
    SELECT CASE WHEN w.state = 1 THEN (
        SELECT 1 FROM edge e {_JOINS}
        WHERE e.run_id = w.id AND {_STATE} > 5 AND NOT {_COUNTS} AND {_UNSATISFIED} LIMIT 1
    ) END
    FROM run w WHERE w.flow_id = x.flow_id ORDER BY w.logical_date DESC LIMIT 1
) = 1
"""
"""Of these flows, those whose newest run waits for something that has ended already."""


def upstreams(db: Database, run: Run) -> list[Upstream]:
    """All that the run's sensors map to, by sensor and logical date."""
    return [_upstream(row) for row in db.fetch(UPSTREAMS, id=run.id)]


def expected(db: Database, dates: Sequence[Expected]) -> list[Upstream]:
    """How the upstream runs of a run to come stand, by sensor and logical date."""
    return [_upstream(row) for row in db.fetch(EXPECTED, dates=dates)] if dates else []


def unmet(db: Database, run: Run) -> list[Upstream]:
    """The unmet conditions of this run, of those runs among them that have unmet ones too, and so on; at most MOST.

    First those that are not for runs that wait themselves: the ends of all chains.
    """
    return [_upstream(row) for row in db.fetch(UNMET, id=run.id, most=MOST)]


def stuck(db: Database, run: Run) -> list[Gate]:
    """The sensors that wait, though they mapped to nothing, of this run and of all that it waits for, near or far."""
    return [Gate(*row) for row in db.fetch(STUCK, id=run.id, most=MOST)]


def gates(db: Database, run: Run) -> list[Gate]:
    return [Gate(*row) for row in db.fetch(GATES, id=run.id)]


WAITERS = """
SELECT COUNT(DISTINCT r.id)
FROM run u JOIN edge e ON e.upstream_flow = u.flow_id AND e.upstream_date = u.logical_date
JOIN run r ON r.id = e.run_id
WHERE u.id = :id AND r.state = 1 AND (e.counts & (1 << u.state)) = 0
"""


def waiters(db: Database, run: Run) -> int:
    """How many waiting runs this one, which has ended, does not satisfy."""
    return int(db.fetch(WAITERS, id=run.id)[0][0])


def summary(db: Database, runs: Sequence[Run]) -> list[Wait]:
    """What these waiting runs wait for, grouped by upstream flow, its state, and what holds it."""
    if not runs:
        return []
    rows = db.fetch(SUMMARY, ids=[(run.id,) for run in runs])
    return [
        Wait(run_id, name, State(state), number, from_micros(date), held)
        for run_id, name, state, number, date, held in rows
    ]


def _upstream(row: Sequence[Any]) -> Upstream:
    run_id, sensor, flow, date, state, counts, planned_to, held, *run = row
    found = to_run(run) if run[0] is not None else None
    return Upstream(
        run_id, sensor, flow, from_micros(date), State(state), bool(counts), from_micros(planned_to), held, found
    )
