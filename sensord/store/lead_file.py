"""The lead on SQLite: a lock on `<real database path>.lock`, which the system drops when its holder dies.

The file is never removed. It names its holder in JSON; its time says since when.
"""

import fcntl
import json
import math
import os
from contextlib import suppress
from dataclasses import asdict

from sensord.core.instant import from_micros
from sensord.errors import DatabaseError, LeadLost
from sensord.store.database import Transaction
from sensord.store.lead import Holder, Lead, Leader, Wait, running
from sensord.store.sqlite import SqliteDatabase

TRIES = 5
PAUSE = 0.05
"""Seconds between tries: who asks whether anybody leads holds a shared lock for an instant."""

_SIZE = 2048
_LONGEST = 120
"""Characters of a trouble: written as ASCII they fit, whatever they are."""


class FileLead(Lead):
    """Holds the lock as long as the file is open. Commands that the daemon starts do not inherit it."""

    term = 0
    renew_every = math.inf

    def __init__(self, path: str, descriptor: int, holder: Holder) -> None:
        self._path = path
        self._holder = holder
        self._descriptor: int | None = descriptor

    @classmethod
    def take_file(cls, db: SqliteDatabase, holder: Holder, *, wait: Wait) -> "FileLead":
        descriptor = _open(lock_path(db), os.O_RDWR | os.O_CREAT)
        try:
            _seize(db, descriptor, wait)
            lead = cls(lock_path(db), descriptor, holder)
            lead.renew()
            lead._write()
        except BaseException:
            os.close(descriptor)
            raise
        return lead

    def guard(self, tx: Transaction) -> None:
        """The lock itself is the guard: nobody else can write as the leader."""

    def confirm(self) -> None:
        """A process that is paused keeps its locks."""

    def renew(self) -> None:
        """LeadLost where the lock was released, or its file removed, so that others would lock another one."""
        try:
            there = os.stat(self._path)  # noqa: PTH116 -- compared with a descriptor's
        except FileNotFoundError:
            there = None
        if self._descriptor is None or there is None or not os.path.samestat(there, os.fstat(self._descriptor)):
            raise LeadLost(f"expected our lock on {self._path}, got none", hint="never remove the lock's file")

    def complain(self, trouble: str | None) -> None:
        """Into the lock's file, which has its room even where the disk is full, but for file systems that copy on
        write: there the log alone has the trouble."""
        if self._descriptor is not None:
            times = os.fstat(self._descriptor)
            with suppress(DatabaseError):
                self._write(trouble and trouble[:_LONGEST])
            os.utime(self._descriptor, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _write(self, trouble: str | None = None) -> None:
        """One write of always the same size: a reader sees the old holder or the new one, never half of it."""
        assert self._descriptor is not None
        text = json.dumps(asdict(self._holder) | ({"trouble": trouble} if trouble else {}))
        try:
            os.pwrite(self._descriptor, text.encode().ljust(_SIZE - 1) + b"\n", 0)
        except OSError as error:
            raise DatabaseError(f"cannot write {self._path}: {error.strerror}", hint="make room on the disk") from error

    def release(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def leader_of(db: SqliteDatabase) -> Leader | None:
    """Who holds the lock; None where nobody does."""
    try:
        descriptor = _open(lock_path(db), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        leader = _read(descriptor)
        return None if leader is None or _lock(descriptor, fcntl.LOCK_SH) else leader
    finally:
        os.close(descriptor)


def _seize(db: SqliteDatabase, descriptor: int, wait: Wait) -> None:
    for _ in range(TRIES):
        if _lock(descriptor, fcntl.LOCK_EX):
            return
        wait(PAUSE)
    raise running(db, _read(descriptor))


def lock_path(db: SqliteDatabase) -> str:
    return f"{db.path}.lock"


def _open(path: str, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DatabaseError(f"cannot open {path}: {error.strerror}", hint="check its owner and mode") from error


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> Leader | None:
    text = os.pread(descriptor, _SIZE, 0)
    if not text.strip():
        return None
    fields = json.loads(text)
    trouble = fields.pop("trouble", None)
    return Leader(Holder(**fields), from_micros(os.fstat(descriptor).st_mtime_ns // 1000), 0, trouble)
