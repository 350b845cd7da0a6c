"""The files of attempts, below `runs`: the log of each, and one record for a folder of a hundred runs. Knows no process
and no socket.

A log is created exclusively: whoever creates it has taken the attempt, for good. What else is known of it are lines of
the record: which keeper took it, which process the command became, how it ended. Lines are only ever appended, each by
one write; of several that say the same the first counts, and one that was torn counts as not written. One file an
attempt is what a disk does quickly: making a file costs as much as starting a command.
"""

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sensord.core.instant import from_micros, to_micros
from sensord.executors.base import Attempt, Ended
from sensord.executors.folders import folder_of, log_of
from sensord.executors.processes import Process

RECORD = "record"

_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
_APPEND = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Taken:
    """What the record says. Fields are None as far as whoever writes it died, or has not yet gone on."""

    written_at: datetime
    boot: str | None = None
    keeper: Process | None = None
    process: Process | None = None
    began_at: datetime | None = None


class Ledger:
    """The `runs` folder, reached by a descriptor: it may be moved, and its path may be of any length."""

    def __init__(self, runs_fd: int) -> None:
        self.runs_fd = runs_fd
        self._folder = ""
        self._record_fd = -1

    def take(self, attempt: Attempt) -> int | None:
        """Take the attempt: a descriptor of its log to write on, or None where it was taken before."""
        try:
            return self._create(attempt)
        except FileExistsError:
            return None
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder_of(attempt.run_id), 0o700, dir_fd=self.runs_fd)
        try:
            return self._create(attempt)
        except FileExistsError:
            return None

    def give_back(self, attempt: Attempt) -> None:
        """Undo a taking of which nothing could be recorded."""
        os.unlink(self.log_path(attempt), dir_fd=self.runs_fd)

    def forget(self, run_id: int) -> None:
        """Delete the logs of a run's attempts, if there are any, and let its lines count no more."""
        folder = folder_of(run_id)
        try:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.runs_fd)
        except FileNotFoundError:
            return
        try:
            names = os.listdir(fd)  # noqa: PTH208 -- by descriptor
        finally:
            os.close(fd)
        own = [name for name in names if name.startswith(f"{run_id}.")]
        for name in own:
            os.unlink(f"{folder}/{name}", dir_fd=self.runs_fd)
        if set(names) <= {*own, RECORD}:
            self._remove(folder)
        else:
            self._write(run_id, b"\n%d forgotten\n" % run_id)

    def log_path(self, attempt: Attempt) -> str:
        """Relative to the `runs` folder."""
        return log_of(attempt.run_id, attempt.number)

    def read(self, attempt: Attempt) -> Taken | None:
        """None where nobody ever took it."""
        try:
            written_at = datetime.fromtimestamp(os.stat(self.log_path(attempt), dir_fd=self.runs_fd).st_mtime, UTC)
        except FileNotFoundError:
            return None
        keeper, command = self._find(attempt, b"taken") or {}, self._find(attempt, b"began") or {}
        began_at = from_micros(command["at"]) if "at" in command else None
        return Taken(written_at, keeper.get("boot"), _process(keeper), _process(command), began_at)

    def write_taker(self, attempt: Attempt, boot: str, keeper: Process) -> None:
        """Note down who has taken the attempt."""
        values = attempt.run_id, attempt.number, keeper.pid, keeper.start, boot.encode()
        self._write(attempt.run_id, b'\n%d.%d taken {"pid":%d,"start":%d,"boot":"%s"}\n' % values)

    def write_process(self, attempt: Attempt, process: Process, began_at: datetime) -> None:
        """Note down which process the command became."""
        values = attempt.run_id, attempt.number, process.pid, process.start, to_micros(began_at)
        self._write(attempt.run_id, b'\n%d.%d began {"pid":%d,"start":%d,"at":%d}\n' % values)

    def write_end(self, ended: Ended) -> None:
        """Note down how the attempt ended."""
        attempt = ended.attempt
        self._write(attempt.run_id, b"\n%d.%d ended %s" % (attempt.run_id, attempt.number, format_end(ended)))

    def read_end(self, attempt: Attempt) -> Ended | None:
        return next((end for text in self._lines(attempt, b"ended") if (end := parse_end(attempt, text))), None)

    def close(self) -> None:
        if self._record_fd >= 0:
            os.close(self._record_fd)
            self._folder, self._record_fd = "", -1

    def _create(self, attempt: Attempt) -> int:
        return os.open(self.log_path(attempt), _NEW, 0o600, dir_fd=self.runs_fd)

    def _write(self, run_id: int, line: bytes) -> None:
        """It begins with a line's end, since a full disk may have torn the line before."""
        folder = folder_of(run_id)
        if folder != self._folder or not os.fstat(self._record_fd).st_nlink:  # another keeper may have removed it
            self.close()
            self._record_fd = os.open(f"{folder}/{RECORD}", _APPEND, 0o600, dir_fd=self.runs_fd)
            self._folder = folder
        write_all(self._record_fd, line)

    def _remove(self, folder: str) -> None:
        if folder == self._folder:
            self.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{folder}/{RECORD}", dir_fd=self.runs_fd)
        with contextlib.suppress(FileNotFoundError, OSError):  # something was taken in it a moment ago
            os.rmdir(folder, dir_fd=self.runs_fd)

    def _find(self, attempt: Attempt, what: bytes) -> dict[str, Any] | None:
        return next((fields for text in self._lines(attempt, what) if (fields := _parse(text))), None)

    def _lines(self, attempt: Attempt, what: bytes) -> Iterator[bytes]:
        """What the record says of an attempt, without the words in front, in the order in which it was written."""
        text = self._read(folder_of(attempt.run_id))
        mark = b"\n%d.%d %s " % (attempt.run_id, attempt.number, what)
        at = text.find(mark, max(0, text.rfind(b"\n%d forgotten\n" % attempt.run_id)))
        while at >= 0:
            end = text.find(b"\n", at + 1)
            if end >= 0:
                yield text[at + len(mark) : end]
            at = text.find(mark, at + 1)

    def _read(self, folder: str) -> bytes:
        try:
            fd = os.open(f"{folder}/{RECORD}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.runs_fd)
        except FileNotFoundError:
            return b""
        with os.fdopen(fd, "rb") as file:
            return file.read()


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


def _parse(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _process(fields: dict[str, Any]) -> Process | None:
    return Process(fields["pid"], fields["start"]) if {"pid", "start"} <= fields.keys() else None
