"""Backfills at work: planned a batch in a turn, after what is scheduled, and no further ahead than runs are started.

So years of minutes hold nobody up, and a restart goes on where it stood. Which ticks those are, `core.backfill` says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sensord.core.backfill import INSTANT, Batch, Spread
from sensord.core.instant import from_micros, to_micros
from sensord.core.queue import Queue
from sensord.core.queued import Hold
from sensord.core.run import FINAL, BackfillState, Kind, State
from sensord.daemon.again import send_back
from sensord.daemon.catalog import Catalog, Entry
from sensord.daemon.plan import resolve
from sensord.daemon.remap import remap
from sensord.daemon.settle import Settled, settle
from sensord.store import backfills, past, runs, waits
from sensord.store.backfills import Leg, Row
from sensord.store.database import Transaction
from sensord.store.runs import Live, Move, NewRun

BATCH = 200
"""Ticks that are looked at, and about as many runs that are made, in one turn."""

AHEAD = 1_000
"""While so many of its runs are queued, a backfill plans no more of them."""

CANCEL_SLICE = 500

RERUNS: Mapping[str | None, frozenset[State]] = {
    None: frozenset(),
    "failed": frozenset({State.FAILED, State.CANCELLED}),
    "skipped": frozenset({State.SKIPPED}),
    "all": FINAL,
}
"""Which ended runs are run again, by what was asked for."""


@dataclass(slots=True)
class Filling:
    """A backfill that is not over. touched: something may have become of its runs since it was looked at."""

    id: int
    state: BackfillState
    rerun: str | None
    upstream: bool
    max_active: int | None
    legs: list[Leg]
    touched: bool = True

    @property
    def held(self) -> bool:
        return self.state is not BackfillState.RUNNING

    @property
    def leg(self) -> Leg | None:
        """The first flow that is not planned to its end; None where all are."""
        return next((leg for leg in self.legs if leg.planned_to is None or leg.planned_to < leg.to_date), None)


@dataclass(slots=True)
class Filled:
    """What one turn did. number: batches and slices, also empty ones. left: runs that left the queue unstarted."""

    number: int = 0
    runs: list[Live] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)
    left: list[Live] = field(default_factory=list)

    def add(self, other: "Filled") -> None:
        self.number += other.number
        self.runs += other.runs
        self.settled.add(other.settled)
        self.left += other.left


Fillings = dict[int, Filling]


def load_fillings(tx: Transaction) -> Iterator[Filling]:
    for row, legs in backfills.unfinished(tx):
        yield make_filling(row, legs)


def make_filling(row: Row, legs: list[Leg]) -> Filling:
    return Filling(row.id, BackfillState(row.state), row.rerun, bool(row.upstream), row.max_active, legs)


def is_due(catalog: Catalog, queue: Queue, fillings: Fillings) -> bool:
    """Whether there is something to plan, to cancel or to close."""
    return any(one.touched or _may_plan(catalog, queue, one) for one in fillings.values())


def fill(tx: Transaction, catalog: Catalog, queue: Queue, fillings: Fillings, now: int) -> Filled:
    """Plan a batch of one backfill; the next turn has the next one's turn."""
    one = next((one for one in fillings.values() if _may_plan(catalog, queue, one)), None)
    if one is None or one.leg is None:
        return Filled()
    fillings[one.id] = fillings.pop(one.id)
    one.touched = True
    leg = one.leg
    if _is_gone(catalog, leg) or _is_gone(catalog, one.legs[0]):
        _advance(tx, one, leg, leg.to_date)
        return Filled(1)
    after = from_micros(leg.from_date) - INSTANT if leg.planned_to is None else from_micros(leg.planned_to)
    name = catalog.by_id[leg.flow_id].flow.name
    batch = spread_of(catalog, one, now).batch(name, after, from_micros(leg.to_date), BATCH)
    filled = _make_runs(tx, catalog, one, batch, now)
    _advance(tx, one, leg, to_micros(batch.reached) if batch.reached else leg.to_date)
    return filled


