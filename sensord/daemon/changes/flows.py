"""What people change of a flow: pause it, go on with it, and give it up when its file is gone."""

from collections.abc import Mapping
from typing import Any

from sensord.core.queued import Hold
from sensord.daemon.catalog import Entry
from sensord.daemon.changes.change import Changed, find_entry
from sensord.daemon.picture import Picture
from sensord.daemon.plan import catch_up
from sensord.daemon.retire import retire as retire_flows
from sensord.daemon.settle import settle
from sensord.errors import InvalidValue
from sensord.store import flows
from sensord.store.database import Transaction


def pause(tx: Transaction, picture: Picture, body: Mapping[str, Any], now: int) -> Changed:
    """Plan nothing more of a flow and start nothing that is scheduled; what runs goes on."""
    entry = find_entry(picture, body)
    _require_file(entry, "a flow at work")
    if not flows.pause(tx, entry.id, now):
        raise InvalidValue(f"expected a flow at work, got {entry.flow.name}, which is paused already")
    picture.catalog.pause(entry)
    picture.hold(entry)
    return Changed(f"{entry.flow.name} is paused")


def resume(tx: Transaction, picture: Picture, body: Mapping[str, Any], now: int) -> Changed:
    """Go on with a paused flow. The ticks that passed were missed: its catchup says which of them are run."""
    entry = find_entry(picture, body)
    _require_file(entry, "a paused flow")
    if not flows.resume(tx, entry.id):
        raise InvalidValue(f"expected a paused flow, got {entry.flow.name}, which is not paused")
    picture.catalog.resume(entry)
    picture.hold(entry)
    settled = settle(tx, picture.catalog, catch_up(tx, [entry], now), now)
    return Changed(f"{entry.flow.name} goes on", settled)


def retire(tx: Transaction, picture: Picture, body: Mapping[str, Any], now: int) -> Changed:
    """Give up a flow whose file is gone, without waiting for `retire_after`."""
    entry = find_entry(picture, body)
    name = entry.flow.name
    if entry.removed_at is None:
        raise InvalidValue(
            f"expected a flow whose file is gone, got {name}, which has one",
            hint="remove the file first; `sensord daemon reload` has the daemon see it",
        )
    if entry.retired:
        raise InvalidValue(f"expected a flow that is still waited for, got {name}, which is retired already")
    retired = retire_flows(tx, picture.catalog, [entry], now)
    ended = len(retired.cancelled)
    text = f"{name} is retired; {ended} of its runs {'is' if ended == 1 else 'are'} cancelled"
    return Changed(text, retired.settled, left=retired.cancelled)


def _require_file(entry: Entry, wanted: str) -> None:
    if entry.hold is Hold.ALL:
        raise InvalidValue(f"expected {wanted}, got {entry.flow.name}, whose file is gone")
