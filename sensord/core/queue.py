"""Which queued run starts next: by priority across flows, oldest first within a flow, never more than its limits allow.

The queue is a picture of the runs in `queued` and of the slots in use. The database is the truth: the daemon fills it
from there at its start and moves it along with each transaction that it has committed.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sensord.core.limits import HERE, Berth, Limits
from sensord.core.queued import Hold, Lane, Queued, Rank

Head = tuple[Rank, int, Lane]
"""The number, its backfill's, keeps lanes from being compared: a run that has changed its lane may be there twice."""


class Queue:
    """Two layers of heaps, so that a flow at its limit and a full berth cost nothing however many runs wait behind: the
    lanes, each with its runs, and for each berth the heads of those lanes that may go. What has become stale is dropped
    when it surfaces.
    """

    def __init__(self) -> None:
        self._limits = Limits()
        self._lanes: dict[Lane, list[tuple[Rank, Queued]]] = {}
        self._by_flow: dict[int, set[Lane]] = defaultdict(set)
        self._by_backfill: dict[int | None, set[Lane]] = defaultdict(set)
        self._heads: dict[Berth, list[Head]] = defaultdict(list)
        self._queued: dict[int, Queued] = {}
        self._number: Counter[int | None] = Counter()

    def limit(self, flow_id: int, max_active: int, hold: Hold = Hold.NONE, berth: Berth = HERE) -> None:
        """Set how many runs of the flow may be active at once, which may not start, and whose slots they take."""
        self._limits.set_flow(flow_id, max_active, hold, berth)
        self._offer_all(self._by_flow[flow_id])

    def limit_backfill(self, backfill_id: int, max_active: int | None, *, held: bool) -> None:
        """Set how many runs of the backfill may be active at once, among all flows; held: none may start."""
        self._limits.set_backfill(backfill_id, max_active, held=held)
        self._offer_all(self._by_backfill[backfill_id])

    def size_pools(self, pools: Mapping[str, int]) -> None:
        """Set how many slots each pool has. What runs in a pool that becomes smaller goes on."""
        self._limits.set_pools(pools)

    def size_queues(self, queues: Mapping[str, int]) -> None:
        """Set how many slots the workers of each queue have; those of a queue that is not named have none."""
        self._limits.set_queues(queues)

    def free_backfill(self, backfill_id: int) -> None:
        """The backfill is over: what is left of it, or comes back, starts like any other run."""
        self._limits.drop_backfill(backfill_id)
        self._offer_all(self._by_backfill.pop(backfill_id, set()))

    def number_of(self, backfill_id: int) -> int:
        """How many runs of the backfill are queued."""
        return self._number[backfill_id]

    def add(self, run: Queued) -> None:
        self._drop(run.run_id)
        self._queued[run.run_id] = run
        self._number[run.backfill_id] += 1
        heapq.heappush(self._lanes.setdefault(run.lane, []), (run.rank, run))
        self._by_flow[run.flow_id].add(run.lane)
        if run.backfill_id is not None:
            self._by_backfill[run.backfill_id].add(run.lane)
        self._offer(run.lane)

    def promote(self, run_id: int, priority: int) -> None:
        """Let a queued run go as early as `priority` has it; never later than it would."""
        run = self._queued.get(run_id)
        if run and run.priority < priority:
            self.add(replace(run, priority=priority))

    def remove(self, run_id: int) -> None:
        """The run left `queued` by another way than `take` (cancelled, marked)."""
        if run := self._drop(run_id):
            self._offer(run.lane)

    def occupy(self, run: Queued) -> None:
        """The run is active, though not by `take` (adopted at the start)."""
        self._limits.occupy(run.run_id, run.lane)

    def vacate(self, run_id: int) -> None:
        """The run is active no longer: it has ended, or is queued again."""
        if lane := self._limits.vacate(run_id):
            self._offer_all(self._by_flow[lane.flow_id])
            if lane.backfill_id is not None:
                self._offer_all(self._by_backfill[lane.backfill_id])

    def rest(self, run_id: int) -> None:
        """The run retries later: it gives its slots back, and still counts as active."""
        self._limits.rest(run_id)

    @property
    def busy(self) -> int:
        """The number of slots in use, by runs of all flows."""
        return self._limits.busy

    @property
    def busy_here(self) -> int:
        """The number of this host's slots in use."""
        return self._limits.busy_here

    def is_ready(self, slots: int) -> bool:
        """Whether `take` may find something, given so many slots of this host."""
        return any(heads and self._has_room(berth, slots) for berth, heads in self._heads.items())

    def queued(self) -> Iterable[Queued]:
        """All of them, in no order."""
        return self._queued.values()

    def take(self, slots: int) -> list[Queued]:
        """The runs to start now, best first, at most `slots` of them on this host. Each is active from here on."""
        taken: list[Queued] = []
        until = self.busy_here + slots
        while (best := self._best(until - self.busy_here)) is not None:
            berth, lane = best
            heapq.heappop(self._heads[berth])
            _, run = heapq.heappop(self._lanes[lane])
            self._drop(run.run_id)
            self._limits.occupy(run.run_id, lane)
            taken.append(run)
            self._offer(lane)
        return taken

    def _drop(self, run_id: int) -> Queued | None:
        run = self._queued.pop(run_id, None)
        if run:
            self._number[run.backfill_id] -= 1
        return run

    def _best(self, slots: int) -> tuple[Berth, Lane] | None:
        """The berth and the lane whose head goes first, of all that may go."""
        heads = [(head, berth) for berth in self._heads if (head := self._head_of_berth(berth, slots))]
        if not heads:
            return None
        (_, _, lane), berth = min(heads, key=lambda one: one[0])
        return berth, lane

    def _has_room(self, berth: Berth, slots: int) -> bool:
        return (berth.queue is not None or slots > 0) and self._limits.berth_has_room(berth)

    def _head_of_berth(self, berth: Berth, slots: int) -> Head | None:
        if not self._has_room(berth, slots):
            return None
        heads = self._heads[berth]
        while heads and not self._may_go(berth, heads[0]):
            heapq.heappop(heads)
        return heads[0] if heads else None

    def _may_go(self, berth: Berth, offered: Head) -> bool:
        """Whether what was put among the heads is still the best of its lane, and in its place."""
        rank, _, lane = offered
        if self._limits.berth_of(lane.flow_id) != berth or not self._limits.has_room(lane):
            return False
        head = self._head(lane)
        return head is not None and head[0] == rank

    def _head(self, lane: Lane) -> tuple[Rank, Queued] | None:
        runs = self._lanes.get(lane, [])
        while runs and self._queued.get(runs[0][1].run_id) is not runs[0][1]:
            heapq.heappop(runs)
        if runs:
            return runs[0]
        self._lanes.pop(lane, None)
        self._by_flow[lane.flow_id].discard(lane)
        self._by_backfill[lane.backfill_id].discard(lane)
        return None

    def _offer_all(self, lanes: set[Lane]) -> None:
        for lane in list(lanes):
            self._offer(lane)

    def _offer(self, lane: Lane) -> None:
        """Put the lane's best run among the heads, if it may start. A head that is there twice is taken once."""
        if self._limits.has_room(lane) and (head := self._head(lane)):
            heapq.heappush(self._heads[self._limits.berth_of(lane.flow_id)], (head[0], lane.backfill_id or 0, lane))
