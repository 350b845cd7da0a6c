"""What one turn of the daemon did: for its log, for its loop, and for tests."""

from dataclasses import dataclass, field

from sensord.daemon.settle import Settled
from sensord.store.runs import Live


@dataclass(slots=True)
class Turn:
    """What one tick did. carried: of the runs that were started, those that are on their way to workers."""

    requests: int = 0
    reports: int = 0
    submitted: int = 0
    alarms: int = 0
    pruned: int = 0
    mended: int = 0
    filled: int = 0
    planned: list[Live] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)
    started: list[Live] = field(default_factory=list)
    carried: list[Live] = field(default_factory=list)
    ended: list[Live] = field(default_factory=list)
    retrying: list[Live] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        told = self.requests or self.reports or self.alarms or self.retired or self.pruned or self.mended or self.filled
        return not (told or self.submitted or self.planned or self.settled.released)
