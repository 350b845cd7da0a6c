"""A stage with one daemon at a time, which dies, and is refused things, as its faults have it. The next one follows."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sensord.core.instant import from_micros, to_micros
from sensord.daemon.daemon import Daemon
from sensord.daemon.turn import Turn
from sensord.executors.base import Job
from sensord.store import requests
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead
from tests.daemon.world import World
from tests.simulation.course import Stage
from tests.simulation.crashes import Crash, Faults, Point, Refused, endanger
from tests.simulation.keeping import Fate, Keeper, Line

NOW = "2026-11-22T10:30"
T = TypeVar("T")

NEXT_TIMER = """
SELECT MIN(t.due_at) FROM timer t JOIN run r ON r.id = t.run_id AND r.attempt = t.attempt
WHERE t.due_at > :now
  AND ((t.what = 1 AND r.state = 5) OR (t.what IN (2, 3) AND r.state IN (3, 4)) OR (t.what >= 16 AND r.state = 1))
"""
"""Of those that still matter: whether any other is set may depend on what was heard first."""


def pass_stepwise(stage: Stage, by: timedelta, keepers: Iterable[Keeper], settle: Callable[[], None]) -> None:
    """The clock moves on from one end of a command, or timer, to the next: so no two of them come at the same time."""
    clock, until = stage.world.clock, stage.world.clock.now() + by
    keepers = list(keepers)
    while True:
        now = clock.now()
        timers = stage.db.fetch(NEXT_TIMER, now=to_micros(now))
        ends = [at for keeper in keepers if (at := keeper.next_at)]
        at = min([*ends, *(from_micros(due_at) for (due_at,) in timers if due_at)], default=until)
        if at >= until:
            break
        clock.set(max(at, now))
        settle()
    clock.set(until)


class Alone:
    """Its world's commands are held by one keeper. stepwise: see `pass_stepwise`; and files are read at leisure."""

    def __init__(self, db: Database, folder: Path, faults: Faults, *, stepwise: bool = False) -> None:
        self.world, self.db, self.faults = World(db, folder, NOW), db, faults
        self._stepwise = stepwise
        self._keeper: Keeper
        self._daemon: Daemon
        self._line: Line
        self._lead: Lead | None = None

    def begin(self, fate: Fate) -> None:
        self._keeper = Keeper(self.world.clock, fate)
        endanger(self.db, self.faults)
        self._start()
        if self._stepwise:
            self.settle()

    def reload(self) -> None:
        """Where the daemon dies of it, the next one reads the files first."""
        while self._survive(lambda: self._daemon.reload()) is None:
            pass
        if self._stepwise:
            self.settle()

    def ask(self, kind: str, body: dict[str, Any]) -> None:
        with self.faults.resting():
            requests.ask(self.db, kind, body, who="ann", now=to_micros(self.world.clock.now()))

    def settle(self) -> None:
        while not self._turn():
            pass

    def pass_time(self, by: timedelta) -> None:
        if self._stepwise:
            pass_stepwise(self, by, [self._keeper], self.settle)
        else:
            self.world.clock.move(by)

    def finish(self) -> None:
        """There is nobody to wake up."""

    def jobs(self) -> list[Job]:
        return list(self._keeper.jobs.values())

    def close(self) -> None:
        self._die()

    def _turn(self) -> bool:
        """The daemon has a turn; where it finds nothing to do, what is due ends. Whether nothing is to be done."""
        turn = self._survive(self._tick)
        if turn is None or not turn.idle or self._line.has_news:
            return False
        return not self._keeper.end_due()

    def _tick(self) -> Turn:
        turn = self._daemon.tick()
        assert not turn.mended, "a counter was wrong"
        return turn

    def _survive(self, act: Callable[[], T]) -> T | None:
        """Do it; None where that did not go well. Where the daemon dies of it, the next one is there."""
        try:
            return act()
        except Refused:
            return None
        except Crash:
            self._die()
            self._start()
            return None

    def _start(self) -> None:
        """A daemon; where it dies as it starts, the next one."""
        while True:
            self._line = self._keeper.connect(self._pass_by)
            try:
                self._lead = Lead.take(self.db, Holder("here", 1, "test"))
                self._daemon = self.world.daemon_on(self.db, self._lead, self._line)
                self._daemon.adopt()
                self._daemon.reload()
            except (Crash, Refused):
                self._die()
            else:
                return

    def _pass_by(self, point: Point) -> None:
        """What an executor is told has been committed."""
        assert self.db._open is None, f"{point} within a transaction"
        self.faults.pass_by(point)

    def _die(self) -> None:
        """Its lead is free at once."""
        self._keeper.cut(self._line)
        if self.db.dialect == "postgresql":
            self.db.run("UPDATE leader SET expires_at = 0, backend_pid = NULL")
        elif self._lead:
            self._lead.release()
            self._lead = None
