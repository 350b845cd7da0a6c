"""How fast commands start and end: through the local executor, and in a bare loop of Popen beside it, turn by turn.

Usage: python -m tests.executors.speed [COUNT [FOLDER]]. FOLDER says which disk is meant; by default a temporary one.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sensord.executors.base import Attempt, Job
from sensord.executors.local import LocalExecutor
from tests.executors.watch import Watch, wait_gone

ROUNDS = 3


def main(count: int = 2000, folder: str | None = None) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        print(
            f"/bin/true, {count} in one go, best of {ROUNDS} rounds; start of a keeper; submit to began, median of 200"
        )
        rates: dict[str, list[float]] = {"Popen, one at a time": [], "synced": [], "not synced": []}
        for number in range(ROUNDS):
            rates["Popen, one at a time"].append(count / measure(lambda: run_bare(count)))
            for name, durable in (("synced", True), ("not synced", False)):
                rates[name].append(run_through(Path(place, f"{name} {number}"), count, durable=durable))
        for name, each in rates.items():
            print(f"{name:22}{max(each):7.0f}/s")


def run_bare(count: int) -> None:
    for _ in range(count):
        with subprocess.Popen(["/bin/true"], start_new_session=True):
            pass


def run_through(state: Path, count: int, *, durable: bool) -> float:
    began_at = time.monotonic()
    executor = LocalExecutor(state, durable=durable)
    start = time.monotonic() - began_at
    daemon, keeper = Watch(executor), executor.keeper_pid
    assert keeper
    delays = [measure(lambda run_id=run_id: run_one(daemon, Attempt(run_id, 1))) for run_id in range(1, 201)]  # type: ignore[misc]  # mypy cannot tell the type of a lambda with a default
    jobs = [make_job(Attempt(run_id, 1)) for run_id in range(1001, 1001 + count)]
    daemon.wait_all_ended([Attempt(run_id, 1) for run_id in range(1, 201)])
    daemon.forget()
    seconds = measure(lambda: run_all(daemon, jobs))
    memory = next(line for line in Path(f"/proc/{keeper}/status").read_text().splitlines() if "VmRSS" in line)
    print(f"  {state.name}: start {start * 1000:.0f} ms, began {statistics.median(delays) * 1000:.2f} ms, {memory}")
    executor.close()
    wait_gone(keeper)
    return count / seconds


def run_one(daemon: Watch, attempt: Attempt) -> None:
    daemon.submit(make_job(attempt))
    daemon.wait_began(attempt)


def run_all(daemon: Watch, jobs: list[Job]) -> None:
    """Until as many reports have come as two for each."""
    daemon.submit(*jobs)
    daemon.wait(lambda: len(daemon.reports) >= 2 * len(jobs) or None)


def make_job(attempt: Attempt) -> Job:
    return Job(attempt, ("/bin/true",), "/", {})


def measure(act: Callable[[], object]) -> float:
    began_at = time.monotonic()
    act()
    return time.monotonic() - began_at


if __name__ == "__main__":
    main(*(int(one) if one.isdigit() else one for one in sys.argv[1:]))  # type: ignore[arg-type]  # as the usage says
