"""`daemon start --detach`: a child in a session of its own is the daemon; the parent returns when the child leads, or
stands by.
"""

import os
import select
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

from sensord.cli import render
from sensord.cli.daemon import run_daemon
from sensord.cli.session import Session
from sensord.daemon.station import make_folder
from sensord.errors import SensordError

READY = b"READY=1"
STANDS_BY = b"STATUS=stands by"


def run_detached(session: Session) -> None:
    """Start the daemon and wait until it is ready. Where it ends instead, show why and exit as it did."""
    log = open_log(session)
    written = log.stat().st_size
    folder = tempfile.mkdtemp(prefix="sensord-")
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    ear.bind(f"{folder}/notify")
    child = os.fork()
    if child == 0:
        ear.close()
        _leave(log, f"{folder}/notify")
        run_daemon(session)
        return
    try:
        status = _await(ear, child)
    finally:
        ear.close()
        shutil.rmtree(folder)
    if isinstance(status, bytes):
        how = "stands by" if STANDS_BY in status else "leads"
        render.message(f"the daemon {how}: process {child}, log in {log}")
        return
    _show_since(log, written)
    render.message(f"the daemon did not start; its log is {log}")
    sys.exit(os.waitstatus_to_exitcode(status) or 1)


def open_log(session: Session) -> Path:
    """The log's path; the file is there, and only we may read it."""
    make_folder(session.state_folder)
    path = session.state_folder / "daemon.log"
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise SensordError(f"cannot write {path}: {error.strerror}") from error
    return path


def _leave(log: Path, address: str) -> None:
    """In the child: a session of its own, and nothing open that the parent's callers might wait for."""
    os.setsid()
    os.environ["NOTIFY_SOCKET"] = address
    nothing = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_APPEND)
    for target, source in ((0, nothing), (1, out), (2, out)):
        os.dup2(source, target)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _await(ear: socket.socket, child: int) -> bytes | int:
    """What the child says when it is ready, its wait status when it has ended."""
    pidfd = os.pidfd_open(child)
    try:
        while True:
            ready, _, _ = select.select([ear.fileno(), pidfd], [], [])
            if ear.fileno() in ready and READY in (said := ear.recv(4096)).split(b"\n"):
                return said
            if pidfd in ready:
                return os.waitpid(child, 0)[1]
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
        raise
    finally:
        os.close(pidfd)


def _show_since(log: Path, position: int) -> None:
    """What the log has gained, on stderr."""
    with log.open("rb") as file:
        file.seek(position)
        text = file.read().decode(errors="backslashreplace")
    render.show([[render.Span(line)] for line in text.splitlines()], to=sys.stderr)
