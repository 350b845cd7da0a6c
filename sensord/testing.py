"""For tests and simulations: a clock that is told the time, and an executor whose commands end when told to."""

import os
import weakref
from collections.abc import Sequence
from datetime import datetime, timedelta

from sensord.executors.base import Attempt, Began, Ended, Forgotten, Job, News


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def move(self, by: timedelta) -> None:
        """Move on, or back where `by` is negative."""
        self._at += by

    def set(self, at: datetime) -> None:
        self._at = at


class ManualExecutor:
    """Takes attempts as a real executor does, but starts no process: `begin` and `end` say what becomes of them."""

    def __init__(self, clock: ManualClock) -> None:
        self.jobs: dict[Attempt, Job] = {}
        self.adopted: list[Attempt] = []
        self.killed: list[tuple[Attempt, int]] = []
        self.forgotten: list[int] = []
        self._clock = clock
        self._reports: list[News] = []
        self._ends: dict[Attempt, Ended] = {}
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._close = weakref.finalize(self, os.close, self._eventfd)  # tests leave many of them behind

    @property
    def running(self) -> list[Attempt]:
        """The attempts that were taken and have not ended, in the order of their coming."""
        return [attempt for attempt in self.jobs if attempt not in self._ends]

    def submit(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.attempt in self.jobs:
                self._report_again(job.attempt)
            else:
                self.jobs[job.attempt] = job
                self._report(Began(job.attempt, 1000 + len(self.jobs), self._clock.now()))

    def adopt(self, attempts: Sequence[Attempt]) -> None:
        self.adopted += attempts
        for attempt in attempts:
            self._report_again(attempt)

    def end(self, attempt: Attempt, exit_code: int | None = 0, **how: int | str) -> None:
        """The attempt's command ends: with an exit code, or as `Ended` has it otherwise (signal, problem, message)."""
        ended = Ended(attempt, self._clock.now(), exit_code=exit_code, **how)  # type: ignore[arg-type] # as documented
        self._ends[attempt] = ended
        self._report(ended)

    def poll(self) -> list[News]:
        reports, self._reports = self._reports, []
        if reports:
            os.eventfd_read(self._eventfd)
        return reports

    def fileno(self) -> int:
        return self._eventfd

    def kill(self, attempt: Attempt, signal: int) -> None:
        self.killed.append((attempt, signal))

    def forget(self, run_ids: Sequence[int]) -> None:
        live = {attempt.run_id for attempt in self.running}
        gone = tuple(run_id for run_id in run_ids if run_id not in live)
        for attempt in [attempt for attempt in self.jobs if attempt.run_id in gone]:
            del self.jobs[attempt]
            self._ends.pop(attempt, None)
        self.forgotten += gone
        self._report(Forgotten(gone, tuple(run_id for run_id in run_ids if run_id in live)))

    def close(self) -> None:
        self._close()

    def _report_again(self, attempt: Attempt) -> None:
        if attempt in self._ends:
            self._report(self._ends[attempt])
        elif attempt in self.jobs:
            self._report(Began(attempt, 1000, self._clock.now()))
        else:
            self._report(Ended(attempt, self._clock.now(), problem="lost", message="the attempt was never taken"))

    def _report(self, report: News) -> None:
        self._reports.append(report)
        os.eventfd_write(self._eventfd, 1)
