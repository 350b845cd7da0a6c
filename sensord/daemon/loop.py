"""The loop around the daemon's turn: it sleeps until something happens, and never longer than `NAP` seconds.

What can happen: a command begins or ends, a request comes in, a tick falls due, a signal arrives, files change. Each of
them wakes the loop at once; a wake-up is a hint only, since every turn looks at the state itself.
"""

import logging
import selectors
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sensord.daemon.daemon import Daemon
from sensord.daemon.notify import Watchdog
from sensord.daemon.report import report
from sensord.daemon.signals import RELOAD, Signals
from sensord.daemon.turn import Turn
from sensord.daemon.watch import Watcher
from sensord.errors import ConfigError, LeadLost, SensordError
from sensord.store.lead import Lead
from sensord.store.wake import ANYTHING, Heard, Listener

if TYPE_CHECKING:
    from sensord.store.heart import Heart

NAP = 5.0
"""Seconds. The wall clock may jump while the loop sleeps: it looks again at least this often."""

BACKOFF = 10.0
"""Seconds between two tries, at most, while the database or the executor cannot be used."""

log = logging.getLogger("sensord")


class Loop:
    """Runs a daemon until it has drained or is told to stop at once."""

    def __init__(
        self,
        daemon: Daemon,
        listener: Listener,
        lead: Lead,
        signals: Signals,
        watcher: Watcher | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        heart: "Heart | None" = None,
    ) -> None:
        self.daemon = daemon
        self._signals = signals
        self._listener = listener
        self._lead = lead
        self._watcher = watcher
        self._heart = heart
        self._watchdog = Watchdog()
        self._reload: str | None = None
        self._failures = 0
        self._heard = ANYTHING
        self._look_at = 0.0
        self._monotonic = monotonic

    def run(self) -> None:
        """Turn by turn until the daemon is done. Raises LeadLost where another daemon has taken over."""
        with selectors.DefaultSelector() as everything, selectors.DefaultSelector() as signals_alone:
            signals_alone.register(self._signals.fileno(), selectors.EVENT_READ)
            for source in (self.daemon.executor, self._listener, self._signals, self._watcher, self._heart):
                if source:
                    everything.register(source.fileno(), selectors.EVENT_READ)
            if self._heart:
                signals_alone.register(self._heart.fileno(), selectors.EVENT_READ)
            while not self.daemon.done:
                self._watchdog.feed()
                turn = self._turn()
                if not self.daemon.done:
                    # While something refuses, what waits to be taken up must not cut the pause short; but that the
                    # heart can use the database again does.
                    (signals_alone if self._failures else everything).select(self._timeout(turn))
                heard = self._listener.drain()
                self._heard = ANYTHING if self._failures else heard._replace(asked=heard.asked or turn.requests > 0)
                if self._heart:
                    self._heart.drain()
                for number in self._signals.drain():
                    self._obey(number)
                if self._watcher and self._watcher.drain():
                    self._reload = self._reload or "files changed"

    def _turn(self) -> Turn:
        """One turn; where the database or the executor refuses, none, and the next one comes later each time."""
        try:
            self._lead.renew()
            self._read_files()
            turn = self.daemon.tick(self._all_heard())
        except LeadLost:
            raise
        except SensordError as error:
            self._failures += 1
            log.error("trying again: %s", error)  # noqa: TRY400 - foreseen, no traceback
            self._lead.complain(str(error))
            return Turn()
        if self._failures:
            log.info("it works again")
            self._lead.complain(None)
        self._failures = 0
        report(turn, self.daemon)
        return turn

    def _all_heard(self) -> Heard:
        """What to look for. For requests also where the last look is a nap ago: wake-ups may get lost."""
        now = self._monotonic()
        asked = self._heard.asked or now >= self._look_at
        if asked:
            self._look_at = now + NAP
        return self._heard._replace(asked=asked)

    def _read_files(self) -> None:
        """Reload, if that is wanted. Where the database refuses it is still wanted; what is wrong in sensord.toml is
        for a person to mend, and the old configuration goes on."""
        if self._reload:
            try:
                log.info("%s: %s", self._reload, self.daemon.reload())
            except ConfigError as error:
                log.error("%s: %s; the old configuration goes on", self._reload, error)  # noqa: TRY400 - foreseen
            self._reload = None

    def _timeout(self, turn: Turn) -> float:
        """Seconds to sleep after this turn."""
        if self._failures:
            return min(BACKOFF, self._watchdog.every, 0.1 * 2.0 ** min(self._failures, 10))
        naps = [NAP, self._watchdog.every, self._lead.renew_every, 0.0 if turn.planned or turn.requests else NAP]
        if next_at := self.daemon.next_at:
            naps.append((next_at - self.daemon.clock.now()).total_seconds())
        return max(0.0, min(naps))

    def _obey(self, number: int) -> None:
        """Do what a signal stands for. A second one to stop does not wait for commands any more."""
        name = signal.Signals(number).name
        if number == RELOAD:
            self._reload = name
        else:
            log.info("%s: %s", name, self.daemon.stop(now=self.daemon.draining))
