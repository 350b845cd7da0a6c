"""A config folder, and the real daemon on it in a process of its own: what it costs is read from /proc."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.databases import Place

PATIENCE = 120.0
"""Seconds after which a measurement is given up."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Site:
    place: Place
    config: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.config), "SENSORD_DB": self.place.url}

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "sensord", "--config", str(self.config), *words]

    def write(self, name: str, text: str) -> None:
        file = self.config / "flows" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    @property
    def keeper_pid(self) -> int:
        """Of the keeper that the daemon has started."""
        state = str(self.place.folder / "state").encode()
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                words = _words_of(folder)
                if state in words and words[-1] != b"start":
                    return int(folder.name)
        raise RuntimeError(f"no keeper works in {state.decode()}")

    @contextmanager
    def daemon(self) -> Iterator["Running"]:
        """From when it leads; told to stop at the end."""
        process = subprocess.Popen(
            self.words("daemon", "start"),
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        running = Running(process)
        try:
            running.await_lead()
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            process.communicate()


class Running:
    """The daemon's process."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.log = b""

    def await_lead(self) -> None:
        while b" leads: " not in self.log:
            if not self.listen(PATIENCE):
                raise RuntimeError(f"the daemon does not lead: {self.log.decode()}")

    def listen(self, seconds: float) -> bool:
        """Take more of its log, which it must not be kept from writing; False where none came."""
        assert self.process.stderr
        if not select.select([self.process.stderr], [], [], seconds)[0]:
            return False
        chunk = os.read(self.process.stderr.fileno(), 1 << 20)
        self.log = (self.log + chunk)[-100_000:]
        return bool(chunk)

    def await_rows(self, place: Place, sql: str) -> None:
        """Until the query finds nothing."""
        deadline = time.monotonic() + PATIENCE
        with place.open() as db:
            while db.fetch(sql):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"still there after {PATIENCE} s: {sql}")
                until = time.monotonic() + 0.05
                while (left := until - time.monotonic()) > 0:
                    self.listen(left)

    @property
    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    @property
    def rss_megabytes(self) -> float:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def cpu_seconds(pid: int) -> float:
    """Of the process itself, without what it has started, and without threads of it that are gone."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _words_of(process: Path) -> list[bytes]:
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def make_site(place: Place, settings: str = "", *, folder: str = "config") -> Site:
    """Without flows yet. The watch on the files is on, as it is for people."""
    config = place.folder / folder
    (config / "flows").mkdir(parents=True)
    (config / "sensord.toml").write_text(f'state = "../state"\ndurability = "{place.durability}"\n{settings}\n')
    return Site(place, config)
