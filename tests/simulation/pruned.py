"""A stage with one daemon at a time, where little is kept of old runs: after each step it is looked what is gone.

Whatever becomes of runs that come late, or come again, their books are added up as those of any other.
"""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sensord.core.instant import to_micros
from sensord.core.run import FINAL, Reason, State
from sensord.daemon.retention import NEAR
from sensord.store.database import Database
from tests.simulation.alone import Alone
from tests.simulation.audit import Audit
from tests.simulation.crashes import Faults

SHORTEST, LONGEST = timedelta(days=1), timedelta(days=4)
"""How long more than the outcome is kept of a run, by its flow's file or sensord.toml."""

UNDER_WAY = frozenset({State.STARTING, State.RUNNING, State.RETRYING})

RUNS = """
SELECT r.id, r.logical_date, r.state, r.attempt, r.finished_at, r.rerun_at, r.reason, r.started_at, COUNT(a.number)
FROM run r LEFT JOIN attempt a ON a.run_id = r.id
GROUP BY r.id, r.logical_date, r.state, r.attempt, r.finished_at, r.rerun_at, r.reason, r.started_at
"""


class Row(NamedTuple):
    """A run, with how many attempts are kept of it."""

    id: int
    date: int
    state: int
    number: int
    finished_at: int | None
    rerun_at: int | None
    reason: str | None
    started_at: int | None
    kept: int

    def is_older(self, age: timedelta, now: datetime) -> bool:
        until = to_micros(now - age)
        return self.state in FINAL and self.date <= until and (self.finished_at or 0) <= until

    def has_come_to_the_same(self, later: "Row", now: datetime) -> bool:
        """Unless somebody had it run again, may be twice at one instant, or marked it."""
        is_rerun = later.rerun_at != self.rerun_at or later.rerun_at == to_micros(now)
        changed = is_rerun or later.reason == Reason.BY_OPERATOR
        return self.state not in FINAL or changed or later._replace(kept=self.kept) == self


class Pruned(Alone):
    """`deeds` counts how often more than the outcome of a run was deleted, and how often such a run came back."""

    def __init__(self, db: Database, folder: Path, faults: Faults, *, stepwise: bool = False) -> None:
        super().__init__(db, folder, faults, stepwise=stepwise)
        self.deeds: Counter[str] = Counter()
        self._audit = Audit(self.world)
        self._seen: dict[int, Row] = {}

    def settle(self) -> None:
        super().settle()
        with self.faults.resting():
            self._audit.look(settled=False)
            self._look()

    def finish(self) -> None:
        """What was old enough long ago is gone."""
        now = self.world.clock.now()
        left = [row.id for row in self._seen.values() if row.kept and row.is_older(LONGEST + NEAR, now)]
        assert not left, f"runs {left} are old, and not pruned"

    def _look(self) -> None:
        """What is gone is old, and its logs went before; and no outcome is ever forgotten."""
        now, rows = self.world.clock.now(), {row[0]: Row(*row) for row in self.db.fetch(RUNS)}
        logs = {attempt.run_id for attempt in self._keeper.jobs.keys() - self._keeper.forgotten}
        for run_id, before in self._seen.items():
            assert run_id in rows, f"run {run_id} is forgotten"
            row = rows[run_id]
            assert before.has_come_to_the_same(row, now), f"run {run_id} had come to {before}, and now to {row}"
            if before.kept and not row.kept:
                self.deeds["a run was pruned"] += 1
                assert row.is_older(SHORTEST, now), f"run {run_id} is pruned, and not old: {row}"
            if before.number and not before.kept and row.rerun_at != before.rerun_at:
                self.deeds["a pruned run was sent back"] += 1
        for row in rows.values():
            if row.number and not row.kept:
                assert row.id not in logs, f"run {row.id} is pruned, and its logs are still there"
                assert row.state not in UNDER_WAY, f"run {row.id} is under way, and pruned"
        self._seen = rows
