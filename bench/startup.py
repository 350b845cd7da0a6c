"""Start-up and reload with many files, and the whole process of the commands that people wait for."""

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from bench.databases import Place, places
from bench.figures import Figure
from bench.growth import IDLE
from bench.site import Running, Site, make_site

DUE = '[schedule]\ncron = "0 0 1 1 *"\n[run]\ncommand = ["/bin/true"]\n'
BARE = (sys.executable, "-c", "")


def measure(quick: bool) -> Iterator[Figure]:
    number = 50 if quick else 10_000
    for place in places(("SQLite FULL",) if quick else ("SQLite FULL", "PostgreSQL")):
        yield from _measure(place, number, 2 if quick else 7)


def _measure(place: Place, number: int, rounds: int) -> Iterator[Figure]:
    site = make_site(place, 'watch = "off"')
    write_many(site, number)
    before = time.perf_counter()
    with site.daemon() as running:
        _await(running, b"starting")
        seconds = time.perf_counter() - before
        yield Figure(f"start to first release, {number:,} files, {place.name}", seconds, "s", target="<= 10 s")
        yield Figure(
            f"reload of one changed of {number:,} files, {place.name}",
            statistics.median(reload(site, running, edit) for edit in range(rounds)) * 1000,
            "ms",
            target="<= 100 ms",
        )
        yield from commands(site, rounds)


def write_many(site: Site, number: int) -> None:
    """One that is due at once, and otherwise flows that wait for others until the next year."""
    site.write("due", DUE)
    for index in range(number - 1):
        sensor = f'[[sensors]]\nupstream = "team_{(index - 1) // 100}/flow_{index - 1:05}"\n' if index else ""
        site.write(f"team_{index // 100}/flow_{index:05}", IDLE + sensor)


def reload(site: Site, running: Running, edit: int) -> float:
    """Seconds from SIGHUP until the daemon says that it has taken in the one file that has changed."""
    site.write("due", DUE + f'[run.env]\nEDIT = "{edit}"\n')
    running.log = b""
    before = time.perf_counter()
    running.process.send_signal(signal.SIGHUP)
    _await(running, b"0 problems")
    return time.perf_counter() - before


def commands(site: Site, rounds: int) -> Iterator[Figure]:
    """Whole processes, in turn with a Python that does nothing."""
    targets = {"--help": "<= 100 ms", "status": "<= 250 ms", "why due": ""}
    spent: dict[str, list[float]] = {name: [] for name in targets}
    bare: list[float] = []
    for _ in range(rounds):
        bare.append(_seconds(BARE, site))
        for name in targets:
            spent[name].append(_seconds(site.words(*name.split()), site))
    for name, target in targets.items():
        found = statistics.median(spent[name]) * 1000
        floor = statistics.median(bare) * 1000
        yield Figure(f"sensord {name}, {site.place.name}", found, "ms", floor, "bare Python", target)


def _seconds(words: Sequence[str], site: Site) -> float:
    before = time.perf_counter()
    subprocess.run(words, env=site.environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def _await(running: Running, text: bytes) -> None:
    while text not in running.log:
        if not running.listen(60):
            raise RuntimeError(f"the daemon never said {text!r}: {running.log.decode()}")
