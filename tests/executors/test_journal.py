"""The journal brings back what a power cut took from the disk: here the cut is played by deleting files."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from sensord.core.instant import EPOCH
from sensord.executors.base import Attempt, Ended
from sensord.executors.journal import Journal, ended_line, forgotten_line, taken_line
from sensord.executors.ledger import Ledger
from sensord.executors.processes import Process
from tests.executors.conftest import OpenLocal
from tests.executors.test_deaths import kill_keeper
from tests.executors.watch import shell

FIRST, SECOND = Attempt(1, 1), Attempt(2, 5)
END = Ended(SECOND, EPOCH + timedelta(days=20_000, microseconds=1), exit_code=3)


@pytest.fixture
def runs(tmp_path: Path, folder: int) -> Path:
    assert folder
    return tmp_path / "runs"


@contextmanager
def journal_of(folder: int, boot: str, limit: int = 1 << 20) -> Iterator[Journal]:
    with closing(Journal(folder, boot, limit=limit)) as journal:
        yield journal


def test_the_first_keeper_after_a_boot_restores_what_was_taken_and_what_had_ended(folder: int) -> None:
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(FIRST), taken_line(SECOND), ended_line(END)])

    with journal_of(folder, "two"):
        ledger = Ledger(folder)

    assert ledger.take(FIRST) is None
    assert ledger.read_end(FIRST) is None
    assert ledger.take(SECOND) is None
    assert ledger.read_end(SECOND) == END


def test_what_was_forgotten_does_not_come_back_and_goes_again(folder: int, runs: Path) -> None:
    ledger = Ledger(folder)
    ledger.take(FIRST)
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(FIRST), taken_line(SECOND), ended_line(END)])
        journal.append([forgotten_line(1), forgotten_line(2)])

    with journal_of(folder, "two"):
        pass

    assert not (runs / "0").exists()


def test_what_was_taken_after_its_run_was_forgotten_is_kept(folder: int, runs: Path) -> None:
    ledger = Ledger(folder)
    later = Attempt(2, 6)
    ledger.take(later)
    (runs / "0/2.6.log").write_text("words")
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(SECOND), ended_line(END), forgotten_line(2), taken_line(later)])

    with journal_of(folder, "two"):
        pass

    assert (runs / "0/2.6.log").read_text() == "words"
    assert not (runs / "0/2.5.log").exists()


def test_within_a_boot_the_files_are_the_truth(folder: int, runs: Path) -> None:
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(FIRST)])

    with journal_of(folder, "one"):
        pass

    assert not (runs / "0").exists()


def test_what_came_before_a_keeper_was_replaced_is_still_in_it(folder: int) -> None:
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(FIRST)])
    with journal_of(folder, "one") as journal:
        journal.append([ended_line(END)])

    with journal_of(folder, "two"):
        ledger = Ledger(folder)

    assert ledger.take(FIRST) is None
    assert ledger.read_end(SECOND) == END


def test_it_changes_nothing_that_the_disk_has_kept(folder: int, runs: Path) -> None:
    ledger = Ledger(folder)
    fd = ledger.take(SECOND)
    assert fd
    os.write(fd, b"words\n")
    os.close(fd)
    ledger.write_taker(SECOND, "one", Process(7, 8))
    ledger.write_end(END)
    before = (runs / "0/record").read_bytes()
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(SECOND), ended_line(END)])

    with journal_of(folder, "two"):
        pass

    assert (runs / "0/2.5.log").read_bytes() == b"words\n"
    assert (runs / "0/record").read_bytes() == before


@pytest.mark.parametrize("rest", [b"", b'\n2.5 ended {"at": 1', b"\n2.5 end", b"\0\0\0\0", b"\n2.5 ended {}\n"])
def test_it_mends_an_end_that_the_disk_kept_in_part(folder: int, runs: Path, rest: bytes) -> None:
    ledger = Ledger(folder)
    ledger.take(SECOND)
    (runs / "0/record").write_bytes(rest)
    with journal_of(folder, "one") as journal:
        journal.append([ended_line(END)])

    with journal_of(folder, "two"):
        pass

    assert ledger.read_end(SECOND) == END


@pytest.mark.parametrize("cut", range(1, 45, 3))
def test_a_torn_tail_hurts_nothing_before_or_behind_it(folder: int, runs: Path, cut: int) -> None:
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(FIRST)])
        journal.append([ended_line(END)])
    whole = (runs / "journal").read_bytes()
    (runs / "journal").write_bytes(whole[:-cut] + b"\0" * (cut % 2))
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(Attempt(3, 1))])

    with journal_of(folder, "two"):
        ledger = Ledger(folder)

    assert ledger.take(FIRST) is None
    assert ledger.take(Attempt(3, 1)) is None
    assert ledger.read_end(SECOND) is None
    assert {path.name for path in runs.rglob("*.log")} == {"1.1.log", "3.1.log"}


def test_it_begins_anew_before_it_grows_without_end(folder: int, runs: Path) -> None:
    with journal_of(folder, "one", limit=500) as journal:
        for run_id in range(100):
            journal.append([taken_line(Attempt(run_id, 1))])
            journal.sync()
            journal.wait_for_flush()

    assert (runs / "journal").stat().st_size < 2000
    assert not (runs / "journal.old").exists()


def test_an_old_one_is_synced_before_another_one_is_begun(
    folder: int, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the new one may stand on what is in the old one."""
    synced: list[int] = []
    fdatasync = os.fdatasync

    def note_and_sync(fd: int) -> None:
        fdatasync(fd)
        synced.append(os.fstat(fd).st_ino)

    monkeypatch.setattr(os, "fdatasync", note_and_sync)
    with journal_of(folder, "one", limit=200) as journal:
        before = (runs / "journal").stat().st_ino
        for run_id in range(20):
            journal.append([taken_line(Attempt(run_id, 1))])
        assert (runs / "journal").stat().st_ino == before

        journal.sync()

        assert (runs / "journal").stat().st_ino != before
        assert synced == [before]


def test_an_old_one_counts_until_the_disk_has_what_it_speaks_of(folder: int, runs: Path) -> None:
    with journal_of(folder, "one") as journal:
        journal.append([taken_line(FIRST)])
    (runs / "journal").rename(runs / "journal.old")
    with journal_of(folder, "two") as journal:
        journal.append([taken_line(SECOND)])

    ledger = Ledger(folder)
    assert ledger.take(FIRST) is None
    assert not (runs / "journal.old").exists()
    assert ledger.take(SECOND) is not None


def test_after_a_power_cut_nothing_is_started_twice_and_no_end_forgotten(
    open_local: OpenLocal, state: Path, tmp_path: Path
) -> None:
    before = open_local(boot_id="one")
    before.submit(shell(FIRST, "exit 6"), shell(SECOND, "exit 0"))
    ended = before.wait_all_ended([FIRST, SECOND])
    kill_keeper(before)
    before.executor.close()
    (state / "runs/0/1.1.log").unlink()
    (state / "runs/0/record").unlink()

    after = open_local(boot_id="two")
    after.submit(shell(FIRST, f"echo > '{tmp_path}/again'"))
    after.adopt(SECOND)

    assert after.wait_all_ended([FIRST, SECOND]) == ended
    assert not (tmp_path / "again").exists()
