"""The plays with workers find out who does not do as they should: here faults are planted, one at a time."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from sensord.daemon.away import Away
from sensord.store import carrier, runs
from sensord.store.carrier import Carried
from sensord.store.database import Database, Transaction
from tests.simulation.plays import Theatre
from tests.simulation.shifts import prove_harsh, prove_mild

LAST = 100
Plant = Callable[[pytest.MonkeyPatch, str], None]


def play_all(play: Callable[[int], object], first: int = 1) -> None:
    """first: the seed of a course in which there is what it takes, where that is rare."""
    for seed in range(first, LAST + 1):
        play(seed)


@pytest.fixture
def theatre(sqlite_template: Path, tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre.on_sqlite(sqlite_template, tmp_path)
    yield theatre
    theatre.close()


def claims_whatever_there_is_a_job_for(patch: pytest.MonkeyPatch, _: str) -> None:
    claim = carrier.CLAIM.replace("AND run.attempt = x.number AND run.state + 0 = 3", "")
    patch.setattr(carrier, "CLAIM", claim.replace("AND attempt.station IS NULL", ""))


def reports_over_what_was_written_down(patch: pytest.MonkeyPatch, _: str) -> None:
    update = "DO UPDATE SET problem = excluded.problem, exit_code = excluded.exit_code, message = excluded.message"
    patch.setattr(runs, "OUTCOME", runs.OUTCOME.replace("DO NOTHING", update))


def enqueues_by_itself(patch: pytest.MonkeyPatch, url: str) -> None:
    def enqueue(tx: Transaction, attempts: Sequence[Carried], now: int) -> None:
        tx.run(carrier.SUBMIT, attempts=attempts, now=now)
        with Database.open(url) as db:
            db.fetch(carrier.DEFER, attempts=attempts)

    patch.setattr(carrier, "enqueue", enqueue)


@pytest.mark.parametrize(
    ("plant", "words", "first"),
    [
        (claims_whatever_there_is_a_job_for, "started after", 42),
        (reports_over_what_was_written_down, "had ended", 1),
        (enqueues_by_itself, "enqueued", 10),
    ],
)
def test_a_fault_is_found_out(
    postgres_migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant, words: str, first: int
) -> None:
    plant(monkeypatch, postgres_migrated)

    with pytest.raises(AssertionError, match=words):
        play_all(lambda seed: prove_harsh(postgres_migrated, tmp_path, seed), first)


def test_a_leader_that_does_not_hear_of_which_attempts_there_is_news_is_found_out(
    theatre: Theatre, postgres_migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = Away.news
    monkeypatch.setattr(Away, "news", lambda self, db, now, told=None: news(self, db, now, told and frozenset()))

    with pytest.raises(AssertionError, match=r"expected .* got"):
        play_all(lambda seed: prove_mild(theatre, postgres_migrated, tmp_path, seed))
