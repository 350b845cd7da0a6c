"""Standing by: a daemon that waits for the lead on PostgreSQL, and sees meanwhile to the commands of its own station.

It looks at the leader's row when the lease may have run out, and at once when a hint comes that the lead is free.
"""

import logging
import selectors
import signal
from collections.abc import Callable

from sensord.clock import Clock
from sensord.core.instant import to_micros
from sensord.daemon.notify import Watchdog, notify
from sensord.daemon.signals import RELOAD, Signals
from sensord.daemon.supervise import Supervisor
from sensord.errors import DaemonRunning, SensordError
from sensord.store import lead_row
from sensord.store.hint import Hint
from sensord.store.lead_row import RowLead, Sight
from sensord.store.postgres import PostgresDatabase
from sensord.store.stations import Presence

LOOK = 0.5
"""Seconds between two looks, at most."""

SOON = 0.01
"""Seconds between the end of a lease and our look."""

QUICKLY, TIMES = 0.02, 15
"""After a hint: seconds between looks, and how many. The server takes a moment to clear a dead process away."""

AGAIN = 2
"""Looks until we wait for the hint anew, where it was a false one."""

log = logging.getLogger("sensord")


class StandBy:
    """Stands by on one database. announce: whom to tell of how it stands, `READY=1` and the like."""

    def __init__(
        self,
        db: PostgresDatabase,
        presence: Presence,
        supervisor: Supervisor,
        signals: Signals,
        clock: Clock,
        announce: Callable[[str], object] = notify,
    ) -> None:
        self.has_followed = False
        self._db = db
        self._presence = presence
        self._supervisor = supervisor
        self._signals = signals
        self._clock = clock
        self._announce = announce
        self._watchdog = Watchdog(announce)
        self._behind = 0
        self._draining = self._stopping = self._failing = False
        self._nap = LOOK
        self._quick = self._slow = 0

    def await_lead(self) -> RowLead | None:
        """Until we lead; None where we were told to stop."""
        self._behind = 0
        hint = Hint(self._db.url)
        try:
            with selectors.DefaultSelector() as everything:
                for source in (self._supervisor, self._signals, hint):
                    everything.register(source.fileno(), selectors.EVENT_READ)
                while not self._done:
                    if lead := self._turn(hint):
                        return lead
                    everything.select(QUICKLY if self._quick else self._nap)
                    for number in self._signals.drain():
                        self._obey(number)
        finally:
            hint.close()
        log.info("stopped")
        return None

    @property
    def _done(self) -> bool:
        return self._stopping or (self._draining and not self._supervisor.busy)

    def _turn(self, hint: Hint) -> RowLead | None:
        """One look; where the database or the executor refuses, the next one comes soon enough."""
        self._watchdog.feed()
        self._nap, self._quick = LOOK, max(0, self._quick - 1)
        if hint.take():
            self._quick, self._slow = TIMES, AGAIN
        try:
            self._supervisor.hear()
            seen = lead_row.see(self._db)
            if (seen is None or seen.silent) and not self._draining:
                return self._try()
            if seen:
                self._follow(seen)
            self._presence.beat(self._db)
            self._supervisor.report()  # last: a leader that is stopped may keep what it writes to
        except SensordError as error:
            if not self._failing:
                log.error("standing by, trying again: %s", error)  # noqa: TRY400 - foreseen, no traceback
            self._failing = True
            return None
        if self._failing:
            log.info("it works again")
        self._failing = False
        self._wait_for(hint)
        return None

    def _try(self) -> RowLead | None:
        try:
            lead = RowLead.take_row(self._db, self._presence.holder)
        except DaemonRunning:
            return None  # somebody was quicker: the next look tells who
        # What it will hear as the leader, and may not get to record, it has to ask about when it stands by again.
        self._supervisor.rest()
        return lead

    def _follow(self, seen: Sight) -> None:
        """Tell once behind whom we stand; see to our own commands, unless the leader is of our station and does."""
        leader = seen.leader
        self._nap = min(LOOK, max(0, seen.left) / 1_000_000 + SOON)
        if self._behind != leader.term:
            log.info("stands by: %s leads", leader)
            self._announce(f"READY=1\nSTATUS=stands by: process {leader.holder.pid} on {leader.holder.host} leads")
            self._behind, self.has_followed = leader.term, True
        if leader.holder.station == self._presence.holder.station:
            self._supervisor.rest()
        else:
            self._supervisor.look(to_micros(self._clock.now()))

    def _wait_for(self, hint: Hint) -> None:
        if self._slow and not self._quick:
            self._slow -= 1
        elif not self._slow:
            hint.wait()

    def _obey(self, number: int) -> None:
        name = signal.Signals(number).name
        if number == RELOAD:
            log.info("%s: it stands by, and reads the files when it leads", name)
            return
        self._stopping = self._draining
        self._draining = True
        busy = self._supervisor.busy
        log.info("%s: %s", name, f"waiting for {busy} commands" if busy and not self._stopping else "stopping")
