"""The SQL of waiting: which upstream run each waiting run needs, and the counters that say how many are still missing.

`run.pending` is the number of edges that do not count yet, plus one for each gate that is not met. It changes with
every move of an upstream run, in both directions, and only for runs that wait: so it needs no look at history.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sensord.core.run import State
from sensord.core.sensor import GATED, TIMED
from sensord.store.database import Transaction
from sensord.store.runs import COLUMNS, Live, Move


class Edge(NamedTuple):
    """Run `run_id` waits, by its sensor, for one upstream run; the masks are those of core.sensor."""

    upstream_flow: int
    upstream_date: int
    run_id: int
    sensor: int
    counts: int
    ends: int


class Gate(NamedTuple):
    """A sensor that is satisfied with `need` of its `mapped` upstream runs, or one that mapped to nothing at all, which
    needs 1 as long as it holds the run. It is met where `counted` reaches `need`. timed_out: it needs 0 from now on.
    """

    run_id: int
    sensor: int
    need: int
    counted: int
    mapped: int
    problem: str | None
    timed_out: int = 0


class Tally(NamedTuple):
    """How many upstream runs of a sensor are in `state` (ABSENT: none yet), and the first of them. missed: the first
    date without a run among them, None where each has one.
    """

    run_id: int
    sensor: int
    state: int
    number: int
    upstream: str
    upstream_date: int
    missed: int | None = None


CLEAR = "DELETE FROM edge WHERE run_id IN (SELECT run_id FROM ROWS(:ids, run_id) x)"
CLEAR_GATES = "DELETE FROM gate WHERE run_id IN (SELECT run_id FROM ROWS(:ids, run_id) x)"
INSERT = """
INSERT INTO edge (upstream_flow, upstream_date, run_id, sensor, counts, ends)
SELECT x.upstream_flow, x.upstream_date, x.run_id, x.sensor, x.counts, x.ends
FROM ROWS(:edges, upstream_flow, upstream_date, run_id, sensor, counts, ends) x
"""
INSERT_GATES = """
INSERT INTO gate (run_id, sensor, need, counted, mapped, problem, timed_out)
SELECT x.run_id, x.sensor, x.need, x.counted, x.mapped, x.problem, x.timed_out
FROM ROWS(:gates, run_id, sensor, need, counted, mapped, problem text, timed_out) x
"""


def clear(tx: Transaction, run_ids: Sequence[int]) -> None:
    """Forget what these runs waited for."""
    ids = [(run_id,) for run_id in run_ids]
    tx.run(CLEAR, ids=ids)
    tx.run(CLEAR_GATES, ids=ids)


CLEAR_SENSORS = """
DELETE FROM edge
WHERE EXISTS (SELECT 1 FROM ROWS(:keys, run_id, sensor) x WHERE x.run_id = edge.run_id AND x.sensor = edge.sensor)
AND edge.run_id IN (SELECT run_id FROM ROWS(:keys, run_id, sensor) x)
"""


def clear_sensors(tx: Transaction, keys: Sequence[tuple[int, int]]) -> None:
    """Forget what these sensors of runs, (run, sensor), waited for."""
    tx.run(CLEAR_SENSORS, keys=keys)


def insert(tx: Transaction, edges: Sequence[Edge], gates: Sequence[Gate]) -> None:
    if edges:
        tx.run(INSERT, edges=edges)
    if gates:
        tx.run(INSERT_GATES, gates=gates)


TALLY = """
SELECT e.run_id, e.sensor,
       COALESCE(u.state, CASE WHEN e.upstream_date <= f.planned_to THEN 8 ELSE 0 END),
       COUNT(*), MIN(f.name), MIN(e.upstream_date), MIN(CASE WHEN u.state IS NULL THEN e.upstream_date END)
FROM ROWS(:ids, run_id) x
JOIN edge e ON e.run_id = x.run_id
JOIN flow f ON f.id = e.upstream_flow
LEFT JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
GROUP BY e.run_id, e.sensor, COALESCE(u.state, CASE WHEN e.upstream_date <= f.planned_to THEN 8 ELSE 0 END)
"""


def tally(tx: Transaction, run_ids: Iterable[int]) -> list[Tally]:
    """The states of all upstream runs of these runs. One without a run counts as skipped (missed) when its date is at
    or behind its flow's cursor, and is ABSENT when its tick is still to come.
    """
    return [Tally(*row) for row in tx.fetch(TALLY, ids=[(run_id,) for run_id in run_ids])]


UPSTREAM_RUNS = """
SELECT e.run_id, e.sensor, f.name, e.upstream_date,
       COALESCE(u.state, CASE WHEN e.upstream_date <= f.planned_to THEN 8 ELSE 0 END)
