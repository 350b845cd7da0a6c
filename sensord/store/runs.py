"""The SQL of a run's own life: made, dispatched, begun, ended. Every change of state is a compare-and-set.

What a change means for the runs that wait for this one is in `edges`.

A run that is known by its id is found by it: `state + 0`, here and elsewhere, keeps planners from the index of all that
are in a state, of which their statistics may know nothing yet.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sensord.core.queued import Queued
from sensord.core.run import Kind, State
from sensord.store import carrier
from sensord.store.carrier import Carried
from sensord.store.database import Database, Transaction
from sensord.store.retention import look_behind


class NewRun(NamedTuple):
    flow_id: int
    logical_date: int
    kind: int
    priority: int
    definition_id: int
    backfill_id: int | None = None
    params: str | None = None


class Live(NamedTuple):
    """A run between waiting and its end. `backfill_id`: the backfill that asked for it, None for any other. `rerun_at`:
    when it was last sent back.
    """

    run_id: int
    flow_id: int
    logical_date: int
    kind: int
    priority: int
    state: int
    attempt: int
    definition_id: int
    backfill_id: int | None
    rerun_at: int | None

    @property
    def queued(self) -> Queued:
        kind, again = Kind(self.kind), self.attempt > 0 or self.rerun_at is not None
        return Queued(self.run_id, self.flow_id, self.logical_date, kind, self.priority, again, self.backfill_id)


class Move(NamedTuple):
    """An upstream run went from one state to another: what the runs that wait for it must hear of."""

    flow_id: int
    logical_date: int
    old: int
    new: int


class Beginning(NamedTuple):
    run_id: int
    attempt: int
    at: int
    pid: int


class Ended(NamedTuple):
    """How an attempt ended, and what that makes of its run."""

    run_id: int
    attempt: int
    at: int
    state: int
    reason: str | None
    exit_code: int | None
    signal: int | None
    problem: str | None
    message: str | None


COLUMNS = """
run.id, run.flow_id, run.logical_date, run.kind, run.priority, run.state, run.attempt, run.definition_id,
run.backfill_id, run.rerun_at
"""
"""Those of a Live."""

INSERT = f"""
INSERT INTO run (flow_id, logical_date, kind, state, pending, attempt, priority, definition_id, backfill_id, params,
                 created_at)
SELECT x.flow_id, x.logical_date, x.kind, 1, 0, 0, x.priority, x.definition_id, x.backfill_id, x.params, :now
FROM ROWS(:runs, flow_id, logical_date, kind, priority, definition_id, backfill_id, params text) x
WHERE true
ON CONFLICT (flow_id, logical_date) DO NOTHING
RETURNING {COLUMNS}
"""


def insert(tx: Transaction, runs: Sequence[NewRun], now: int) -> list[Live]:
    """Make runs in `waiting`; a (flow, logical date) that has one already is left alone and not returned."""
    made = [Live(*row) for row in tx.fetch(INSERT, runs=runs, now=now)]
    look_behind(tx, [run.run_id for run in made if run.kind != Kind.SCHEDULED], now)
    return made


LIVE = f"""
SELECT {COLUMNS}
FROM run WHERE state < 6 AND state IN (2, 3, 4, 5)
"""


def live(tx: Transaction) -> list[Live]:
    """All runs in queued, starting, running or retrying."""
    return [Live(*row) for row in tx.fetch(LIVE)]


DISPATCH = f"""
UPDATE run SET state = 3, attempt = attempt + 1, reason = NULL, message = NULL, started_at = NULL, finished_at = NULL
FROM ROWS(:ids, run_id) x
WHERE run.id = x.run_id AND run.state + 0 = 2
RETURNING {COLUMNS}
"""

SUBMIT = """
INSERT INTO attempt (run_id, number, definition_id, executor, host, station, submitted_at)
SELECT x.run_id, x.number, x.definition_id, :executor, :host, :station, :now
FROM ROWS(:attempts, run_id, number, definition_id) x
WHERE true
ON CONFLICT (run_id, number) DO NOTHING
"""


_HERE: Mapping[int, str] = {}


def dispatch(
    tx: Transaction,
    run_ids: Sequence[int],
    *,
    executor: str,
    host: str,
    station: str,
    now: int,
    queues: Mapping[int, str] = _HERE,
) -> list[Live]:
    """Queued -> starting, each with a new attempt; a run that is queued no longer is left alone and not returned.

    queues: of the runs that go to workers, from which queue these take it. It is there once this is committed.
    """
    started = [Live(*row) for row in tx.fetch(DISPATCH, ids=[(run_id,) for run_id in run_ids])]
    here = [(run.run_id, run.attempt, run.definition_id) for run in started if run.run_id not in queues]
    if here:
        tx.run(SUBMIT, attempts=here, executor=executor, host=host, station=station, now=now)
    carried = [
        Carried(run.run_id, run.attempt, run.definition_id, run.priority, queues[run.run_id])
        for run in started
        if run.run_id in queues
    ]
    if carried:
        carrier.enqueue(tx, carried, now)
    return started


def take(tx: Transaction, queue: str, most: int, *, station: str, host: str) -> tuple[int, list[Live]]:
    """Claim for a station at most so many runs that wait at a queue. How many jobs there were, and the runs that are
    the station's now, in `starting`.
    """
    number, rows = carrier.take(tx, queue, most, station=station, host=host, columns=COLUMNS)
    return number, [Live(*row) for row in rows]


BEGIN = f"""
UPDATE run SET state = 4, started_at = x.at
FROM ROWS(:began, run_id, number, at, pid) x
WHERE run.id = x.run_id AND run.attempt = x.number AND run.state + 0 = 3
RETURNING {COLUMNS}
"""

BEGIN_ATTEMPT = """
UPDATE attempt SET began_at = x.at, pid = x.pid
FROM ROWS(:began, run_id, number, at, pid) x
WHERE attempt.run_id = x.run_id AND attempt.number = x.number AND attempt.began_at IS NULL
"""


def begin(tx: Transaction, began: Sequence[Beginning]) -> list[Live]:
    """Starting -> running, for the attempt that is the run's current one. Returns the runs that run now."""
    return [Live(*row) for row in tx.fetch_both(BEGIN_ATTEMPT, BEGIN, began=began)]


