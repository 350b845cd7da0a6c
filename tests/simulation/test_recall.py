"""The past under much repair: few runs, which fail, are sent back, marked and missed while others wait for them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from sensord.core.instant import format_instant, from_micros
from sensord.core.sensor import Verdict
from sensord.errors import InvalidValue
from sensord.store.database import Database
from tests.daemon.world import World, on
from tests.simulation.recall import Recall

STEPS = 120
SIX_HOURLY = '[schedule]\ncron = "0 */6 * * *"\n{keys}[run]\ncommand = ["true"]\nmax_active = 5\n'
WAITS = {"on_failure": "wait", "on_skipped": "wait"}


class Repair:
    """A flow that is repaired all the time, and one that waits for it; and for another that comes late."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random, self.recall = world, Random(seed), Recall(world)
        world.flow("a", SIX_HOURLY.format(keys='catchup = "none"\n'))
        world.flow("late", '[schedule]\ncron = "0 0 * * 0"\n[run]\ncommand = ["true"]\n')
        timed = {"match": "interval", "within": "1d", "timeout": "20h", "on_timeout": "proceed"}
        world.flow(
            "b", SIX_HOURLY.format(keys=""), on("a", **WAITS), on("a", **timed, **WAITS), on("late", match="next")
        )
        world.start()
        world.tick()
        self.recall.look()

    def live(self) -> None:
        acts: list[Callable[[], None]] = [self._end, self._end, self._rerun, self._mark, self._trigger, self._pause]
        for _ in range(STEPS):
            self.world.clock.move(timedelta(hours=self.random.choice((1, 2, 5))))
            self.random.choice(acts)()
            self.world.tick()
            self.recall.look()

    def _end(self) -> None:
        for attempt in self.world.executor.running:
            if self.world.executor.jobs[attempt].env["SENSORD_FLOW"] == "a":
                self.world.executor.end(attempt, self.random.choice((0, 1, 99)))

    def _rerun(self) -> None:
        self._ask("rerun", "state > 5")

    def _mark(self) -> None:
        self._ask("mark", "state > 5", state=self.random.choice(("success", "failed", "skipped")))

    def _trigger(self) -> None:
        """Of the ticks that were missed the last one."""
        (first, last), dates = self._span(), {date for date, _ in self._runs("state > 0")}
        missed = [
            at for at in self.world.hours(first, last) if at not in dates and at[11:13] in ("00", "06", "12", "18")
        ]
        for at in missed[-1:]:
            self._change("trigger", at, tick=True)

    def _pause(self) -> None:
        kind = "pause" if self.random.random() < 0.3 else "resume"
        self._change(kind, "")

    def _ask(self, kind: str, condition: str, **body: object) -> None:
        found = self._runs(condition)
        if found:
            self._change(kind, self.random.choice(found[-4:])[0], **body)

    def _change(self, kind: str, date: str, **body: object) -> None:
        try:
            self.world.daemon.change(kind, {"flow": "a", "logical_date": f"{date}:00Z", "who": "ann", **body})
        except InvalidValue:
            return  # as it is already, or cannot be done now

    def _runs(self, condition: str) -> list[tuple[str, int]]:
        rows = self.world.db.fetch(
            "SELECT r.logical_date, r.state FROM run r JOIN flow f ON f.id = r.flow_id"
            f" WHERE f.name = 'a' AND r.{condition} ORDER BY r.logical_date"
        )
        return [(format_instant(from_micros(date))[:16], state) for date, state in rows]

    def _span(self) -> tuple[str, int]:
        """Two days back from now, in hours."""
        since = self.world.clock.now().replace(minute=0) - timedelta(days=2)
        return format_instant(since)[:16], 48


@pytest.mark.parametrize("seed", range(1, 4))
def test_whatever_is_repaired_the_past_stays_as_it_was_seen(db: Database, tmp_path: Path, seed: int) -> None:
    repair = Repair(World(db, tmp_path / "config", "2026-11-22T10:30"), seed)

    repair.live()

    assert repair.recall.prove() > STEPS
    changes = [
        (before, after)
        for seen in repair.recall.seen.values()
        for row, following in zip(list(seen.verdicts.values()), list(seen.verdicts.values())[1:], strict=False)
        for before, after in zip(row, following, strict=True)
    ]
    assert {(Verdict.BLOCKED, Verdict.WAITING), (Verdict.SATISFIED, Verdict.WAITING)} <= set(changes)
