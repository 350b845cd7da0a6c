"""The daemon's turn: take what has gathered, decide, write it in one transaction, and hand the new attempts over.

Knows no socket, signal or loop: `tick` is told the time by its clock and returns what it did, so that a test or a
simulation can drive it.
"""

import logging
import random
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sensord.clock import Clock
from sensord.config import Config
from sensord.core.instant import from_micros, to_micros
from sensord.core.run import State
from sensord.core.schedule import Schedule
from sensord.daemon import backfill
from sensord.daemon.activate import activate, load
from sensord.daemon.alarms import Rung, ring
from sensord.daemon.away import Away
from sensord.daemon.berths import ALL_HERE, Berths
from sensord.daemon.catalog import Entry
from sensord.daemon.changes import CHANGES
from sensord.daemon.crew import Crew
from sensord.daemon.dispatch import Place, dispatch, jobs
from sensord.daemon.handover import Handover
from sensord.daemon.outcomes import Chance, record
from sensord.daemon.picture import Picture, load_picture
from sensord.daemon.plan import plan
from sensord.daemon.requests import Handler, Tell, serve
from sensord.daemon.retention import Pruner
from sensord.daemon.retire import retire
from sensord.daemon.settle import settle
from sensord.daemon.sweep import Sweeper
from sensord.daemon.turn import Turn
from sensord.daemon.unheard import Unheard
from sensord.errors import InvalidValue, NotFound, SensordError
from sensord.executors.base import Attempt, Executor, Forgotten, Job, Report
from sensord.store import attempts, requests, runs, timers
from sensord.store.database import Database, Transaction
from sensord.store.lead import Lead
from sensord.store.runs import Live
from sensord.store.wake import ANYTHING, Heard

log = logging.getLogger("sensord")

