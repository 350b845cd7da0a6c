"""A worker: it takes attempts from a queue as long as it has a free slot, and sees to their commands until they have
ended. It decides nothing: what the leader is to know stands in the database.
"""

import logging
import selectors
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sensord.clock import Clock
from sensord.core.instant import to_micros
from sensord.daemon.dispatch import Place
from sensord.daemon.signals import RELOAD, Signals
from sensord.daemon.supervise import Supervisor
from sensord.errors import SensordError
from sensord.store import runs, workers
from sensord.store.database import Database
from sensord.store.wake import Source, wake
from sensord.worker.heartbeat import Heartbeat, Leashed
from sensord.worker.pruning import Forgetful, Pruner
from sensord.worker.shipping import Shipper

LOOK_SECONDS = 5.0
"""Between two looks at what is to be ended, and at the queue, where nobody tells us."""

AGAIN_SECONDS = 0.5
"""Until the next try, where the database or the executor refuses."""

log = logging.getLogger("sensord")


@dataclass(frozen=True, slots=True)
class Ears:
    """What a worker is told over: that its queue has something, and that a command is to be ended."""

    queue: Source
    hail: Source


class Hands(Leashed, Forgetful, Protocol):
    """What a worker asks of its executor beside what its supervisor does."""


class Worker:
    """`run` ends when it was told to, and its last command has ended; or at once when it is told again."""

    def __init__(
        self,
        db: Database,
        executor: Hands,
        supervisor: Supervisor,
        heartbeat: Heartbeat,
        shipper: Shipper,
        pruner: Pruner,
        signals: Signals,
        place: Place,
        clock: Clock,
        ears: Ears,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db, self._executor, self._supervisor = db, executor, supervisor
        self._heartbeat, self._shipper, self._pruner, self._signals = heartbeat, shipper, pruner, signals
        self._place, self._clock, self._ears, self._monotonic = place, clock, ears, monotonic
        self._draining = self._stopping = self._failing = False
        self._has_work = self._is_hailed = self._owes = True  # nobody knows what an earlier one here has left
        self._next_look = monotonic()

    @property
    def done(self) -> bool:
        return self._stopping or (self._draining and not self._supervisor.busy and not self._owes)

    def run(self) -> None:
        """Until it is told to end. What its commands do then is for the keeper, and for the next worker here."""
        with selectors.DefaultSelector() as everything, selectors.DefaultSelector() as signals_alone:
            signals_alone.register(self._signals.fileno(), selectors.EVENT_READ)
            for source in (self._supervisor, self._signals, self._ears.queue, self._ears.hail):
                everything.register(source.fileno(), selectors.EVENT_READ)
            while not self.done:
                self.turn()
                if self.done:
                    break
                (signals_alone if self._failing else everything).select(self._nap())
                for number in self._signals.drain():
                    self._obey(number)

    def turn(self) -> None:
        """Hear, tell, look and take, as far as there is something; where the database refuses, again in a moment."""
        self._has_work = bool(self._ears.queue.drain()) or self._has_work
        self._is_hailed = bool(self._ears.hail.drain()) or self._is_hailed
        try:
            self._supervisor.hear()
            self._beat()
            self._look()
            self._supervisor.report(self._shipper.finish)
            self._shipper.ship(self._db, self._supervisor.known)
            self._take()
            self._pruner.prune(self._db, self._executor, self._supervisor.known)
        except SensordError as error:
            if not self._failing:
                log.error("trying again: %s", error)  # noqa: TRY400 - foreseen, no traceback
            self._failing, self._is_hailed = True, True
            return
        if self._failing:
            log.info("it works again")
        self._failing = False

    def _beat(self) -> None:
        taking = not self._draining
        if self._heartbeat.beat(self._db, self._executor, busy=self._supervisor.busy, is_taking=taking):
            wake(self._db)

    def _look(self) -> None:
        """Before anything that a leader who is stopped may hold up."""
        if self._monotonic() >= self._next_look:
            self._has_work = self._is_hailed = True
        if self._is_hailed:
            self._supervisor.look(to_micros(self._clock.now()))
            self._is_hailed = self._owes = False
            self._next_look = self._monotonic() + LOOK_SECONDS

    def _take(self) -> None:
        """Claim what the free slots can hold, and start it. Where that fails in between, the next look starts it."""
        free = self._heartbeat.slots - self._supervisor.busy
        if self._draining or not self._has_work or free <= 0:
            return
        self._owes = True  # also where it is not known whether the claim was committed
        with self._db.transaction() as tx:
            station, host = self._place.station, self._place.host
            number, claimed = runs.take(tx, self._heartbeat.queue, free, station=station, host=host)
        self._has_work = number == free
        if claimed:
            self._supervisor.start(claimed)
        self._owes = False

    def _nap(self) -> float:
        if self._failing:
            return AGAIN_SECONDS
        until = min(self._next_look, self._shipper.next_at) - self._monotonic()
        return max(0.0, min(self._heartbeat.left(), until))

    def _obey(self, number: int) -> None:
        """SIGTERM and SIGINT drain; a second one leaves at once."""
        name = signal.Signals(number).name
        if number == RELOAD:
            log.info("%s: a worker has nothing to read again; start it anew to change its settings", name)
            return
        self._stopping = self._draining
        self._draining = True
        busy = self._supervisor.busy
        if self._stopping:
            log.info("%s: stopping; %d commands go on until the heartbeat limit, for the next worker here", name, busy)
        else:
            log.info("%s: draining, %d commands run", name, busy)


def leave(db: Database, station: str, busy: int) -> None:
    """At the end: one that has no commands left is not missed."""
    if not busy:
        workers.leave(db, station)
