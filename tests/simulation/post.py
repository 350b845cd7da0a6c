"""Wake-ups in a play: real ones, by LISTEN on one connection, told to each ear as it is asked, unless they are lost."""

from dataclasses import dataclass, field
from random import Random

import psycopg
from psycopg import sql

from sensord.store import carrier, wake, workers
from sensord.store.wake import ANYTHING, Heard, hear

LOST = 0.15
"""The share of wake-ups that one does not hear."""


@dataclass
class Ear:
    """Of one process, on one channel."""

    channel: str
    words: list[str] = field(default_factory=list)

    def fileno(self) -> int:
        raise NotImplementedError("a simulation does not wait")

    def drain(self) -> Heard:
        words, self.words = self.words, []
        return hear(words)

    def close(self) -> None:
        """Nothing is held open."""


class AllEars(Ear):
    """Takes everything for possible, always."""

    def drain(self) -> Heard:
        return ANYTHING


ALL_EARS = AllEars("")


class Post:
    """queue: of the workers. `lost`: how many wake-ups were not heard, in all."""

    def __init__(self, url: str, queue: str, random: Random) -> None:
        self.lost = 0
        self.loses = True
        self._random = random
        self._queue = carrier.CHANNEL.format(queue)
        self._connection = psycopg.connect(url, autocommit=True)
        for channel in (wake.CHANNEL, workers.CHANNEL, self._queue):
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._leader: list[Ear] = []
        self._worker: dict[str, list[Ear]] = {}

    def leader(self) -> Ear:
        """For a daemon that has taken the lead: whoever led before it hears nothing any more."""
        self._leader = [Ear(wake.CHANNEL)]
        return self._leader[0]

    def worker(self, station: str) -> tuple[Ear, Ear]:
        """For a new worker of a station: for its queue, and for being hailed."""
        queue, hail = self._worker[station] = [Ear(self._queue), Ear(workers.CHANNEL)]
        return queue, hail

    def deliver(self) -> bool:
        """What has been committed is told; whether there was anything."""
        self._connection.execute("SELECT 1")  # the server sends what was notified before with its answer
        told = False
        for one in self._connection.notifies(timeout=0):
            for ear in [*self._leader, *(ear for ears in self._worker.values() for ear in ears)]:
                if ear.channel != one.channel:
                    continue
                if self.loses and self._random.random() < LOST:
                    self.lost += 1
                else:
                    ear.words.append(one.payload)
                    told = True
        return told

    def close(self) -> None:
        self._connection.close()
