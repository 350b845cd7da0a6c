"""Expiry: deadlines of sensors have passed. What is not satisfied then ends its run, or lets it go on without."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sensord.core.instant import format_instant, from_micros
from sensord.core.run import State
from sensord.core.sensor import Standing, Verdict, expire
from sensord.daemon import passing
from sensord.daemon.catalog import Catalog
from sensord.daemon.settle import Settled, settle
from sensord.daemon.standings import definitions, read_standings
from sensord.store import edges, past, runs
from sensord.store.database import Transaction
from sensord.store.edges import Gate
from sensord.store.past import TimedOut
from sensord.store.runs import Live
from sensord.store.timers import DEADLINE, Timer

Overdue = Mapping[int, int]
"""Of one run: its sensors whose deadlines have passed -> when that was."""


def end_waits(
    tx: Transaction, catalog: Catalog, due: Sequence[Timer], current: Mapping[int, Live], now: int
) -> Settled:
    """Apply these deadlines, which have passed, to the runs that still wait. All moves must have been settled before:
    what came in the same turn came in time.
    """
    overdue: dict[int, dict[int, int]] = defaultdict(dict)
    for timer in due:
        if timer.what >= DEADLINE and current[timer.run_id].state == State.WAITING:
            overdue[timer.run_id][timer.what - DEADLINE] = timer.due_at
    if not overdue:
        return Settled()
    flows = definitions(tx, catalog, (current[run_id] for run_id in overdue))
    standing = read_standings(tx, flows)
    verdicts, gates, pending, gone_on = [], [], [], []
    for run_id, sensors in overdue.items():
        late = [one for one in standing[run_id] if _is_late(one, sensors)]
        if ending := expire(late):
            cause = next(one for one in late if expire([one]) == ending)
            words = _words(cause, sensors[cause.sensor.index])
            verdicts.append((run_id, int(ending.state), ending.reason.value, words))
        elif late:
            gates += [_open_gate(run_id, one) for one in late]
            gone_on += [TimedOut(run_id, one.sensor.index, one.need) for one in late]
            pending.append((run_id, sum(one.pending for one in standing[run_id] if one not in late)))
    settled = Settled()
    if gates:
        past.note_timed_out(tx, gone_on, now)
        settled = _go_on(tx, catalog, gates, pending, now)
    if verdicts:
        settled.concluded += runs.conclude(tx, verdicts, now)
        settled.add(settle(tx, catalog, runs.moves(settled.concluded, State.WAITING), now))
    return settled


def _is_late(one: Standing, overdue: Overdue) -> bool:
    """Whether a deadline of the sensor has passed, which has one by the run's definition, and still waits."""
    return one.sensor.index in overdue and one.sensor.timeout is not None and one.verdict is not Verdict.SATISFIED


def _go_on(
    tx: Transaction, catalog: Catalog, gates: Sequence[Gate], pending: Sequence[tuple[int, int]], now: int
) -> Settled:
    """Satisfy these sensors for good, and release the runs that wait for nothing else."""
    edges.open_for_good(tx, gates)
    catalog.gated = True
    released = edges.set_pending(tx, pending, now)
    passing.note(tx, catalog, released)
    return Settled(released)


def _open_gate(run_id: int, one: Standing) -> Gate:
    return Gate(run_id, one.sensor.index, 0, one.counted, sum(one.tally.values()), one.words, timed_out=1)


def _words(one: Standing, due_at: int) -> str:
    """`sensor 0 on dim/customers: not satisfied by 2026-11-22T05:00:00Z: 0 of 1 done`."""
    progress = one.words or f"{one.counted} of {one.need} done"
    return f"sensor {one.sensor.index} on {one.sensor.upstream}: not satisfied by {_date(due_at)}: {progress}"


def _date(micros: int) -> str:
    return format_instant(from_micros(micros))
