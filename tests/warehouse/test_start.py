"""The shipped warehouse from its first instant on, whatever the time of day: nothing waits in vain, nothing is skipped.

The real files, the real daemon and database; the clock and the commands' ends are the test's.
"""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sensord.config import Config, load
from sensord.core.instant import format_instant
from sensord.core.needs import needs
from sensord.core.run import State
from sensord.core.ticks import Timeline
from sensord.daemon.activate import first_cursor
from sensord.executors.base import Job
from sensord.store.database import Database
from tests.daemon.world import World
from tests.warehouse.jobs import CONFIG

MINUTE = timedelta(minutes=1)
SALES = ["ingest/orders", "dim/customers", "mart/sales_hourly", "finance/revenue_daily"]
STARTS = [
    "2026-11-22T10:30:30",  # an even minute and a fifth: everything ticks together
    "2026-11-22T10:31:59",  # an odd minute, just before the next
    "2026-11-22T10:59:01",
    "2026-11-22T02:00:00",  # the very tick of the customers
    "2026-11-22T00:00:30",  # midnight in UTC: the customers are yesterday's
    "2026-11-22T23:00:30",  # midnight in Amsterdam
    "2026-03-29T01:00:01",  # the clocks have just gone forward there
    "2026-10-25T00:30:00",  # and here they go back: 02:30 for the first time
]


@cache
def shipped() -> Config:
    return load(CONFIG)


def test_every_file_is_good() -> None:
    assert shipped().problems == []
    assert len(shipped().flows) == 11


@given(st.integers(0, 2 * 365 * 86_400))
@example(86_400 + 60)
@example(2 * 3600)
def test_no_early_run_asks_for_a_tick_before_its_upstreams_first(seconds: int) -> None:
    """Such a tick counts as skipped: fine where the sensor accepts that, else the run would be skipped too."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    flows = {name: loaded.flow for name, loaded in shipped().flows.items()}
    timelines: dict[str, Timeline] = {name: flow.schedule for name, flow in flows.items()}
    first = {name: flow.schedule.next(first_cursor(flow, flow.schedule, now)) for name, flow in flows.items()}
    for name, flow in flows.items():
        tick = first[name]
        for _ in range(3):
            assert tick is not None
            for need in needs(flow, tick, timelines, first[name]):
                begin = first[need.sensor.upstream]
                assert need.problem is None
                assert begin is not None
                on_time = all(date >= begin for date in need.dates)
                assert on_time or State.SKIPPED in need.sensor.accept, f"{name} at {tick} on {need.sensor.upstream}"
            tick = flow.schedule.next(tick)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("now", STARTS)
def test_in_three_minutes_all_that_can_have_run_has_succeeded(db: Database, now: str) -> None:
    world = World(db, CONFIG, now)
    world.start()

    work(world)
    at_once = {"ingest/orders", "dim/customers", "mart/sales_hourly", "host/load", "host/facts", "mart/load"}
    assert {name for name in shipped().flows if world.runs(name)} == {*at_once, "finance/cpu_ledger"}

    for _ in range(3):
        work(world, MINUTE)
    assert {name for name in shipped().flows if world.runs(name)} >= {*at_once, "ops/health", "governance/catalog"}

    for _ in range(7):
        work(world, MINUTE)
    states = {name: set(world.runs(name).values()) for name in shipped().flows}
    unborn = {"finance/revenue_daily"} if not states["finance/revenue_daily"] else set()
    assert states == {name: set() if name in unborn else {State.SUCCESS} for name in states}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_first_day_closes_with_the_hours_that_there_were(db: Database, tmp_path: Path) -> None:
    """Begun on Sunday at noon, in winter: Amsterdam's midnight is 23:00 in UTC, and the day before needs no hour."""
    world = World(db, part(tmp_path, SALES), "2026-11-22T12:30")
    world.start()
    work(world)
    for _ in range(35):
        work(world, timedelta(hours=1))

    assert world.runs("finance/revenue_daily") == {"2026-11-22T23:00": State.SUCCESS, "2026-11-23T23:00": State.SUCCESS}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_failed_hour_holds_its_day_back_and_a_skipped_one_does_not(db: Database, tmp_path: Path) -> None:
    world = World(db, part(tmp_path, SALES), "2026-11-22T12:30")
    world.start()
    bad = {("ingest/orders", "2026-11-22T15:00:00Z"): 99, ("mart/sales_hourly", "2026-11-22T17:00:00Z"): 1}
    for _ in range(36):
        work(world, timedelta(hours=1), lambda job: bad.get((job.env["SENSORD_FLOW"], date_of(job)), 0))

    assert world.state("mart/sales_hourly", "2026-11-22T15:00") is State.SKIPPED
    days = {"2026-11-22T23:00": State.WAITING, "2026-11-23T23:00": State.SUCCESS}
    assert world.runs("finance/revenue_daily") == days


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_after_an_outage_the_lost_minutes_are_skipped_and_the_next_ones_run(db: Database, tmp_path: Path) -> None:
    """The jobs that cannot measure a past minute say 99; what hangs on them follows, and nothing is left waiting."""
    fast = ["host/load", "host/facts", "mart/load", "finance/cpu_ledger", "ops/health", "quality/load_rows"]
    world = World(db, part(tmp_path, fast), "2026-11-22T10:00:30")
    world.start()
    for _ in range(5):
        work(world, MINUTE)

    work(world, 40 * MINUTE, lambda job: 99 if lost(world, job) else 0)
    work(world, MINUTE)

    states = {name: world.runs(name) for name in fast}
    ends = {State.SUCCESS, State.SKIPPED}
    assert {state for one in states.values() for state in one.values()} == ends
    for name in ("host/load", "mart/load", "finance/cpu_ledger"):
        assert states[name]["2026-11-22T10:20"] is State.SKIPPED
        assert states[name]["2026-11-22T10:46"] is State.SUCCESS
    assert states["ops/health"]["2026-11-22T10:20"] is State.SKIPPED
    assert states["ops/health"]["2026-11-22T10:46"] is State.SUCCESS


def work(world: World, later: timedelta = timedelta(), code: Callable[[Job], int] = lambda _job: 0) -> None:
    """Time passes, and commands end as soon as they begin, until nothing is left to do."""
    world.clock.move(later)
    world.tick()
    while running := world.executor.running:
        for attempt in running:
            world.executor.end(attempt, code(world.executor.jobs[attempt]))
        world.tick()


def part(tmp_path: Path, names: list[str]) -> Path:
    """A config folder with some of the shipped flows."""
    for name in names:
        target = tmp_path / "config" / "flows" / f"{name}.toml"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CONFIG / "flows" / f"{name}.toml", target)
    return tmp_path / "config"


def date_of(job: Job) -> str:
    return job.env["SENSORD_LOGICAL_DATE"]


def lost(world: World, job: Job) -> bool:
    """As jobs/host_load.py and jobs/quality_load_rows.py have it."""
    past = date_of(job) < format_instant(world.clock.now() - timedelta(minutes=5))
    return past and job.env["SENSORD_FLOW"] in ("host/load", "quality/load_rows")