PLAN_BUDGET = 500
"""Ticks planned in one turn at most, so that a long backlog never holds up the rest."""


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
        chance: Chance = random.random,
        away: Away | None = None,
        berths: Berths = ALL_HERE,
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
        self._chance = chance
        self._berths = berths
        self._picture = Picture()
        self._away = away or Away()
        self._crew = Crew()
        self._pruner = Pruner()
        self._sweeper = Sweeper()
        self._unheard = Unheard()
        self._retention: timedelta | None = None
        self._retire_after: timedelta | None = None
        self._reports: list[Report] = []
        self._handover = Handover()
        self._live: list[Live] = []
        self._stale = False
        self._handlers: dict[str, Handler] = {
            "stop": lambda body, tell: self._stop_for(bool(body.get("now")), tell),
            "reload": lambda _, tell: self._reload_for(tell),
            **{kind: partial(self._change_for, kind) for kind in CHANGES},
        }

    def reload(self) -> str:
        """Take the config folder as it is now. Returns a summary; raises ConfigError where sensord.toml is wrong."""
        return self._reload_for(_to_nobody)

    def adopt(self) -> None:
        """Take up, at the start, the runs that an earlier daemon left between queued and their end."""
        with self._writing(anew=True) as tx:
            requests.expire(tx, to_micros(self.clock.now()))
        running = [Attempt(run.run_id, run.attempt) for run in self._live if run.state == State.RUNNING]
        here = [attempt for attempt in running if attempt not in self._away]
        self.executor.adopt(here)
        self._unheard.expect([*here, *(job.attempt for job in self._handover.jobs)], self.clock.now())

    def stop(self, *, now: bool = False) -> str:
        """Drain: start nothing more, end when all commands have ended. With `now` they are left to the next daemon."""
        self.draining = True
        self.stopping = self.stopping or now
        return self._farewell(now)

    def change(self, kind: str, body: Mapping[str, Any]) -> str:
        """Change something as CHANGES has it. NotFound or InvalidValue where that cannot be done."""
        return self._change_for(kind, body, _to_nobody)

    def _reload_for(self, tell: Tell) -> str:
        entries = self._picture.catalog.by_name.items()
        known = {name: entry.flow.schedule for name, entry in entries if not entry.retired}
        config = self._read_config(known)
        with self._writing() as tx:
            picture, settings = self._picture, config.settings
            activated = activate(tx, config, self.clock.now(), picture.catalog)
            self._retire_after = settings.retire_after
            self._keep(tx, settings.retention, activated.entries)
            text = f"{_count(picture.catalog.number, 'flow')}, {_count(len(config.problems), 'problem')}"
            tell(tx, text)
        self._berths = Berths.by(settings, self.db.dialect)
        picture.note_reload(activated.entries, settings.pools, activated.settled, self._berths)
        self._crew.size(self.db, picture)
        return text

    def _stop_for(self, now: bool, tell: Tell) -> None:
        with self._writing() as tx:
            tell(tx, self._farewell(now))
        self.stop(now=now)

    def _farewell(self, now: bool) -> str:
        return "stopping" if now else f"draining, {self.active} running"

    def _change_for(self, kind: str, body: Mapping[str, Any], tell: Tell) -> str:
        with self._writing(asked=True) as tx:
            changed = CHANGES[kind](tx, self._picture, body, to_micros(self.clock.now()))
            tell(tx, changed.text)
        self._picture.take_out(changed.left)
        self._picture.touch_fillings()
        self._picture.note_settled(changed.settled)
        self._ring(changed.rung)
        self._pruner.expect(to_micros(self.clock.now()))
        return changed.text

    @property
    def done(self) -> bool:
        return self.stopping or (self.draining and not self.active and not self._handover.jobs)

    @property
    def active(self) -> int:
        """The number of runs of this host in starting or running; what workers have goes on without us."""
        return self._picture.queue.busy_here

    def flow_name(self, flow_id: int) -> str:
        return self._picture.catalog.by_id[flow_id].flow.name

    def upstreams(self, flow_id: int) -> list[str]:
        """The names of the flows that its sensors watch, in order."""
        return sorted(self._picture.catalog.by_id[flow_id].flow.upstreams)

    @property
    def next_at(self) -> datetime | None:
        """When there is something to do even if nothing happens; in the past where there is a backlog."""
        pruning = None if self.draining else self._pruner.next_at
        found = [self._turn_at, None if pruning is None else from_micros(max(0, pruning))]
        return min([at for at in found if at], default=None)

    @property
    def _turn_at(self) -> datetime | None:
        ticks = None if self.draining else self._picture.catalog.next_at
        if not self.draining and backfill.is_due(self._picture.catalog, self._picture.queue, self._picture.fillings):
            return self.clock.now()
        return min([at for at in (ticks, self._alarm_at, self._retire_at) if at], default=None)

    @property
    def _alarm_at(self) -> datetime | None:
        """When the next alarm rings: not before it is known what had ended in time while nobody led."""
        if self._picture.next_due is None:
            return None
        due_at, until = from_micros(self._picture.next_due), self._unheard.until(self.clock.now())
        return max(due_at, until) if until else due_at

    @property
    def _retire_at(self) -> datetime | None:
        """When the next flow is given up whose file is gone; not before it is known how long that takes."""
        removed_at = self._picture.catalog.removed_at
        return removed_at + self._retire_after if removed_at and self._retire_after is not None else None

    def tick(self, heard: Heard = ANYTHING) -> Turn:
        """One turn. Raises SensordError with nothing lost: the next turn starts from what the database holds.

        heard: what there may be in the database that we do not know of yet.
        """
        turn = Turn()
        if heard.asked:
            turn.requests = serve(self.db, self._handlers, self._write, to_micros(self.clock.now()))
        now = self.clock.now()
        for news in self.executor.poll():
            if isinstance(news, Forgotten):
                self._pruner.note(news, to_micros(now))
            else:
                self._reports.append(news)
                self._unheard.note(news.attempt)
        self._reports += self._away.news(self.db, now, heard.news)
        self._crew.look(self.db, self._picture, asked=heard.asked)
        if self._reports or self._stale or self._is_due(now):
            with self._writing() as tx:
                submit = self._turn(tx, turn, now)
            turn.reports = len(self._reports)
            self._reports.clear()
            self._handover.add(submit)
            self._away.carry(turn.carried)
        turn.submitted = self._handover.tell(self.executor, self.lead, self._away, self.db)
        if not self.draining and self._pruner.is_due(to_micros(now), has_time=turn.idle):
            turn.pruned = self._prune(to_micros(now))
        if turn.idle and self._sweeper.is_due(to_micros(now)):
            self._sweep(turn, to_micros(now))
        return turn

    def _turn(self, tx: Transaction, turn: Turn, now: datetime) -> list[Job]:
        micros, picture = to_micros(now), self._picture
        recorded = record(tx, picture.catalog, self._reports, picture.stopping, self._chance)
        picture.note_ends(recorded)
        turn.ended, turn.retrying = recorded.over, recorded.retrying
        turn.settled = settle(tx, picture.catalog, runs.moves(turn.ended, State.RUNNING), micros)
        if (alarm_at := self._alarm_at) and alarm_at <= now:
            rung = ring(tx, picture.catalog, picture.stopping, micros)
            turn.alarms = rung.number
            turn.settled.add(rung.settled)
            self._ring(rung)
            picture.next_due = timers.next_due(tx)
        cancelled = self._retire(tx, turn, now)
        due = [] if self.draining else picture.catalog.due(now, PLAN_BUDGET)
        if due:
            planned = plan(tx, picture.catalog, due, micros)
            turn.planned = planned.runs
            turn.settled.add(planned.settled)
        picture.note_settled(turn.settled)
        picture.take_out(cancelled)
        if picture.fillings and not self.draining:
            self._fill(tx, turn, micros)
        if self.draining:
            return []
        dispatched = dispatch(tx, picture, self.slots, self._place, micros)
        turn.started, turn.carried = [*dispatched.here, *dispatched.carried], dispatched.carried
        return jobs(tx, picture.catalog, dispatched.here, self._place)

    def _retire(self, tx: Transaction, turn: Turn, now: datetime) -> list[Live]:
        """Give up the flows whose files have been gone for long enough. Returns their cancelled runs: this very turn
        may have released some of them.
        """
        if self._retire_after is None or not (gone := self._picture.catalog.removed_by(now - self._retire_after)):
            return []
        retired = retire(tx, self._picture.catalog, gone, to_micros(now))
        turn.retired = [entry.flow.name for entry in gone]
        turn.settled.add(retired.settled)
        return retired.cancelled

    def _fill(self, tx: Transaction, turn: Turn, now: int) -> None:
        """A batch of a backfill, after all that is scheduled; those of which nothing is left are closed."""
        picture = self._picture
        filled = backfill.fill(tx, picture.catalog, picture.queue, picture.fillings, now)
        filled.add(backfill.close(tx, picture.catalog, picture.queue, picture.fillings, now))
        turn.filled = filled.number
        turn.planned = [*turn.planned, *filled.runs]
        turn.settled.add(filled.settled)
        picture.note_settled(filled.settled)
        picture.take_out(filled.left)

    def _prune(self, now: int) -> int:
        """One step of retention; returns how much it did. See there why logs go before rows."""
        with self._writing() as tx:
            logs = self._pruner.choose(tx, now)
            pruned = self._pruner.finish(tx, now)
        self._pruner.settle()
        if logs:
            try:
                self.executor.forget(logs)
            except SensordError:
                self._pruner.choose_anew(now)
                raise
        return pruned + len(logs)

    def _sweep(self, turn: Turn, now: int) -> None:
        with self._writing() as tx:
            mended = self._sweeper.sweep(tx, self._picture.catalog, now)
        self._picture.note_settled(mended.settled)
        turn.mended, turn.settled = mended.runs, mended.settled

    def _keep(self, tx: Transaction, retention: timedelta | None, changed: Iterable[Entry]) -> None:
        """Let the pruner know how long the runs of these flows are kept, and those of all others."""
        now, entries = to_micros(self.clock.now()), self._picture.catalog.by_id.values()
        if retention != self._retention:
            self._retention = retention
            self._pruner.follow(tx, {entry.id: entry.flow.retention for entry in entries}, retention, now)
        else:
            self._pruner.renew(tx, {entry.id: entry.flow.retention for entry in changed}, now)

    def _ring(self, rung: Rung) -> None:
        self._picture.note_alarms(rung)
        self._handover.add(kills=rung.kills)
        self._away.expect(attempt for attempt, _ in rung.kills)
        if rung.next_due is not None:
            self._picture.expect(rung.next_due)

    def _is_due(self, now: datetime) -> bool:
        """Whether a turn has something to do though nobody has reported anything."""
        next_at, queue = self._turn_at, self._picture.queue
        startable = not self.draining and queue.is_ready(self.slots - queue.busy_here)
        filling = not self.draining and backfill.is_due(self._picture.catalog, queue, self._picture.fillings)
        return startable or filling or bool(next_at and next_at <= now)

    def _write(self, act: Callable[[Transaction], None]) -> None:
        with self._writing() as tx:
            act(tx)

    @contextmanager
    def _writing(self, *, anew: bool = False, asked: bool = False) -> Iterator[Transaction]:
        """A transaction of the leader. Where one fails, what is held in memory is read anew at the start of the next;
        but not where somebody has `asked` for what cannot be done.
        """
        try:
            with self.db.transaction() as tx:
                self.lead.guard(tx)
                if anew or self._stale:
                    self._recover(tx)
                yield tx
        except BaseException as error:
            self._stale = self._stale or not (asked and isinstance(error, InvalidValue | NotFound))
            raise
        self._stale = False

    def _recover(self, tx: Transaction) -> None:
        """Read the picture anew. Commands of runs in `starting` are submitted again: the executor starts no attempt
        twice; those that are being ended are told again.
        """
        self._picture, self._live = load_picture(tx, load(tx), self._berths)
        self._crew.size(tx, self._picture)
        ages = {entry.id: entry.flow.retention for entry in self._picture.catalog.by_id.values()}
        self._pruner.follow(tx, ages, self._retention, to_micros(self.clock.now()))
        self._away.follow(attempts.elsewhere(tx, self._place.station))
        starting = [run for run in self._live if run.state == State.STARTING]
        here = [run for run in starting if Attempt(run.run_id, run.attempt) not in self._away]
        submit = jobs(tx, self._picture.catalog, here, self._place)
        self._handover.begin_anew(submit, [(attempt, signal.SIGTERM) for attempt in self._picture.stopping])


def _to_nobody(_: Transaction, __: str) -> None:
    """Nobody waits for an answer."""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"
