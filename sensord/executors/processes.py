"""What the kernel tells about a process: which one it is, whether it still runs, how it ended.

A pid alone names nothing for long: it is used again. Together with its start time and the boot it names one process.
"""

import errno
import fcntl
import os
import struct
from dataclasses import dataclass

BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"

_DEAD = (b"Z", b"X", b"x")
# <linux/pidfd.h>: struct pidfd_info as it was first (mask, cgroupid, eleven ids, exit_code), and _IOWR(0xFF, 11, ...)
_INFO = struct.Struct("=QQ11Ii")
_INFO_EXIT = 1 << 3
_GET_INFO = 3 << 30 | _INFO.size << 16 | 0xFF << 8 | 11


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one boot, for ever: `start` is its start time in clock ticks since the boot."""

    pid: int
    start: int


def read_boot_id() -> str:
    return _read(BOOT_ID_FILE).decode().strip()


def identify(pid: int) -> Process:
    """The process that has this pid now, be it a zombie. Raises ProcessLookupError where there is none."""
    stat = _stat(pid)
    if stat is None:
        raise ProcessLookupError(f"no process {pid}")
    return Process(pid, int(stat[19]))


def is_running(process: Process) -> bool:
    """Whether that very process is there and has not ended (a zombie has)."""
    stat = _stat(process.pid)
    return stat is not None and int(stat[19]) == process.start and not _has_ended(stat)


def find_by_output(path: str, dir_fd: int) -> Process | None:
    """The session leader whose standard output or error is the file: a command that lost its keeper before its pid was
    noted down. One pass over /proc. None where there is none, or where the command sent its output elsewhere."""
    try:
        wanted = os.stat(path, dir_fd=dir_fd)
    except FileNotFoundError:
        return None
    with os.scandir("/proc") as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
    for pid in pids:
        if any(_is_file(f"/proc/{pid}/fd/{fd}", wanted) for fd in (1, 2)):
            stat = _stat(pid)
            if stat and int(stat[3]) == pid and not _has_ended(stat):
                return Process(pid, int(stat[19]))
    return None


def find_status(process: Process, pidfd: int | None) -> int | None:
    """The wait status of a process that has ended and was not our child; None where it cannot be known.

    A zombie shows it in /proc to those who may trace it. Of a reaped one, Linux tells it through an open pidfd, from
    6.15 on. (The kernel's proc_pid_stat(5) and ioctl_pidfd(2).)
    """
    # Who may not trace a process reads 0 for its status. Its `cwd` tells them apart: refused, or gone with its memory.
    # It is asked first, so that the zombie seen afterwards was there all along.
    may_trace = _errno_of_link(f"/proc/{process.pid}/cwd") == errno.ENOENT
    stat = _stat(process.pid)
    if may_trace and stat and int(stat[19]) == process.start and stat[0] == b"Z":
        return int(stat[49])
    if pidfd is None:
        return None
    try:
        answer = fcntl.ioctl(pidfd, _GET_INFO, _INFO.pack(_INFO_EXIT, *(0,) * 13))
    except OSError:  # an older kernel does not know the question
        return None
    mask, *_, status = _INFO.unpack(answer)
    return int(status) if mask & _INFO_EXIT else None


def _errno_of_link(path: str) -> int:
    try:
        os.readlink(path)  # noqa: PTH115 - the keeper does without pathlib: it starts in less time and memory
    except OSError as error:
        return error.errno or 0
    return 0


def _stat(pid: int) -> list[bytes] | None:
    """/proc/PID/stat from its third field on (state, ppid, pgrp, session, ...); the second may hold any character."""
    try:
        text = _read(f"/proc/{pid}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(b")") + 2 :].split()


def _has_ended(stat: list[bytes]) -> bool:
    """A first thread that has ended looks like a zombie while others still run: they are counted."""
    return stat[0] in _DEAD and int(stat[17]) <= 1


def _is_file(path: str, wanted: os.stat_result) -> bool:
    try:
        found = os.stat(path)  # noqa: PTH116 - as above
    except OSError:  # the process has gone, closed it, or is not ours to look at
        return False
    return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)
