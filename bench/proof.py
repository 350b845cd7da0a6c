"""`sensord check`: the proof over many flows, and the whole command on the shipped config."""

import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from zoneinfo import ZoneInfo

from bench.figures import Figure, at_most, median_seconds
from sensord.cli.examine import examine
from sensord.cli.session import Session
from sensord.core.check import CheckedFlow, CheckedSensor, prove
from sensord.core.cron import parse_cron
from sensord.core.duration import parse_duration
from sensord.core.mapping import Mapping, Match, Unit
from sensord.core.schedule import Schedule

FLOWS, SCHEDULES, SENSORS = 10_000, 60, 3
SINCE = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))
YEAR = timedelta(days=365)
ZONES = ("UTC", "Europe/Amsterdam", "America/New_York")
MAPPINGS = (Mapping(), Mapping(back=1), Mapping(Match.NEXT))
MIXED_CRONS = ("* * * *", "*/6 * * *", "2 * * *", "4 * * *", "6 * * 1-5", "0 * * 1", "0 1 * *")
MIXED_MAPPINGS = (
    *MAPPINGS,
    Mapping(count=7),
    Mapping(Match.SAME),
    Mapping(Match.INTERVAL),
    Mapping(Match.INTERVAL, within=parse_duration("24h")),
    Mapping(Match.INTERVAL, since=Unit.MONTH),
    Mapping(Match.OVERLAP),
    Mapping(align=Unit.DAY, offset=parse_duration("-1d")),
)
"""Of these nearly a third find nothing on some day, or wait long: all that is counted, and mending looked for."""


def measure() -> Iterator[Figure]:
    plain, mixed = make_plain(), make_mixed()
    cases = [
        (f"check: {FLOWS:,} flows, {SCHEDULES} schedules, 1y", plain, 1, at_most(20, "s")),
        (f"check: {FLOWS:,} flows, {SCHEDULES} schedules, 2y", plain, 2, None),
        ("check: the same, of all kinds and with faults, 1y", mixed, 1, None),
    ]
    for name, flows, years, target in cases:
        seconds = median_seconds(partial(prove, flows, SINCE, SINCE + years * YEAR), rounds=1)
        yield Figure(name, seconds, "s", target=target)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure("check: memory of the bench after it", peak, "MB", target=at_most(500, "MB"))
    yield from _measure_shipped()


def _measure_shipped() -> Iterator[Figure]:
    """Over the default horizon of two years."""
    session = Session(options={"config": "config"})
    seconds = median_seconds(lambda: examine(session, "now", "2y"))
    yield Figure("check: the shipped config, once imported", seconds, "s")
    command = [sys.executable, "-m", "sensord", "check"]
    whole = median_seconds(lambda: subprocess.run(command, check=True, capture_output=True), rounds=3)
    bare = median_seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True), rounds=3)
    yield Figure("check: the shipped config, whole process", whole, "s", bare, "bare Python", at_most(1, "s"))
    spent = median(_cpu_seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(3))
    yield Figure("check: the shipped config, whole process, CPU", spent, "s")


def _cpu_seconds(work: Callable[[], object]) -> float:
    """What the processes that `work` starts and waits for take of the CPU, whatever else the machine does."""
    before = os.times()
    work()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def make_plain() -> list[CheckedFlow]:
    """Hourly and daily."""
    schedules = []
    for number in range(SCHEDULES):
        zone = ZoneInfo(ZONES[number % len(ZONES)])
        hour = "*" if number % 3 else str(number % 24)
        schedules.append(Schedule(parse_cron(f"{number % 60} {hour} * * *", zone), zone))
    return _make_flows(schedules, MAPPINGS)


def make_mixed() -> list[CheckedFlow]:
    schedules = []
    for number in range(SCHEDULES):
        zone = ZoneInfo(ZONES[number % len(ZONES)])
        rest = MIXED_CRONS[number % len(MIXED_CRONS)]
        schedules.append(Schedule(parse_cron(f"{5 * (number // len(MIXED_CRONS))} {rest}", zone), zone))
    return _make_flows(schedules, MIXED_MAPPINGS)


def _make_flows(schedules: list[Schedule], mappings: tuple[Mapping, ...]) -> list[CheckedFlow]:
    """Each flow on three that stand before it: so there are no cycles."""
    chance = random.Random(1)
    flows = []
    for number in range(FLOWS):
        upstreams = chance.sample(range(number), min(SENSORS, number))
        sensors = [
            CheckedSensor(index, f"flow_{upstream}", chance.choice(mappings))
            for index, upstream in enumerate(upstreams)
        ]
        flows.append(CheckedFlow(f"flow_{number}", chance.choice(schedules), tuple(sensors)))
    return flows
