"""A site as its people see it: a config folder, the real `sensord` in processes of its own, signals and exit codes.

The daemon's log tells the test what has happened; nothing is waited for by the clock, except to give up.
"""

import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from sensord.store.database import Database

PATIENCE = 60.0
"""Seconds after which a test gives up. Nothing is asserted about how long anything takes."""


class Site:
    """One config folder, its database, and the commands that people type."""

    within: tuple[str, ...] = ()
    """Words before each command, such as those that enter another host's network."""

    def __init__(self, folder: Path, url: str) -> None:
        self.config = folder / "config"
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        (self.config / "flows").mkdir(parents=True)
        (self.config / "sensord.toml").write_text('state = "../state"\n')
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "SENSORD_DB": url}

    def beside(self, name: str) -> "Site":
        """The same flows, database and work folder, seen from another host: with a state folder of its own."""
        other = object.__new__(Site)
        other.work, other.environment = self.work, dict(self.environment)
        other.config = self.config.parent / name / "config"
        other.config.mkdir(parents=True)
        (other.config / "flows").symlink_to(self.config / "flows")
        (other.config / "sensord.toml").write_text('state = "../state"\n')
        return other

    def flow(self, name: str, text: str) -> None:
        file = self.config / "flows" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def shell(self, cron: str, script: str, *sensors: str) -> str:
        """A flow, as TOML, whose command is a line of shell in the work folder."""
        waits = "\n".join(f'[[sensors]]\nupstream = "{upstream}"' for upstream in sensors)
        return (
            f'[schedule]\ncron = "{cron}"\n'
            f'[run]\nshell = true\ncwd = "{self.work}"\ncommand = """{script}"""\n{waits}\n'
        )

    def type(self, *words: str, under: str = ":") -> subprocess.CompletedProcess[str]:
        """`sensord WORDS` in a process of its own, of which a line of shell may first change what it inherits."""
        command = ["sh", "-c", f'{under}; exec "$@"', "sh", *self._command(words)]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def ask(self, *words: str) -> Any:
        """What `sensord WORDS --json` says."""
        answer = self.type(*words, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def states(self) -> dict[str, str]:
        """The state of each flow's newest run."""
        return {run["flow"]: run["state"] for run in reversed(self.ask("run", "list")["runs"])}

    @property
    def state(self) -> Path:
        return self.config.parent / "state"

    def keeper(self, below: str = "") -> int | None:
        """The pid of the keeper that listens in the state folder, or in one below it; None where none does."""
        with socket.socket(socket.AF_UNIX) as visitor, suppress(OSError):
            folder = os.open(self.state / below, os.O_RDONLY)
            try:
                visitor.connect(f"/proc/self/fd/{folder}/keeper.sock")
            finally:
                os.close(folder)
            pid, _, _ = struct.unpack("3i", visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return int(pid)
        return None

    @contextmanager
    def daemon(self) -> Iterator["RunningDaemon"]:
        """The daemon in the foreground; killed at the end of the test if it is still there."""
        process = subprocess.Popen(
            self._command(["daemon", "start"]), env=self.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with RunningDaemon(process) as running:
            yield running

    @contextmanager
    def worker(self, *words: str) -> Iterator["RunningDaemon"]:
        """A worker in the foreground; killed at the end of the test if it is still there."""
        process = subprocess.Popen(
            self._command(["worker", "start", *words]),
            env=self.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with RunningDaemon(process) as running:
            yield running

    def database(self) -> Database:
        """The site's database, behind the daemon's back."""
        return Database.open(self.environment["SENSORD_DB"])

    def _command(self, words: "tuple[str, ...] | list[str]") -> list[str]:
        return [*self.within, sys.executable, "-m", "sensord", "--config", str(self.config), *words]


class RunningDaemon:
    """Reads the daemon's log as it is written."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []
        self._rest = b""
        self._seen = 0

    def until(self, pattern: str) -> str:
        """Read on in the log until a line matches, and return its message. Fails where the daemon ends before it."""
        while True:
            for entry in self.log[self._seen :]:
                self._seen += 1
                if re.search(pattern, entry["message"]):
                    return str(entry["message"])
            if not self._read():
                raise AssertionError(f"the daemon ended before it logged {pattern!r}: {self.log}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the daemon's end and return its exit code."""
        while self._read():
            continue
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        """More of the log; False at its end."""
        assert self.process.stderr
        ready, _, _ = select.select([self.process.stderr], [], [], PATIENCE)
        if not ready:
            raise AssertionError(f"the daemon logged nothing more: {self.log}")
        chunk = os.read(self.process.stderr.fileno(), 65536)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self.log += [json.loads(line) for line in lines]
        return bool(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
