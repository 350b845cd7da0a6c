"""Plays the course of a seed by two daemons on PostgreSQL that are struck at random, and compares the books with those
of one daemon on SQLite that nothing happens to.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from unittest.mock import patch

from sensord.store import bounds, lead_row
from sensord.store.bounds import Bounds
from tests.simulation.course import Course
from tests.simulation.crashes import Faults
from tests.simulation.hand import Hand
from tests.simulation.pair import Pair
from tests.simulation.plays import LEASE, Played, Tally, Theatre, differing, events_of
from tests.support.databases import make_empty

STATIONS = (("here", "here"), ("here", "there"))
CHANCES = (0.005, 0.02, 0.04)
BRIEF = {
    "ANYBODY": Bounds(lock=200, idle=300),
    "TAKER": Bounds(lock=200, idle=300),
    "LEADER": Bounds(lock=500, idle=60_000),
}
"""Who is stopped goes on when the test says so: the others wait for it in the server's time."""


def prove_pair(theatre: Theatre, url: str, folder: Path, seed: int) -> Tally:
    """AssertionError where the course of a seed comes to something else with two daemons."""
    random = Random(f"pair {seed}")
    stations, chance = random.choice(STATIONS), random.choice(CHANCES)
    limits = stations[0] == stations[1]
    expected = theatre.play(seed, Faults(), stepwise=True, limits=limits)
    hand = None
    try:
        with _stage(url, folder, stations, seed, chance) as stage:
            hand = stage.hand
            course = Course(stage, seed, haste=0.0, limits=limits)
            found = Played(course.play(), course.deeds)
            assert not (differences := list(differing(expected.books, found.books))), "\n".join(differences)
            started = Counter(found.books["started"])
            assert max(started.values(), default=1) == 1, f"started twice: {started.most_common(1)}"
    except BaseException as error:
        error.add_note(f"replay: PAIR_SEEDS={seed}-{seed} make test ARGS=tests/simulation/test_pair.py")
        error.add_note(f"stations {stations}; blows and terms: {hand.journal if hand else None}")
        raise
    events = events_of(found) + hand.events
    events["the lead was taken"] += hand.takings
    events["an attempt was submitted again"] += stage.repeats
    return Tally(1, len(found.books["outcomes"]), hand.blows, events)


@contextmanager
def _stage(url: str, folder: Path, stations: tuple[str, str], seed: int, chance: float) -> Iterator[Pair]:
    make_empty(url)
    config = folder / f"pair{next(_NUMBERS)}"
    hand = Hand(url)
    try:
        with patch.object(lead_row, "LEASE", LEASE), patch.dict(vars(bounds), BRIEF):
            stage = Pair(hand, config, stations, seed, chance)
            try:
                yield stage
            finally:
                stage.close()
    finally:
        hand.close()
        shutil.rmtree(config, ignore_errors=True)


_NUMBERS = count(1)
