"""The commands of a station, as a keeper holds them: they outlive the daemons, each of which has a line to the keeper.

An attempt is taken once, whoever submits it. Its command takes as long, and ends as its fate has it, but only when the
daemons have nothing to do: one that dies takes more turns for the same work, and in which of them it hears of an end
may decide which of two runs gets the only slot.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sensord.executors.base import Attempt, Began, Ended, Forgotten, Job, News
from sensord.executors.leash import Leash
from sensord.testing import ManualClock
from tests.simulation.crashes import Point

Fate = Callable[[Job], tuple[timedelta, dict[str, Any]]]
"""How long the command of a job takes, and its end, as `Ended` has it."""


class Keeper:
    """`jobs`: all attempts that were ever taken. `forgotten`: those of them whose logs were deleted."""

    def __init__(self, clock: ManualClock, fate: Fate) -> None:
        self.jobs: dict[Attempt, Job] = {}
        self.forgotten: set[Attempt] = set()
        self.submitted_again = 0
        self._clock = clock
        self._fate = fate
        self._due: dict[Attempt, datetime] = {}
        self._ends: dict[Attempt, Ended] = {}
        self._signals: dict[Attempt, int] = {}
        self._lines: list[Line] = []
        self._has_lapsed = False

    def connect(self, pass_by: Callable[[Point], None]) -> "Line":
        """A daemon's line; it passes by dangers."""
        self._lines.append(Line(self, pass_by))
        return self._lines[-1]

    def cut(self, line: "Line") -> None:
        """That daemon is gone, with all that it had been told."""
        if line in self._lines:
            self._lines.remove(line)

    def take(self, job: Job) -> None:
        assert job.attempt not in self.forgotten, f"{job.attempt} is submitted after it was forgotten"
        if job.attempt in self.jobs or job.attempt in self._ends:
            self.submitted_again += 1
            return
        if self._has_lapsed:
            self._ends[job.attempt] = Ended(job.attempt, self._clock.now(), problem="lost")
            return
        self.jobs[job.attempt] = job
        self._due[job.attempt] = self._clock.now() + self._fate(job)[0]

    def tell(self, attempt: Attempt) -> News:
        assert attempt not in self.forgotten, f"{attempt} is asked about after it was forgotten"
        if attempt in self._ends:
            return self._ends[attempt]
        if attempt in self.jobs:
            return Began(attempt, 1000, self._clock.now())
        return Ended(attempt, self._clock.now(), problem="lost", message="the attempt was never taken")

    @property
    def next_at(self) -> datetime | None:
        """When the next command ends."""
        return min(self._due.values(), default=None)

    def end_due(self) -> bool:
        """End the commands whose time is over; whether there were any."""
        due = [attempt for attempt, at in self._due.items() if at <= self._clock.now()]
        for attempt in due:
            how = {"signal": self._signals[attempt]} if attempt in self._signals else self._fate(self.jobs[attempt])[1]
            self._end(attempt, how)
        return bool(due)

    @property
    def running(self) -> list[Attempt]:
        """The attempts whose commands have not ended."""
        return list(self._due)

    def forget(self, run_ids: Sequence[int]) -> Forgotten:
        """Nothing is known of their attempts any more, unless one is under way."""
        kept = {attempt.run_id for attempt in self.running} & set(run_ids)
        gone = set(run_ids) - kept
        self.forgotten |= {attempt for attempt in self.jobs if attempt.run_id in gone}
        return Forgotten(tuple(sorted(gone)), tuple(sorted(kept)))

    def ease(self) -> None:
        """From now on every command takes no time, and succeeds."""
        self._fate = lambda _: (timedelta(), {"exit_code": 0})

    def let_out(self) -> None:
        """A worker's commands may go on, and others be started."""
        self._has_lapsed = False

    def lapse(self) -> None:
        """Nobody has let it out in time: commands are ended, and none is started before it is let out again."""
        self._has_lapsed = True
        self.fall()

    def fall(self) -> None:
        """All commands are gone."""
        for attempt in self.running:
            self._end(attempt, {"problem": "lost"})

    def signal(self, attempt: Attempt, number: int) -> None:
        """A command obeys at once."""
        if attempt in self._due:
            self._signals[attempt], self._due[attempt] = number, self._clock.now()

    def _end(self, attempt: Attempt, how: dict[str, Any]) -> None:
        """Its command ends, and all who have asked about it are told."""
        del self._due[attempt]
        self._ends[attempt] = Ended(attempt, self._clock.now(), **how)
        for line in self._lines:
            line.hear(self._ends[attempt])


class Line:
    """The executor of one daemon."""

    def __init__(self, keeper: Keeper, pass_by: Callable[[Point], None]) -> None:
        self._keeper = keeper
        self._pass_by = pass_by
        self._asked: set[Attempt] = set()
        self._news: list[News] = []

    def submit(self, jobs: Sequence[Job]) -> None:
        self._pass_by(Point.BEFORE_SUBMIT)
        for job in jobs:
            self._keeper.take(job)
            self._ask(job.attempt)
            self._pass_by(Point.AFTER_SUBMIT)

    def adopt(self, attempts: Sequence[Attempt]) -> None:
        self._pass_by(Point.BEFORE_ADOPT)
        for attempt in attempts:
            self._ask(attempt)
        self._pass_by(Point.AFTER_ADOPT)

    def poll(self) -> list[News]:
        self._pass_by(Point.BEFORE_POLL)
        news, self._news = self._news, []
        if news:
            self._pass_by(Point.AFTER_POLL)
        return news

    def kill(self, attempt: Attempt, signal: int) -> None:
        self._pass_by(Point.BEFORE_KILL)
        self._keeper.signal(attempt, signal)
        self._pass_by(Point.AFTER_KILL)

    def let_out(self, leash: Leash) -> None:
        self._keeper.let_out()

    def forget(self, run_ids: Sequence[int]) -> None:
        self._pass_by(Point.BEFORE_FORGET)
        self._news.append(self._keeper.forget(run_ids))
        self._pass_by(Point.AFTER_FORGET)

    def fileno(self) -> int:
        raise NotImplementedError("a simulation does not wait")

    def close(self) -> None:
        self._keeper.cut(self)

    def hear(self, end: Ended) -> None:
        if end.attempt in self._asked:
            self._news.append(end)

    @property
    def has_news(self) -> bool:
        return bool(self._news)

    def _ask(self, attempt: Attempt) -> None:
        self._asked.add(attempt)
        self._news.append(self._keeper.tell(attempt))
