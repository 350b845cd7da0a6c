"""When the disk takes no more: nothing starts that could not be recorded, and no end is told before it could."""

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sensord.clock import SystemClock
from sensord.executors import inquiry
from sensord.executors.base import Attempt, Began, Ended, Forgotten, Job, News
from sensord.executors.custody import AGAIN, Custody, Watcher
from sensord.executors.journal import Journal
from sensord.executors.ledger import Ledger
from sensord.executors.processes import Process, identify
from tests.executors.watch import is_waiting

FIRST = Attempt(1, 1)
JOB = Job(FIRST, ("/bin/true",), "/", {})


class Listener:
    """Somebody to tell."""

    is_open = True

    def send(self, line: bytes) -> None:
        raise AssertionError("the keeper sends, not the custody")


class Disk:
    """Fills up and is cleared."""

    def __init__(self) -> None:
        self.is_full = False

    def fill(self, write: Callable[..., object]) -> Callable[..., object]:
        def write_or_fail(*arguments: object, **options: object) -> object:
            if self.is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(*arguments, **options)

        return write_or_fail


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def custody(folder: int, log: list[str]) -> Custody:
    journal = Journal(folder, "now")
    return Custody(Ledger(folder), journal, boot="now", clock=SystemClock(), log=log.append)


def turn(custody: Custody) -> list[News]:
    """One pass of the keeper."""
    custody.reap()
    custody.record()
    custody.sync()
    custody.start()
    return [report for _, report in custody.collect()]


def test_what_cannot_be_taken_is_not_started_and_may_be_tried_again(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ledger, "take", disk.fill(Ledger.take))
    disk.is_full = True
    custody.take(JOB, Listener())

    [ended] = turn(custody)

    assert isinstance(ended, Ended)
    assert (ended.problem, ended.message) == ("not_started", "cannot take the attempt: No space left on device")
    disk.is_full = False
    custody.refuse(FIRST, "now it is taken", Listener())
    [again] = turn(custody)
    assert isinstance(again, Ended)
    assert again.message == "now it is taken"


def test_what_cannot_be_put_on_record_is_not_taken(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Ledger, "write_taker", disk.fill(Ledger.write_taker))
    disk.is_full = True
    custody.take(JOB, Listener())

    [ended] = turn(custody)

    assert isinstance(ended, Ended)
    assert ended.message == "cannot take the attempt: No space left on device"
    assert custody.is_empty
    assert list(tmp_path.glob("runs/*/*.log")) == []


def test_an_end_that_waits_for_the_journal_is_put_on_record_once(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Journal, "append", disk.fill(Journal.append))
    custody.refuse(FIRST, "too long", Listener())
    disk.is_full = True
    for _ in range(5):
        assert turn(custody) == []

    disk.is_full = False
    assert len(turn(custody)) == 1
    assert (tmp_path / "runs/0/record").read_text().count("1.1 ended") == 1
    assert "ended 1 1" in (tmp_path / "runs/journal").read_text()


def test_an_end_is_told_before_the_sync_and_nothing_starts_before_it(custody: Custody, folder: int) -> None:
    custody.refuse(FIRST, "too long", Listener())
    custody.take(Job(Attempt(2, 1), ("/bin/true",), "/", {}), Listener())

    custody.record()

    [(_, ended)] = custody.collect()
    assert ended == Ledger(folder).read_end(FIRST)
    taken = Ledger(folder).read(Attempt(2, 1))
    assert taken
    assert taken.process is None
    custody.sync()
    custody.start()
    [(_, began)] = custody.collect()
    assert isinstance(began, Began)


def test_what_the_disk_cannot_sync_is_not_started_and_synced_again(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "fdatasync", disk.fill(os.fdatasync))
    disk.is_full = True
    custody.take(JOB, Listener())

    assert turn(custody) == []
    [ended] = turn(custody)
    assert isinstance(ended, Ended)
    assert ended.message == "cannot record the attempt: No space left on device"
    assert custody.pause == AGAIN

    disk.is_full = False
    assert turn(custody) == []
    assert custody.pause is None


