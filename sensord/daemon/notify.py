"""Tell whoever started the daemon how it is: the protocol of systemd's sd_notify(3), over a datagram socket.

`sensord daemon start --detach` listens in the same way, so there is one sign of readiness.
"""

import os
import socket


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
