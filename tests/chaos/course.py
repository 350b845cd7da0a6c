"""One course of chaos: blow after blow on real daemons, then rest until nothing is left to do, then the evidence."""

import heapq
import itertools
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sensord.store.database import Database
from tests.chaos import actors
from tests.chaos.actors import Actor, Store, micros
from tests.chaos.blows import Blow, Kind
from tests.chaos.evidence import Evidence, Span, collect
from tests.chaos.files import Files
from tests.chaos.warehouse import write_job
from tests.e2e.site import Site

GRID = 30
"""All flows tick together each so many seconds: they begin then, so that the first runs find what they wait for."""

REST = 180.0
"""Seconds for all that is left to be done; only a course that hangs takes as long."""

STEP = 0.02


class Course:
    """Runs daemons (one on SQLite) on one store, and workers for all runs if there are any. What it has done is in
    `evidence` and `done`."""

    def __init__(self, folder: Path, store: Store, seconds: float, daemons: int, workers: int = 0) -> None:
        self.done: Counter[str] = Counter()
        self.evidence = Evidence(store.url, [])
        self._store = store
        self._seconds = seconds
        begin = int(time.time()) // GRID * GRID
        self.evidence.begin, self.evidence.end = begin, int(time.time() + seconds)
        site = Site(folder, store.url)
        _set_up(site, bool(workers))
        write_job(site.work)
        self._files = Files(site, _toml(begin), _toml(self.evidence.end))
        sites = [site] + [site.beside(f"host{number}") for number in range(1, daemons)]
        for one in sites[1:]:
            _set_up(one, bool(workers))
        self.actors = [Actor(one, folder / f"daemon{number}.log") for number, one in enumerate(sites)]
        self._workers = [Actor(site, folder / f"worker{number}.log", f"w{number}") for number in range(workers)]
        self._work = site.work
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()

    def run(self, blows: Sequence[Blow]) -> Evidence:
        try:
            self._begin()
            self._strike(blows)
            self._rest()
            self._leave()
        finally:
            for actor in self.actors:
                actor.close()
            while self._agenda:
                heapq.heappop(self._agenda)[2]()
        self._gather()
        return self.evidence

    def _begin(self) -> None:
        """Until a daemon leads: by then there are tables."""
        give_up_at = time.monotonic() + REST
        while not any(b" leads: " in actor.log.read_bytes() for actor in self.actors if actor.lives):
            assert time.monotonic() < give_up_at, "no daemon leads"
            self._step()
        self.actors += self._workers

    def _strike(self, blows: Sequence[Blow]) -> None:
        began = time.monotonic()
        for blow in blows:
            self._plan(began + blow.at, lambda blow=blow: self._deal(blow))  # type: ignore[misc]  # mypy cannot infer a default's type
        while self._agenda or time.monotonic() < began + self._seconds:
            self._step()

    def _rest(self) -> None:
        """Nothing strikes any more: every run comes to its end."""
        give_up_at = time.monotonic() + REST
        with Database.open(self._store.url) as db:
            while time.time() <= self.evidence.end or (left := _unfinished(db)):
                assert time.monotonic() < give_up_at, f"runs that do not end: {left}"
                self._step()
                time.sleep(0.2)

    def _leave(self) -> None:
        for actor in self.actors:
            if process := actor.drain():
                # One that is just starting knows of no signals yet.
                assert process.wait(60) in (0, -signal.SIGTERM), f"ended with {process.returncode}: see {actor.log}"

    def _step(self) -> None:
        for actor in self.actors:
            actor.look()
        while self._agenda and self._agenda[0][0] <= time.monotonic():
            heapq.heappop(self._agenda)[2]()
        time.sleep(STEP)

    def _plan(self, at: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at, next(self._number), act))

    def _deal(self, blow: Blow) -> None:
        began_at = micros()
        undo = self._do(blow)
        if undo is None:
            return
        self.done[blow.kind] += 1
        span = Span(blow.kind, began_at, None, self._name(blow))
        self.evidence.spans.append(span)

        def end() -> None:
            undo()
            span.end_at = micros()

        if blow.lasts:
            self._plan(time.monotonic() + blow.lasts, end)
        else:
            end()

    def _do(self, blow: Blow) -> Callable[[], None] | None:
        """Deal it; returns what ends it, None where there was nobody to deal it to."""
        actor = self._whom(blow)
        match blow.kind:
            case Kind.KILL_DAEMON:
                return _nothing if actor.end(signal.SIGKILL, away=blow.lasts) else None
            case Kind.END_DAEMON:
                return _nothing if actor.end(signal.SIGTERM, signal.SIGTERM, away=blow.lasts) else None
            case Kind.STOP_DAEMON:
                return actor.freeze()
            case Kind.KILL_KEEPER:
                return actors.strike_keeper(actor, signal.SIGKILL)
            case Kind.STOP_KEEPER:
                return actors.strike_keeper(actor, signal.SIGSTOP)
            case Kind.DATABASE_AWAY:
                return None if self._is_on(Kind.DATABASE_AWAY) else self._store.leave()
            case Kind.EDIT:
                self._files.edit(blow.whom)
                return _nothing
            case Kind.BREAK:
                return self._files.break_one(blow.whom)
            case Kind.RENAME:
                return None if self._is_on(Kind.RENAME) else self._files.rename()
            case Kind.BREAK_SETTINGS:
                return self._files.break_settings()

    def _is_on(self, kind: Kind) -> bool:
        return any(span.kind == kind and span.end_at is None for span in self.evidence.spans)

    def _whom(self, blow: Blow) -> Actor:
        return self.actors[blow.whom % len(self.actors)]

    def _name(self, blow: Blow) -> str:
        return self._whom(blow).log.stem

    def _gather(self) -> None:
        self.evidence.falls = [fall for actor in self.actors for fall in actor.falls]
        self.evidence.lives = sum(actor.lives for actor in self.actors)
        collect(self.evidence, self._work, {actor.log.stem: actor.log for actor in self.actors})


def _set_up(site: Site, has_workers: bool) -> None:
    settings = site.config / "sensord.toml"
    carried = 'executor = "procrastinate"\nqueue = "etl"\n' if has_workers else ""
    settings.write_text(f'{settings.read_text()}slots = 12\nretire_after = "4s"\n{carried}')


def _toml(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unfinished(db: Database) -> list[tuple[Any, ...]]:
    return db.fetch(
        "SELECT f.name, r.logical_date, r.state FROM run r JOIN flow f ON f.id = r.flow_id WHERE r.state < 6"
    )


def _nothing() -> None:
    """What was killed is started again by itself."""
