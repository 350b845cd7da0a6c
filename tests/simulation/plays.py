"""Plays the course of a seed undisturbed and disturbed, one after the other on one database, and compares the books."""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from unittest.mock import patch

from sensord.core.run import BackfillState, State
from sensord.store import lead_row
from sensord.store.database import Database
from sensord.store.tables import METADATA
from tests.simulation.alone import Alone
from tests.simulation.course import Books, Course
from tests.simulation.crashes import Faults, calm
from tests.simulation.pruned import Pruned
from tests.support.databases import has_identity

LEASE = 3_600_000_000
"""Microseconds, of the server's own time: so that a lease is over when the test says so, and not before."""


@dataclass
class Tally:
    """What there was in many courses: faults by kind and point, and what became of runs and requests by their kinds."""

    courses: int = 0
    outcomes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.courses += other.courses
        self.outcomes += other.outcomes
        self.faults += other.faults
        self.events += other.events


@dataclass
class Played:
    books: Books
    deeds: Counter[str]


class Theatre:
    """Plays in one database, which need not survive a power cut, only the death of a process."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder, self._numbers = folder, count(1)
        self._db = Database.open(url, durability="normal")
        if self._db.dialect == "sqlite":
            self._db.fetch("PRAGMA synchronous = OFF")

    @classmethod
    def on_sqlite(cls, template: Path, folder: Path) -> "Theatre":
        """In a copy of a database with all tables."""
        return cls(f"sqlite://{shutil.copyfile(template, folder / 'sensord.db')}", folder)

    def play(
        self,
        seed: int,
        faults: Faults,
        *,
        stepwise: bool = False,
        limits: bool = True,
        workers: bool = False,
        prunes: bool = False,
    ) -> Played:
        """The course of a seed, with these faults. stepwise: as several daemons play it; workers: with flows for these;
        prunes: for days, of which little is kept.
        """
        config = self._folder / str(next(self._numbers))
        make_empty(self._db)
        stage = (Pruned if prunes else Alone)(self._db, config, faults, stepwise=stepwise)
        try:
            with patch.object(lead_row, "LEASE", LEASE):
                haste = 0.0 if stepwise or prunes else 0.2
                course = Course(stage, seed, haste=haste, limits=limits, workers=workers, prunes=prunes)
                books = course.play()
                return Played(books, course.deeds + stage.deeds if isinstance(stage, Pruned) else course.deeds)
        finally:
            stage.close()
            calm(self._db)
            shutil.rmtree(config)

    def close(self) -> None:
        self._db.close()


def make_empty(db: Database) -> None:
    """Nothing is left of an earlier play; the ids begin anew."""
    with db.transaction() as tx:
        for table in METADATA.sorted_tables:
            tx.run(f"DELETE FROM {table.name}")
            if db.dialect == "postgresql" and has_identity(table):
                tx.run(f"ALTER TABLE {table.name} ALTER id RESTART")
        if db.dialect == "sqlite":
            tx.run("DELETE FROM sqlite_sequence")


def prove(theatre: Theatre, seed: int) -> Tally:
    """AssertionError, with all faults and what differs, where the course of a seed comes to something else by them."""
    expected = theatre.play(seed, Faults())
    return compare(theatre, seed, expected, Faults.of(seed))


def prove_pruned(theatre: Theatre, seed: int) -> Tally:
    """As `prove`, where little is kept; and it has to be the right things."""
    expected = theatre.play(seed, Faults(), prunes=True)
    return compare(theatre, seed, expected, Faults.of(seed), prunes=True)


def prove_each_point(theatre: Theatre, seed: int) -> Tally:
    """As `prove`, once for each point of the course: killed there, and refused there."""
    quiet, tally = Faults(), Tally()
    expected = theatre.play(seed, quiet)
    for point in range(1, quiet.passed + 1):
        for refusals in (0.0, 1.0):
            tally.add(compare(theatre, seed, expected, Faults(at=point, refusals=refusals)))
    return tally


def compare(theatre: Theatre, seed: int, expected: Played, faults: Faults, *, prunes: bool = False) -> Tally:
    name, test = ("PRUNED", "test_pruned") if prunes else ("CRASH", "test_crashes")
    try:
        found = theatre.play(seed, faults, prunes=prunes)
        if prunes:  # a daemon that has just come looks a minute later for requests that are old
            expected.books["answers"] = found.books["answers"] = []
        assert not (differences := list(differing(expected.books, found.books))), "\n".join(differences)
    except BaseException as error:
        told = ", ".join(f"{one} ({one.number})" for one in faults.struck)
        error.add_note(f"replay: {name}_SEEDS={seed}-{seed} make test ARGS=tests/simulation/{test}.py")
        error.add_note(f"the daemon was, with the numbers of the points: {told}")
        raise
    return Tally(1, len(found.books["outcomes"]), Counter(map(str, faults.struck)), events_of(found))


def differing(expected: Books, found: Books) -> Iterable[str]:
    """The first lines that differ, of each of the books."""
    for topic, lines in expected.items():
        missing = [line for line in lines if line not in found[topic]]
        extra = [line for line in found[topic] if line not in lines]
        if missing or extra or len(lines) != len(found[topic]):
            yield f"{topic}: expected {missing[:3]}, got {extra[:3]}"


def events_of(played: Played) -> Counter[str]:
    """How often each kind of thing has happened."""
    books = played.books
    events = Counter(played.deeds)
    for kind, ok, _ in books["answers"]:
        events[f"asked: {kind}{'' if ok else ', refused'}"] += 1
    for _, _, _, state, _, attempt, reason, _, passed_over, _, _ in books["runs"]:
        events[f"a run is {State(state).label}{f' ({reason})' if reason else ''}"] += 1
        events["a run was tried again"] += attempt > 1
        events["a run passed something over"] += passed_over is not None
    for _, _, _, _, code, signal, problem in books["outcomes"]:
        events[f"ended: {problem or ('signal' if signal else f'exit {code}')}"] += 1
    for state, *_ in books["backfills"]:
        events[f"a backfill is {BackfillState(state).label}"] += 1
    return events
