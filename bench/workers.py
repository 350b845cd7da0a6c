"""Workers: runs a second, and from enqueuing to the start of the command, with 1, 2 and 4 worker processes.

Beside it Procrastinate alone, with as many of its own workers, whose task starts the same command. Both have a
PostgreSQL that syncs, and take turns on the same machine. The time to the start is that of one run at a time, each
enqueued when the one before it has ended: until the process is there, as whoever started it sees it.
"""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import bare
from bench.databases import Place, places
from bench.endtoend import schedule_of
from bench.figures import Figure, Target, share
from bench.latency import quantile
from bench.site import Site, make_site

SLOTS = 8
FLOWS = 4
BURST, SERIES = 800, 200
TRUE, NAP = ["/bin/true"], ["/bin/sleep", "0.05"]
WARM_UP = 10
"""Runs of the series that do not count: planning all of it is part of the first one's turn."""

PAUSE = 0.06
"""Between two that Procrastinate is given: each has ended by then."""
PATIENCE = 300.0

SETTINGS = 'executor = "procrastinate"\nqueue = "bench"\n'
RUN = f"[run]\ncommand = {TRUE}\nmax_active = 1000\n"
ONE_BY_ONE = f"[run]\ncommand = {NAP}\nmax_active = 1\n"
TIMES = """
SELECT a.submitted_at, a.began_at, o.at FROM attempt a JOIN outcome o ON o.run_id = a.run_id AND o.attempt = a.number
JOIN run r ON r.id = a.run_id JOIN flow f ON f.id = r.flow_id WHERE f.name LIKE :name
"""

Times = list[tuple[float, float, float]]
"""Enqueued, begun, ended; in seconds."""


def measure(quick: bool) -> Iterator[Figure]:
    burst, series = (40, 20) if quick else (BURST, SERIES)
    for number in (1,) if quick else (1, 2, 4):
        fast, slow = with_sensord(number, burst, series)
        fast_bare, slow_bare = with_procrastinate(number, burst, series)
        name = f"{number} worker{'s' * (number > 1)}"
        yield Figure(f"runs, {name}", rate(fast), "runs/s", rate(fast_bare), "Procrastinate", share(0.6))
        for label, part in (("p50", 0.5), ("p99", 0.99)):
            yield Figure(
                f"enqueue to start {label}, {name}",
                latency(slow, part),
                "ms",
                latency(slow_bare, part),
                "Procrastinate",
                Target(1.5, of_ratio=True),
            )


def rate(times: Times) -> float:
    return len(times) / (max(ended for _, _, ended in times) - min(enqueued for enqueued, _, _ in times))


def latency(times: Times, part: float) -> float:
    return quantile([began - enqueued for enqueued, began, _ in sorted(times)[WARM_UP:]], part) * 1000


def with_sensord(number: int, burst: int, series: int) -> tuple[Times, Times]:
    """A burst that is due at once, and then a flow whose runs go one by one."""
    for place in places(("PostgreSQL",)):
        site = make_site(place, SETTINGS)
        with ExitStack() as stack:
            running = stack.enter_context(site.daemon())
            for one in range(number):
                stack.enter_context(started(worker(site, one), b" works: "))
            for flow in range(FLOWS):
                site.write(f"burst/flow_{flow}", schedule_of(burst // FLOWS) + RUN)
            fast = await_all(place, "burst/%", burst // FLOWS * FLOWS, running.listen)
            site.write("series/flow", schedule_of(series) + ONE_BY_ONE)
            slow = await_all(place, "series/%", series, running.listen)
        return fast, slow
    raise AssertionError


def worker(site: Site, number: int) -> "subprocess.Popen[bytes]":
    words = site.words("worker", "start", "--slots", str(SLOTS), "--name", f"worker{number}")
    return subprocess.Popen(words, env=site.environment, stderr=subprocess.PIPE, start_new_session=True)


@contextmanager
def started(process: "subprocess.Popen[bytes]", word: bytes) -> Iterator[None]:
    """From when it says so; told to stop at the end."""
    stream = process.stderr or process.stdout
    assert stream
    try:
        while word not in (line := stream.readline()):
            if not line:
                raise RuntimeError("a worker ended before it began")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def await_all(place: Place, name: str, number: int, wait: Callable[[float], object]) -> Times:
    deadline = time.monotonic() + PATIENCE
    with place.open() as db:
        while len(rows := db.fetch(TIMES, name=name)) < number:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{number - len(rows)} runs are still to come after {PATIENCE} s")
            wait(0.2)
    return [(enqueued / 1e6, began / 1e6, ended / 1e6) for enqueued, began, ended in rows]


def with_procrastinate(number: int, burst: int, series: int) -> tuple[Times, Times]:
    """The same, by Procrastinate's own workers."""
    for place in places(("PostgreSQL",)):
        file = place.folder / "times"
        with ExitStack() as stack:
            for _ in range(number):
                words = [sys.executable, "-m", "bench.bare", place.url, str(SLOTS), str(file)]
                process = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
                stack.enter_context(started(process, b"ready"))
            asyncio.run(bare.defer(place.url, TRUE, burst))
            fast = await_lines(file, burst)
            asyncio.run(bare.defer(place.url, NAP, series, PAUSE))
            slow = await_lines(file, burst + series)[burst:]
        return fast, slow
    raise AssertionError


def await_lines(file: Path, number: int) -> Times:
    deadline = time.monotonic() + PATIENCE
    while len(lines := read_lines(file)) < number:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{number - len(lines)} jobs are still to come after {PATIENCE} s")
        time.sleep(0.05)
    return lines


def read_lines(file: Path) -> Times:
    rows: Sequence[str] = file.read_text().splitlines() if file.exists() else ()
    found = [tuple(map(float, row.split())) for row in rows]
    return [(row[0], row[1], row[2]) for row in found if len(row) == 3]
