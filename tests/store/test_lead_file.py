"""The lead on SQLite: a lock that goes with its process, and with nothing else."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sensord.errors import DaemonRunning, DatabaseError, LeadLost
from sensord.store import lead_file
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead, current_leader

HOLDER = Holder("etl1", 4711, "0.1.0")


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def lock(db: Database) -> Path:
    return Path(db.url.removeprefix("sqlite://") + ".lock")


@pytest.fixture
def asking(lock: Path) -> Iterator[int]:
    """Someone is just asking whether anybody leads: a shared lock, held for an instant."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    yield descriptor
    os.close(descriptor)


def test_the_lock_is_for_its_owner_alone_and_stays(db: Database, lock: Path) -> None:
    lead = Lead.take(db, HOLDER)

    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    lead.release()
    assert lock.read_bytes() == b""


def test_a_link_to_the_database_is_no_other_database(
    db: Database, tmp_path: Path, open_db: Callable[[str], Database]
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(db.url.removeprefix("sqlite://"))
    Lead.take(db, HOLDER)

    with pytest.raises(DaemonRunning, match="4711"):
        Lead.take(open_db(f"sqlite://{link}"), HOLDER, wait=lambda _: None)


def test_a_killed_daemon_leads_no_longer(db: Database) -> None:
    program = f"""
import os, signal
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead
lead = Lead.take(Database.open({db.url!r}), Holder("etl1", os.getpid(), "0.1.0"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL

    assert current_leader(db) is None
    Lead.take(db, HOLDER, wait=lambda _: pytest.fail("the lock is free"))


def test_commands_do_not_inherit_the_lock(db: Database) -> None:
    lead = Lead.take(db, HOLDER)

    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False):
        lead.release()

        assert current_leader(db) is None
        Lead.take(db, HOLDER, wait=lambda _: pytest.fail("the lock is free"))


def test_who_asks_does_not_keep_a_daemon_from_starting(db: Database, asking: int) -> None:
    Lead.take(db, HOLDER, wait=lambda _: fcntl.flock(asking, fcntl.LOCK_UN))

    leader = current_leader(db)
    assert leader is not None
    assert leader.holder == HOLDER


def test_a_daemon_that_has_not_yet_said_its_name_is_respected(db: Database, asking: int) -> None:
    fcntl.flock(asking, fcntl.LOCK_EX)
    waits: list[float] = []

    with pytest.raises(DaemonRunning, match="one that is just starting"):
        Lead.take(db, HOLDER, wait=waits.append)

    assert waits == [lead_file.PAUSE] * lead_file.TRIES
    assert current_leader(db) is None


def test_a_refused_daemon_leaves_the_name_of_the_first(db: Database, open_db: Callable[[str], Database]) -> None:
    Lead.take(db, Holder("a-much-longer-host-name.example", 99999, "0.1.0"))

    with pytest.raises(DaemonRunning):
        Lead.take(open_db(db.url), HOLDER, wait=lambda _: None)

    leader = current_leader(db)
    assert leader is not None
    assert leader.holder.pid == 99999


@pytest.mark.parametrize("instead", [None, b""])
def test_a_lock_that_others_do_not_see_is_lost(db: Database, lock: Path, instead: bytes | None) -> None:
    lead = Lead.take(db, HOLDER)
    lock.unlink()
    if instead is not None:
        lock.write_bytes(instead)

    with pytest.raises(LeadLost, match="expected our lock") as caught:
        lead.renew()

    assert caught.value.hint == "never remove the lock's file"


def test_a_lock_file_that_is_a_link_is_refused(db: Database, lock: Path, tmp_path: Path) -> None:
    lock.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DatabaseError, match="cannot open"):
        Lead.take(db, HOLDER)

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("trouble", ["the disk is full", "é\U0001f600\n" * 1000])
def test_a_trouble_is_told_until_it_is_over(db: Database, lock: Path, trouble: str) -> None:
    lead = Lead.take(db, HOLDER)
    before = current_leader(db)

    lead.complain(trouble)
    told = current_leader(db)
    lead.complain(None)

    assert before is not None
    assert told is not None
    assert told.trouble
    assert trouble.startswith(told.trouble)
    assert told == before == current_leader(db)
    assert len(lock.read_bytes()) == lead_file._SIZE
