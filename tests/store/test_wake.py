"""Wake-ups: heard at once, never waited for, and no harm where they are lost."""

import select
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sensord.errors import DatabaseError
from sensord.store import wake_socket
from sensord.store.database import Database
from sensord.store.wake import ANYTHING, CHANNEL, NOTHING, NOTIFY, Heard, Listener, hear, say, wake
from sensord.store.wake_channel import AGAIN, WakeChannel

LONG = 20.0  # seconds; only a failure takes so long


@pytest.fixture
def listener(db: Database) -> Iterator[Listener]:
    with Listener(db) as listener:
        yield listener


def is_readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])


def test_a_wake_up_makes_the_listener_readable_until_it_is_drained(db: Database, listener: Listener) -> None:
    assert not listener.drain()

    assert wake(db)

    assert is_readable(listener.fileno(), LONG)
    assert listener.drain()
    assert not listener.drain()
    assert not is_readable(listener.fileno(), 0)


def test_another_connection_wakes_as_well(db: Database, listener: Listener, open_db: Callable[[str], Database]) -> None:
    wake(open_db(db.url))

    assert is_readable(listener.fileno(), LONG)


def test_waking_never_waits_for_a_listener_that_does_not_listen(db: Database, listener: Listener) -> None:
    assert all(wake(db) for _ in range(500))

    assert is_readable(listener.fileno(), LONG)
    assert listener.drain()


def test_nobody_needs_to_hear_it(db: Database) -> None:
    sent = wake(db)

    assert sent is (db.dialect == "postgresql")  # NOTIFY cannot know


def test_a_listener_can_be_closed_twice(db: Database) -> None:
    with Listener(db) as listener:
        listener.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sensord.db.wake"


@contextmanager
def listening(path: Path) -> Iterator[wake_socket.WakeSocket]:
    receiver = wake_socket.WakeSocket(str(path))
    yield receiver
    receiver.close()


def test_the_socket_is_for_its_owner_alone_and_goes_with_its_listener(path: Path) -> None:
    with listening(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [file.name for file in path.parent.iterdir()] == [path.name]

    assert not path.exists()
    assert not wake_socket.send(str(path))


def test_what_a_killed_daemon_left_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(str(path))
    assert not wake_socket.send(str(path))

    with listening(path) as receiver:
        assert wake_socket.send(str(path))
        assert receiver.drain()


def test_closing_leaves_the_socket_of_a_successor(path: Path) -> None:
    first = wake_socket.WakeSocket(str(path))
    with listening(path) as second:
        first.close()

        assert wake_socket.send(str(path))
        assert second.drain()


@pytest.mark.parametrize("name", ["short.db.wake", "n" * 200 + ".db.wake"])
def test_a_path_may_be_longer_than_a_sockets_address(tmp_path: Path, name: str) -> None:
    folder = tmp_path / ("f" * 100) / ("ä" * 100)
    folder.mkdir(parents=True)

    with listening(folder / name) as receiver:
        assert wake_socket.send(str(folder / name))
        assert receiver.drain()

    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="cannot listen"):
        wake_socket.WakeSocket(str(tmp_path / "no" / "sensord.db.wake"))


def hear_of(channel: WakeChannel) -> None:
    """Drain until it says that something was there; a connection may end with a last word of its server's."""
    while not channel.drain():
        assert is_readable(channel.fileno(), LONG)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_news_of_attempts_is_told_apart_from_all_else(db: Database, listener: Listener) -> None:
    many = {(run_id, 1) for run_id in range(2**63 - 1000, 2**63)}

    assert wake(db, [(12, 1), (13, 2)])
    assert wake(db, sorted(many))
    asked, news = False, set[tuple[int, int]]()
    while len(news) < 1002:
        assert is_readable(listener.fileno(), LONG)
        heard = listener.drain()
        asked, news = asked or heard.asked, news | (heard.news or set())

    assert (asked, news) == (False, {(12, 1), (13, 2), *many})
    with db.transaction() as tx:  # so that both come at once
        tx.fetch(NOTIFY, channel=CHANNEL, words=[(say([(14, 1)]),), ("",)])
    assert is_readable(listener.fileno(), LONG)
    assert listener.drain() == Heard(True, {(14, 1)})


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_datagram_may_mean_anything(db: Database, listener: Listener) -> None:
    wake(db, [(12, 1)])

    assert listener.drain() == ANYTHING


@pytest.mark.parametrize("words", ["", "new 1.1", "news 1", "news 1.x", '{"type": "job_inserted", "job_id": 1}'])
def test_what_is_not_ours_to_read_may_mean_anything_but_news(words: str) -> None:
    assert hear([words, say([(7, 2)])]) == Heard(True, {(7, 2)})


def test_whether_anything_was_heard() -> None:
    assert not NOTHING
    assert not hear([])
    assert all((ANYTHING, hear([""]), hear([say([(1, 1)])]), Heard(False, None)))


class Seconds:
    """A monotonic clock in the test's hands."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_channel_that_breaks_is_mended_without_a_word(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    seconds = Seconds()
    channel = WakeChannel(db.url, CHANNEL, seconds)
    descriptor = channel.fileno()
    end_listeners(db)

    hear_of(channel)  # something may have been missed
    assert not is_readable(descriptor, 0)  # no busy loop
    assert channel.drain()  # connected again

    wake(db)
    assert is_readable(descriptor, LONG)
    assert channel.drain()
    assert "no wake-ups for a while" in caplog.text
    channel.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_channel_tries_again_once_in_a_while(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = Seconds()
    channel = WakeChannel(db.url, CHANNEL, seconds)
    tries = []

    def refuse(url: str) -> None:
        tries.append(url)
        raise DatabaseError("the server is starting up")

    monkeypatch.setattr("sensord.store.wake_channel.connect", refuse)
    end_listeners(db)
    hear_of(channel)

    for _ in range(3):
        assert not channel.drain()
    assert len(tries) == 1

    seconds.now += AGAIN
    assert not channel.drain()
    assert len(tries) == 2

    monkeypatch.undo()
    seconds.now += AGAIN
    assert channel.drain()
    channel.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_waking_over_a_broken_connection_is_a_lost_wake_up(db: Database, open_db: Callable[[str], Database]) -> None:
    pid = db.fetch("SELECT pg_backend_pid()")[0][0]
    open_db(db.url).fetch("SELECT pg_terminate_backend(CAST(:pid AS integer), 5000)", pid=pid)

    assert not wake(db)
    assert wake(db)


def end_listeners(db: Database) -> None:
    db.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
