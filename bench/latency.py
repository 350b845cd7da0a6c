"""Latency of a release: a process exits, and the one of the run that waited for it starts.

A chain of flows, each on the one before, whose commands write down the time: so the figure holds a shell's own start,
too. The floor is a bare loop that runs the same command again and again.
"""

import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from bench.databases import Place, places
from bench.endtoend import schedule_of
from bench.figures import Figure, Target, at_most
from bench.site import Site, make_site
from sensord.executors.folders import log_of

SAY_WHEN = ["/bin/bash", "-c", "echo $EPOCHREALTIME"]
LOAD = 8
"""Flows that run one command after the other meanwhile."""

ORDER = "SELECT r.id FROM run r JOIN flow f ON f.id = r.flow_id WHERE f.name LIKE 'chain/%' ORDER BY f.name"
TARGETS: Mapping[tuple[str, str], Target] = {
    ("p50", "SQLite FULL"): at_most(10, "ms"),
    ("p99", "SQLite FULL"): at_most(30, "ms"),
    ("p50", "PostgreSQL"): at_most(15, "ms"),
}
"""While nothing else goes on."""


def measure(quick: bool) -> Iterator[Figure]:
    length = 10 if quick else 200
    for place in places(("SQLite FULL",) if quick else ("SQLite FULL", "PostgreSQL")):
        yield from _measure(place, length, "idle")
    if not quick:
        for place in places(("SQLite FULL", "PostgreSQL")):
            yield from _measure(place, length, "under load")


def _measure(place: Place, length: int, how: str) -> Iterator[Figure]:
    site = make_site(place, "slots = 32")
    write_chain(site, length)
    if how != "idle":
        write_load(site)
    floor = bare(length // 2)
    with site.daemon() as running:
        ended = "SELECT COUNT(*) FROM run r JOIN flow f ON f.id = r.flow_id WHERE f.name LIKE 'chain/%' AND r.state = 6"
        running.await_rows(place, f"SELECT 1 WHERE ({ended}) < {length}")
    floor += bare(length // 2)
    found = gaps(read_times(place))
    for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        yield Figure(
            f"latency {name}, {how}, {place.name}",
            quantile(found, part) * 1000,
            "ms",
            quantile(floor, part) * 1000,
            "bare loop",
            TARGETS.get((name, place.name)) if how == "idle" else None,
        )


def write_chain(site: Site, length: int) -> None:
    """Each flow has one run, that of its last tick, which is due at once."""
    run = '[schedule]\ncron = "0 0 1 1 *"\n[run]\npriority = 10\ncommand = ["{}"]\n'.format('", "'.join(SAY_WHEN))
    for number in range(length):
        sensor = f'[[sensors]]\nupstream = "chain/step_{number - 1:04}"\n' if number else ""
        site.write(f"chain/step_{number:04}", run + sensor)


def write_load(site: Site) -> None:
    for number in range(LOAD):
        site.write(f"load/flow_{number}", schedule_of(3000) + '[run]\ncommand = ["/bin/true"]\n')


def bare(count: int) -> list[float]:
    """What the same takes a loop that awaits each command and then starts the next."""
    return gaps([float(subprocess.run(SAY_WHEN, capture_output=True, check=True).stdout) for _ in range(count)])


def read_times(place: Place) -> list[float]:
    """What the commands of the chain wrote, in the chain's order."""
    with place.open() as db:
        ids = [row[0] for row in db.fetch(ORDER)]
    return [float((place.folder / "state" / "runs" / log_of(run_id, 1)).read_text()) for run_id in ids]


def gaps(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def quantile(values: Sequence[float], part: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(part * 100) - 1]
