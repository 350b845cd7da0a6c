"""A stage with two daemons on one PostgreSQL, which are stopped, paused, killed and cut off at any point.

At one station both have the same keeper, and one of them may sleep for days. At two, each has its own, and none sleeps
while time passes: what its station has to tell would come too late.
"""

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from sensord.core.instant import to_micros
from sensord.executors.base import Job
from sensord.store import requests
from sensord.store.database import Database
from tests.daemon.world import World
from tests.simulation.alone import NOW, pass_stepwise
from tests.simulation.candidate import Candidate
from tests.simulation.hand import Hand
from tests.simulation.keeping import Fate, Keeper
from tests.simulation.post import Post
from tests.simulation.process import Process

MOST_ROUNDS = 2_000
ENOUGH = 2
"""Rounds in which nothing happens: what the second daemon does in the first of them may be for the first one to see."""


class Pair:
    """`stations`: the name of each daemon's."""

    post: Post | None = None
    """Where daemons hear what is new; None: they look for anything in every turn."""

    def __init__(self, hand: Hand, folder: Path, stations: tuple[str, ...], seed: int, chance: float) -> None:
        self.hand = hand
        self.db: Database = hand.db
        self.world = World(self.db, folder, NOW)
        self._stations = stations
        self._random, self._chance = Random(f"blows {seed}"), chance
        self._keepers: dict[str, Keeper] = {}
        self._processes: list[Process] = []

    def begin(self, fate: Fate) -> None:
        self._keepers = {station: Keeper(self.world.clock, fate) for station in self._stations}
        self._hire(fate)
        self.settle()

    def _hire(self, fate: Fate) -> None:
        for station in self._stations:
            process = Candidate(
                self.world, self.hand, self._keepers[station], station, self._random, self._chance, self.post
            )
            process.may_sleep_long = self._may_sleep_long
            self._processes.append(process)

    def reload(self) -> None:
        """Whoever leads next reads the files anyway."""
        for process in self._processes:
            process.wants_reload = True
        self._go_on()

    def ask(self, kind: str, body: dict[str, Any]) -> None:
        requests.ask(self.db, kind, body, who="ann", now=to_micros(self.world.clock.now()))

    def settle(self) -> None:
        for process in self._processes:
            process.away = max(0, process.away - 1)
        self._go_on()

    def pass_time(self, by: timedelta) -> None:
        pass_stepwise(self, by, self._keepers.values(), self._go_on)

    def finish(self) -> None:
        """All wake up."""
        for process in self._processes:
            process.away = 0
        self._go_on()

    def jobs(self) -> list[Job]:
        return [job for keeper in self._keepers.values() for job in keeper.jobs.values()]

    def close(self) -> None:
        for process in self._processes:
            process.end()

    def _go_on(self) -> None:
        """Rounds until there is nothing to do, and everybody is awake who does not sleep for long."""
        quiet = 0
        for _ in range(MOST_ROUNDS):
            quiet = 0 if self._round() else quiet + 1
            if quiet == ENOUGH:
                if not self._has_missed() and not sum(keeper.end_due() for keeper in self._keepers.values()):
                    return
                quiet = 0
        raise AssertionError("the daemons do not come to rest")

    def _has_missed(self) -> bool:
        """Whether somebody may still look by itself for what it was not told."""
        return False

    def _round(self) -> bool:
        busy = False
        for process in self._processes:
            if process.away:
                continue
            process.asleep -= process.asleep > 0
            if process.asleep:
                busy = True
                continue
            process.step()
            busy = self._look_after() or not process.settled or busy
        return busy

    def _look_after(self) -> bool:
        """After each step; whether there is news for somebody."""
        return False

    def _may_sleep_long(self) -> bool:
        """Never both; and never where nobody else can tell what becomes of commands."""
        return len(self._keepers) == 1 and not any(process.away for process in self._processes)

    @property
    def repeats(self) -> int:
        """How often an attempt was submitted that had been taken before."""
        return sum(keeper.submitted_again for keeper in self._keepers.values())
