"""Tell whoever started the daemon how it is: the protocol of systemd's sd_notify(3), over a datagram socket.

`sensord daemon start --detach` listens in the same way, so there is one sign of readiness.
"""

import math
import os
import socket
import time
from collections.abc import Callable, Mapping


def notify(state: str) -> bool:
    """Send e.g. `READY=1` or `STOPPING=1` to $NOTIFY_SOCKET. False where nobody asked to be told or listens now."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
            sender.sendall(state.encode())
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


class Watchdog:
    """systemd's: fed by the loop itself, as often as `WatchdogSec` asks for; a loop that hangs feeds it no more."""

    def __init__(
        self,
        announce: Callable[[str], object] = notify,
        monotonic: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._announce = announce
        self._monotonic = monotonic
        self._due = 0.0
        self.every = _read_seconds(environ) / 4
        """Seconds between two feedings, at most; endless where nobody watches."""

    def feed(self) -> None:
        """Costs nothing until it is time again."""
        if self.every < math.inf and self._monotonic() >= self._due:
            self._announce("WATCHDOG=1")
            self._due = self._monotonic() + self.every


def _read_seconds(environ: Mapping[str, str]) -> float:
    """What systemd says in WATCHDOG_USEC; endless where it says nothing, or says it to another process."""
    micros, process = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID") or str(os.getpid())
    return int(micros) / 1_000_000 if micros.isdecimal() and process == str(os.getpid()) else math.inf
