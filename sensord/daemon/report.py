"""The log of what each turn did: one line for a run that waits, starts, ends, or will not start at all."""

import logging

from sensord.core.instant import format_instant, from_micros
from sensord.core.run import State
from sensord.daemon.daemon import Daemon
from sensord.daemon.turn import Turn
from sensord.store.runs import Live

log = logging.getLogger("sensord")


def report(turn: Turn, daemon: Daemon) -> None:
    """Log a turn. Runs that failed, or never will start, are warnings."""
    decided = {run.run_id for run in (*turn.settled.released, *turn.settled.concluded)}
    for run in turn.planned:
        if run.run_id not in decided:
            _line(logging.INFO, daemon, run, f"waiting for {', '.join(daemon.upstreams(run.flow_id))}")
    for run in turn.ended:
        _line(logging.WARNING if run.state == State.FAILED else logging.INFO, daemon, run, State(run.state).label)
    for run in turn.retrying:
        _line(logging.WARNING, daemon, run, "failed, and will be tried again")
    for run in turn.settled.concluded:
        _line(logging.WARNING, daemon, run, f"{State(run.state).label} without a start, by its sensors' policies")
    for name in turn.retired:
        log.warning("%s is retired: its file is gone", name)
    if turn.pruned:
        log.debug("retention: %d steps", turn.pruned)
    for run in turn.started:
        _line(logging.INFO, daemon, run, "starting")


def _line(level: int, daemon: Daemon, run: Live, what: str) -> None:
    if log.isEnabledFor(level):
        name, date = daemon.flow_name(run.flow_id), format_instant(from_micros(run.logical_date))
        extra = {"flow": name, "logical_date": date, "run_id": run.run_id, "attempt": run.attempt}
        log.log(level, "%s %s: %s", name, date, what, extra=extra)