OUTCOME = """
INSERT INTO outcome (run_id, attempt, at, exit_code, signal, problem, message)
SELECT x.run_id, x.number, x.at, x.exit_code, x.signal, x.problem, x.message
FROM ROWS(:ended, run_id, number, at, state, reason text, exit_code, signal, problem text, message text) x
WHERE true
ON CONFLICT (run_id, attempt) DO NOTHING
"""

END = f"""
UPDATE run SET state = x.new, reason = x.cause, message = x.words, finished_at = x.at
FROM ROWS(:ended, run_id, number, at, new, cause text, exit_code, signal, problem text, words text) x
WHERE run.id = x.run_id AND run.attempt = x.number AND run.state + 0 IN (3, 4)
RETURNING {COLUMNS}
"""


def end(tx: Transaction, ended: Sequence[Ended]) -> list[Live]:
    """Record how attempts ended; the runs whose current attempt it was go to their new state and are returned: a final
    one, or `retrying`.
    """
    return [Live(*row) for row in tx.fetch_both(OUTCOME, END, ended=ended)]


REQUEUE = f"""
UPDATE run SET state = 2, released_at = :now
FROM ROWS(:retries, run_id, number) x
WHERE run.id = x.run_id AND run.attempt = x.number AND run.state + 0 = 5
RETURNING {COLUMNS}
"""


def requeue(tx: Transaction, retries: Sequence[tuple[int, int]], now: int) -> list[Live]:
    """Retrying -> queued: (run, the attempt that failed)."""
    return [Live(*row) for row in tx.fetch(REQUEUE, retries=retries, now=now)]


CONCLUDE = f"""
UPDATE run SET state = x.new, reason = x.cause, message = x.words, finished_at = :now
FROM ROWS(:verdicts, run_id, new, cause text, words text) x
WHERE run.id = x.run_id AND run.state + 0 = 1
RETURNING {COLUMNS}
"""


def conclude(tx: Transaction, verdicts: Sequence[tuple[int, int, str, str]], now: int) -> list[Live]:
    """Waiting -> failed or skipped, by policy: (run, state, reason, message)."""
    return [Live(*row) for row in tx.fetch(CONCLUDE, verdicts=verdicts, now=now)]


FIND = f"""
SELECT {COLUMNS}
FROM run JOIN flow f ON f.id = run.flow_id
WHERE f.name = :flow AND run.logical_date = :date
"""


def find(tx: Transaction, flow: str, date: int) -> Live | None:
    """The run of a flow at a logical date, in whatever state it is."""
    rows = tx.fetch(FIND, flow=flow, date=date)
    return Live(*rows[0]) if rows else None


BY_ID = f"""
SELECT {COLUMNS}
FROM ROWS(:ids, run_id) x JOIN run ON run.id = x.run_id
"""


def by_id(db: Database | Transaction, run_ids: Sequence[int]) -> dict[int, Live]:
    """These runs, in whatever state they are."""
    return {row[0]: Live(*row) for row in db.fetch(BY_ID, ids=[(run_id,) for run_id in run_ids])}


SETTLE_BY_HAND = f"""
UPDATE run SET state = :new, reason = :reason, message = :message, finished_at = :now
WHERE id = :id AND state + 0 = :old
RETURNING {COLUMNS}
"""


def mark(tx: Transaction, run: Live, new: int, reason: str, message: str, now: int) -> Live:
    """From the state that `run` has to a final one, as a person says. The leader alone writes, so it has it still."""
    ((*row,),) = tx.fetch(
        SETTLE_BY_HAND, id=run.run_id, old=run.state, new=new, reason=reason, message=message, now=now
    )
    return Live(*row)


CANCEL_UNSTARTED = f"""
UPDATE run SET state = 9, reason = :reason, message = :message, finished_at = :now
WHERE run.id IN (SELECT r.id FROM ROWS(:ids, flow_id) x CROSS JOIN run r
                 WHERE r.flow_id = x.flow_id AND r.state < 6 AND r.state IN (1, 2, 5))
RETURNING {COLUMNS}
"""


def cancel_unstarted(tx: Transaction, flow_ids: Sequence[int], reason: str, message: str, now: int) -> list[Live]:
    """Waiting, queued, retrying -> cancelled, of all runs of these flows."""
    ids = [(flow_id,) for flow_id in flow_ids]
    return [Live(*row) for row in tx.fetch(CANCEL_UNSTARTED, ids=ids, reason=reason, message=message, now=now)]


def moves(runs: Sequence[Live], old: State) -> list[Move]:
    """The moves of runs that all came from `old`."""
    return [Move(run.flow_id, run.logical_date, old, run.state) for run in runs]
