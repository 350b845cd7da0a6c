"""The daemon's turn: take what has gathered, decide, write it in one transaction, and hand the new attempts over.

Knows no socket, signal or loop: `tick` is told the time by its clock and returns what it did, so that a test or a
simulation can drive it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sensord.clock import Clock
from sensord.config import Config
from sensord.core.instant import to_micros
from sensord.core.queue import Queue
from sensord.core.run import State
from sensord.core.schedule import Schedule
from sensord.daemon.activate import activate, load
from sensord.daemon.catalog import Catalog
from sensord.daemon.dispatch import Place, dispatch, jobs
from sensord.daemon.outcomes import record
from sensord.daemon.plan import plan
from sensord.daemon.requests import Handler, serve
from sensord.daemon.rerun import rerun
from sensord.daemon.settle import Settled, settle
from sensord.executors.base import Attempt, Executor, Job, Report
from sensord.store import requests, runs
from sensord.store.database import Database, Transaction
from sensord.store.lead import Lead
from sensord.store.runs import Live

PLAN_BUDGET = 500
"""Ticks planned in one turn at most, so that a long backlog never holds up the rest."""


@dataclass(slots=True)
class Turn:
    """What one tick did."""

    requests: int = 0
    reports: int = 0
    submitted: int = 0
    planned: list[Live] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)
    started: list[Live] = field(default_factory=list)
    ended: list[Live] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.requests or self.reports or self.submitted or self.planned or self.settled.released)


class Daemon:
    """The leading daemon. All changes of runs are made here, in `tick`, in `reload` and by the requests they serve."""

    def __init__(
        self,
        db: Database,
        lead: Lead,
        executor: Executor,
        clock: Clock,
        *,
        read_config: Callable[[Mapping[str, Schedule]], Config],
        place: Place,
        slots: int,
    ) -> None:
        self.db = db
        self.lead = lead
        self.executor = executor
        self.clock = clock
        self.slots = slots
        self.draining = False
        self.stopping = False
        self._read_config = read_config
        self._place = place
        self._catalog = Catalog([])
        self._queue = Queue()
        self._reports: list[Report] = []
        self._jobs: list[Job] = []
        self._stale = False
        self._handlers: dict[str, Handler] = {
            "stop": lambda body: self.stop(now=bool(body.get("now"))),
            "reload": lambda _: self.reload(),
            "rerun": lambda body: self.rerun(str(body["flow"]), datetime.fromisoformat(body["logical_date"])),
        }

    def reload(self) -> str:
        """Take the config folder as it is now. Returns a summary; raises ConfigError where sensord.toml is wrong."""
        known = {name: entry.flow.schedule for name, entry in self._catalog.by_name.items()}
        config = self._read_config(known)
        with self._writing() as tx:
            self._catalog = activate(tx, config, self.clock.now())
            self._picture(tx)
        flows, problems = len(self._catalog.by_id), len(config.problems)
        return f"{flows} flows, {problems} problems"

    def adopt(self) -> None:
        """Take up, at the start, the runs that an earlier daemon left between queued and their end."""
        with self._writing() as tx:
            requests.expire(tx, to_micros(self.clock.now()))
            self._catalog = load(tx, {})
            running = self._recover(tx)
        self.executor.adopt([Attempt(run.run_id, run.attempt) for run in running])

    def stop(self, *, now: bool = False) -> str:
        """Drain: start nothing more, end when all commands have ended. With `now` they are left to the next daemon."""
        self.draining = True
        self.stopping = self.stopping or now
        return "stopping" if now else f"draining, {self._queue.active} running"

    def rerun(self, flow: str, at: datetime) -> str:
        """Send a run that has ended back to waiting, by the flow's current definition. NotFound, InvalidValue."""
        with self._writing() as tx:
            settled = rerun(tx, self._catalog, flow, at, to_micros(self.clock.now()))
        for run in settled.released:
            self._queue.add(run.queued)
        return "queued" if settled.released else "waiting"

    @property
    def done(self) -> bool:
        return self.stopping or (self.draining and not self._queue.active and not self._jobs)

    @property
    def active(self) -> int:
        """The number of runs in starting or running."""
        return self._queue.active

    def flow_name(self, flow_id: int) -> str:
        return self._catalog.by_id[flow_id].flow.name

    @property
    def next_at(self) -> datetime | None:
        """When there is something to do even if nothing happens; in the past where there is a backlog."""
        return None if self.draining else self._catalog.next_at

    def tick(self) -> Turn:
        """One turn. Raises DatabaseError with nothing lost: the next turn starts from what the database holds."""
        turn = Turn(requests=serve(self.db, self.lead, self.clock, self._handlers))
        self._reports += self.executor.poll()
        now = self.clock.now()
        if self._reports or self._stale or self._is_due(now):
            with self._writing() as tx:
                if self._stale:
                    self._catalog = load(tx, {})
                    self._recover(tx)
                submit = self._turn(tx, turn, now)
            turn.reports = len(self._reports)
            self._reports.clear()
            self._jobs += submit
        if self._jobs:
            self.executor.submit(self._jobs)
            turn.submitted = len(self._jobs)
            self._jobs.clear()
        return turn

    def _turn(self, tx: Transaction, turn: Turn, now: datetime) -> list[Job]:
        micros = to_micros(now)
        turn.ended = record(tx, self._reports)
        for run in turn.ended:
            self._queue.vacate(run.flow_id)
        turn.settled = settle(tx, self._catalog, runs.moves(turn.ended, State.RUNNING), micros)
        due = [] if self.draining else self._catalog.due(now, PLAN_BUDGET)
        if due:
            planned = plan(tx, self._catalog, due, micros)
            turn.planned = planned.runs
            turn.settled.add(planned.settled)
        for run in turn.settled.released:
            self._queue.add(run.queued)
        if not self.draining:
            turn.started = dispatch(tx, self._queue, self.slots, self._place, micros)
        return jobs(tx, self._catalog, turn.started, self._place)

    def _is_due(self, now: datetime) -> bool:
        """Whether a turn has something to do though nobody has reported anything."""
        if self.draining:
            return False
        next_at = self._catalog.next_at
        return bool(next_at and next_at <= now) or (self._queue.ready and self._queue.active < self.slots)

    @contextmanager
    def _writing(self) -> Iterator[Transaction]:
        """A transaction of the leader. Where it fails, what is held in memory is read anew before the next one."""
        try:
            with self.db.transaction() as tx:
                self.lead.guard(tx)
                yield tx
        except BaseException:
            self._stale = True
            raise

    def _recover(self, tx: Transaction) -> list[Live]:
        """Rebuild the queue from the database. Commands of runs in `starting` are submitted again: the executor starts
        no attempt twice. Returns the runs in `running`.
        """
        live = self._picture(tx)
        starting = [run for run in live if run.state == State.STARTING]
        self._jobs = jobs(tx, self._catalog, starting, self._place)
        self._stale = False
        return [run for run in live if run.state == State.RUNNING]

    def _picture(self, tx: Transaction) -> list[Live]:
        self._queue = Queue()
        for entry in self._catalog.by_id.values():
            self._queue.limit(entry.id, entry.flow.max_active, held=entry.held)
        live = runs.live(tx)
        for run in live:
            if run.state == State.QUEUED:
                self._queue.add(run.queued)
            else:
                self._queue.occupy(run.flow_id)
        return live
