"""A daemon to be killed: submits commands that wait at fifos, says so once they all run, and goes on for ever.

Usage: python -m tests.executors.stand_in STATE FIFOS COUNT
"""

import select
import sys
from pathlib import Path

from sensord.executors.base import Attempt, Began, Job
from sensord.executors.local import LocalExecutor


def make_job(fifos: Path, number: int) -> Job:
    """Leaves a line in `began-NUMBER`, waits, and ends with the code that it reads."""
    script = f"echo began >> '{fifos}/began-{number}'; read code < '{fifos}/{number}'; exit $code"
    return Job(Attempt(number, 1), ("/bin/sh", "-c", script), "/", {})


def main(state: str, fifos: str, count: str) -> None:
    executor = LocalExecutor(state)
    executor.submit([make_job(Path(fifos), number) for number in range(1, int(count) + 1)])
    running: set[Attempt] = set()
    while True:
        select.select([executor.fileno()], [], [])
        reports = [one for one in executor.poll() if isinstance(one, Began)]
        if reports:
            running |= {one.attempt for one in reports}
            print(len(running), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
