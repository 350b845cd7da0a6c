"""The limits under which runs start: of each flow, each pool, each backfill and each queue of workers, and how much of
each is in use.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sensord.core.queued import Hold, Lane

UNKNOWN_POOL = 1
"""Slots of a pool that no setting names any more, while a flow's last good definition still does."""


class Berth(NamedTuple):
    """Whose slots a run takes: those of a pool, if of any, and those of a queue's workers, or else of this host."""

    pool: str | None = None
    queue: str | None = None


HERE = Berth()


@dataclass(frozen=True, slots=True)
class _FlowLimit:
    max_active: int = 1
    hold: Hold = Hold.NONE
    berth: Berth = HERE


@dataclass(frozen=True, slots=True)
class _BackfillLimit:
    max_active: int | None = None
    held: bool = False


@dataclass(slots=True)
class _Occupant:
    """An active run; `berth` is where it took its slots. A run that retries later rests: it takes no slot."""

    lane: Lane
    berth: Berth
    resting: bool = False


_NO_FLOW, _NO_BACKFILL = _FlowLimit(), _BackfillLimit()


class Limits:
    """Knows no order: whether a lane may start a run is all that it says."""

    def __init__(self) -> None:
        self._flows: dict[int, _FlowLimit] = {}
        self._backfills: dict[int, _BackfillLimit] = {}
        self._pools: Mapping[str, int] = {}
        self._queues: Mapping[str, int] = {}
        self._occupants: dict[int, _Occupant] = {}
        self._of_flow: Counter[int] = Counter()
        self._of_backfill: Counter[int | None] = Counter()
        self._of_pool: Counter[str | None] = Counter()
        self._of_queue: Counter[str | None] = Counter()
        self._resting = 0

    def set_flow(self, flow_id: int, max_active: int, hold: Hold, berth: Berth) -> None:
        self._flows[flow_id] = _FlowLimit(max_active, hold, berth)

    def set_backfill(self, backfill_id: int, max_active: int | None, *, held: bool) -> None:
        self._backfills[backfill_id] = _BackfillLimit(max_active, held)

    def drop_backfill(self, backfill_id: int) -> None:
        self._backfills.pop(backfill_id, None)

    def set_pools(self, pools: Mapping[str, int]) -> None:
        self._pools = pools

    def set_queues(self, queues: Mapping[str, int]) -> None:
        self._queues = queues

    def berth_of(self, flow_id: int) -> Berth:
        return self._flows.get(flow_id, _NO_FLOW).berth

    @property
    def busy(self) -> int:
        """Slots in use, here and by workers."""
        return len(self._occupants) - self._resting

    @property
    def busy_here(self) -> int:
        """Slots of this host in use."""
        return self._of_queue[None]

    def has_room(self, lane: Lane) -> bool:
        """Whether one more run of the lane may be active, as far as its flow and its backfill go."""
        flow = self._flows.get(lane.flow_id, _NO_FLOW)
        if flow.hold is Hold.ALL or (flow.hold is Hold.SCHEDULED and lane.scheduled):
            return False
        if self._of_flow[lane.flow_id] >= flow.max_active:
            return False
        if lane.backfill_id is None:
            return True
        backfill = self._backfills.get(lane.backfill_id, _NO_BACKFILL)
        most = backfill.max_active
        return not backfill.held and (most is None or self._of_backfill[lane.backfill_id] < most)

    def berth_has_room(self, berth: Berth) -> bool:
        """Whether one more run may take its slots there; how many this host has, it does not know."""
        pool, queue = berth
        if pool is not None and self._of_pool[pool] >= self._pools.get(pool, UNKNOWN_POOL):
            return False
        return queue is None or self._of_queue[queue] < self._queues.get(queue, 0)

    def occupy(self, run_id: int, lane: Lane) -> None:
        """The run is active from here on, in the berth that its flow has now."""
        berth = self.berth_of(lane.flow_id)
        self._occupants[run_id] = _Occupant(lane, berth)
        self._of_flow[lane.flow_id] += 1
        self._of_backfill[lane.backfill_id] += 1
        self._use(berth, 1)

    def rest(self, run_id: int) -> None:
        """The run retries later: it gives its slots back, and is active all the same."""
        occupant = self._occupants[run_id]
        if not occupant.resting:
            occupant.resting = True
            self._resting += 1
            self._use(occupant.berth, -1)

    def vacate(self, run_id: int) -> Lane | None:
        """The run is active no longer. Returns its lane; None where it was not active."""
        occupant = self._occupants.pop(run_id, None)
        if occupant is None:
            return None
        self._of_flow[occupant.lane.flow_id] -= 1
        self._of_backfill[occupant.lane.backfill_id] -= 1
        if occupant.resting:
            self._resting -= 1
        else:
            self._use(occupant.berth, -1)
        return occupant.lane

    def _use(self, berth: Berth, slots: int) -> None:
        self._of_pool[berth.pool] += slots
        self._of_queue[berth.queue] += slots
