"""Which queued run starts next: by priority across flows, oldest first within a flow, never more than its limit.

The queue is a picture of the runs in `queued` and of the slots in use. The database is the truth: the daemon fills it
from there at its start and moves it along with each transaction that it has committed.
"""

import heapq
from collections import Counter
from dataclasses import dataclass
from enum import Enum

from sensord.core.run import Kind

Rank = tuple[int, bool, int, int]
Lane = tuple[int, bool]
"""(flow, whether a pause holds it back)."""


class Hold(Enum):
    """What of a flow may not start: nothing, what is scheduled (it is paused), or anything (its file is gone)."""

    NONE = "none"
    SCHEDULED = "scheduled"
    ALL = "all"


@dataclass(frozen=True, slots=True, order=True)
class Queued:
    """A run in `queued`. `logical_date` in microseconds since 1970. again: it has been started before."""

    run_id: int
    flow_id: int
    logical_date: int
    kind: Kind
    priority: int
    again: bool = False

    @property
    def rank(self) -> Rank:
        """Smaller starts first: priority, then scheduled and manual before backfill, then the older date."""
        return (-self.priority, self.kind is Kind.BACKFILL, self.logical_date, self.run_id)

    @property
    def lane(self) -> Lane:
        """What a pause holds back, and what it does not, are queued apart: retries, reruns, and what people ask for."""
        return self.flow_id, self.kind is Kind.SCHEDULED and not self.again


class Queue:
    """Two layers of heaps, so that a flow at its limit costs nothing however many of its runs wait behind it:
    each flow's lanes, and the heads of those lanes that may go. Stale heads are dropped when they surface.
    """

    def __init__(self) -> None:
        self._lanes: dict[Lane, list[tuple[Rank, Queued]]] = {}
        self._heads: list[tuple[Rank, Lane]] = []
        self._queued: dict[int, Queued] = {}
        self._active: Counter[int] = Counter()
        self._resting = 0
        self._limits: dict[int, int] = {}
        self._holds: dict[int, Hold] = {}

    def limit(self, flow_id: int, max_active: int, hold: Hold = Hold.NONE) -> None:
        """Set how many runs of the flow may be active at once, and which of them may not start."""
        self._limits[flow_id] = max_active
        self._holds[flow_id] = hold
        self._offer_all(flow_id)

    def add(self, run: Queued) -> None:
        self._queued[run.run_id] = run
        heapq.heappush(self._lanes.setdefault(run.lane, []), (run.rank, run))
        self._offer(run.lane)

    def remove(self, run_id: int) -> None:
        """The run left `queued` by another way than `take` (cancelled, marked)."""
        if run := self._queued.pop(run_id, None):
            self._offer(run.lane)

    def occupy(self, flow_id: int) -> None:
        """One more run of the flow is active, though not by `take` (adopted at the start)."""
        self._active[flow_id] += 1

    def vacate(self, flow_id: int) -> None:
        """A run of the flow is active no longer."""
        if self._active[flow_id] > 1:
            self._active[flow_id] -= 1
        else:
            del self._active[flow_id]
        self._offer_all(flow_id)

    def rest(self) -> None:
        """A run retries later: it gives its slot back, and still counts against its flow's limit."""
        self._resting += 1

    def rise(self, flow_id: int) -> None:
        """A run that rested is active no longer: it is queued again, or will not be tried any more."""
        self._resting -= 1
        self.vacate(flow_id)

    @property
    def busy(self) -> int:
        """The number of slots in use, by runs of all flows."""
        return self._active.total() - self._resting

    @property
    def ready(self) -> bool:
        """Whether `take` may find something, given a slot."""
        return bool(self._heads)

    def take(self, slots: int) -> list[Queued]:
        """At most `slots` runs to start now, best first; each counts as active from here on."""
        taken: list[Queued] = []
        while len(taken) < slots and self._heads:
            rank, lane = heapq.heappop(self._heads)
            head = self._head(lane)
            if head is None or head[0] != rank or not self._has_room(lane):
                continue
            heapq.heappop(self._lanes[lane])
            del self._queued[head[1].run_id]
            self._active[lane[0]] += 1
            taken.append(head[1])
            self._offer(lane)
        return taken

    def _has_room(self, lane: Lane) -> bool:
        flow_id, scheduled = lane
        match self._holds.get(flow_id, Hold.NONE):
            case Hold.ALL:
                return False
            case Hold.SCHEDULED if scheduled:
                return False
            case _:
                return self._active[flow_id] < self._limits.get(flow_id, 1)

    def _head(self, lane: Lane) -> tuple[Rank, Queued] | None:
        queue = self._lanes.get(lane, [])
        while queue and self._queued.get(queue[0][1].run_id) is not queue[0][1]:
            heapq.heappop(queue)
        return queue[0] if queue else None

    def _offer_all(self, flow_id: int) -> None:
        self._offer((flow_id, False))
        self._offer((flow_id, True))

    def _offer(self, lane: Lane) -> None:
        """Put the lane's best run among the heads, if it may start. A head that is there twice is taken once."""
        if self._has_room(lane) and (head := self._head(lane)):
            heapq.heappush(self._heads, (head[0], lane))
