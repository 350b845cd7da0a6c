"""The files of attempts: `runs/<run id>/<attempt>/` with `started`, `log` and `exit`. Knows no process and no socket.

`started` is created exclusively: whoever creates it has taken the attempt, for good. Its first line says which keeper
that was; the second, which process the command became. `exit` is put in place by rename, whole or not at all.
"""

import contextlib
import errno
import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sensord.core.instant import from_micros, to_micros
from sensord.executors.base import Attempt, Ended
from sensord.executors.processes import Process

_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
_LOG = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
_REPLACE = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC
_LARGEST = 1 << 20  # bytes; more than any file of ours but the log ever holds


@dataclass(frozen=True, slots=True)
class Taken:
    """What `started` says. Fields are None as far as whoever wrote it died, or has not yet gone on."""

    written_at: datetime
    boot: str | None = None
    keeper: Process | None = None
    process: Process | None = None
    began_at: datetime | None = None


class Ledger:
    """The `runs` folder, reached by a descriptor: it may be moved, and its path may be of any length."""

    def __init__(self, runs_fd: int) -> None:
        self.runs_fd = runs_fd

    def take(self, attempt: Attempt) -> int | None:
        """Take the attempt: a descriptor of its `started` to write on, or None where it was taken before."""
        folder = _folder(attempt)
        for path in (str(attempt.run_id), folder):
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700, dir_fd=self.runs_fd)
        try:
            return os.open(f"{folder}/started", _NEW, 0o600, dir_fd=self.runs_fd)
        except FileExistsError:
            return None

    def forget(self, run_id: int) -> None:
        """Delete all files of a run's attempts, if there are any."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(str(run_id), dir_fd=self.runs_fd)

    def open_log(self, attempt: Attempt) -> int:
        return os.open(self.log_path(attempt), _LOG, 0o600, dir_fd=self.runs_fd)

    def log_path(self, attempt: Attempt) -> str:
        """Relative to the `runs` folder."""
        return f"{_folder(attempt)}/log"

    def read(self, attempt: Attempt) -> Taken | None:
        """None where nobody ever took it. Lines that a power cut has torn count as not written."""
        path = f"{_folder(attempt)}/started"
        text = self._read(path)
        if text is None:
            return None
        written_at = datetime.fromtimestamp(os.stat(path, dir_fd=self.runs_fd).st_mtime, UTC)
        keeper, command = ([_parse(line) for line in text.splitlines()] + [{}, {}])[:2]
        began_at = from_micros(command["at"]) if "at" in command else None
        return Taken(written_at, keeper.get("boot"), _process(keeper), _process(command), began_at)

    def add_process(self, attempt: Attempt, process: Process, began_at: datetime) -> None:
        """Note down belatedly which process the command became."""
        fd = os.open(f"{_folder(attempt)}/started", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, dir_fd=self.runs_fd)
        try:
            write_process(fd, process, began_at)
        finally:
            os.close(fd)

    def write_end(self, ended: Ended) -> None:
        """Record how the attempt ended. Nobody who reads can see half of it."""
        folder = _folder(ended.attempt)
        fd = os.open(f"{folder}/exit.new", _REPLACE, 0o600, dir_fd=self.runs_fd)
        try:
            write_all(fd, format_end(ended))
        finally:
            os.close(fd)
        os.rename(f"{folder}/exit.new", f"{folder}/exit", src_dir_fd=self.runs_fd, dst_dir_fd=self.runs_fd)

    def read_end(self, attempt: Attempt) -> Ended | None:
        text = self._read(f"{_folder(attempt)}/exit")
        return parse_end(attempt, text) if text else None

    def _read(self, path: str) -> bytes | None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.runs_fd)
        except FileNotFoundError:
            return None
        try:
            return os.read(fd, _LARGEST)
        finally:
            os.close(fd)


def write_taker(fd: int, boot: str, keeper: Process) -> None:
    """The first line of `started`: who has taken the attempt."""
    write_all(fd, b'{"pid":%d,"start":%d,"boot":"%s"}\n' % (keeper.pid, keeper.start, boot.encode()))


def write_process(fd: int, process: Process, began_at: datetime) -> None:
    """The second line of `started`: what the command became."""
    write_all(fd, b'{"pid":%d,"start":%d,"at":%d}\n' % (process.pid, process.start, to_micros(began_at)))


def write_all(fd: int, data: bytes) -> None:
    """Write all of it or fail: a disk that fills up may take a part."""
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def format_end(ended: Ended) -> bytes:
    """One line of JSON with what is known; `at` in microseconds since 1970."""
    fields = ("exit_code", "signal", "problem", "message")
    known = {name: value for name in fields if (value := getattr(ended, name)) is not None}
    return json.dumps({"at": to_micros(ended.at), **known}).encode() + b"\n"


def parse_end(attempt: Attempt, text: bytes) -> Ended | None:
    """None where the text is no end that `format_end` wrote."""
    fields = _parse(text)
    at = fields.pop("at", None)
    if not isinstance(at, int):
        return None
    try:
        return Ended(attempt, from_micros(at), **fields)
    except TypeError:
        return None


def _folder(attempt: Attempt) -> str:
    return f"{attempt.run_id}/{attempt.number}"


def _parse(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _process(fields: dict[str, Any]) -> Process | None:
    return Process(fields["pid"], fields["start"]) if {"pid", "start"} <= fields.keys() else None
