"""The SQL of what is written down of the past: only what is rare, and would be overwritten. `reads.past` has the rest
from what stays as it is: edges, attempts, outcomes, and the instants of runs.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sensord.core.past import What
from sensord.store.database import Transaction
from sensord.store.runs import Move

LEFT = """
INSERT INTO past (flow_id, logical_date, at, what, state, since_at, reason, message, attempt, who)
SELECT run.flow_id, run.logical_date, :now, :what, run.state, run.finished_at, run.reason, run.message, run.attempt,
       :who
FROM ROWS(:ids, run_id) x JOIN run ON run.id = x.run_id
WHERE run.state IN (6, 7, 8, 9)
"""


def note_left(tx: Transaction, run_ids: Sequence[int], what: What, who: str, now: int) -> None:
    """Those of these runs that have ended are about to leave their final states; `who` says so."""
    tx.run(LEFT, ids=[(run_id,) for run_id in run_ids], what=int(what), who=who, now=now)


STOPPED = """
INSERT INTO past (flow_id, logical_date, at, what, state, attempt, who)
SELECT run.flow_id, run.logical_date, :now, :what, :state, run.attempt, :who FROM run WHERE run.id = :id
"""


def note_stopped(tx: Transaction, run_id: int, state: int, who: str, now: int) -> None:
    """The command of a run is being ended, since `who` wants the run in this state."""
    tx.run(STOPPED, id=run_id, state=state, what=int(What.STOPPED), who=who, now=now)


STOPPED_BY = """
SELECT run.id, p.who
FROM ROWS(:attempts, run_id, number) x
JOIN run ON run.id = x.run_id
JOIN past p ON p.flow_id = run.flow_id AND p.logical_date = run.logical_date
WHERE p.what = :what AND p.attempt = x.number ORDER BY p.id
"""


def stopped_by(tx: Transaction, attempts: Sequence[tuple[int, int]]) -> dict[int, str]:
    """Run -> who had this attempt of it ended, the last to say so; not those that nobody did."""
    return dict(tx.fetch(STOPPED_BY, attempts=attempts, what=int(What.STOPPED)))


MISSED = """
INSERT INTO past (flow_id, logical_date, at, what, state)
SELECT x.flow_id, x.logical_date, :now, :what, 8 FROM ROWS(:ticks, flow_id, logical_date) x
"""


def note_missed(tx: Transaction, moves: Sequence[Move], now: int) -> None:
    """These ticks, for which somebody waits, have just been passed over."""
    if moves:
        tx.run(MISSED, ticks=_ticks(moves), what=int(What.MISSED), now=now)


MADE = """
INSERT INTO past (flow_id, logical_date, at, what, state, who)
SELECT x.flow_id, x.logical_date, :now, :what, 8, :who FROM ROWS(:ticks, flow_id, logical_date) x
WHERE EXISTS (SELECT 1 FROM edge e WHERE e.upstream_flow = x.flow_id AND e.upstream_date = x.logical_date)
"""


def note_made(tx: Transaction, moves: Sequence[Move], who: str, now: int) -> None:
    """These ticks, which were missed, have been given runs; written down where somebody has ever waited for them."""
    if moves:
        tx.run(MADE, ticks=_ticks(moves), what=int(What.MADE), who=who, now=now)


class TimedOut(NamedTuple):
    """A sensor that goes on at its deadline with less than the `need` that it had."""

    run_id: int
    sensor: int
    need: int


TIMED_OUT = """
INSERT INTO past (flow_id, logical_date, at, what, sensor, need)
SELECT run.flow_id, run.logical_date, :now, :what, x.sensor, x.need
FROM ROWS(:sensors, run_id, sensor, need) x JOIN run ON run.id = x.run_id
"""


def note_timed_out(tx: Transaction, sensors: Sequence[TimedOut], now: int) -> None:
    tx.run(TIMED_OUT, sensors=sensors, what=int(What.TIMED_OUT), now=now)


MAPPED = "UPDATE run SET mapped_at = :now FROM ROWS(:ids, run_id) x WHERE run.id = x.run_id"


def note_mapped(tx: Transaction, run_ids: Sequence[int], now: int) -> None:
    """These runs, which wait, are about to be mapped anew: what they have waited for until now is not kept."""
    tx.run(MAPPED, ids=[(run_id,) for run_id in run_ids], now=now)


def _ticks(moves: Sequence[Move]) -> list[tuple[int, int]]:
    return [(move.flow_id, move.logical_date) for move in moves]
