"""The test's own hand in a play of several daemons: over a connection of its own it moves the lease's time on, ends
server processes, and looks after every commit whether who decides is the one who leads.
"""

from collections import Counter
from itertools import count
from typing import Any

from sensord.store.postgres import PostgresDatabase
from tests.simulation.crashes import Point


class Hand:
    """`journal` tells all blows in their order; `takings` counts how often the lead was taken."""

    def __init__(self, url: str) -> None:
        self.db = PostgresDatabase(url, durability="normal", readonly=False)
        self.url = url
        self.journal: list[str] = []
        self.blows: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.takings = 0
        self._seconds = 0.0
        self._pids = count(1)

    def next_pid(self) -> int:
        return next(self._pids)

    def note(self, station: str, blow: Any, point: Point) -> None:
        self.blows[f"{blow} {point}"] += 1
        self.journal.append(f"{station} {blow} {point}")

    def note_taking(self, term: int) -> None:
        self.takings += 1
        self.journal.append(f"term {term}")

    def prove_term(self, term: int) -> None:
        """Called after a commit of a leader, before anything else can happen."""
        ((current,),) = self.db.fetch("SELECT term FROM leader")
        assert term == current, f"who led in term {term} has decided something in term {current}"

    def expire(self, pid: int) -> None:
        """The lease of this daemon is over, if it leads."""
        self.db.run("UPDATE leader SET expires_at = 0 WHERE pid = :pid", pid=pid)

    def seconds(self) -> float:
        """As nobody's clock has it but those that say how long ago something was."""
        return self._seconds

    def wait(self, seconds: float) -> None:
        """So much time passes for all, the server among them, but not by the wall's clock."""
        self._seconds += seconds
        self.db.run("UPDATE worker SET beat_at = beat_at - :ago", ago=round(seconds * 1_000_000))

    def silence(self, station: str, seconds: float) -> None:
        """This worker has not been heard of for so much longer."""
        ago = round(seconds * 1_000_000)
        self.db.run("UPDATE worker SET beat_at = beat_at - :ago WHERE station = :station", station=station, ago=ago)

    def terminate(self, backend: int) -> None:
        """The server process is gone on return."""
        self.db.fetch("SELECT pg_terminate_backend(CAST(:pid AS integer))", pid=backend)
        while self.db.fetch("SELECT 1 FROM pg_stat_get_activity(CAST(:pid AS integer))", pid=backend):
            self.db.fetch("SELECT pg_sleep(0.001)")  # by itself the server would look every 100 ms

    def close(self) -> None:
        self.db.close()
