"""What the tests of executors share: waiting for reports, letting commands wait for a word, waiting for a process.

Nothing here sleeps: it waits on descriptors, and gives up long after anything should have happened.
"""

import os
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from sensord.executors.base import Attempt, Began, Ended, Executor, Forgotten, Job, News, Report

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which a test fails rather than hangs."""


class Watch:
    """Plays the daemon: hands commands to an executor and collects what is reported."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.reports: list[Report] = []
        self.forgotten: list[Forgotten] = []
        self.seen: set[Attempt] = set()

    def submit(self, *jobs: Job) -> None:
        self.seen |= {job.attempt for job in jobs}
        self.executor.submit(jobs)

    def adopt(self, *attempts: Attempt) -> None:
        self.seen |= set(attempts)
        self.executor.adopt(attempts)

    def wait_began(self, attempt: Attempt) -> Began:
        return self.wait(lambda: next((one for one in self.began(attempt)), None))

    def wait_ended(self, attempt: Attempt) -> Ended:
        return self.wait(lambda: next((one for one in self.ended(attempt)), None))

    def wait_all_ended(self, attempts: Sequence[Attempt]) -> dict[Attempt, Ended]:
        return {attempt: self.wait_ended(attempt) for attempt in attempts}

    def wait(self, find: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + PATIENCE
        poller = select.poll()
        poller.register(self.executor.fileno(), select.POLLIN)
        while True:
            self._note(self.executor.poll())
            found = find()
            if found is not None:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                pytest.fail(f"nothing more came after {self.reports}")
            poller.poll(left * 1000)

    def wait_forgotten(self, *run_ids: int) -> set[int]:
        """Until there is an answer for each of these; returns those that were kept."""
        self.wait(lambda: self.answered >= set(run_ids) or None)
        return {run_id for one in self.forgotten for run_id in one.kept}

    @property
    def answered(self) -> set[int]:
        return {run_id for one in self.forgotten for run_id in (*one.run_ids, *one.kept)}

    def _note(self, news: Sequence[News]) -> None:
        self.reports += [one for one in news if not isinstance(one, Forgotten)]
        self.forgotten += [one for one in news if isinstance(one, Forgotten)]

    def began(self, attempt: Attempt) -> list[Began]:
        return [one for one in self.reports if isinstance(one, Began) and one.attempt == attempt]

    def ended(self, attempt: Attempt) -> list[Ended]:
        return [one for one in self.reports if isinstance(one, Ended) and one.attempt == attempt]

    def forget(self) -> None:
        """As if nothing had been reported so far."""
        self.reports.clear()


class Gate:
    """A fifo at which a command waits for its exit code."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._fd = os.open(path, os.O_RDWR)

    def job(self, attempt: Attempt, *, first: str = ":") -> Job:
        """Runs `first`, then waits, then ends as it is told."""
        return shell(attempt, f"{first}; read code < '{self.path}'; exit $code")

    def let_end(self, code: int = 0) -> None:
        os.write(self._fd, f"{code}\n".encode())

    def close(self) -> None:
        os.close(self._fd)


def shell(attempt: Attempt, script: str, **env: str) -> Job:
    return Job(attempt, ("/bin/sh", "-c", script), "/", env)


def wait_gone(pid: int) -> None:
    """Until the process, which need not be our child, has ended."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        wait_readable(pidfd)
    finally:
        os.close(pidfd)


def wait_readable(fd: int) -> None:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    if not poller.poll(PATIENCE * 1000):
        pytest.fail("waited in vain")


def is_waiting(fd: int) -> bool:
    """Whether there is something to read now."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))
