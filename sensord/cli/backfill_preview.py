"""What a backfill would run, counted flow by flow before a person is asked: by the flows and runs as they are now."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sensord.cli import render
from sensord.cli.consent import confirm
from sensord.cli.render import Column
from sensord.core.backfill import INSTANT, Spread
from sensord.core.instant import to_micros
from sensord.daemon.activate import load
from sensord.daemon.backfill import RERUNS
from sensord.daemon.catalog import Catalog
from sensord.daemon.changes.backfills import read_spread
from sensord.daemon.changes.change import find_entry
from sensord.daemon.picture import Picture
from sensord.errors import NotFound
from sensord.store.database import Database
from sensord.store.reads import backfills

MOST = 20_000
"""Dates that are looked at; of more, only that there are more is said."""

BATCH = 1_000


def consult(db: Database, body: Mapping[str, Any], now: datetime) -> None:
    """Show how many runs would be made and run again, and ask. NotFound where there would be none."""
    confirm(f"Run {preview(db, body, now)}?")


def preview(db: Database, body: Mapping[str, Any], now: datetime) -> str:
    """Show how many runs would be made and run again, flow by flow. Returns how many in all, in words."""
    with db.transaction() as tx:
        catalog = load(tx)
    spread = read_spread(catalog, find_entry(Picture(catalog), body), body, to_micros(now))
    new, again, complete = count_runs(db, catalog, spread, body.get("rerun"))
    total = sum(new.values()) + sum(again.values())
    if complete and not total:
        raise NotFound("there is nothing to run: each of these dates has a run already", hint="--rerun runs them again")
    columns = [Column("FLOW"), Column("NEW", right=True), Column("AGAIN", right=True)]
    names = dict.fromkeys((*new, *again))
    render.show(render.layout(columns, [[name, f"{new[name]:,}", f"{again[name]:,}"] for name in names], width=None))
    more = "" if complete else " or more"
    return f"{render.count(total, 'run')}{more}"


def count_runs(
    db: Database, catalog: Catalog, spread: Spread, rerun: str | None
) -> tuple[Counter[str], Counter[str], bool]:
    """How many runs each flow would get, how many would run again, and whether that is all."""
    new: Counter[str] = Counter()
    again: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    for name, since, until in spread.legs():
        after: datetime | None = since - INSTANT
        while after is not None:
            if len(seen) >= MOST:
                return new, again, False
            batch = spread.batch(name, after, until, BATCH)
            dates = {(catalog.by_name[flow].id, to_micros(date)) for flow, ones in batch.dates.items() for date in ones}
            fresh = sorted(dates - seen)
            seen |= dates
            states = backfills.states(db, fresh) if fresh else {}
            for flow_id, date in fresh:
                state = states.get((flow_id, date))
                if state is None or state in RERUNS[rerun]:
                    (new if state is None else again)[catalog.by_id[flow_id].flow.name] += 1
            after = batch.reached
    return new, again, True
