"""Starts a keeper that outlives us, without waiting for it: a pipe tells when it answers, or that it never will."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import sensord

LOG = "keeper.log"

_LARGEST_LOG = 1 << 20  # bytes; a longer one is begun anew with the next keeper
_TAIL = 4096

# Our own code, from where we have it, and the standard library: no site, no environment, nothing to shadow either.
_BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from sensord.executors.keeper import main; main(sys.argv[1:])"
_HOME = str(Path(sensord.__file__).parent.parent)
_PYTHON = (sys.executable, "-I", "-S", "-X", "utf8", "-c", _BOOT, _HOME)
_KEPT = ("LD_LIBRARY_PATH",)  # a Python may need it to start; commands get the environment of their job alone


class Launch:
    """A keeper on its way. `fileno` is readable when there is an `answer`. Raises OSError where none can be started."""

    def __init__(self, state: Path, state_fd: int, options: Sequence[str]) -> None:
        log_fd = os.open(LOG, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600, dir_fd=state_fd)
        self._pipe, ready = os.pipe()
        os.set_blocking(self._pipe, False)
        try:
            if os.fstat(log_fd).st_size > _LARGEST_LOG:
                os.ftruncate(log_fd, 0)
            self._process = subprocess.Popen(
                [*_PYTHON, str(state), *options],
                stdin=subprocess.DEVNULL,
                stdout=ready,
                stderr=log_fd,
                start_new_session=True,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
            )
        except BaseException:
            os.close(self._pipe)
            raise
        finally:
            os.close(ready)
            os.close(log_fd)

    def fileno(self) -> int:
        return self._pipe

    def answer(self) -> bool | None:
        """True: a keeper answers. False: this one has failed. None: not yet known."""
        try:
            return bool(os.read(self._pipe, 64))
        except BlockingIOError:
            return None

    def close(self) -> None:
        """Let it go its way. What we started itself ends at once: the keeper is a child of its own, and init's."""
        os.close(self._pipe)
        self._process.wait()


def read_last_words(state_fd: int) -> str:
    """The last line of the keepers' log, empty where there is none."""
    with contextlib.suppress(FileNotFoundError), os.fdopen(os.open(LOG, os.O_RDONLY, dir_fd=state_fd), "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
        lines = file.read().decode(errors="replace").splitlines()
        return lines[-1] if lines else ""
    return ""
