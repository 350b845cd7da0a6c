"""Start-up and reload with many files, and the whole process of the commands that people wait for."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from bench.databases import Place, places
from bench.figures import Figure, Target, at_most
from bench.growth import IDLE
from bench.site import Running, Site, make_site

DUE = '[schedule]\ncron = "0 0 1 1 *"\n[run]\ncommand = ["/bin/true"]\n'
BARE = (sys.executable, "-c", "")


def measure(quick: bool) -> Iterator[Figure]:
    number, few, rounds = (50, 20, 2) if quick else (10_000, 200, 7)
    for place in places(("SQLite FULL",) if quick else ("SQLite FULL", "PostgreSQL")):
        yield from _measure(place, number, rounds)
    for place in places(("SQLite FULL",) if quick else ("SQLite FULL", "PostgreSQL")):
        yield from _commands(place, few, rounds)


def _measure(place: Place, number: int, rounds: int) -> Iterator[Figure]:
    site = make_site(place, 'watch = "off"')
    write_many(site, number)
    before = time.perf_counter()
    with site.daemon() as running:
        _await(running, b"starting")
        seconds = time.perf_counter() - before
        cpu = running.cpu_seconds
        yield Figure(f"start to first release, {number:,} files, {place.name}", seconds, "s", target=at_most(10, "s"))
        yield Figure(f"the same, CPU of the daemon, {place.name}", cpu, "s")
        edits = [reload(site, running, edit) for edit in range(rounds)]
        spent = (running.cpu_seconds - cpu) / rounds
        what = f"reload of one changed of {number:,} files, {place.name}"
        yield Figure(what, statistics.median(edits) * 1000, "ms", target=at_most(100, "ms"))
        yield Figure(f"the same, CPU of the daemon, {place.name}", spent * 1000, "ms")
        yield from processes(site, {f"status of {number:,} flows": ("status", at_most(250, "ms"))}, rounds)


def _commands(place: Place, number: int, rounds: int) -> Iterator[Figure]:
    site = make_site(place)
    write_many(site, number)
    with site.daemon() as running:
        _await(running, b"starting")
        asked = {
            "--help": ("--help", at_most(100, "ms")),
            "status --all": ("status --all", at_most(250, "ms")),
            "why": ("why due", None),
        }
        yield from processes(site, asked, rounds)


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


def processes(site: Site, asked: Mapping[str, tuple[str, Target | None]], rounds: int) -> Iterator[Figure]:
    """Whole processes, in turn with a Python that does nothing: how long they take, and how much CPU of that.

    asked: name -> (words, target).
    """
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    bare: list[tuple[float, float]] = []
    for _ in range(rounds):
        bare.append(_seconds(BARE, site))
        for name, (words, _) in asked.items():
            spent[name].append(_seconds(site.words(*words.split()), site))
    for name, (_, target) in asked.items():
        for part, (what, aim) in enumerate((("", target), (", CPU", None))):
            found, floor = (statistics.median(one[part] for one in each) * 1000 for each in (spent[name], bare))
            yield Figure(f"sensord {name}{what}, {site.place.name}", found, "ms", floor, "bare Python", aim)


def _seconds(words: Sequence[str], site: Site) -> tuple[float, float]:
    """Of the process: by the clock, and of the CPU."""
    before, cpu_before = time.perf_counter(), os.times()
    subprocess.run(words, env=site.environment, check=True, stdout=subprocess.DEVNULL)
    cpu, seconds = os.times(), time.perf_counter() - before
    user, system = cpu.children_user - cpu_before.children_user, cpu.children_system - cpu_before.children_system
    return seconds, user + system


def _await(running: Running, text: bytes) -> None:
    while text not in running.log:
        if not running.listen(60):
            raise RuntimeError(f"the daemon never said {text!r}: {running.log.decode()}")