def close(tx: Transaction, catalog: Catalog, queue: Queue, fillings: Fillings, now: int) -> Filled:
    """Cancel what is left of those that are cancelled, a slice at a time, and close those that are over."""
    filled = Filled()
    for one in fillings.values():
        one.touched = False
        if one.state is BackfillState.CANCELLED:
            cancelled = backfills.cancel(tx, one.id, f"backfill {one.id} was cancelled", now, CANCEL_SLICE)
            one.touched = len(cancelled) == CANCEL_SLICE
            filled.number += one.touched
            filled.left += cancelled
            filled.settled.add(settle(tx, catalog, runs.moves(cancelled, State.WAITING), now))
    planned = [one.id for one in fillings.values() if one.state is BackfillState.CANCELLED or one.leg is None]
    for backfill_id in backfills.finish(tx, planned, now) if planned else []:
        del fillings[backfill_id]
        queue.free_backfill(backfill_id)
    return filled


def spread_of(catalog: Catalog, one: Filling, now: int) -> Spread:
    """The dates of a backfill, as the flows are now; those that have been retired since are left out."""
    names = [catalog.by_id[leg.flow_id].flow.name for leg in one.legs if not _is_gone(catalog, leg)]
    root = one.legs[0]
    return Spread(
        {name: entry.flow for name, entry in catalog.by_name.items() if not entry.retired},
        catalog.timelines,
        names[0],
        from_micros(root.from_date),
        from_micros(root.to_date),
        from_micros(now),
        one.upstream,
        names[1:],
    )


def _may_plan(catalog: Catalog, queue: Queue, one: Filling) -> bool:
    leg = one.leg
    if one.held or leg is None or queue.number_of(one.id) >= AHEAD:
        return False
    return _is_gone(catalog, leg) or catalog.by_id[leg.flow_id].hold is not Hold.ALL


def _is_gone(catalog: Catalog, leg: Leg) -> bool:
    """Whether the flow has been given up, so that nothing more of it is planned."""
    return catalog.by_id[leg.flow_id].retired


def _advance(tx: Transaction, one: Filling, leg: Leg, reached: int) -> None:
    backfills.advance(tx, leg, reached)
    one.legs[leg.position] = leg._replace(planned_to=reached)


def _make_runs(tx: Transaction, catalog: Catalog, one: Filling, batch: Batch, now: int) -> Filled:
    """Make runs where there are none; send those back that have ended as the backfill has it. A run that it has made
    or sent back already is left alone.
    """
    wanted = [(catalog.by_name[name], to_micros(date)) for name, dates in batch.dates.items() for date in dates]
    if not wanted:
        return Filled(1)
    known = backfills.existing(tx, [(entry.id, date) for entry, date in wanted])
    fresh = [(entry, date) for entry, date in wanted if (entry.id, date) not in known]
    again = [
        old.run_id for old in known.values() if State(old.state) in RERUNS[one.rerun] and old.backfill_id != one.id
    ]
    settled = _begin_earlier(tx, catalog, fresh, now)
    made = runs.insert(tx, [_new_run(entry, date, one.id) for entry, date in fresh], now)
    moves = [
        Move(run.flow_id, run.logical_date, State.SKIPPED, State.WAITING)
        for run in made
        if run.logical_date <= to_micros(catalog.by_id[run.flow_id].planned_to)
    ]
    past.note_made(tx, moves, f"backfill {one.id}", now)
    settled.add(settle(tx, catalog, moves, now))
    if again:
        backfills.take_over(tx, one.id, again)
        settled.add(send_back(tx, catalog, again, now, who=f"backfill {one.id}").settled)
    settled.add(resolve(tx, catalog, made, now))
    return Filled(1, made, settled)


def _new_run(entry: Entry, date: int, backfill_id: int) -> NewRun:
    return NewRun(entry.id, date, Kind.BACKFILL, entry.flow.priority, entry.definition_id, backfill_id)


def _begin_earlier(tx: Transaction, catalog: Catalog, fresh: list[tuple[Entry, int]], now: int) -> Settled:
    """Flows that now begin before their first date: a sensor of theirs on themselves takes nothing from then on for
    done, so that the dates go in their order.
    """
    earliest: dict[int, int] = {}
    for entry, date in fresh:
        earliest[entry.id] = min(date, earliest.get(entry.id, date))
    earlier = {
        flow_id: date
        for flow_id, date in earliest.items()
        if (first_at := catalog.by_id[flow_id].first_at) is None or date < to_micros(first_at)
    }
    if not earlier:
        return Settled()
    backfills.lower_first(tx, list(earlier.items()))
    for flow_id, date in earlier.items():
        catalog.by_id[flow_id].first_at = from_micros(date)
    own = [flow_id for flow_id in earlier if (flow := catalog.by_id[flow_id].flow).name in flow.upstreams]
    return remap(tx, catalog, waits.find(tx, own), now) if own else Settled()