FROM ROWS(:ids, run_id) x
JOIN edge e ON e.run_id = x.run_id
JOIN flow f ON f.id = e.upstream_flow
LEFT JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
"""


def upstream_runs(tx: Transaction, run_ids: Iterable[int]) -> list[tuple[int, int, str, int, int]]:
    """What released runs were mapped to: (run, sensor, upstream's name, its date, its state)."""
    sql = f"{UPSTREAM_RUNS} ORDER BY e.run_id, e.sensor, e.upstream_date"
    return [(*row,) for row in tx.fetch(sql, ids=[(run_id,) for run_id in run_ids])]


GATES = """
SELECT g.run_id, g.sensor, g.need, g.counted, g.mapped, g.problem, g.timed_out
FROM ROWS(:ids, run_id) x JOIN gate g ON g.run_id = x.run_id
"""


def gates(tx: Transaction, run_ids: Iterable[int]) -> list[Gate]:
    return [Gate(*row) for row in tx.fetch(GATES, ids=[(run_id,) for run_id in run_ids])]


ANY_COUNTED = "SELECT 1 FROM gate WHERE mapped > 0 LIMIT 1"


def any_counted(tx: Transaction) -> bool:
    """Whether there is any gate that counts upstream runs."""
    return bool(tx.fetch(ANY_COUNTED))


LET_GO = f"""
UPDATE edge SET ends = {GATED}
FROM ROWS(:gates, run_id, sensor, need, counted, mapped, problem text, timed_out) x
WHERE edge.run_id = x.run_id AND edge.sensor = x.sensor
"""

OPEN = f"""
{INSERT_GATES}
WHERE true
ON CONFLICT (run_id, sensor) DO UPDATE SET need = excluded.need, timed_out = excluded.timed_out
"""


def open_for_good(tx: Transaction, gates: Sequence[Gate]) -> None:
    """These sensors need nothing any more: what their upstream runs do from now on changes nothing. `pending` is for
    the caller to set.
    """
    tx.run(LET_GO, gates=gates)
    tx.run(OPEN, gates=gates)


SET_PENDING = f"""
UPDATE run SET pending = x.missing, state = CASE WHEN x.missing = 0 THEN 2 ELSE 1 END,
               released_at = CASE WHEN x.missing = 0 THEN :now ELSE NULL END
FROM ROWS(:counts, run_id, missing) x
WHERE run.id = x.run_id AND run.state + 0 = 1
RETURNING {COLUMNS}
"""


def set_pending(tx: Transaction, counts: Sequence[tuple[int, int]], now: int) -> list[Live]:
    """Write (run, pending) for waiting runs; those with nothing pending are released. Returns the released."""
    changed = [Live(*row) for row in tx.fetch(SET_PENDING, counts=counts, now=now)]
    return [run for run in changed if run.state == State.QUEUED]


_CHANGE = (
    """SUM(CASE WHEN (e.counts & x.new) <> 0 THEN 1 ELSE 0 END - CASE WHEN (e.counts & x.old) <> 0 THEN 1 ELSE 0 END)"""
)

COUNT = f"""
UPDATE run SET pending = run.pending - c.arrived,
               state = CASE WHEN run.pending = c.arrived THEN 2 ELSE 1 END,
               released_at = CASE WHEN run.pending = c.arrived THEN :now ELSE NULL END
FROM (SELECT e.run_id AS waiter, {_CHANGE} AS arrived
      FROM ROWS(:moves, flow_id, logical_date, old, new) x
      JOIN edge e ON e.upstream_flow = x.flow_id AND e.upstream_date = x.logical_date
      WHERE (e.ends & {GATED}) = 0
      GROUP BY e.run_id) c
WHERE run.id = c.waiter AND run.state + 0 = 1 AND c.arrived <> 0
RETURNING {COLUMNS}
"""


def count(tx: Transaction, moved: Sequence[Move], now: int) -> list[Live]:
    """Add the moves of upstream runs up for all that wait for them by edges alone. Returns the runs this releases."""
    changed = [Live(*row) for row in tx.fetch(COUNT, moves=_bits(moved), now=now)]
    return [run for run in changed if run.state == State.QUEUED]


PLAIN_CHANGES = f"""
SELECT e.run_id, {_CHANGE}
FROM ROWS(:moves, flow_id, logical_date, old, new) x
JOIN edge e ON e.upstream_flow = x.flow_id AND e.upstream_date = x.logical_date
JOIN run r ON r.id = e.run_id
WHERE (e.ends & {GATED}) = 0 AND r.state + 0 = 1
GROUP BY e.run_id
"""

GATED_CHANGES = f"""
SELECT e.run_id, e.sensor, {_CHANGE}
FROM ROWS(:moves, flow_id, logical_date, old, new) x
JOIN edge e ON e.upstream_flow = x.flow_id AND e.upstream_date = x.logical_date
JOIN run r ON r.id = e.run_id
WHERE (e.ends & {GATED}) <> 0 AND r.state + 0 = 1
GROUP BY e.run_id, e.sensor
"""

TURN_GATES = """
UPDATE gate SET counted = counted + x.arrived
FROM ROWS(:changes, run_id, sensor, arrived) x
WHERE gate.run_id = x.run_id AND gate.sensor = x.sensor
RETURNING gate.run_id, gate.sensor, need, counted
"""

COUNT_BOTH = f"""
UPDATE run SET pending = run.pending - x.arrived,
               state = CASE WHEN run.pending = x.arrived THEN 2 ELSE 1 END,
               released_at = CASE WHEN run.pending = x.arrived THEN :now ELSE NULL END
FROM ROWS(:changes, run_id, arrived) x
WHERE run.id = x.run_id AND run.state + 0 = 1
RETURNING {COLUMNS}
"""


def count_both(tx: Transaction, moved: Sequence[Move], now: int) -> list[Live]:
    """The same where sensors have gates, too: a gate that opens or shuts takes one from `pending` or adds one.

    Edges and gates are added up before anything is released, since one move may bring one and take away the other.
    """
    bits = _bits(moved)
    gates = [row for row in tx.fetch(GATED_CHANGES, moves=bits) if row[2]]
    if not gates:
        return count(tx, moved, now)
    total = Counter(dict(tx.fetch(PLAIN_CHANGES, moves=bits)))
    arrived = {(run_id, sensor): change for run_id, sensor, change in gates}
    for run_id, sensor, need, counted in tx.fetch(TURN_GATES, changes=gates):
        before = counted - arrived[run_id, sensor]
        total[run_id] += (counted >= need) - (before >= need)
    rows = [(run_id, change) for run_id, change in total.items() if change]
    changed = [Live(*row) for row in tx.fetch(COUNT_BOTH, changes=rows, now=now)] if rows else []
    return [run for run in changed if run.state == State.QUEUED]


LOST = f"""
SELECT e.run_id, e.sensor, -{_CHANGE}
FROM ROWS(:moves, flow_id, logical_date, old, new) x
JOIN edge e ON e.upstream_flow = x.flow_id AND e.upstream_date = x.logical_date
JOIN run r ON r.id = e.run_id
WHERE (e.ends & {TIMED}) <> 0 AND r.state + 0 = 1
GROUP BY e.run_id, e.sensor
HAVING {_CHANGE} < 0
"""


def lost(tx: Transaction, moved: Sequence[Move]) -> list[tuple[int, int, int]]:
    """Of waiting runs the sensors with a deadline that lost some of what counted: (run, sensor, how many)."""
    return [(*row,) for row in tx.fetch(LOST, moves=_bits(moved))]


TOUCHED = f"""
SELECT DISTINCT {COLUMNS}
FROM ROWS(:moves, flow_id, logical_date, old, new) x
JOIN edge e ON e.upstream_flow = x.flow_id AND e.upstream_date = x.logical_date
JOIN run ON run.id = e.run_id
WHERE (e.ends & x.new) <> 0 AND run.state + 0 = 1
"""


def touched(tx: Transaction, moved: Sequence[Move]) -> list[Live]:
    """The waiting runs that a policy of theirs may end, now that these upstream runs have moved."""
    return [Live(*row) for row in tx.fetch(TOUCHED, moves=_bits(moved))]


WAITERS = f"""
SELECT {COLUMNS}
FROM (SELECT DISTINCT e.run_id AS id FROM ROWS(:ids, flow_id) x CROSS JOIN edge e
      WHERE e.upstream_flow = x.flow_id) waiter
CROSS JOIN run
WHERE run.id = waiter.id AND run.state + 0 = 1
"""


def waiters(tx: Transaction, flow_ids: Iterable[int]) -> list[Live]:
    """The waiting runs that map to any run of these flows. Looks at all that ever did: not for the hot path."""
    return [Live(*row) for row in tx.fetch(WAITERS, ids=[(flow_id,) for flow_id in flow_ids])]


PASSED_OVER = """
SELECT DISTINCT e.upstream_flow, e.upstream_date
FROM ROWS(:advances, flow_id, after, until) x
JOIN edge e ON e.upstream_flow = x.flow_id AND e.upstream_date > x.after AND e.upstream_date <= x.until
LEFT JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
WHERE u.id IS NULL
"""


def passed_over(tx: Transaction, advances: Sequence[tuple[int, int, int]]) -> list[Move]:
    """The ticks that somebody waits for and that flows' cursors, going (flow, after, until], left without a run."""
    rows = tx.fetch(PASSED_OVER, advances=advances)
    return [Move(flow_id, date, State.ABSENT, State.SKIPPED) for flow_id, date in rows]


def _bits(moved: Sequence[Move]) -> list[tuple[int, int, int, int]]:
    return [(move.flow_id, move.logical_date, 1 << move.old, 1 << move.new) for move in moved]
