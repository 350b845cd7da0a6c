"""At rest: what the daemon takes while nothing happens, with few and many idle flows, and with many runs that wait."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack

from bench.databases import Place, several
from bench.figures import Figure, Target, at_most
from bench.growth import IDLE
from bench.settle import make_waiting, write_flows
from bench.site import Running, Site, make_site

AIMS: dict[int, tuple[Target | None, Target | None]] = {
    200: (at_most(0.2, "%"), at_most(90, "MB")),
    10_000: (at_most(1, "%"), None),
}


def measure(quick: bool) -> Iterator[Figure]:
    seconds = 2.0 if quick else 40.0
    numbers, waiting = ((20,), 1000) if quick else ((200, 10_000), 100_000)
    for name in ("SQLite FULL",) if quick else ("SQLite FULL", "PostgreSQL"):
        with several(name, len(numbers) + 1) as (beside, *found):
            sites = {
                f"{number:,} idle flows": _idle(place, number) for place, number in zip(found, numbers, strict=True)
            }
            sites[f"{waiting:,} runs waiting"] = _waiting(beside, waiting)
            aims = [*(AIMS.get(number, (None, None)) for number in numbers), (None, None)]
            yield from _measure(name, sites, aims, seconds)


def _idle(place: Place, number: int) -> Site:
    site = make_site(place)
    for index in range(number):
        site.write(f"idle/flow_{index}", IDLE)
    _start_once(site)
    return site


def _waiting(place: Place, number: int) -> Site:
    site = make_site(place)
    with place.open() as db:
        make_waiting(db, write_flows(db, site), number)
    return site


def _start_once(site: Site) -> None:
    """The first start stores all flows: what that leaves in memory is not of a daemon at rest."""
    with site.daemon():
        pass


def _measure(
    name: str, sites: dict[str, Site], aims: Sequence[tuple[Target | None, Target | None]], seconds: float
) -> Iterator[Figure]:
    """All at once: they do nothing, so none is in another's way."""
    with ExitStack() as stack:
        running = {what: stack.enter_context(site.daemon()) for what, site in sites.items()}
        _listen(running.values(), seconds / 4)
        before = {what: one.cpu_seconds for what, one in running.items()}
        began = time.monotonic()
        _listen(running.values(), seconds)
        for (what, one), (cpu, rss) in zip(running.items(), aims, strict=True):
            spent = (one.cpu_seconds - before[what]) / (time.monotonic() - began)
            yield Figure(f"CPU, {what}, {name}", spent * 100, "% of a core", target=cpu)
            yield Figure(f"RSS, {what}, {name}", one.rss_megabytes, "MB", target=rss)


def _listen(running: Collection[Running], seconds: float) -> None:
    """Take their logs, which they must not be kept from writing."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for one in running:
            one.listen(0.1)
