"""Crashes at will: before and after every commit and every call of the executor, as a daemon that is killed there.

What has been committed stays, and commands go on; all else is lost with the daemon.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from sensord.executors.base import Attempt, Job, News
from sensord.store.database import Database
from sensord.testing import ManualClock, ManualExecutor


class Crash(BaseException):
    """The daemon is no more. Nothing may catch it."""


@dataclass
class Faults:
    """Counts the points at which a daemon may die, and says whether it does: at `at`, or at each by `chance`."""

    at: int | None = None
    chance: float = 0.0
    random: Random = field(default_factory=Random)
    passed: int = 0
    crashes: list[str] = field(default_factory=list)

    def pass_by(self, point: str) -> None:
        """Raises Crash where the daemon is to die here."""
        self.passed += 1
        if self.passed == self.at or (self.chance and self.random.random() < self.chance):
            self.crashes.append(f"{point} (point {self.passed})")
            raise Crash


def endanger(db: Database, faults: Faults) -> None:
    """From now on every commit on this connection is dangerous."""
    commit, roll_back = db._commit, db._roll_back

    def dangerous() -> None:
        try:
            faults.pass_by("before a commit")
        except Crash:
            roll_back()
            raise
        commit()
        faults.pass_by("after a commit")

    db._commit = dangerous  # type: ignore[method-assign] # of this one connection


class FatedExecutor(ManualExecutor):
    """Its commands end by `fate`: after so many hours of the clock, with such an exit code. It outlives daemons."""

    def __init__(self, clock: ManualClock, faults: Faults, fate: Callable[[Job], tuple[int, int]]) -> None:
        super().__init__(clock)
        self._faults = faults
        self._fate = fate
        self._due: dict[Attempt, float] = {}

    def submit(self, jobs: Sequence[Job]) -> None:
        self._faults.pass_by("before submitting")
        for job in jobs:
            super().submit([job])
            self._due.setdefault(job.attempt, self._clock.now().timestamp() + 3600 * self._fate(job)[0])
            self._faults.pass_by(f"after submitting {job.attempt}")

    def adopt(self, attempts: Sequence[Attempt]) -> None:
        self._faults.pass_by("before adopting")
        super().adopt(attempts)
        self._faults.pass_by("after adopting")

    def poll(self) -> list[News]:
        self._faults.pass_by("before polling")
        news = super().poll()
        if news:
            self._faults.pass_by("after polling")
        return news

    def kill(self, attempt: Attempt, signal: int) -> None:
        """A command obeys at once."""
        self._faults.pass_by("before killing")
        super().kill(attempt, signal)
        if attempt in self.running:
            self.end(attempt, None, signal=signal)
        self._faults.pass_by("after killing")

    def end_due(self) -> bool:
        """End the commands whose time is over; whether there were any."""
        now = self._clock.now().timestamp()
        due = [attempt for attempt in self.running if self._due[attempt] <= now]
        for attempt in due:
            self.end(attempt, self._fate(self.jobs[attempt])[1])
        return bool(due)
