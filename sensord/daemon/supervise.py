"""What a daemon that does not lead, or a worker, does for the commands of its own station: start what was left to be
started, signal what is to be ended, and write down, for the leader, what becomes of each. It decides nothing.
"""

import logging
import signal
from collections.abc import Callable, Sequence, Set
from typing import NamedTuple

from sensord.core.instant import to_micros
from sensord.core.run import State
from sensord.daemon.definitions import Definitions
from sensord.daemon.dispatch import Place, jobs
from sensord.errors import InvalidValue
from sensord.executors.base import Attempt, Began, Ended, Executor, Forgotten, Job, Report
from sensord.store import runs, stations
from sensord.store.database import Database, Transaction
from sensord.store.runs import Live
from sensord.store.stations import Assigned
from sensord.store.wake import wake

log = logging.getLogger("sensord")

Also = Callable[[Transaction, Set[Attempt]], None]


class _Told(NamedTuple):
    """When the leader wanted SIGKILL, as it was when we last signalled; and whether that was it."""

    kill_at: int | None
    is_killed: bool = False


class Supervisor:
    """Of one station, whose attempts are known from the last look, and from what was started since."""

    def __init__(self, db: Database, executor: Executor, place: Place, definitions: Definitions | None = None) -> None:
        self._db = db
        self._definitions = definitions or Definitions()
        self._executor = executor
        self._place = place
        self._reports: list[Report] = []
        self._known: set[Attempt] = set()
        self._told: dict[Attempt, _Told] = {}

    @property
    def busy(self) -> int:
        """How many of its attempts are under way, or have an end that is not written down yet."""
        return len(self._known)

    @property
    def known(self) -> Set[Attempt]:
        """Those."""
        return self._known

    def fileno(self) -> int:
        return self._executor.fileno()

    def hear(self) -> None:
        """Take what the executor has to tell."""
        self._reports += [news for news in self._executor.poll() if not isinstance(news, Forgotten)]

    def report(self, also: Also = lambda _, __: None) -> None:
        """Write down what was heard. Where the database refuses, it is kept for the next call.

        also: what to write in the same transaction of attempts that have ended.
        """
        if not self._reports:
            return
        began = [_as_beginning(one) for one in self._reports if isinstance(one, Began)]
        ended = [_as_end(one) for one in self._reports if isinstance(one, Ended)]
        over = {one.attempt for one in self._reports if isinstance(one, Ended)}
        with self._db.transaction() as tx:
            also(tx, over)
            stations.report(tx, began, ended)
        self._known -= over
        news = sorted({_key(one) for one in self._reports})
        self._reports.clear()
        wake(self._db, news)

    def start(self, claimed: Sequence[Live]) -> None:
        """Start what is the station's since a moment ago, and committed: what commands are made of may be much, and a
        process that is stopped while it reads keeps what it has locked. An executor that refuses starts it later.
        """
        found = self._make(claimed)
        self._known |= {job.attempt for job in found}
        self._executor.submit(found)

    def look(self, now: int) -> None:
        """Take up the station's attempts, as the store has them: to be called as long as another station's daemon
        leads. Starting one that was started before does no harm: an executor starts no attempt twice. What is ours no
        longer, though its end was not told, has been given up, and must not go on beside its successor.
        """
        assigned = stations.assigned(self._db, self._place.station)
        new = [one for one in assigned if _attempt(one) not in self._known]
        if new:
            self._submit([one.run_id for one in new if one.state == State.STARTING])
            self._executor.adopt([_attempt(one) for one in new if one.state == State.RUNNING])
        before, self._known = self._known, {_attempt(one) for one in assigned}
        for attempt in before - self._known - {one.attempt for one in self._reports if isinstance(one, Ended)}:
            log.warning("attempt %d of run %d was given up: it is killed", attempt.number, attempt.run_id)
            self._executor.kill(attempt, signal.SIGKILL)
        self._told = {attempt: at for attempt, at in self._told.items() if attempt in self._known}
        for one in assigned:
            if one.stopping:
                self._end(one, now)

    def rest(self) -> None:
        """A daemon of this very station leads, and sees to everything."""
        self._known.clear()

    def _submit(self, run_ids: Sequence[int]) -> None:
        """An earlier leader here was gone, or lost its lead, before its executor heard of them."""
        if not run_ids:
            return
        found = runs.by_id(self._db, run_ids).values()
        self._executor.submit(self._make([run for run in found if run.state == State.STARTING]))

    def _make(self, starting: Sequence[Live]) -> list[Job]:
        """Their commands. One that cannot be made here, for want of a time zone say, ends as not started."""
        try:
            return jobs(self._db, self._definitions, starting, self._place)
        except InvalidValue as error:
            if len(starting) == 1:
                attempt = Attempt(starting[0].run_id, starting[0].attempt)
                return [Job(attempt, ("-",), "/", refusal=f"the command cannot be made here: {error}")]
            return [job for one in starting for job in self._make([one])]

    def _end(self, one: Assigned, now: int) -> None:
        """SIGTERM once, unless it is too late for that; SIGKILL when the leader's time for it has come. That is also
        where the leader has set a new one: it does so the moment the last one comes.
        """
        attempt, told = _attempt(one), self._told.get(_attempt(one))
        is_due = one.kill_at is not None and one.kill_at <= now
        if told is None and not is_due:
            self._executor.kill(attempt, signal.SIGTERM)
            self._told[attempt] = _Told(one.kill_at)
        elif told is None or one.kill_at != told.kill_at or (is_due and not told.is_killed):
            self._executor.kill(attempt, signal.SIGKILL)
            self._told[attempt] = _Told(one.kill_at, is_killed=is_due)


def _attempt(one: Assigned) -> Attempt:
    return Attempt(one.run_id, one.number)


def _key(report: Report) -> tuple[int, int]:
    return report.attempt.run_id, report.attempt.number


def _as_beginning(one: Began) -> runs.Beginning:
    return runs.Beginning(*_key(one), to_micros(one.at), one.pid)


def _as_end(one: Ended) -> runs.Ended:
    """What it makes of its run is for the leader to say."""
    return runs.Ended(
        *_key(one), to_micros(one.at), State.ABSENT, None, one.exit_code, one.signal, one.problem, one.message
    )
