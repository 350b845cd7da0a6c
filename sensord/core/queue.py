"""Which queued run starts next: by priority across flows, oldest first within a flow, never more than its limit.

The queue is a picture of the runs in `queued` and of the slots in use. The database is the truth: the daemon fills it
from there at its start and moves it along with each transaction that it has committed.
"""

import heapq
from collections import Counter
from dataclasses import dataclass

from sensord.core.run import Kind


@dataclass(frozen=True, slots=True, order=True)
class Queued:
    """A run in `queued`. `logical_date` in microseconds since 1970."""

    run_id: int
    flow_id: int
    logical_date: int
    kind: Kind
    priority: int

    @property
    def rank(self) -> tuple[int, bool, int, int]:
        """Smaller starts first: priority, then scheduled and manual before backfill, then the older date."""
        return (-self.priority, self.kind is Kind.BACKFILL, self.logical_date, self.run_id)


class Queue:
    """Two layers of heaps, so that a flow at its limit costs nothing however many of its runs wait behind it:
    each flow's queue, and the heads of those flows that have room. Stale heads are dropped when they surface.
    """

    def __init__(self) -> None:
        self._flows: dict[int, list[tuple[tuple[int, bool, int, int], Queued]]] = {}
        self._heads: list[tuple[tuple[int, bool, int, int], int]] = []
        self._queued: dict[int, Queued] = {}
        self._active: Counter[int] = Counter()
        self._resting = 0
        self._limits: dict[int, int] = {}
        self._held: set[int] = set()

    def limit(self, flow_id: int, max_active: int, *, held: bool = False) -> None:
        """Set how many runs of the flow may be active at once; `held` (a paused or removed flow) lets none start."""
        self._limits[flow_id] = max_active
        if held:
            self._held.add(flow_id)
        else:
            self._held.discard(flow_id)
        self._offer(flow_id)

    def add(self, run: Queued) -> None:
        self._queued[run.run_id] = run
        heapq.heappush(self._flows.setdefault(run.flow_id, []), (run.rank, run))
        self._offer(run.flow_id)

    def remove(self, run_id: int) -> None:
        """The run left `queued` by another way than `take` (cancelled, marked)."""
        if run := self._queued.pop(run_id, None):
            self._offer(run.flow_id)

    def occupy(self, flow_id: int) -> None:
        """One more run of the flow is active, though not by `take` (adopted at the start)."""
        self._active[flow_id] += 1

    def vacate(self, flow_id: int) -> None:
        """A run of the flow is active no longer."""
        if self._active[flow_id] > 1:
            self._active[flow_id] -= 1
        else:
            del self._active[flow_id]
        self._offer(flow_id)

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
            rank, flow_id = heapq.heappop(self._heads)
            head = self._head(flow_id)
            if head is None or head[0] != rank or not self._room(flow_id):
                continue
            heapq.heappop(self._flows[flow_id])
            del self._queued[head[1].run_id]
            self._active[flow_id] += 1
            taken.append(head[1])
            self._offer(flow_id)
        return taken

    def _room(self, flow_id: int) -> bool:
        return flow_id not in self._held and self._active[flow_id] < self._limits.get(flow_id, 1)

    def _head(self, flow_id: int) -> tuple[tuple[int, bool, int, int], Queued] | None:
        queue = self._flows.get(flow_id, [])
        while queue and self._queued.get(queue[0][1].run_id) is not queue[0][1]:
            heapq.heappop(queue)
        return queue[0] if queue else None

    def _offer(self, flow_id: int) -> None:
        """Put the flow's best run among the heads, if it may start. A head that is there twice is taken once."""
        if self._room(flow_id) and (head := self._head(flow_id)):
            heapq.heappush(self._heads, (head[0], flow_id))
