"""The files of attempts: who takes one has it, and what a torn line, a neighbour or a deletion leaves of a record."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from sensord.core.instant import EPOCH
from sensord.executors.base import Attempt, Ended
from sensord.executors.ledger import Ledger
from sensord.executors.processes import Process

FIRST, SECOND, NEIGHBOUR, FAR = Attempt(1, 1), Attempt(1, 2), Attempt(11, 1), Attempt(250, 1)
AT = EPOCH + timedelta(days=20_000)
KEEPER, COMMAND = Process(7, 70), Process(8, 80)


@pytest.fixture
def ledger(folder: int) -> Ledger:
    return Ledger(folder)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def take(ledger: Ledger, *attempts: Attempt) -> None:
    for attempt in attempts:
        fd = ledger.take(attempt)
        assert fd is not None
        os.close(fd)
        ledger.write_taker(attempt, "now", KEEPER)


def end(attempt: Attempt, code: int = 0) -> Ended:
    return Ended(attempt, AT, exit_code=code)


def names(runs: Path) -> set[str]:
    return {str(path.relative_to(runs)) for path in runs.rglob("*") if path.is_file()}


def test_an_attempt_is_taken_once_and_others_are_free(ledger: Ledger, runs: Path) -> None:
    take(ledger, FIRST)

    assert ledger.take(FIRST) is None
    take(ledger, SECOND, NEIGHBOUR, FAR)
    assert names(runs) == {"0/1.1.log", "0/1.2.log", "0/11.1.log", "0/record", "2/250.1.log", "2/record"}


def test_what_is_written_of_an_attempt_is_read_of_no_other(ledger: Ledger) -> None:
    take(ledger, FIRST, SECOND, NEIGHBOUR)
    ledger.write_process(FIRST, COMMAND, AT)
    ledger.write_end(end(NEIGHBOUR, 5))

    taken = ledger.read(FIRST)
    assert taken
    assert (taken.boot, taken.keeper, taken.process, taken.began_at) == ("now", KEEPER, COMMAND, AT)
    assert ledger.read_end(FIRST) is None
    assert ledger.read_end(NEIGHBOUR) == end(NEIGHBOUR, 5)
    other = ledger.read(SECOND)
    assert other
    assert other.process is None
    assert ledger.read(FAR) is None


def test_of_two_ends_the_first_counts(ledger: Ledger) -> None:
    take(ledger, FIRST)
    ledger.write_end(end(FIRST, 1))
    ledger.write_end(end(FIRST, 2))

    assert ledger.read_end(FIRST) == end(FIRST, 1)


@pytest.mark.parametrize("cut", range(2, 42, 4))
def test_a_torn_line_hurts_neither_the_line_before_nor_the_one_behind(ledger: Ledger, runs: Path, cut: int) -> None:
    take(ledger, FIRST, NEIGHBOUR)
    ledger.write_end(end(FIRST))
    record = runs / "0/record"
    os.truncate(record, record.stat().st_size - cut)

    assert ledger.read_end(FIRST) is None
    ledger.write_end(end(NEIGHBOUR, 3))
    ledger.write_end(end(FIRST, 4))

    assert ledger.read_end(NEIGHBOUR) == end(NEIGHBOUR, 3)
    assert ledger.read_end(FIRST) == end(FIRST, 4)
    taken = ledger.read(NEIGHBOUR)
    assert taken
    assert taken.keeper == KEEPER


def test_words_of_a_command_cannot_pass_for_a_line(ledger: Ledger) -> None:
    take(ledger, FIRST, NEIGHBOUR)
    ledger.write_end(Ended(FIRST, AT, problem="not_started", message='x\n11.1 ended {"at": 1}\n'))

    assert ledger.read_end(NEIGHBOUR) is None


def test_forgetting_a_run_leaves_its_neighbours(ledger: Ledger, runs: Path) -> None:
    take(ledger, FIRST, SECOND, NEIGHBOUR)
    ledger.write_end(end(FIRST))
    ledger.write_end(end(NEIGHBOUR, 5))

    ledger.forget(1)

    assert names(runs) == {"0/11.1.log", "0/record"}
    assert (ledger.read(FIRST), ledger.read_end(FIRST)) == (None, None)
    assert ledger.read_end(NEIGHBOUR) == end(NEIGHBOUR, 5)


def test_what_is_taken_after_it_was_forgotten_begins_anew(ledger: Ledger) -> None:
    take(ledger, FIRST, NEIGHBOUR)
    ledger.write_process(FIRST, COMMAND, AT)
    ledger.write_end(end(FIRST))
    ledger.forget(1)

    take(ledger, FIRST)

    taken = ledger.read(FIRST)
    assert taken
    assert (taken.keeper, taken.process) == (KEEPER, None)
    assert ledger.read_end(FIRST) is None


def test_nothing_is_left_once_all_runs_of_a_folder_are_forgotten(ledger: Ledger, runs: Path) -> None:
    take(ledger, FIRST, NEIGHBOUR)
    for run_id in (1, 11, 12, 300):
        ledger.forget(run_id)

    assert list(runs.iterdir()) == []
    take(ledger, FIRST)
    assert ledger.read(FIRST)


def test_a_record_that_another_keeper_removed_is_begun_anew(ledger: Ledger, folder: int) -> None:
    take(ledger, FIRST)
    Ledger(folder).forget(1)

    take(ledger, NEIGHBOUR)

    taken = Ledger(folder).read(NEIGHBOUR)
    assert taken
    assert taken.keeper == KEEPER
