"""Logs go to the database as they grow: the last part of each, whatever is repeated."""

from pathlib import Path

import pytest

from sensord.executors.base import Attempt
from sensord.executors.folders import log_of
from sensord.store import logs
from sensord.store.database import Database
from sensord.worker.shipping import EVERY_SECONDS, KEPT, PIECE, Shipper

FIRST, SECOND = Attempt(1, 1), Attempt(2, 3)


@pytest.fixture
def dialect() -> str:
    return "postgresql"


class Machine:
    """A worker's folder, with the clock in the test's hands."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.folder, self.seconds = db, folder, 0.0
        self.shipper = Shipper(folder, lambda: self.seconds)

    def write(self, attempt: Attempt, data: bytes) -> None:
        path = self.folder / log_of(attempt.run_id, attempt.number)
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            file.write(data)

    def ship(self, *attempts: Attempt) -> None:
        self.seconds += EVERY_SECONDS
        self.shipper.ship(self.db, set(attempts))

    def finish(self, *attempts: Attempt) -> None:
        with self.db.transaction() as tx:
            self.shipper.finish(tx, set(attempts))

    def shipped(self, attempt: Attempt) -> tuple[int, bytes]:
        """From which byte on, and what."""
        parts = logs.read(self.db, attempt.run_id, attempt.number)
        return (parts[0].start if parts else 0), b"".join(part.data for part in parts)


@pytest.fixture
def machine(db: Database, tmp_path: Path) -> Machine:
    return Machine(db, tmp_path)


def test_what_is_written_is_there_as_it_grows(machine: Machine) -> None:
    machine.write(FIRST, b"one\n")
    machine.ship(FIRST, SECOND)
    assert machine.shipped(FIRST) == (0, b"one\n")

    machine.write(FIRST, b"two \0\xff\n")
    machine.write(SECOND, b"other")
    machine.ship(FIRST, SECOND)

    assert machine.shipped(FIRST) == (0, b"one\ntwo \0\xff\n")
    assert machine.shipped(SECOND) == (0, b"other")


def test_the_end_brings_the_rest_and_may_be_repeated(machine: Machine) -> None:
    machine.write(FIRST, b"one\n")
    machine.ship(FIRST)
    machine.write(FIRST, b"two\n")

    machine.finish(FIRST)
    machine.finish(FIRST)

    assert machine.shipped(FIRST) == (0, b"one\ntwo\n")


def test_of_a_long_log_the_last_part_is_kept(machine: Machine) -> None:
    for number in range(20):
        machine.write(FIRST, bytes([65 + number]) * (2 * PIECE))
        machine.ship(FIRST)

    start, data = machine.shipped(FIRST)

    whole = b"".join(bytes([65 + number]) * (2 * PIECE) for number in range(20))
    assert data == whole[start:]
    assert KEPT <= len(data) <= KEPT + PIECE


def test_what_was_written_in_one_go_is_not_sent_in_vain(machine: Machine) -> None:
    machine.write(FIRST, b"a" * (3 * KEPT) + b"end")

    machine.finish(FIRST)

    start, data = machine.shipped(FIRST)
    assert (start, len(data), data[-4:]) == (2 * KEPT + 3, KEPT, b"aend")


def test_a_read_goes_on_in_the_middle_of_a_part(machine: Machine) -> None:
    machine.write(FIRST, b"0123456789")
    machine.finish(FIRST)

    [part] = logs.read(machine.db, 1, 1, 4)

    assert (part.start, part.data) == (4, b"456789")
    assert logs.read(machine.db, 1, 1, 10) == []


def test_nothing_costs_nothing(machine: Machine) -> None:
    machine.write(FIRST, b"one\n")
    machine.ship(FIRST)
    statements = machine.db.statements

    machine.ship(FIRST)
    machine.shipper.ship(machine.db, set())
    machine.write(FIRST, b"two\n")
    machine.shipper.ship(machine.db, {FIRST})

    assert machine.db.statements == statements


def test_what_never_had_a_log_is_passed_over(machine: Machine) -> None:
    machine.ship(FIRST)
    machine.finish(FIRST)

    assert machine.shipped(FIRST) == (0, b"")
