"""What the daemon holds in memory, beside the same read anew from the database: a reload, too, only moves it along."""

from sensord.daemon.activate import load
from sensord.daemon.catalog import Catalog, Entry
from sensord.daemon.picture import Picture, load_picture
from sensord.store.database import Transaction


def prove(picture: Picture, tx: Transaction) -> None:
    """AssertionError where they differ in what counts. Between two turns; where the last one has failed, they may."""
    anew, _ = load_picture(tx, load(tx))
    assert _entries(picture.catalog) == _entries(anew.catalog)
    assert picture.catalog.timelines == anew.catalog.timelines
    assert picture.catalog.priorities >= anew.catalog.priorities
    assert picture.catalog.gated or not anew.catalog.gated
    assert picture.catalog.removed_at == anew.catalog.removed_at
    _prove_next(picture.catalog, anew.catalog)
    assert {run.run_id: run for run in picture.queue.queued()} == {run.run_id: run for run in anew.queue.queued()}
    assert picture.queue.busy == anew.queue.busy
    assert picture.stopping == anew.stopping
    assert picture.fillings.keys() == anew.fillings.keys()
    if anew.next_due is not None:
        assert picture.next_due is not None
        assert picture.next_due <= anew.next_due, "a timer is overlooked"


def _prove_next(catalog: Catalog, anew: Catalog) -> None:
    """It wakes up in time for the first tick; earlier does no harm."""
    if anew.next_at is not None:
        assert catalog.next_at is not None
        assert catalog.next_at <= anew.next_at, "a tick is overlooked"


def _entries(catalog: Catalog) -> dict[str, tuple[object, ...]]:
    assert {entry.flow.name: entry for entry in catalog.by_id.values()} == catalog.by_name
    return {name: _facts(entry) for name, entry in catalog.by_name.items()}


def _facts(entry: Entry) -> tuple[object, ...]:
    definition = entry.id, entry.definition_id, entry.digest, entry.flow, entry.timeline
    return (*definition, entry.planned_to, entry.first_at, entry.hold, entry.removed_at, entry.retired)
