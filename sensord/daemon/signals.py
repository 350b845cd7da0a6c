"""Signals as events: kept until the loop asks for them, with a file descriptor that is readable when there are any."""

import signal
import socket
from collections import deque
from types import FrameType
from typing import Self

STOP = (signal.SIGTERM, signal.SIGINT)
RELOAD = signal.SIGHUP


class Signals:
    """While it is open, signals to stop or to reload do nothing by themselves; `drain` tells which have come."""

    def __init__(self) -> None:
        self._arrived: deque[int] = deque()
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._keep) for number in (*STOP, RELOAD)}

    def fileno(self) -> int:
        return self._receiver.fileno()

    def drain(self) -> list[int]:
        """The signals that have come since the last call, in order."""
        try:
            while self._receiver.recv(4096):
                continue
        except BlockingIOError:
            pass  # all is read
        arrived = []
        while self._arrived:
            arrived.append(self._arrived.popleft())
        return arrived

    def close(self) -> None:
        """Signals do again what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._receiver.close()
        self._sender.close()

    def _keep(self, number: int, _: FrameType | None) -> None:
        self._arrived.append(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