def test_what_cannot_be_journalled_is_not_started(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch, log: list[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(Journal, "append", disk.fill(Journal.append))
    disk.is_full = True
    custody.take(JOB, Listener())

    assert turn(custody) == []
    assert custody.pause == AGAIN
    assert log == ["cannot record: No space left on device"]

    disk.is_full = False
    [ended] = turn(custody)
    assert isinstance(ended, Ended)
    assert (ended.problem, ended.message) == ("not_started", "cannot record the attempt: No space left on device")
    assert (tmp_path / "runs/0/1.1.log").read_text() == ""
    assert custody.is_empty


@pytest.mark.parametrize("write", ["Ledger.write_end", "Journal.append"])
def test_an_end_is_told_once_it_is_recorded(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch, folder: int, log: list[str], write: str
) -> None:
    owner, method = {"Ledger.write_end": (Ledger, "write_end"), "Journal.append": (Journal, "append")}[write]
    monkeypatch.setattr(owner, method, disk.fill(getattr(owner, method)))
    disk.is_full = True
    custody.refuse(FIRST, "too long", Listener())

    assert [turn(custody) for _ in range(3)] == [[], [], []]
    assert not custody.is_empty
    assert log == ["cannot record: No space left on device"]

    disk.is_full = False
    [ended] = turn(custody)
    assert ended == Ledger(folder).read_end(FIRST)
    assert custody.is_empty
    assert custody.pause is None


def test_who_asks_while_an_end_cannot_be_recorded_is_told_later(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ledger, "write_end", disk.fill(Ledger.write_end))
    disk.is_full = True
    custody.refuse(FIRST, "too long", Listener())
    turn(custody)
    late = Listener()

    custody.look(FIRST, late)
    assert turn(custody) == []
    disk.is_full = False
    custody.reap()
    custody.record()
    custody.sync()

    assert late in [watcher for watcher, _ in custody.collect()]


def test_files_that_cannot_be_read_are_asked_again(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    monkeypatch.setattr(inquiry.Inquiry, "examine", disk.fill(inquiry.Inquiry.examine))
    disk.is_full = True
    custody.look(FIRST, Listener())

    assert turn(custody) == []
    assert custody.pause == AGAIN
    assert "cannot tell what has become of" in log[0]

    disk.is_full = False
    [ended] = turn(custody)
    assert isinstance(ended, Ended)
    assert ended.problem == "lost"


@pytest.mark.parametrize("descriptors", [1000, 0], ids=["watched", "asked about again and again"])
def test_a_command_of_a_keeper_that_died_is_seen_to_its_end(
    custody: Custody, folder: int, monkeypatch: pytest.MonkeyPatch, descriptors: int
) -> None:
    monkeypatch.setattr(custody, "_most_watched", descriptors)
    with subprocess.Popen(["/bin/sh", "-c", "read code; exit $code"], stdin=subprocess.PIPE) as command:
        ledger = Ledger(folder)
        fd = ledger.take(FIRST)
        assert fd
        ledger.write_taker(FIRST, "now", Process(pid=1, start=10**15))
        ledger.write_process(FIRST, identify(command.pid), SystemClock().now())
        os.close(fd)
        custody.look(FIRST, Listener())

        [began] = turn(custody)
        assert isinstance(began, Began)
        assert began.pid == command.pid
        assert turn(custody) == []
        assert custody.pause == (None if descriptors else AGAIN)

        assert command.stdin
        command.stdin.write(b"9\n")
        command.stdin.close()
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)
        assert is_waiting(custody.fileno()) == bool(descriptors)
        [ended] = turn(custody)

    assert isinstance(ended, Ended)
    assert ended.exit_code == 9
    assert custody.is_empty


def test_who_has_gone_is_not_told(custody: Custody) -> None:
    gone: Watcher = type("Gone", (Listener,), {"is_open": False})()
    custody.refuse(FIRST, "too long", gone)

    assert turn(custody) == []
    assert custody.is_empty


def test_a_full_disk_does_not_keep_what_is_forgotten(
    custody: Custody, disk: Disk, monkeypatch: pytest.MonkeyPatch, log: list[str], tmp_path: Path
) -> None:
    custody.refuse(FIRST, "too long", Listener())
    turn(custody)
    monkeypatch.setattr(Journal, "append", disk.fill(Journal.append))
    disk.is_full = True

    custody.forget([1], Listener())

    assert turn(custody) == [Forgotten((1,))]
    assert not (tmp_path / "runs/1").exists()
    assert log == ["cannot record what is forgotten: No space left on device"]
