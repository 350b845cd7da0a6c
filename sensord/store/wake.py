"""Waking the leader: a hint that something waits for it in the database. A lost one only costs time.

On SQLite it is a datagram to a socket beside the database (`wake_socket`), on PostgreSQL NOTIFY (`wake_channel`), which
says, too, of which attempts there is news: the leader need not ask about all others that are under way.
"""

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple, Protocol, Self

from sensord.errors import Unreachable
from sensord.store.database import Database

CHANNEL = "sensord"

_NEWS = "news "
_IN_ONE = 200
"""Attempts that one NOTIFY names: it holds 8,000 bytes, an attempt takes 32 at most."""


class Heard(NamedTuple):
    """asked: somebody may have left something else than news. news: attempts (run, number); None: of any."""

    asked: bool
    news: Set[tuple[int, int]] | None

    def __bool__(self) -> bool:
        return self.asked or self.news is None or bool(self.news)


NOTHING = Heard(False, frozenset())
ANYTHING = Heard(True, None)


def say(attempts: Iterable[tuple[int, int]]) -> str:
    """That there is news of these."""
    return _NEWS + " ".join(f"{run_id}.{number}" for run_id, number in attempts)


def hear(words: Sequence[str]) -> Heard:
    """What so many wake-ups said together. One that is not ours to read may mean anything but news."""
    asked, news = False, set()
    for one in words:
        try:
            news |= _read(one)
        except ValueError:
            asked = True
    return Heard(asked, news)


def _read(words: str) -> set[tuple[int, int]]:
    if not words.startswith(_NEWS):
        raise ValueError(words)
    pairs = (pair.partition(".") for pair in words.removeprefix(_NEWS).split())
    return {(int(run_id), int(number)) for run_id, _, number in pairs}


NOTIFY = "SELECT pg_notify(:channel, x.words) FROM ROWS(:words, words text) x"


class Source(Protocol):
    """Where wake-ups come in."""

    def fileno(self) -> int: ...

    def drain(self) -> Heard: ...

    def close(self) -> None: ...


class Listener:
    """The leader's ear. Only whoever holds the lead opens one."""

    def __init__(self, db: Database) -> None:
        self._source = _source(db)

    def fileno(self) -> int:
        """Always the same descriptor, readable when a wake-up has come."""
        return self._source.fileno()

    def drain(self) -> Heard:
        """Take all wake-ups that have come. Never blocks, never fails: it reconnects."""
        return self._source.drain()

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def wake(db: Database, news: Sequence[tuple[int, int]] = ()) -> bool:
    """Wake the leader, after the commit. Whether the wake-up was sent; nobody needs to hear it.

    news: the attempts (run, number) of which there is some, where there is nothing else.
    """
    if db.dialect == "sqlite":
        from sensord.store.wake_socket import send, socket_path

        return send(socket_path(db.url))
    words = [say(news[at : at + _IN_ONE]) for at in range(0, len(news), _IN_ONE)] or [""]
    try:
        db.fetch(NOTIFY, channel=CHANNEL, words=[(one,) for one in words])
    except Unreachable:
        return False
    return True


def _source(db: Database) -> Source:
    if db.dialect == "sqlite":
        from sensord.store.wake_socket import WakeSocket, socket_path

        return WakeSocket(socket_path(db.url))
    from sensord.store.wake_channel import WakeChannel

    return WakeChannel(db.url, CHANNEL)
