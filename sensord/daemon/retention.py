"""Retention: of runs that ended long ago only the outcome is kept. A slice at a time, when the daemon has time for it.

A slice is chosen; the executor deletes the logs; then the rows go in one transaction, as far as their runs are still as
old as they were. A crash in between leaves rows whose logs are gone, and the slice is done again: nothing leaks.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sensord.core.instant import EPOCH, to_micros
from sensord.core.run import FINAL, State
from sensord.executors.base import Forgotten
from sensord.store import retention
from sensord.store.database import Transaction
from sensord.store.retention import Old

SLICE = 500
"""Runs that are pruned at a time, and requests."""

FLOWS = 50
"""Flows that are looked at for one slice."""

PAUSE = timedelta(minutes=1)
"""Between two looks at a flow."""

NEAR = timedelta(days=1)
"""A cursor waits so long for a run to become old enough; past others it goes on."""

_BEFORE_ALL = -(1 << 62)

Ages = Mapping[int, timedelta | None]
"""How long more than the outcome is kept of the runs of each flow, as it says itself."""


@dataclass(slots=True)
class Slice:
    """What is pruned next. runs: with the instant by which they must have ended. later: when to look again.

    reached: how far the cursors of flows go. looks: when these flows are to be looked at again.
    """

    runs: dict[int, int] = field(default_factory=dict)
    later: dict[int, int] = field(default_factory=dict)
    reached: dict[int, int] = field(default_factory=dict)
    looks: dict[int, int] = field(default_factory=dict)
    awaited: set[int] = field(default_factory=set)
    requests_until: int | None = None

    @property
    def size(self) -> int:
        return len(self.runs) + len(self.later)


class Pruner:
    """What it holds in memory can be read anew from the database at any time. Instants are microseconds."""

    def __init__(self) -> None:
        self._default: int | None = None
        self._ages: dict[int, int] = {}
        self._cursors: dict[int, int] = {}
        self._looks: list[tuple[int, int]] = []
        self._left_over_at: int | None = None
        self._requests_at: int | None = None
        self._slice: Slice | None = None

    def follow(self, tx: Transaction, ages: Ages, default: timedelta | None, now: int) -> None:
        """From now on these are the ages of all flows; None: the default. What was under way is chosen anew."""
        self._default = None if default is None else _length(default)
        self._cursors.clear()
        self._take_over(tx, ages, now)
        self._requests_at = self._next_requests(tx, now)

    def renew(self, tx: Transaction, ages: Ages, now: int) -> None:
        """These flows are new, or may have another age than they had."""
        changed = {flow_id: age for flow_id, age in ages.items() if self._ages.get(flow_id) != self._age(age)}
        if changed:
            self._take_over(tx, changed, now)

    def _take_over(self, tx: Transaction, ages: Ages, now: int) -> None:
        """What was under way is chosen anew; whose age is another one is looked at now."""
        self._slice = None
        found = {flow_id: self._age(age) for flow_id, age in ages.items()}
        changed = {flow_id for flow_id, age in found.items() if self._ages.get(flow_id) != age}
        known = {**self._ages, **found}
        self._ages = {flow_id: age for flow_id, age in known.items() if age is not None}
        for one in retention.cursors(tx, found.keys() & self._ages.keys()):
            self._cursors[one.flow_id] = _BEFORE_ALL if one.pruned_to is None else one.pruned_to
        kept = [(at, flow_id) for at, flow_id in self._looks if flow_id in self._ages and flow_id not in changed]
        fresh = self._ages.keys() - {flow_id for _, flow_id in kept}
        self._looks = [*kept, *((now, flow_id) for flow_id in fresh)]
        heapq.heapify(self._looks)
        self._left_over_at = retention.next_look(tx) if self._ages else None

    def _age(self, age: timedelta | None) -> int | None:
        return self._default if age is None else _length(age)

    @property
    def next_at(self) -> int | None:
        """When there is something to look at; None while a slice is under way, or nothing ever will be."""
        if self._slice:
            return None if self._slice.awaited else _BEFORE_ALL
        looks = [self._looks[0][0]] if self._looks else []
        return min([*looks, *(at for at in (self._left_over_at, self._requests_at) if at is not None)], default=None)

    def is_due(self, now: int, *, has_time: bool) -> bool:
        """Whether to go on now; without time for it only where it has waited for a minute."""
        return self.next_at is not None and self.next_at <= now - (0 if has_time else _length(PAUSE))

    def expect(self, now: int) -> None:
        """Somebody changed something: a run behind a cursor may be at work again."""
        if self._ages:
            at = now + _length(PAUSE)
            self._left_over_at = at if self._left_over_at is None else min(at, self._left_over_at)

    def choose(self, tx: Transaction, now: int) -> list[int]:
        """Choose the next slice, unless one is under way. Returns the runs whose logs are to be deleted first."""
        if self._slice:
            return []
        one = self._slice = Slice()
        if self._left_over_at is not None and self._left_over_at <= now:
            self._take(one, retention.left_over(tx, now, SLICE), now, near=0)
        looked = 0
        while self._looks and self._looks[0][0] <= now and looked < FLOWS and one.size < SLICE:
            looked += 1
            self._look(tx, one, heapq.heappop(self._looks)[1], now)
        if self._requests_at is not None and self._requests_at <= now and self._default is not None:
            one.requests_until = now - self._default
        return sorted(one.awaited)

    def choose_anew(self, now: int) -> None:
        """The executor has refused to delete the logs of the slice."""
        if self._slice:
            for flow_id in self._slice.looks:
                heapq.heappush(self._looks, (now, flow_id))
            self._slice = None

    def note(self, news: Forgotten, now: int) -> None:
        """Logs are gone; those of runs that are still under way are not, and so their rows stay for now."""
        if self._slice:
            self._slice.awaited -= {*news.run_ids, *news.kept}
            for run_id in news.kept:
                if self._slice.runs.pop(run_id, None) is not None:
                    self._slice.later[run_id] = now + _length(NEAR)

    def finish(self, tx: Transaction, now: int) -> int:
        """Prune what was chosen, once its logs are gone. Returns how much there was to do."""
        one = self._slice
        if one is None or one.awaited:
            return 0
        gone = retention.prune(tx, list(one.runs.items())) if one.runs else set()
        for run_id in one.runs.keys() - gone:  # sent back to waiting in the meantime
            one.later[run_id] = now + _length(NEAR)
        if one.later:
            retention.look_later(tx, list(one.later.items()))
        if one.reached:
            retention.advance(tx, list(one.reached.items()))
        requests = 0
        if one.requests_until is not None:
            requests = retention.prune_requests(tx, one.requests_until, SLICE)
            self._requests_at = now if requests == SLICE else self._next_requests(tx, now)
        self._left_over_at = retention.next_look(tx)
        return len(gone) + len(one.later) + requests

    def settle(self) -> None:
        """What `finish` did, if it did something, has been committed."""
        if self._slice and not self._slice.awaited:
            self._cursors |= self._slice.reached
            for flow_id, at in self._slice.looks.items():
                heapq.heappush(self._looks, (at, flow_id))
            self._slice = None

    def _look(self, tx: Transaction, one: Slice, flow_id: int, now: int) -> None:
        """Go along a flow's runs as far as they are old, and say when to look again."""
        age, most = self._ages[flow_id], SLICE - one.size
        rows = retention.following(tx, flow_id, self._cursors[flow_id], most)
        old = [row for row in rows if row.logical_date <= now - age]
        seen, look_at = self._take(one, old, now, near=_length(NEAR))
        if seen:
            one.reached[flow_id] = old[seen - 1].logical_date
        if look_at is None:
            young = rows[len(old)].logical_date + age if len(old) < len(rows) else now + age
            look_at = now if len(rows) == most and len(old) == most else young
        one.looks[flow_id] = look_at if look_at <= now else max(look_at, now + _length(PAUSE))

    def _take(self, one: Slice, rows: Iterable[Old], now: int, *, near: int) -> tuple[int, int | None]:
        """Take runs into the slice, up to one that is old enough within `near`: how many, and when that one is."""
        seen = 0
        for row in rows:
            age = self._ages.get(row.flow_id)
            if row.finished_at is None or State(row.state) not in FINAL:
                one.later[row.run_id] = now + (age or _length(NEAR))  # it cannot be old enough before
            elif age is None:
                one.later[row.run_id] = now + _length(NEAR)
            elif row.finished_at + age <= now:
                one.runs[row.run_id] = now - age
                if row.attempt:
                    one.awaited.add(row.run_id)
            elif row.finished_at + age <= now + near:
                return seen, row.finished_at + age
            else:
                one.later[row.run_id] = row.finished_at + age
            seen += 1
        return seen, None

    def _next_requests(self, tx: Transaction, now: int) -> int | None:
        """At most once a minute; an open request at the head is looked at again when it may be old enough."""
        if self._default is None:
            return None
        answered_at = retention.oldest_request(tx)
        at = (now if answered_at is None else answered_at) + self._default
        return max(at, now + _length(PAUSE))


def _length(span: timedelta) -> int:
    return to_micros(EPOCH + span)
