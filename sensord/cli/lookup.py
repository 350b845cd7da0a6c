"""From what a person names to what the database holds; NotFound says what is there instead."""

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sensord.cli.instants import Since, When, at_instant, since_instant, utc
from sensord.clock import Clock
from sensord.core.instant import format_instant
from sensord.core.run import State
from sensord.errors import NotFound
from sensord.store.database import Database
from sensord.store.reads import flows, runs
from sensord.store.reads.flows import Flow
from sensord.store.reads.runs import Run


def find_flow(db: Database, name: str) -> Flow:
    found = flows.find(db, name)
    if found is None:
        raise unknown_flow(name, flows.names(db), hint="`sensord flow list` shows those that the daemon knows")
    return found


def unknown_flow(name: str, known: list[str], *, hint: str) -> NotFound:
    """With the nearest name that there is, or else `hint`."""
    from sensord.config.names import propose_flow

    return NotFound(f"no flow named {name!r}", hint=propose_flow(name, known) or hint)


def find_run(db: Database, clock: Clock, name: str, when: When) -> Run:
    """The flow's run of that date, or with `latest` its newest."""
    flow = find_flow(db, name)
    if when == "latest":
        found = runs.newest(db, name)
        if found is None:
            raise NotFound(f"{name} has no runs yet", hint=f"`sensord why {name}` says when its first one comes")
        return found
    at = instant_for(db, clock, flow, when)
    found = runs.by_date(db, name, at)
    if found is None:
        raise NotFound(f"{name} has no run at {format_instant(at)}", hint=_nearby(db, name, at))
    return found


def instant_for(db: Database, clock: Clock, flow: Flow, when: datetime | str) -> datetime:
    """The instant of a DATE other than `latest`; one without a zone is in the flow's."""
    return at_instant(when, clock, partial(zone_of, db, flow))


def zone_of(db: Database, flow: Flow) -> ZoneInfo:
    """The time zone of the flow's schedule, by its current definition."""
    from sensord.config.body import flow_from_body

    return flow_from_body(flow.name, flows.body(db, flow)).schedule.zone


def _nearby(db: Database, name: str, at: datetime) -> str:
    near = [format_instant(date) for date in runs.nearest(db, name, at)]
    return f"its runs next to that: {', '.join(near)}" if near else "it has no runs yet"


def select_runs(
    db: Database, clock: Clock, name: str | None, state: State | None, since: Since | None, limit: int
) -> list[Run]:
    """The runs that a list shows. A `since` without a zone is in the flow's, or without a flow in UTC."""
    flow = find_flow(db, name) if name else None
    zone = partial(zone_of, db, flow) if flow else utc
    since_at = since_instant(since, clock, zone) if since is not None else None
    return runs.select(db, runs.Filter(limit, name, state, since_at))
