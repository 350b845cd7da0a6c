"""A terminal for tests: a pseudo-terminal of 80 columns, and all that a program writes to it."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import sensord

ROOT = Path(sensord.__file__).parents[1]
PREAMBLE = "from sensord.cli import render\nfrom sensord.cli.render import Span\n"


def environment(**changes: str) -> dict[str, str]:
    """Of a person at a terminal, whatever the tests themselves run in."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")}
    return kept | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"} | changes


def on_terminal(code: str, **environ: str) -> str:
    """What some Python code, with `render` and `Span` at hand, writes to a terminal."""
    return run_on_terminal([sys.executable, "-c", PREAMBLE + code], environment(**environ))


def run_on_terminal(command: list[str], environ: dict[str, str]) -> str:
    """All that the command writes to its terminal, stdout and stderr alike."""
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ) as process:
        os.close(slave)
        written = b""
        while chunk := _read(master):
            written += chunk
        process.wait()
    os.close(master)
    return written.decode()


def interrupt_on_terminal(command: list[str], environ: dict[str, str], after: str, times: int) -> tuple[str, int]:
    """What the command writes to its terminal, and its exit code, when Ctrl-C comes as `after` is there so often."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environ, preexec_fn=_hear_interrupts
    ) as process:
        os.close(slave)
        written = b""
        while chunk := _read(master):
            written += chunk
            if written.decode(errors="replace").count(after) >= times:
                process.send_signal(signal.SIGINT)
                times = sys.maxsize
        code = process.wait()
    os.close(master)
    return written.decode(), code


def _hear_interrupts() -> None:
    """A shell's background job is born deaf to Ctrl-C, and so are its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the last one to hold the terminal has closed it
        return b""
