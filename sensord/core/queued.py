"""A run in `queued`, as a value: what it is ordered by, and whom it shares limits with."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from sensord.core.run import Kind

Rank = tuple[int, bool, int, int]


class Hold(Enum):
    """What of a flow may not start: nothing, what is scheduled (it is paused), or anything (its file is gone)."""

    NONE = "none"
    SCHEDULED = "scheduled"
    ALL = "all"


class Lane(NamedTuple):
    """Runs that may start or may not, all of them alike. `scheduled`: a pause of the flow holds them back."""

    flow_id: int
    scheduled: bool
    backfill_id: int | None


@dataclass(frozen=True, slots=True, order=True)
class Queued:
    """A run in `queued`. `logical_date` in microseconds since 1970. again: it has been started before, or sent back by
    a person or a backfill.
    """

    run_id: int
    flow_id: int
    logical_date: int
    kind: Kind
    priority: int
    again: bool = False
    backfill_id: int | None = None

    @property
    def rank(self) -> Rank:
        """Smaller starts first: priority, then scheduled and manual before backfill, then the older date."""
        backfill = self.kind is Kind.BACKFILL or self.backfill_id is not None
        return (-self.priority, backfill, self.logical_date, self.run_id)

    @property
    def lane(self) -> Lane:
        """What a pause holds back, and what it does not, are queued apart: retries, reruns, and what people ask for."""
        scheduled = self.kind is Kind.SCHEDULED and not self.again and self.backfill_id is None
        return Lane(self.flow_id, scheduled, self.backfill_id)
