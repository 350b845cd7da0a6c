"""The ticks of each flow over time: by the schedule in force then, since a flow's schedule may have changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sensord.config import flow_from_body
from sensord.core.flow import Flow
from sensord.core.instant import from_micros
from sensord.core.schedule import Schedule, ScheduleHistory, follow
from sensord.core.ticks import Timeline
from sensord.store.flows import Definition


class Timelines:
    """Works out the timelines of flows from the definitions that each has had, the oldest first.

    others: the timelines of the flows that are not among them.
    """

    def __init__(
        self, flows: Mapping[str, Flow], history: Mapping[str, Sequence[Definition]], others: Mapping[str, Timeline]
    ) -> None:
        self._flows = flows
        self._history = history
        self._others = others
        self._made: dict[str, Timeline] = {}

    def of(self, name: str) -> Timeline:
        """The flow's timeline. One that has followed the same other flow from the first has the other's history."""
        if name not in self._flows:
            return self._others[name]
        if name not in self._made:
            flow = self._flows[name]
            self._made[name] = flow.schedule  # what a circle of stale definitions, which no file can say, comes back to
            self._made[name] = self._make(flow)
        return self._made[name]

    def _make(self, flow: Flow) -> Timeline:
        changes = _changes(self._history[flow.name])
        known = flow.follow in self._flows or flow.follow in self._others
        if flow.follow and known and self._has_always_followed(flow, changes):
            return followed(self.of(flow.follow), flow)
        if len(changes) == 1:
            return flow.schedule
        segments: list[tuple[datetime | None, Schedule]] = [(None, _schedule(flow.name, changes[0]))]
        segments += [(from_micros(one.effective_at), _schedule(flow.name, one)) for one in changes[1:]]
        return ScheduleHistory(tuple(segments))

    def _has_always_followed(self, flow: Flow, changes: Sequence[Definition]) -> bool:
        if len(changes) == 1:
            return True
        return all(flow_from_body(flow.name, one.body).follow == flow.follow for one in changes)


def followed(timeline: Timeline, flow: Flow) -> Timeline:
    """The ticks and history of the followed flow, with the start and end of `flow`."""
    if not isinstance(timeline, Schedule | ScheduleHistory):
        raise TypeError(f"expected a schedule or its history, got {timeline!r}")
    return follow(timeline, flow.schedule.start, flow.schedule.end)


def _changes(history: Sequence[Definition]) -> list[Definition]:
    """The definitions that changed the schedule."""
    changes = [history[0]]
    for definition in history[1:]:
        if definition.schedule_digest != changes[-1].schedule_digest:
            changes.append(definition)
    return changes


def _schedule(name: str, definition: Definition) -> Schedule:
    return flow_from_body(name, definition.body).schedule
