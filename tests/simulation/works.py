"""A stage with daemons on one PostgreSQL, and two workers, all of them struck at any point; wake-ups get lost.

In a mild play nobody is away for so long that others give it up: what comes of it is the same as with one daemon that
runs everything itself. In a harsh one commands are lost, and the books are audited instead.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from sensord.core.instant import format_instant, from_micros
from sensord.daemon.loop import NAP
from sensord.store.wake import wake
from tests.simulation.audit import Audit
from tests.simulation.carriage import Carriage
from tests.simulation.hand import Hand
from tests.simulation.hired import QUEUE, Hired
from tests.simulation.keeping import Fate, Keeper
from tests.simulation.pair import Pair
from tests.simulation.post import Post

WORKERS = ("etl1", "etl2")
PLENTY = 500
"""Slots that no course fills."""

ON_THEIR_WAY = """
SELECT f.name, r.logical_date
FROM run r JOIN flow f ON f.id = r.flow_id JOIN attempt a ON a.run_id = r.id AND a.number = r.attempt
WHERE r.state = 3 AND a.queue IS NOT NULL AND a.station IS NULL ORDER BY r.id
"""
UNFINISHED = "SELECT id, attempt FROM run WHERE state IN (2, 3, 4, 5)"
MOST_HALF_DAYS = 40
"""After which each run has ended that was under way when the last fault came."""


class Works(Pair):
    """daemons: the stations of these."""

    post: Post

    def __init__(
        self, hand: Hand, url: str, folder: Path, daemons: Sequence[str], seed: int, chance: float, *, harsh: bool
    ) -> None:
        super().__init__(hand, folder, tuple(daemons), seed, chance)
        self.post = Post(url, QUEUE, Random(f"post {seed}"))
        self._harsh, self._mishaps = harsh, 0
        self._audit, self._carriage = Audit(self.world), Carriage(hand.db)

    def _hire(self, fate: Fate) -> None:
        super()._hire(fate)
        for station in WORKERS:
            keeper = self._keepers[station] = Keeper(self.world.clock, fate)
            slots = self._random.choice((1, 2, 3)) if self._harsh else PLENTY
            one = Hired(
                self.world,
                self.hand,
                keeper,
                station,
                self._random,
                self._chance,
                self.post,
                slots,
                harsh=self._harsh,
            )
            one.may_sleep_long = self._can_spare_one
            self._processes.append(one)

    def ask(self, kind: str, body: dict[str, Any]) -> None:
        super().ask(kind, body)
        wake(self.db)
        self.post.deliver()

    def settle(self) -> None:
        super().settle()
        self._look_into_books()

    def pass_time(self, by: timedelta) -> None:
        """In a harsh play somebody cancels what still waits for a worker."""
        if self._harsh and (found := self.db.fetch(ON_THEIR_WAY)) and self._random.random() < 0.5:
            name, date = self._random.choice(found)
            self.hand.events["a run was cancelled before a worker had it"] += 1
            self.ask("cancel", {"flow": name, "logical_date": format_instant(from_micros(date))})
            self.settle()
        super().pass_time(by)

    def finish(self) -> None:
        super().finish()
        if self._harsh:
            self._let_all_end()

    def close(self) -> None:
        super().close()
        self.post.close()

    def _let_all_end(self) -> None:
        """No faults any more, and every command succeeds: whatever was under way comes to its end."""
        self.post.loses = False
        for process in self._processes:
            process.chance = 0.0
        for keeper in self._keepers.values():
            keeper.ease()
        for (name,) in self.db.fetch("SELECT name FROM flow WHERE paused_at IS NOT NULL"):
            self.ask("resume", {"flow": name})
        for (number,) in self.db.fetch("SELECT id FROM backfill WHERE state = 2"):
            self.ask("resume_backfill", {"backfill": number})
        self.settle()
        left = {run_id for run_id, _ in self.db.fetch(UNFINISHED)}
        for _ in range(MOST_HALF_DAYS):
            if not left:
                break
            self.pass_time(timedelta(hours=12))
            self.settle()
            left &= {run_id for run_id, _ in self.db.fetch(UNFINISHED)}
        assert not left, f"these runs never end: {sorted(left)}"
        self._carriage.prove_claims(self._keepers)

    def _look_after(self) -> bool:
        commands = Counter(attempt.run_id for keeper in self._keepers.values() for attempt in keeper.running)
        for run_id, number in commands.items():
            assert number == 1, f"run {run_id} has {number} commands"
        return self.post.deliver()

    def _look_into_books(self) -> None:
        self._audit.look(settled=False)
        self._carriage.look(self._keepers.values())

    def _has_missed(self) -> bool:
        """Where a wake-up was lost, or not sent by whoever was struck: time passes, and all look by themselves."""
        before, self._mishaps = self._mishaps, self.post.lost + self.hand.blows.total()
        if missed := self._mishaps > before:
            self.hand.wait(NAP)
        return missed

    def _can_spare_one(self) -> bool:
        """One of the workers at a time is away, or takes nothing more."""
        return not any(one.away or one.is_draining for one in self._processes if isinstance(one, Hired))
