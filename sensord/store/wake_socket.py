"""Wake-ups on SQLite: a Unix datagram socket, `<real database path>.wake`, for its owner alone.

An address holds 107 bytes at most; a longer path is reached through a descriptor, by way of /proc/self/fd.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sensord.errors import DatabaseError
from sensord.store.sqlite import path_of
from sensord.store.wake import ANYTHING, NOTHING, Heard

LONGEST = 107


class WakeSocket:
    """The receiving end. It takes the place of one that an earlier process left behind."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            os.fchmod(self._socket.fileno(), 0o600)  # before it has a name
            self._bind()
        except OSError as error:
            self._socket.close()
            raise DatabaseError(f"cannot listen at {path}: {error.strerror}", hint="check the folder's mode") from error
        self._own = os.stat(path)  # noqa: PTH116 -- kept to be compared

    def _bind(self) -> None:
        """Under a short name of our own first: then it replaces the old one in one step."""
        folder, name = os.path.split(self._path)
        short = f".wake-{os.getpid()}"
        directory = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with suppress(FileNotFoundError):
                os.unlink(short, dir_fd=directory)
            self._socket.bind(f"/proc/self/fd/{directory}/{short}")
            os.rename(short, name, src_dir_fd=directory, dst_dir_fd=directory)
        finally:
            os.close(directory)

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> Heard:
        heard = NOTHING
        while True:
            try:
                self._socket.recv(16)
            except BlockingIOError:
                return heard
            heard = ANYTHING

    def close(self) -> None:
        if self._socket.fileno() == -1:
            return
        self._socket.close()
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self._path), self._own):  # noqa: PTH116 -- not that of a successor
                os.unlink(self._path)  # noqa: PTH108 -- the path is a str, as the socket has it


def socket_path(url: str) -> str:
    return f"{path_of(url)}.wake"


def send(path: str) -> bool:
    """One wake-up; False where nobody listens. A full queue is as good: the listener has not looked yet."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        try:
            with _address(path) as address:
                sender.sendto(b"\n", address)
        except BlockingIOError:
            return True
        except (FileNotFoundError, ConnectionRefusedError, PermissionError):
            return False
    return True


@contextmanager
def _address(path: str) -> Iterator[str]:
    if len(os.fsencode(path)) <= LONGEST:
        yield path
        return
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
