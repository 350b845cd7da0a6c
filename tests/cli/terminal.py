"""A terminal for tests: a pseudo-terminal of 80 columns, and all that a program writes to it."""

import os
import pty
import subprocess
import sys
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


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the last one to hold the terminal has closed it
        return b""
