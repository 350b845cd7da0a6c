"""Real daemons and workers, their keepers, and their database: started here, and struck by nobody else."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.chaos.evidence import Fall
from tests.e2e.database_server import Server
from tests.e2e.site import Site

AGAIN = 0.3
"""Seconds until a daemon or worker that ended is started again, as systemd would."""


@dataclass(slots=True)
class Actor:
    """A daemon, or a worker if it has a name: started again whenever it ends, with a log for all of its lives."""

    site: Site
    log: Path
    worker: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    start_at: float = 0.0
    lives: int = 0
    falls: list[Fall] = field(default_factory=list)
    _born_at: int = 0
    _struck: bool = False
    _stopped: int = 0

    def look(self) -> None:
        """Note whether it has ended; start it if it is time."""
        if self.process and self.process.poll() is not None:
            if not self._struck:
                self.falls.append(Fall(self._born_at, micros(), self.process.returncode))
                self.start_at = time.monotonic() + AGAIN
            self.process = None
        if self.process is None and time.monotonic() >= self.start_at:
            self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            words = ["worker", "start", "--name", self.worker] if self.worker else ["daemon", "start"]
            command = self.site._command(words)
            self.process = subprocess.Popen(
                command, env=self.site.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.lives += 1
        self._born_at = micros()
        self._struck, self._stopped = False, 0

    def end(self, *numbers: signal.Signals, away: float) -> bool:
        """Send signals that end it; it is started again after so many seconds. False where it was gone already."""
        if not self.process or self.process.poll() is not None:
            return False
        self._struck = True
        self.start_at = time.monotonic() + away
        for number in numbers:
            self.process.send_signal(number)
        return True

    def freeze(self) -> Callable[[], None] | None:
        """Stop it; returns what lets it go on. Those that overlap go on with the last."""
        process = self.process
        if not process or process.poll() is not None:
            return None
        process.send_signal(signal.SIGSTOP)
        self._stopped += 1

        def thaw() -> None:
            if self.process is process:
                self._stopped -= 1
                if not self._stopped:
                    process.send_signal(signal.SIGCONT)

        return thaw

    def drain(self) -> "subprocess.Popen[bytes] | None":
        """Tell it to end by itself."""
        self.end(signal.SIGTERM, away=float("inf"))
        return self.process

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def strike_keeper(actor: Actor, number: signal.Signals) -> Callable[[], None] | None:
    """Signal its keeper; returns what lets that go on, None where there is none."""
    pid = actor.site.keeper(f"workers/{actor.worker}" if actor.worker else "")
    if pid is None:
        return None
    try:
        keeper = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    signal.pidfd_send_signal(keeper, number)

    def thaw() -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(keeper, signal.SIGCONT)
        os.close(keeper)

    return thaw


class Store(Protocol):
    """A database that can be away for a while."""

    url: str

    def leave(self) -> Callable[[], None] | None:
        """It is away until what is returned is called. None where that cannot be had at the moment."""
        ...


class LockedFile:
    """SQLite, held by a stranger; not while a daemon is stopped within a transaction, since only we let it go on."""

    def __init__(self, url: str) -> None:
        self.url = url

    def leave(self) -> Callable[[], None] | None:
        stranger = sqlite3.connect(self.url.removeprefix("sqlite://"), isolation_level=None, timeout=0.2)
        try:
            stranger.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            stranger.close()
            return None
        return stranger.close


class StoppedServer:
    """PostgreSQL, shut down and started again."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self._server = server

    def leave(self) -> Callable[[], None]:
        self._server.stop()
        return self._server.start


def micros() -> int:
    return time.time_ns() // 1000
