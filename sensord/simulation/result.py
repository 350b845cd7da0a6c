"""What came of a simulation: when each run landed, which were late, and whom each waited for last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sensord.config.body import flow_from_body
from sensord.core.instant import from_micros
from sensord.core.run import FINAL, State
from sensord.core.schedule import Schedule
from sensord.store.database import Database
from sensord.store.reads import flows, waits
from sensord.store.reads.runs import Run, columns, to_run
from sensord.store.reads.waits import Wait


@dataclass(frozen=True, slots=True)
class Landed:
    """One run. due_at: the flow's next tick, by which it should be done; None where there is none.

    last: the upstream run, as (flow, logical date), that came last of all that it needed, if it had to wait for one.
    waits: what it waits for at the end, if it does.
    """

    run: Run
    due_at: datetime | None
    late: bool
    last: tuple[str, datetime] | None = None
    waits: tuple[Wait, ...] = ()

    @property
    def took(self) -> timedelta | None:
        """From its logical date to its end."""
        return self.run.finished_at - self.run.logical_at if self.run.finished_at else None

    @property
    def well(self) -> bool:
        return self.run.state is State.SUCCESS


@dataclass(frozen=True, slots=True)
class Result:
    """runs: by logical date and flow. durations: what each flow was taken to take."""

    runs: tuple[Landed, ...]
    durations: Mapping[str, timedelta]

    def of(self, flow: str) -> list[Landed]:
        return [one for one in self.runs if one.run.flow == flow]


RUNS = f"SELECT {columns('r', 'f')} FROM run r JOIN flow f ON f.id = r.flow_id WHERE r.id > :newest"
LAST = """
SELECT e.run_id, f.name, u.logical_date, u.finished_at
FROM run r
JOIN edge e ON e.run_id = r.id
JOIN run u ON u.flow_id = e.upstream_flow AND u.logical_date = e.upstream_date
JOIN flow f ON f.id = u.flow_id
WHERE r.id > :newest AND u.finished_at > r.created_at AND u.finished_at <= r.released_at
ORDER BY e.run_id, u.finished_at DESC, f.name
"""


def read_result(db: Database, newest: int, until: datetime, durations: Mapping[str, timedelta]) -> Result:
    """Of all runs whose id is above `newest`."""
    runs = sorted((to_run(row) for row in db.fetch(RUNS, newest=newest)), key=lambda run: (run.logical_at, run.flow))
    last: dict[int, tuple[str, datetime]] = {}
    for run_id, flow, date, _ in db.fetch(LAST, newest=newest):
        last.setdefault(run_id, (flow, from_micros(date)))
    held: dict[int, list[Wait]] = {}
    for wait in waits.summary(db, [run for run in runs if run.state is State.WAITING]):
        held.setdefault(wait.run_id, []).append(wait)
    schedules = {row.name: flow_from_body(row.name, body).schedule for row, body in flows.with_bodies(db)}
    landed = [_landed(run, schedules[run.flow], until, last.get(run.id), tuple(held.get(run.id, ()))) for run in runs]
    return Result(tuple(landed), durations)


def _landed(
    run: Run, schedule: Schedule, until: datetime, last: tuple[str, datetime] | None, held: tuple[Wait, ...]
) -> Landed:
    due_at = schedule.next(run.logical_at)
    done_at = run.finished_at if run.state in FINAL and run.finished_at else until
    return Landed(run, due_at, due_at is not None and done_at > due_at, last, held)
