"""At rest: what the daemon takes while nothing happens, with few and many idle flows, and with many runs that wait."""

import time
from collections.abc import Iterator

from bench.databases import Place, places
from bench.figures import Figure
from bench.growth import IDLE
from bench.settle import make_waiting, write_flows
from bench.site import Running, Site, make_site


def measure(quick: bool) -> Iterator[Figure]:
    seconds = 2.0 if quick else 60.0
    names = ("SQLite FULL",) if quick else ("SQLite FULL", "PostgreSQL")
    for number, cpu, rss in ((20, "", ""),) if quick else ((200, "<= 0.2 %", "<= 90 MB"), (10_000, "<= 1 %", "")):
        for place in places(names):
            site = make_site(place)
            for index in range(number):
                site.write(f"idle/flow_{index}", IDLE)
            yield from _measure(site, f"{number:,} idle flows, {place.name}", seconds, cpu, rss)
    for place in places(names):
        yield from _with_waiting(place, 1000 if quick else 100_000, seconds)


def _with_waiting(place: Place, number: int, seconds: float) -> Iterator[Figure]:
    site = make_site(place)
    with place.open() as db:
        make_waiting(db, write_flows(db, site), number)
    yield from _measure(site, f"{number:,} runs waiting, {place.name}", seconds, "", "")


def _measure(site: Site, what: str, seconds: float, cpu: str, rss: str) -> Iterator[Figure]:
    with site.daemon() as running:
        _listen(running, seconds / 10)
        before = running.cpu_seconds
        _listen(running, seconds)
        yield Figure(f"CPU, {what}", (running.cpu_seconds - before) / seconds * 100, "% of a core", target=cpu)
        yield Figure(f"RSS, {what}", running.rss_megabytes, "MB", target=rss)


def _listen(running: Running, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        running.listen(left)
