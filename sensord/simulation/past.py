"""What a simulation begins with: how long flows took, and what has become of the runs before it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from sensord.core.run import State
from sensord.store.database import Database
from sensord.store.reads import flows, history


@dataclass(frozen=True, slots=True)
class Past:
    """durations: the median of each flow's newest successful runs; flows without any are left out.

    states: of the runs that are asked for, those that have ended. unfinished: runs that are still to end, (flow, date).
    first_at: the first logical date of each flow that has one. paused: the flows that plan nothing.
    """

    durations: Mapping[str, timedelta] = field(default_factory=dict)
    unfinished: tuple[tuple[str, datetime], ...] = ()
    first_at: Mapping[str, datetime] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()
    db: Database | None = None

    def ended(self, dates: Iterable[tuple[str, datetime]]) -> dict[tuple[str, datetime], State]:
        """How those of these runs ended of which that is known."""
        return history.ended(self.db, list(dates)) if self.db else {}


def read_past(db: Database, since: datetime, now: datetime) -> Past:
    """Of all flows that the database knows, as it was before `since`. What is under way now is over by days to come."""
    durations = {}
    for flow in flows.all_active(db):
        if taken := history.durations(db, flow.id):
            durations[flow.name] = timedelta(seconds=median(span.total_seconds() for span in taken))
    return Past(
        durations,
        tuple(history.unfinished(db, since)) if since <= now else (),
        history.first_dates(db),
        frozenset(flow.name for flow in flows.all_active(db) if flow.paused_at),
        db,
    )
