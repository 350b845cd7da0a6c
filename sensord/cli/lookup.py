"""From what a person names to what the database holds; NotFound says what is there instead."""

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sensord.cli.instants import Since, When, at_instant, period_of, since_instant, utc
from sensord.clock import Clock
from sensord.core.instant import format_instant
from sensord.core.run import State
from sensord.errors import NotFound
from sensord.store.database import Database
from sensord.store.reads import flows, runs
from sensord.store.reads.flows import Flow
from sensord.store.reads.runs import Run

if TYPE_CHECKING:
    from sensord.core.schedule import Schedule

SHOWN = 4
"""How many runs are named where one has to be chosen."""


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
    at, found = find_date(db, clock, flow, when)
    if found is None:
        raise NotFound(f"{name} has no run at {format_instant(at)}", hint=_instead(db, flow, at))
    return found


def find_run_or_id(db: Database, clock: Clock, flow: str, when: When) -> Run:
    """As find_run; a number in place of the flow, without a date, is a run's id."""
    if not (flow.isascii() and flow.isdigit() and when == "latest"):
        return find_run(db, clock, flow, when)
    found = runs.by_id(db, int(flow)) if len(flow) < 19 else None
    if found is None:
        raise NotFound(f"no run with the id {flow}", hint="`sensord run list` shows the runs")
    return found


def find_date(db: Database, clock: Clock, flow: Flow, when: When) -> tuple[datetime, Run | None]:
    """The logical date that a DATE other than `latest` stands for, with the run of that date, if there is one.

    Of a period it is the beginning, or the only run in it, or else the only tick. NotFound where it has several runs.
    """
    zone = partial(zone_of, db, flow)
    at, period = at_instant(when, clock, zone), period_of(when, clock, zone)
    run = runs.by_date(db, flow.name, at)
    if run or period is None:
        return at, run
    within = runs.select(db, runs.Filter(SHOWN, flow.name, since_at=at, before_at=period[1]))
    if len(within) > 1:
        dates = ", ".join(format_instant(one.logical_at) for one in within)
        until = format_instant(period[1])
        raise NotFound(f"{flow.name} has several runs from {format_instant(at)} to {until}", hint=f"such as {dates}")
    return (within[0].logical_at, within[0]) if within else (_only_tick(db, flow, *period) or at, None)


def _only_tick(db: Database, flow: Flow, start: datetime, end: datetime) -> datetime | None:
    """The flow's tick in `[start, end)`; None where there is none, or more than one."""
    schedule = _schedule(db, flow)
    first = schedule.next(start - timedelta(microseconds=1))
    second = schedule.next(first) if first else None
    return first if first and first < end and not (second and second < end) else None


def instant_for(db: Database, clock: Clock, flow: Flow, when: When) -> datetime:
    """The instant of a DATE other than `latest`; one without a zone is in the flow's."""
    return at_instant(when, clock, partial(zone_of, db, flow))


def zone_of(db: Database, flow: Flow) -> ZoneInfo:
    """The time zone of the flow's schedule, by its current definition."""
    return _schedule(db, flow).zone


def _schedule(db: Database, flow: Flow) -> "Schedule":
    from sensord.config.body import flow_from_body

    return flow_from_body(flow.name, flows.body(db, flow)).schedule


def _instead(db: Database, flow: Flow, at: datetime) -> str:
    """What there is where no run is: the runs before and after; and of a tick that was passed over, how to run it."""
    near = [format_instant(date) for date in runs.nearest(db, flow.name, at)]
    there = f"its runs next to that: {', '.join(near)}" if near else "it has no runs yet"
    if at > flow.planned_to or not _schedule(db, flow).contains(at):
        return there
    return f"{there}; `sensord run trigger {flow.name} --date {format_instant(at)}` runs that tick, which was missed"


def select_runs(
    db: Database, clock: Clock, name: str | None, state: State | None, since: Since | None, limit: int
) -> list[Run]:
    """The runs that a list shows. A `since` without a zone is in the flow's, or without a flow in UTC."""
    flow = find_flow(db, name) if name else None
    zone = partial(zone_of, db, flow) if flow else utc
    since_at = since_instant(since, clock, zone) if since is not None else None
    return runs.select(db, runs.Filter(limit, name, state, since_at))
