"""The coming days on a virtual clock: the daemon itself, on a database of its own that is thrown away.

Every tick before the beginning is taken for done: as the real database has it, or else as a success. What had not ended
begins anew.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sensord import __version__
from sensord.config import Config, Loaded
from sensord.config.body import digest, write_body
from sensord.core.instant import format_instant, to_micros
from sensord.core.needs import needs
from sensord.core.run import State
from sensord.core.ticks import Timeline
from sensord.daemon.daemon import Daemon
from sensord.daemon.dispatch import Place
from sensord.simulation.past import Past
from sensord.simulation.result import Result, read_result
from sensord.simulation.timed import Course, TimedExecutor
from sensord.store import schema
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead
from sensord.testing import ManualClock

USUAL = timedelta(seconds=10)
"""How long a flow takes of which no run is known."""

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """From `since` to `until`, both included. durations: of flows, where they are not to be as in the past.

    failing: the runs whose every attempt fails, as (flow, logical date).
    """

    since: datetime
    until: datetime
    durations: Mapping[str, timedelta] = field(default_factory=dict)
    failing: frozenset[tuple[str, datetime]] = frozenset()


def simulate(config: Config, plan: Plan, past: Past) -> Result:
    """What would come of it. The config folder and the real database are only read."""
    clock = ManualClock(plan.since)
    durations = {**past.durations, **plan.durations}
    failing = {(flow, format_instant(at)) for flow, at in plan.failing}

    def course_of(flow: str, date: str) -> Course:
        return Course(durations.get(flow, USUAL), int((flow, date) in failing))

    with _database() as db:
        lead = Lead.take(db, Holder("simulation", os.getpid(), __version__))
        executor = TimedExecutor(clock, course_of)
        try:
            daemon = _daemon(_without_retention(config), db, lead, executor, clock)
            daemon.adopt()
            daemon.reload()
            newest = _begin(db, config, plan, past)
            daemon.adopt()
            for flow, at in past.unfinished:
                if flow in config.flows:
                    daemon.change("trigger", {"flow": flow, "logical_date": at.isoformat()})
            _live(daemon, executor, clock, plan.until)
            return read_result(db, newest, plan.until, durations)
        finally:
            executor.close()
            lead.release()


@contextmanager
def _database() -> Iterator[Database]:
    with (
        tempfile.TemporaryDirectory(prefix="sensord-") as folder,
        Database.open(f"sqlite://{Path(folder).resolve()}/simulation.db", durability="normal") as db,
    ):
        schema.upgrade(db)
        yield db


def _daemon(config: Config, db: Database, lead: Lead, executor: TimedExecutor, clock: ManualClock) -> Daemon:
    return Daemon(
        db,
        lead,
        executor,
        clock,
        read_config=lambda _: config,
        place=Place("simulation", "simulation", "simulation", config.directory, {}),
        slots=config.settings.slots,
        chance=lambda: 0.0,
    )


def _without_retention(config: Config) -> Config:
    """Nothing is pruned meanwhile: it is all to be looked at."""
    flows = {name: _keeping(loaded) for name, loaded in config.flows.items()}
    return replace(config, flows=flows, settings=replace(config.settings, retention=None))


def _keeping(loaded: Loaded) -> Loaded:
    flow = replace(loaded.flow, retention=None)
    body = write_body(flow)
    return replace(loaded, flow=flow, body=body, digest=digest(body))


SET_CURSORS = "UPDATE flow SET planned_to = :before, first_date = NULL, activated_at = :before"
SET_FIRST = """
UPDATE flow SET first_date = x.first FROM ROWS(:rows, name text, first) x WHERE flow.name = x.name
"""
PAUSE = "UPDATE flow SET paused_at = :before FROM ROWS(:names, name text) x WHERE flow.name = x.name"
INSERT = """
INSERT INTO run (flow_id, logical_date, kind, state, pending, attempt, priority, definition_id, created_at, finished_at)
SELECT f.id, x.at, 0, x.state, 0, 1, 0, f.definition_id, x.at, x.at
FROM ROWS(:runs, name text, at, state) x JOIN flow f ON f.name = x.name
"""


def _begin(db: Database, config: Config, plan: Plan, past: Past) -> int:
    """Put the cursors to the beginning, and before it what the runs to come map to. Returns the newest id of these."""
    before = to_micros(plan.since - _INSTANT)
    wanted = _wanted(config, plan, past)
    states = past.ended(wanted)
    under_way = set(past.unfinished)
    rows = [(name, to_micros(at), int(states.get((name, at), State.SUCCESS))) for name, at in wanted - under_way]
    with db.transaction() as tx:
        tx.run(SET_CURSORS, before=before)
        tx.run(SET_FIRST, rows=[(name, to_micros(at)) for name, at in past.first_at.items()])
        tx.run(PAUSE, before=before, names=[(name,) for name in past.paused])
        tx.run(INSERT, runs=rows)
        return int(tx.fetch("SELECT COALESCE(MAX(id), 0) FROM run")[0][0])


def _wanted(config: Config, plan: Plan, past: Past) -> set[tuple[str, datetime]]:
    """The upstream ticks before the beginning that a run to come, or one that is under way, maps to."""
    timelines: dict[str, Timeline] = {name: loaded.flow.schedule for name, loaded in config.flows.items()}
    found: set[tuple[str, datetime]] = set()
    begun: dict[str, list[datetime]] = {name: [] for name in config.flows}
    for name, at in past.unfinished:
        if name in begun:
            begun[name].append(at)
    for name, loaded in config.flows.items():
        if not loaded.flow.sensors:
            continue
        ticks = [*begun[name], *loaded.flow.schedule.between(plan.since - _INSTANT, plan.until)]
        for at in ticks:
            for need in needs(loaded.flow, at, timelines, past.first_at.get(name)):
                found.update((need.sensor.upstream, date) for date in need.dates if date < plan.since)
    return found


def _live(daemon: Daemon, executor: TimedExecutor, clock: ManualClock, until: datetime) -> None:
    """Turn by turn; where there is nothing to do, on to when there is."""
    while True:
        executor.end_due()
        if not daemon.tick().idle:
            continue
        ahead = [at for at in (daemon.next_at, executor.next_at) if at and at > clock.now()]
        if not ahead or min(ahead) > until:
            return
        clock.set(min(ahead))
