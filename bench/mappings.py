"""Mappings: one downstream date to its upstream dates, plain and with options."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bench.figures import Figure, rate
from sensord.core.cron import parse_cron
from sensord.core.duration import parse_duration
from sensord.core.mapping import Mapping, Match, resolve
from sensord.core.schedule import Schedule

ZONE = ZoneInfo("Europe/Amsterdam")
HOURLY, DAILY = (Schedule(parse_cron(text, ZONE), ZONE) for text in ("0 * * * *", "0 2 * * *"))
NOON = datetime(2026, 6, 1, 12, tzinfo=ZoneInfo("UTC"))
DATES = [NOON + timedelta(hours=hour) for hour in range(5000)]


def measure() -> Iterator[Figure]:
    cases = {
        "mappings, latest: hourly on daily": (Mapping(), HOURLY, DAILY),
        "mappings, same: hourly on hourly": (Mapping(Match.SAME), HOURLY, HOURLY),
        "mappings, interval of a day: 24 ticks": (
            Mapping(Match.INTERVAL, within=parse_duration("1d")),
            HOURLY,
            HOURLY,
        ),
    }
    for name, (mapping, downstream, upstream) in cases.items():
        yield Figure(name, rate(len(DATES), lambda case=(mapping, downstream, upstream): _map(*case)), "mappings/s")  # type: ignore[misc] # bound early


def _map(mapping: Mapping, downstream: Schedule, upstream: Schedule) -> None:
    for date in DATES:
        resolve(mapping, "all", date, downstream, upstream)
