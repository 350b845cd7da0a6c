"""Backfill: a person asks for the ticks of a flow between two dates; pauses that, goes on with it, or cancels it."""

from collections.abc import Mapping
from typing import Any

from sensord.core.backfill import Spread, downstream_of
from sensord.core.instant import format_instant, from_micros, to_micros
from sensord.core.queued import Hold
from sensord.core.run import BackfillState
from sensord.daemon.backfill import RERUNS, Filling, make_filling
from sensord.daemon.catalog import Catalog, Entry
from sensord.daemon.changes.change import Changed, asker, find_entry, read_date
from sensord.daemon.picture import Picture
from sensord.errors import InvalidValue, NotFound
from sensord.store import backfills
from sensord.store.backfills import Leg
from sensord.store.database import Transaction

MOST_ACTIVE = 10_000


def begin(tx: Transaction, picture: Picture, body: Mapping[str, Any], now: int) -> Changed:
    """Begin a backfill of the body's `flow`, `from` and `to`, both inclusive; what is later than now is left out.

    rerun: which ended runs too. upstream, downstream: with the flows around it. max_active: of all its runs together.
    """
    entry = find_entry(picture, body)
    if entry.hold is Hold.ALL:
        raise InvalidValue(f"expected a flow that has its file, got {entry.flow.name}, whose file is gone")
    rerun = body.get("rerun")
    if rerun not in RERUNS:
        raise InvalidValue(f"expected failed, skipped or all to run again, got {rerun!r}")
    most = body.get("max_active")
    if most is not None and not (isinstance(most, int) and 1 <= most <= MOST_ACTIVE):
        raise InvalidValue(f"expected a whole number from 1 to {MOST_ACTIVE} as max_active, got {most!r}")
    spread = read_spread(picture.catalog, entry, body, now)
    who, upstream = asker(body), bool(body.get("upstream"))
    row = backfills.insert(tx, who=who, rerun=rerun, upstream=upstream, max_active=most, now=now)
    legs = [
        Leg(row.id, position, picture.catalog.by_name[name].id, to_micros(since), to_micros(until), None)
        for position, (name, since, until) in enumerate(spread.legs())
    ]
    backfills.insert_legs(tx, legs)
    picture.fill(make_filling(row, legs))
    others = f" and {len(legs) - 1} downstream" if len(legs) > 1 else ""
    dates = f"{format_instant(spread.since)} to {format_instant(spread.until)}"
    return Changed(f"backfill {row.id} is under way: {entry.flow.name}{others}, {dates}")


def read_spread(catalog: Catalog, entry: Entry, body: Mapping[str, Any], now: int) -> Spread:
    """What a backfill's body asks for. InvalidValue where its dates are none that have come."""
    since, until, present = read_date(body, "from"), read_date(body, "to"), from_micros(now)
    if since > until:
        raise InvalidValue(
            f"expected dates in their order, got {format_instant(since)} to {format_instant(until)}", hint="turn them"
        )
    if since > present:
        raise InvalidValue(f"expected a date that has come, got {format_instant(since)}")
    flows = {name: one.flow for name, one in catalog.by_name.items() if one.hold is not Hold.ALL}
    name = entry.flow.name
    downs = downstream_of(name, flows) if body.get("downstream") else []
    until = min(until, present)
    return Spread(flows, catalog.timelines, name, since, until, present, bool(body.get("upstream")), downs)


def pause(tx: Transaction, picture: Picture, body: Mapping[str, Any], _: int) -> Changed:
    """Plan and start nothing more of a backfill; what runs goes on."""
    one = _find(tx, picture, body)
    if one.state is not BackfillState.RUNNING:
        raise InvalidValue(f"expected a backfill that runs, got {one.id}, which is {one.state.label}")
    return _put(tx, picture, one, BackfillState.PAUSED, f"backfill {one.id} is paused")


def resume(tx: Transaction, picture: Picture, body: Mapping[str, Any], _: int) -> Changed:
    one = _find(tx, picture, body)
    if one.state is not BackfillState.PAUSED:
        raise InvalidValue(f"expected a paused backfill, got {one.id}, which is {one.state.label}")
    return _put(tx, picture, one, BackfillState.RUNNING, f"backfill {one.id} goes on")


def cancel(tx: Transaction, picture: Picture, body: Mapping[str, Any], _: int) -> Changed:
    """Cancel all of a backfill that has not started; what runs runs out."""
    one = _find(tx, picture, body)
    if one.state is BackfillState.CANCELLED:
        raise InvalidValue(f"expected a backfill that is not over, got {one.id}, which is cancelled already")
    return _put(tx, picture, one, BackfillState.CANCELLED, f"backfill {one.id} is cancelled; what runs runs out")


def _put(tx: Transaction, picture: Picture, one: Filling, state: BackfillState, text: str) -> Changed:
    backfills.set_state(tx, one.id, state)
    one.state = state
    picture.fill(one)
    return Changed(text)


def _find(tx: Transaction, picture: Picture, body: Mapping[str, Any]) -> Filling:
    number = body.get("backfill")
    if isinstance(number, int) and number in picture.fillings:
        return picture.fillings[number]
    row = backfills.find(tx, number) if isinstance(number, int) and abs(number) < 1 << 62 else None
    if row is None:
        raise NotFound(f"expected a backfill, got {number!r}", hint="sensord backfill list")
    raise InvalidValue(f"expected a backfill that is not over, got {row.id}, which is {BackfillState(row.state).label}")
