"""Makes takings and ends outlast a power cut at one `fdatasync` for a batch, where every file would cost one.

`runs/journal` repeats what logs and records say. While the machine is up those are the truth; only the first keeper
after a boot reads the journal, and restores what the disk had not yet got. Whoever uses it holds the lock.
"""

import contextlib
import os
import threading
from binascii import crc32

from sensord.executors.base import Attempt, Ended
from sensord.executors.ledger import Ledger, format_end, parse_end, write_all
from sensord.executors.processes import Process

LIMIT = 2 << 20
"""Bytes after which a new journal is begun; about 20,000 attempts."""

_NOBODY = Process(0, 0)
_APPEND = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC


def taken_line(attempt: Attempt) -> bytes:
    return _line(b"taken %d %d" % (attempt.run_id, attempt.number))


def ended_line(ended: Ended) -> bytes:
    attempt = ended.attempt
    return _line(b"ended %d %d %s" % (attempt.run_id, attempt.number, format_end(ended).strip()))


def forgotten_line(run_id: int) -> bytes:
    return _line(b"forgotten %d" % run_id)


class Journal:
    """Opening it restores the attempts' files if the machine has been down since it was begun."""

    def __init__(self, runs_fd: int, boot: str, *, limit: int = LIMIT) -> None:
        self._runs_fd = runs_fd
        self._boot = boot
        self._limit = limit
        self._flushing: threading.Thread | None = None
        self.is_synced = True
        before = self._read("journal.old") + self._read("journal")
        if before and not self._is_of_this_boot():
            restore(Ledger(runs_fd), before)
            os.sync()
            self._remove("journal.old")
            self._remove("journal")
        self._fd = self._open()
        self._size = os.fstat(self._fd).st_size
        self._flush_old()

    def append(self, lines: list[bytes]) -> None:
        """Whatever is on the disk later includes these lines, or nothing that comes after them."""
        data = b"\n" + b"".join(lines)  # a batch that a full disk cut short must not swallow the next
        write_all(self._fd, data)
        self._size += len(data)
        self.is_synced = False

    def sync(self) -> None:
        """When it returns, all that was appended is on the disk."""
        os.fdatasync(self._fd)
        self.is_synced = True
        if self._size > self._limit and not (self._flushing and self._flushing.is_alive()):
            self._begin_anew()

    def wait_for_flush(self) -> None:
        """Until an old journal, if there is one, is not needed any more."""
        if self._flushing:
            self._flushing.join()

    def close(self) -> None:
        self.wait_for_flush()
        os.close(self._fd)

    def _begin_anew(self) -> None:
        os.rename("journal", "journal.old", src_dir_fd=self._runs_fd, dst_dir_fd=self._runs_fd)
        os.close(self._fd)
        self._fd = self._open()
        self._size = 0
        self._flush_old()

    def _open(self) -> int:
        fd = os.open("journal", _APPEND, 0o600, dir_fd=self._runs_fd)
        if not os.fstat(fd).st_size:
            write_all(fd, _line(b"boot " + self._boot.encode()))
            os.fsync(fd)
            os.fsync(self._runs_fd)
        return fd

    def _flush_old(self) -> None:
        """The old journal goes once all it speaks of is on the disk. A thread waits for that: it may take seconds."""
        if self._read("journal.old"):
            self._flushing = threading.Thread(target=self._flush, daemon=True)
            self._flushing.start()

    def _flush(self) -> None:
        os.sync()
        self._remove("journal.old")

    def _is_of_this_boot(self) -> bool:
        return b"boot " + self._boot.encode() in _sound(self._read("journal"))[:1]

    def _read(self, name: str) -> bytes:
        try:
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._runs_fd)
        except FileNotFoundError:
            return b""
        with os.fdopen(fd, "rb") as file:
            return file.read()

    def _remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._runs_fd)


def restore(ledger: Ledger, journal: bytes) -> None:
    """Bring back the logs (empty) and the lines that the journal knows and the disk lost; it changes nothing else.

    What was forgotten is not brought back, and goes again where the disk had not yet lost it; but attempts that were
    taken afterwards are kept.
    """
    forgotten: dict[int, int] = {}
    found: list[tuple[int, bytes, list[bytes]]] = []
    for at, entry in enumerate(_sound(journal)):
        kind, *rest = entry.split(b" ", 3)
        if kind == b"forgotten":
            forgotten[int(rest[0])] = at
        elif kind in (b"taken", b"ended"):
            found.append((at, kind, rest))
    kept = [(kind, rest) for at, kind, rest in found if at > forgotten.get(int(rest[0]), -1)]
    for run_id in forgotten.keys() - {int(rest[0]) for _, rest in kept}:
        ledger.forget(run_id)
    for kind, rest in kept:
        attempt = Attempt(int(rest[0]), int(rest[1]))
        fd = ledger.take(attempt)
        if fd is not None:
            os.close(fd)
        taken = ledger.read(attempt)
        if taken and taken.keeper is None:
            ledger.write_taker(attempt, "an earlier one", _NOBODY)
        ended = parse_end(attempt, rest[2]) if kind == b"ended" else None
        if ended and ledger.read_end(attempt) is None:
            ledger.write_end(ended)


def _line(entry: bytes) -> bytes:
    return b"%08x %s\n" % (crc32(entry), entry)


def _sound(journal: bytes) -> list[bytes]:
    """The entries whose checksum is right: a power cut may have left anything behind the last sync."""
    lines = [line for line in journal.split(b"\n") if len(line) > 9]
    return [line[9:] for line in lines if line[:8] == b"%08x" % crc32(line[9:])]
