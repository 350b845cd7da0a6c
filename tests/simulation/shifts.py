"""Plays the course of a seed with two workers. In a mild play the books have to be those of one daemon on SQLite that
runs everything itself, and that nothing happens to; a harsh one has to pass all audits, and to come to an end.
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
from tests.simulation.course import Course
from tests.simulation.crashes import Faults
from tests.simulation.duets import BRIEF
from tests.simulation.hand import Hand
from tests.simulation.plays import LEASE, Played, Tally, Theatre, differing, events_of
from tests.simulation.works import Works
from tests.support.databases import make_empty

DAEMONS = (("here",), ("here", "here"), ("here", "there"))
CHANCES = (0.005, 0.02, 0.04)


def prove_mild(theatre: Theatre, url: str, folder: Path, seed: int) -> Tally:
    """AssertionError where the course of a seed comes to something else with workers."""
    expected = theatre.play(seed, Faults(), stepwise=True, limits=False, workers=True)
    return _prove(url, folder, seed, expected)


def prove_harsh(url: str, folder: Path, seed: int) -> Tally:
    """AssertionError where the books are wrong, or something never ends."""
    return _prove(url, folder, seed, None)


def _prove(url: str, folder: Path, seed: int, expected: Played | None) -> Tally:
    random, hand = Random(f"works {seed}"), None
    daemons, chance = random.choice(DAEMONS), random.choice(CHANCES)
    try:
        with _stage(url, folder, daemons, seed, chance, harsh=expected is None) as stage:
            hand = stage.hand
            course = Course(stage, seed, haste=0.0, limits=expected is None, workers=True)
            stage.world.slots = 1_000
            found = Played(course.play(), course.deeds)
            if expected:
                differences = list(differing(expected.books, found.books))
                assert not differences, "\n".join(differences)
            started = Counter(found.books["started"])
            assert max(started.values(), default=1) == 1, f"started twice: {started.most_common(1)}"
    except BaseException as error:
        seeds = "WORKS_SEEDS" if expected else "HARSH_SEEDS"
        error.add_note(f"replay: {seeds}={seed}-{seed} make test ARGS=tests/simulation/test_works.py")
        error.add_note(f"daemons {daemons}; blows and terms: {hand.journal if hand else None}")
        raise
    events = events_of(found) + hand.events
    events["the lead was taken"] += hand.takings
    events["a wake-up was lost"] += stage.post.lost
    return Tally(1, len(found.books["outcomes"]), hand.blows, events)


@contextmanager
def _stage(
    url: str, folder: Path, daemons: tuple[str, ...], seed: int, chance: float, *, harsh: bool
) -> Iterator[Works]:
    make_empty(url)
    config = folder / f"works{next(_NUMBERS)}"
    hand = Hand(url)
    try:
        with patch.object(lead_row, "LEASE", LEASE), patch.dict(vars(bounds), BRIEF):
            stage = Works(hand, url, config, daemons, seed, chance, harsh=harsh)
            try:
                yield stage
            finally:
                stage.close()
    finally:
        hand.close()
        shutil.rmtree(config, ignore_errors=True)


_NUMBERS = count(1)
