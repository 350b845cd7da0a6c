"""The daemon within this process, on an executor whose commands are over at once: what its own work costs."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.databases import Place
from bench.site import Site
from sensord.clock import Clock, SystemClock
from sensord.config import Config, load
from sensord.daemon.daemon import Daemon
from sensord.daemon.dispatch import Place as Where
from sensord.executors.base import Attempt, Began, Ended, Forgotten, Job, News
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead


class NoopExecutor:
    """Takes commands and starts none: each begins and ends with success at the moment of its submission."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._news: list[News] = []

    def submit(self, jobs: Sequence[Job]) -> None:
        now = self._clock.now()
        for job in jobs:
            self._news += [Began(job.attempt, 1, now), Ended(job.attempt, now, exit_code=0)]

    def adopt(self, attempts: Sequence[Attempt]) -> None:
        self._news += [Ended(attempt, self._clock.now(), exit_code=0) for attempt in attempts]

    def poll(self) -> list[News]:
        news, self._news = self._news, []
        return news

    def fileno(self) -> int:
        raise NotImplementedError("nobody waits for what is over at once")

    def kill(self, attempt: Attempt, signal: int) -> None:
        """It has ended."""

    def forget(self, run_ids: Sequence[int]) -> None:
        self._news.append(Forgotten(tuple(run_ids)))

    def close(self) -> None:
        """There is nothing to let go of."""


@contextmanager
def daemon_on(place: Place, site: Site, *, slots: int = 1000, clock: Clock | None = None) -> Iterator[Daemon]:
    """It leads, and has taken in the config folder."""
    clock = clock or SystemClock()
    with place.open() as db:
        lead = Lead.take(db, Holder("bench", os.getpid(), "bench"))
        try:
            daemon = _make(db, lead, site, clock, slots)
            daemon.adopt()
            daemon.reload()
            yield daemon
        finally:
            lead.release()


def _make(db: Database, lead: Lead, site: Site, clock: Clock, slots: int) -> Daemon:
    last: list[Config] = []

    def read(known: object) -> Config:
        config = load(site.config, last[-1] if last else None, known)  # type: ignore[arg-type] # as the daemon calls it
        last[:] = [config]
        return config

    where = Where("bench", "bench", "bench", site.config, {"PATH": os.environ["PATH"]})
    return Daemon(db, lead, NoopExecutor(clock), clock, read_config=read, place=where, slots=slots)
