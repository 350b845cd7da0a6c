"""What a committed turn still has to tell the executor: commands to start, and commands to end.

It tells nothing of attempts elsewhere: whoever is there does, and is hailed, so as not to take its time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sensord.daemon.away import Away
from sensord.executors.base import Attempt, Executor, Job
from sensord.store import workers
from sensord.store.database import Database
from sensord.store.lead import Lead


@dataclass(slots=True)
class Handover:
    """What the executor refuses, by an exception, is kept for the next time."""

    jobs: list[Job] = field(default_factory=list)
    kills: list[tuple[Attempt, int]] = field(default_factory=list)

    def add(self, jobs: Iterable[Job] = (), kills: Iterable[tuple[Attempt, int]] = ()) -> None:
        """Have these told, after what is there already."""
        self.jobs += jobs
        self.kills += kills

    def begin_anew(self, jobs: Sequence[Job], kills: Iterable[tuple[Attempt, int]]) -> None:
        """Have these told, and nothing else."""
        self.jobs, self.kills = list(jobs), list(kills)

    def tell(self, executor: Executor, lead: Lead, away: Away, db: Database) -> int:
        """Tell it all; how many commands that starts. LeadLost where another daemon may lead by now."""
        number = len(self.jobs)
        if self.jobs:
            lead.confirm()
            executor.submit(self.jobs)
            self.jobs.clear()
        if any(attempt in away for attempt, _ in self.kills) and db.dialect == "postgresql":
            workers.hail(db)
        while self.kills:
            if self.kills[0][0] not in away:
                executor.kill(*self.kills[0])
            del self.kills[0]
        return number
