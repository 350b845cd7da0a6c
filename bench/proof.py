"""`sensord check`: the proof over many flows, and the whole command on the shipped config."""

import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bench.figures import Figure, median_seconds
from sensord.core.check import CheckedFlow, CheckedSensor, prove
from sensord.core.cron import parse_cron
from sensord.core.mapping import Mapping, Match
from sensord.core.schedule import Schedule

FLOWS, SCHEDULES, SENSORS = 10_000, 60, 3
SINCE = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))
YEAR = timedelta(days=365)
ZONES = ("UTC", "Europe/Amsterdam", "America/New_York")
MAPPINGS = (Mapping(), Mapping(back=1), Mapping(Match.NEXT))


def measure() -> Iterator[Figure]:
    flows = make_flows()
    seconds = median_seconds(lambda: prove(flows, SINCE, SINCE + YEAR), rounds=1)
    yield Figure(f"check: {FLOWS:,} flows, {SCHEDULES} schedules, a year", seconds, "s", target="< 20 s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure("check: memory of the bench after it", peak, "MB", target="< 500 MB")
    command = [sys.executable, "-m", "sensord", "check"]
    whole = median_seconds(lambda: subprocess.run(command, check=True, capture_output=True), rounds=3)
    bare = median_seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True), rounds=3)
    yield Figure("check: the shipped config, whole process", whole, "s", bare, "bare Python", "< 1 s")


def make_flows() -> list[CheckedFlow]:
    """Hourly and daily schedules, each flow on three that stand before it: so there are no cycles."""
    chance = random.Random(1)
    schedules = []
    for number in range(SCHEDULES):
        zone = ZoneInfo(ZONES[number % len(ZONES)])
        hour = "*" if number % 3 else str(number % 24)
        schedules.append(Schedule(parse_cron(f"{number % 60} {hour} * * *", zone), zone))
    flows = []
    for number in range(FLOWS):
        upstreams = chance.sample(range(number), min(SENSORS, number))
        sensors = [
            CheckedSensor(index, f"flow_{upstream}", chance.choice(MAPPINGS))
            for index, upstream in enumerate(upstreams)
        ]
        flows.append(CheckedFlow(f"flow_{number}", chance.choice(schedules), tuple(sensors)))
    return flows
