"""Reading the past: of several runs at once what they waited for, what is written down of them, and their definitions.

Each read is one statement, however many runs it is of.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sensord.core.instant import from_micros, to_micros
from sensord.core.past import What
from sensord.core.run import State
from sensord.store.database import Database
from sensord.store.reads.runs import Run, at_or_none, columns, to_run
from sensord.store.reads.waits import Gate

MOST = 20_000
"""Edges that one read gathers at most."""


class Known(NamedTuple):
    """A run, and what only its past is told by. rerun_at: when it was last sent back. mapped_at: when it was mapped
    anew as it waited since. first_at: when the first attempt since then was handed to an executor. pruned: of what it
    waited for, and of its attempts, nothing is kept. at_once: somebody had it run whatever it waited for.
    """

    run: Run
    rerun_at: datetime | None
    mapped_at: datetime | None
    first_at: datetime | None
    pruned: bool
    at_once: bool


class Edge(NamedTuple):
    """A sensor of the run `run_id` maps to an upstream tick; `upstream` is None where that has no run."""

    run_id: int
    sensor: int
    flow_id: int
    flow: str
    logical_at: datetime
    planned_to: datetime
    upstream: Known | None


class Deed(NamedTuple):
    """Something that happened to a run, or to a tick without one; see core.past. The state is the one that was left."""

    at: datetime
    what: What
    state: State | None
    since_at: datetime | None
    reason: str | None
    message: str | None
    attempt: int | None
    sensor: int | None
    need: int | None
    who: str | None


Tick = tuple[int, datetime]
"""A flow's id, and a logical date."""

_KNOWN = f"""
{columns("u", "f")}, u.rerun_at, u.mapped_at,
(SELECT a.submitted_at FROM attempt a WHERE a.run_id = u.id AND a.number = u.retried_from + 1),
CASE WHEN u.logical_date <= f.pruned_to AND NOT EXISTS (SELECT 1 FROM unpruned n WHERE n.run_id = u.id)
     THEN 1 ELSE 0 END,
CASE WHEN u.passed_over LIKE '%"by_operator"%' THEN 1 ELSE 0 END
"""
KNOWN = f"SELECT {_KNOWN} FROM run u JOIN flow f ON f.id = u.flow_id WHERE u.id = :id"
EDGES = f"""
SELECT e.run_id, e.sensor, e.upstream_flow, f.name, e.upstream_date, f.planned_to, {_KNOWN}
FROM ROWS(:ids, run_id) x
JOIN edge e ON e.run_id = x.run_id
JOIN flow f ON f.id = e.upstream_flow
LEFT JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
ORDER BY e.run_id, e.sensor, e.upstream_date
LIMIT :most
"""
GATES = """
SELECT g.run_id, g.sensor, g.need, g.counted, g.mapped, g.problem, g.timed_out
FROM ROWS(:ids, run_id) x JOIN gate g ON g.run_id = x.run_id
"""
DEEDS = """
SELECT p.flow_id, p.logical_date,
       p.at, p.what, p.state, p.since_at, p.reason, p.message, p.attempt, p.sensor, p.need, p.who
FROM ROWS(:ticks, flow_id, logical_date) x
JOIN past p ON p.flow_id = x.flow_id AND p.logical_date = x.logical_date
ORDER BY p.id
"""
BODIES = """
SELECT d.id, f.name, d.body
FROM ROWS(:ids, definition_id) x JOIN definition d ON d.id = x.definition_id JOIN flow f ON f.id = d.flow_id
"""


def known(db: Database, run: Run) -> Known:
    """The run once more, with what its past is told by."""
    return _known(db.fetch(KNOWN, id=run.id)[0])


def edges(db: Database, run_ids: Iterable[int]) -> list[Edge]:
    """All that these runs were mapped to, by run, sensor and logical date; at most MOST."""
    return [_edge(row) for row in db.fetch(EDGES, ids=[(run_id,) for run_id in run_ids], most=MOST)]


def gates(db: Database, run_ids: Iterable[int]) -> dict[tuple[int, int], Gate]:
    """By run and sensor."""
    found = (Gate(*row) for row in db.fetch(GATES, ids=[(run_id,) for run_id in run_ids]))
    return {(gate.run_id, gate.sensor): gate for gate in found}


def deeds(db: Database, ticks: Iterable[Tick]) -> dict[Tick, list[Deed]]:
    """What is written down of these runs and ticks, in the order in which it happened."""
    found: dict[Tick, list[Deed]] = defaultdict(list)
    for flow_id, date, at, what, state, since, *rest in db.fetch(
        DEEDS, ticks=[(one, to_micros(at)) for one, at in ticks]
    ):
        one = Deed(from_micros(at), What(what), None if state is None else State(state), at_or_none(since), *rest)
        found[flow_id, from_micros(date)].append(one)
    return found


def bodies(db: Database, definition_ids: Iterable[int]) -> Mapping[int, tuple[str, str]]:
    """Definition -> the flow's name, and its canonical JSON."""
    rows = db.fetch(BODIES, ids=[(one,) for one in definition_ids])
    return {definition_id: (name, body) for definition_id, name, body in rows}


def _edge(row: Sequence[Any]) -> Edge:
    run_id, sensor, flow_id, flow, date, planned_to, *rest = row
    found = _known(rest) if rest[0] is not None else None
    return Edge(run_id, sensor, flow_id, flow, from_micros(date), from_micros(planned_to), found)


def _known(row: Sequence[Any]) -> Known:
    *run, rerun_at, mapped_at, first_at, pruned, at_once = row
    instants = at_or_none(rerun_at), at_or_none(mapped_at), at_or_none(first_at)
    return Known(to_run(run), *instants, bool(pruned), bool(at_once))
