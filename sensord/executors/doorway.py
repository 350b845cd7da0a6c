"""Where the daemon and the keeper meet: a socket in the state folder, and a lock that lets one keeper stand behind it.

A socket's path may have 108 bytes at most; the folder is therefore named by a descriptor, through /proc.
"""

import contextlib
import fcntl
import os
import socket

SOCKET = "keeper.sock"
LOCK = "keeper.lock"
_BACKLOG = 128


def open_folder(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def connect(state_fd: int) -> socket.socket | None:
    """A connection to the keeper; None where none answers."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.connect(_place(state_fd))
    except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):  # the last: its queue is full
        sock.close()
        return None
    return sock


def listen(state_fd: int) -> socket.socket:
    """A listening socket in place of what may lie there. Only for who holds the lock."""
    remove(state_fd)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    umask = os.umask(0o177)
    try:
        sock.bind(_place(state_fd))
    finally:
        os.umask(umask)
    sock.listen(_BACKLOG)
    return sock


def find(state_fd: int) -> int | None:
    """The inode of the socket in the folder; None where there is none: cleaners of old files take sockets too."""
    try:
        return os.stat(SOCKET, dir_fd=state_fd).st_ino
    except FileNotFoundError:
        return None


def remove(state_fd: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET, dir_fd=state_fd)


def lock(state_fd: int) -> int | None:
    """The lock's descriptor, held until it is closed or we die; None where another keeper has it."""
    fd = os.open(LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=state_fd)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _place(state_fd: int) -> str:
    return f"/proc/self/fd/{state_fd}/{SOCKET}"
