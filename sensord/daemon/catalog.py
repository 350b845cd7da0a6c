"""The flows as the daemon holds them: definition, schedule with its history, and how far each is planned.

A picture of the database, built at the start, and moved along as ticks are planned and files change.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sensord.config import flow_from_body
from sensord.core.catchup import choose
from sensord.core.flow import Flow
from sensord.core.passed_over import may_proceed
from sensord.core.queued import Hold
from sensord.core.ticks import Timeline
from sensord.store import flows
from sensord.store.database import Database, Transaction

SHARE = 50
"""Ticks that one flow may plan before the next one has its turn."""


@dataclass(slots=True)
class Entry:
    """One flow. Every tick at or before `planned_to` has a run or counts as missed. While it is held it plans none.

    digest: of its current definition. removed_at: since when its file is gone. retired: it has been given up since;
    nothing of it starts any more.
    """

    id: int
    flow: Flow
    definition_id: int
    digest: str
    timeline: Timeline
    planned_to: datetime
    first_at: datetime | None
    hold: Hold = Hold.NONE
    removed_at: datetime | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """Ticks of one flow to plan now, ascending, never none; they move its cursor from `after` to the last of them."""

    entry: Entry
    after: datetime
    ticks: tuple[datetime, ...]


class Catalog:
    """All flows, also those that are gone, by id and by name, with the order in which they fall due."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.by_id: dict[int, Entry] = {}
        self.by_name: dict[str, Entry] = {}
        self.timelines: dict[str, Timeline] = {}
        self.gated = False
        """Whether any sensor may be satisfied with some of its upstream runs."""
        self.priorities: set[int] = set()
        """Those that runs may have."""
        self._older: dict[int, Flow] = {}
        self._proceeding: dict[int, bool] = {}
        self._heap: list[tuple[datetime, int]] = []
        self._upcoming: dict[int, datetime] = {}
        """When each flow falls due that is on the heap; whatever else is there is stale."""
        self._backlog: deque[int] = deque()
        self._late: set[int] = set()
        self._removed: dict[int, Entry] = {}
        for entry in entries:
            self.put(entry)

    def put(self, entry: Entry) -> None:
        """The flow is new, or no longer what it was."""
        self.by_id[entry.id] = self.by_name[entry.flow.name] = entry
        self.timelines[entry.flow.name] = entry.timeline
        self.gated = self.gated or any(sensor.require != "all" for sensor in entry.flow.sensors)
        self._removed.pop(entry.id, None)
        if entry.removed_at and not entry.retired:
            self._removed[entry.id] = entry
        self._push(entry)

    @property
    def next_at(self) -> datetime | None:
        """The earliest tick that is not planned yet (in the past where there is a backlog)."""
        if self._backlog:
            return self.by_id[self._backlog[0]].planned_to
        return self._first()

    @property
    def number(self) -> int:
        """How many flows there are that have not been given up."""
        return sum(not entry.retired for entry in self.by_id.values())

    def removed_by(self, at: datetime) -> list[Entry]:
        """The flows whose files were gone by then, and that have not been given up."""
        return [entry for entry in self._removed.values() if entry.removed_at and entry.removed_at <= at]

    @property
    def removed_at(self) -> datetime | None:
        """When the first of the flows went whose files are gone and that have not been given up."""
        return min((entry.removed_at for entry in self._removed.values() if entry.removed_at), default=None)

    def retire(self, entry: Entry) -> None:
        """The flow is given up."""
        entry.retired = True
        del self._removed[entry.id]

    def definition(self, db: Database | Transaction, flow_id: int, definition_id: int) -> Flow:
        """The flow as one of its definitions has it: a released run keeps its own, also after a reload."""
        entry = self.by_id[flow_id]
        if definition_id == entry.definition_id:
            return entry.flow
        if definition_id not in self._older:
            body = flows.body(db, definition_id)
            self._older[definition_id] = flow_from_body(entry.flow.name, body)
        return self._older[definition_id]

    def may_proceed(self, tx: Transaction, flow_id: int, definition_id: int) -> bool:
        """Whether runs of that definition may go on without what they wait for, by one of their policies."""
        if definition_id not in self._proceeding:
            self._proceeding[definition_id] = may_proceed(self.definition(tx, flow_id, definition_id))
        return self._proceeding[definition_id]

    def pause(self, entry: Entry) -> None:
        """From now on the flow plans nothing."""
        entry.hold = Hold.SCHEDULED
        self._upcoming.pop(entry.id, None)

    def resume(self, entry: Entry) -> None:
        """It plans again, from where its cursor stands."""
        entry.hold = Hold.NONE
        self._push(entry)

    def due(self, now: datetime, budget: int) -> list[Due]:
        """At most `budget` ticks that have come, in turn among flows. Moves the cursors of the entries along."""
        while (first := self._first()) and first <= now:
            _, flow_id = heapq.heappop(self._heap)
            del self._upcoming[flow_id]
            self._append(flow_id)
        batch: list[Due] = []
        while self._backlog and budget > 0:
            entry = self.by_id[self._backlog.popleft()]
            self._late.discard(entry.id)
            if entry.hold is not Hold.NONE:
                continue
            ticks = choose(entry.flow, entry.timeline, entry.planned_to, now, min(SHARE, budget))
            if ticks:
                batch.append(Due(entry, entry.planned_to, ticks))
                entry.planned_to = ticks[-1]
                budget -= len(ticks)
            upcoming = entry.timeline.next(entry.planned_to)
            if upcoming and upcoming <= now:
                self._append(entry.id)
            else:
                self._push(entry)
        return batch

    def _append(self, flow_id: int) -> None:
        self._backlog.append(flow_id)
        self._late.add(flow_id)

    def _push(self, entry: Entry) -> None:
        """Once: what is in the backlog comes back to the heap when it has had its turn."""
        held = entry.hold is not Hold.NONE or entry.id in self._late
        upcoming = None if held else entry.timeline.next(entry.planned_to)
        if upcoming is None:
            self._upcoming.pop(entry.id, None)
        elif upcoming != self._upcoming.get(entry.id):
            self._upcoming[entry.id] = upcoming
            heapq.heappush(self._heap, (upcoming, entry.id))

    def _first(self) -> datetime | None:
        """When the first flow on the heap falls due; what is stale before it goes."""
        heap, upcoming = self._heap, self._upcoming
        while heap and upcoming.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None
