"""An executor on a virtual clock: it starts no process, and each attempt ends when its flow's time is over."""

import heapq
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sensord.executors.base import Attempt, Job
from sensord.testing import ManualClock, ManualExecutor


class Course(NamedTuple):
    """How an attempt goes: how long it takes, and its exit code."""

    takes: timedelta
    exit_code: int = 0


class TimedExecutor(ManualExecutor):
    """`course_of` says how attempts of a flow (by name) at a logical date (as commands see it) go."""

    def __init__(self, clock: ManualClock, course_of: Callable[[str, str], Course]) -> None:
        super().__init__(clock)
        self._time = clock
        self._course_of = course_of
        self._ahead: list[tuple[datetime, Attempt, int]] = []
        self._over: set[Attempt] = set()

    @property
    def next_at(self) -> datetime | None:
        """When the next attempt ends; None where none is under way."""
        while self._ahead and self._ahead[0][1] in self._over:
            heapq.heappop(self._ahead)
        return self._ahead[0][0] if self._ahead else None

    def submit(self, jobs: Sequence[Job]) -> None:
        known = set(self.jobs)
        super().submit(jobs)
        for job in jobs:
            if job.attempt not in known:
                course = self._course_of(job.env["SENSORD_FLOW"], job.env["SENSORD_LOGICAL_DATE"])
                heapq.heappush(self._ahead, (self._time.now() + course.takes, job.attempt, course.exit_code))

    def kill(self, attempt: Attempt, signal: int) -> None:
        super().kill(attempt, signal)
        if attempt not in self._over:
            self._over.add(attempt)
            self.end(attempt, None, signal=signal)

    def end_due(self) -> None:
        """Let those attempts end whose time is over."""
        while (at := self.next_at) is not None and at <= self._time.now():
            _, attempt, exit_code = heapq.heappop(self._ahead)
            self._over.add(attempt)
            self.end(attempt, exit_code)
