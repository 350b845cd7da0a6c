"""Deadlines of sensors: when a sensor that begins to wait is given one. What happens at its end is in `expiry`.

A deadline is a timer of its run. One that is not to be any more (its sensor is satisfied, its run released) is left
where it is: when it fires, nobody minds it.
"""

from collections.abc import Sequence

from sensord.core.flow import Flow, Sensor
from sensord.core.instant import from_micros, to_micros
from sensord.core.needs import deadline
from sensord.core.sensor import Verdict
from sensord.daemon.catalog import Catalog
from sensord.daemon.standings import definitions, read_standings
from sensord.store import edges, runs, timers
from sensord.store.database import Transaction
from sensord.store.runs import Live, Move
from sensord.store.timers import DEADLINE, Timer


def make_deadline(flow: Flow, sensor: Sensor, run: Live, since: int) -> Timer | None:
    """The deadline of a sensor of the run that has waited since then; None for one that waits without end."""
    if sensor.timeout is None:
        return None
    due_at = deadline(flow, sensor, from_micros(run.logical_date), from_micros(since))
    return Timer(run.run_id, DEADLINE + sensor.index, run.attempt, to_micros(due_at))


def start_again(tx: Transaction, catalog: Catalog, moves: Sequence[Move], now: int) -> int | None:
    """Sensors that these moves, which have been counted, took from satisfied to waiting have their full time anew.

    Returns the earliest of the new deadlines.
    """
    lost = edges.lost(tx, moves)
    if not lost:
        return None
    waiting = runs.by_id(tx, sorted({run_id for run_id, _, _ in lost}))
    flows = definitions(tx, catalog, waiting.values())
    standing = read_standings(tx, flows)
    found = []
    for run_id, index, number in lost:
        one = standing[run_id][index]
        if one.verdict is not Verdict.SATISFIED and one.counted + number >= one.need:
            found.append(make_deadline(flows[run_id], one.sensor, waiting[run_id], now))
    new = [timer for timer in found if timer]
    if new:
        timers.set_timers(tx, new)
    return min((timer.due_at for timer in new), default=None)
