"""What has become of an attempt that this keeper did not start: it asks the files first, then the system."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from sensord.clock import Clock
from sensord.executors import processes
from sensord.executors.base import Attempt, Ended
from sensord.executors.ledger import Ledger, Taken
from sensord.executors.processes import Process

HALF_WRITTEN = timedelta(seconds=1)
"""How long a log whose keeper is not on record may be one that was just created."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Its command is this process."""

    process: Process
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Over:
    """`is_recorded`: nothing is to be written any more."""

    ended: Ended
    is_recorded: bool


@dataclass(frozen=True, slots=True)
class Unsettled:
    """In the hands of another keeper, which has yet to say. To be asked again soon."""


Finding = Runs | Over | Unsettled


class Inquiry:
    """`me` is the keeper that asks, `boot` the boot that it runs in."""

    def __init__(self, ledger: Ledger, *, me: Process, boot: str, clock: Clock) -> None:
        self._ledger, self._me, self._boot, self._clock = ledger, me, boot, clock

    def examine(self, attempt: Attempt, pidfd: int | None = None) -> Finding:
        """`pidfd`: of its command, if it was watched: through it a late end may still show its status."""
        ended = self._ledger.read_end(attempt)
        if ended:
            return Over(ended, is_recorded=True)
        taken = self._ledger.read(attempt)
        if taken is None:
            # Nothing is written: who submits it later may still have it started.
            return Over(self._lost(attempt, "nobody has taken this attempt here"), is_recorded=True)
        if taken.boot not in (None, self._boot):
            message = "the machine was restarted after the attempt had been taken"
            return Over(self._lost(attempt, message), is_recorded=False)
        return self._examine_taken(attempt, taken, pidfd)

    def _examine_taken(self, attempt: Attempt, taken: Taken, pidfd: int | None) -> Finding:
        in_other_hands = self._is_in_other_hands(taken)
        runs = self._find_command(attempt, taken, search=not in_other_hands)
        if runs and processes.is_running(runs.process):
            return runs
        if in_other_hands:
            return Unsettled()
        ended = self._ledger.read_end(attempt)  # the other keeper may have recorded it, and gone, since we looked
        if ended:
            return Over(ended, is_recorded=True)
        return Over(self._conclude(attempt, runs.process if runs else None, pidfd), is_recorded=False)

    def _is_in_other_hands(self, taken: Taken) -> bool:
        if taken.keeper is None:
            return abs(self._clock.now() - taken.written_at) < HALF_WRITTEN
        return taken.keeper != self._me and processes.is_running(taken.keeper)

    def _find_command(self, attempt: Attempt, taken: Taken, *, search: bool) -> Runs | None:
        """A keeper may die between starting the command and noting it down: then its log leads to it."""
        if taken.process and taken.began_at:
            return Runs(taken.process, taken.began_at)
        process = processes.find_by_output(self._ledger.log_path(attempt), self._ledger.runs_fd) if search else None
        if process is None:
            return None
        runs = Runs(process, self._clock.now())
        self._ledger.write_process(attempt, runs.process, runs.began_at)
        return runs

    def _conclude(self, attempt: Attempt, process: Process | None, pidfd: int | None) -> Ended:
        if process is None:
            return self._lost(attempt, "its keeper died before the command was known to run")
        status = processes.find_status(process, pidfd)
        if status is None:
            return self._lost(attempt, f"the command (pid {process.pid}) ended while no keeper could see how")
        return end_by_status(attempt, self._clock.now(), status)

    def _lost(self, attempt: Attempt, message: str) -> Ended:
        return Ended(attempt, self._clock.now(), problem="lost", message=message)


def end_by_status(attempt: Attempt, at: datetime, status: int) -> Ended:
    """`status` is a wait status, as waitpid(2) gives it."""
    code = os.waitstatus_to_exitcode(status)
    return Ended(attempt, at, signal=-code) if code < 0 else Ended(attempt, at, exit_code=code)
