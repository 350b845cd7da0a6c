"""Starts one command as the leader of a session of its own, with nothing of the keeper's in it but umask and limits.

By `posix_spawn`, which neither copies the keeper nor runs Python in the child. It cannot change the working directory,
so the keeper, which has one thread that ever looks at paths, goes there itself and comes back. Nor can it change the
user: what runs as another one is started by `subprocess`, which does, in C, though it copies the keeper for it.
"""

import os
import signal
from collections.abc import Iterator, Mapping

from sensord.executors.base import Account, Job

HOME = "/"
"""Where the keeper stays between two commands, so that it holds no other file system busy."""

_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_SIGNALS = signal.valid_signals()


class NotStarted(Exception):
    """The system refused to start it; the text holds the system's words."""


def take_all_signals() -> None:
    """For a keeper at its start: what its starter had it ignore or hold back, its commands must not inherit.

    SIGPIPE and SIGXFSZ, which Python needs ignored, are seen to when a command starts.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in _SIGNALS - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def start(job: Job, log_fd: int) -> int:
    """Start the command, its output and errors going to `log_fd`. Returns its pid; raises NotStarted."""
    try:
        os.chdir(job.cwd)
    except (OSError, ValueError) as error:
        raise NotStarted(_explain(error, job.cwd)) from error
    try:
        return _spawn(job, log_fd) if job.account is None else _spawn_as(job, job.account, log_fd)
    finally:
        os.chdir(HOME)


def _spawn(job: Job, log_fd: int) -> int:
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, log_fd, 1),
        (os.POSIX_SPAWN_DUP2, log_fd, 2),
    ]
    name = job.argv[0]
    try:
        return os.posix_spawn(
            find_program(name, job.env),
            job.argv,
            job.env,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=_SIGNALS,
        )
    except (OSError, ValueError) as error:
        raise NotStarted(_explain(error, name)) from error


def _spawn_as(job: Job, account: Account, log_fd: int) -> int:
    """As `_spawn`, with another user, group and groups. What it starts with is all that of the keeper but for these."""
    import subprocess  # few keepers ever need it

    name = job.argv[0]
    try:
        process = subprocess.Popen(
            job.argv,
            executable=find_program(name, job.env),
            env=job.env,
            stdin=subprocess.DEVNULL,
            stdout=log_fd,
            stderr=log_fd,
            start_new_session=True,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NotStarted(_explain(error, name)) from error
    process.returncode = 0  # it is for us to reap it, and not for `subprocess`, which would when it starts another
    return process.pid


def find_program(name: str, env: Mapping[str, str]) -> str:
    """Where `name` is, by the PATH in `env`, as execvp(3) would look for it. A name with a slash is its own place.

    Raises FileNotFoundError, or PermissionError where what was found may not be executed.
    """
    if "/" in name:
        return name
    error: type[OSError] = FileNotFoundError
    for place in _places(name, env):
        if os.path.isfile(place):  # noqa: PTH113 - the keeper does without pathlib: it starts in less time and memory
            if os.access(place, os.X_OK):
                return place
            error = PermissionError
    raise error


def _places(name: str, env: Mapping[str, str]) -> Iterator[str]:
    for folder in env.get("PATH", _DEFAULT_PATH).split(":"):
        yield f"{folder or '.'}/{name}"


def _explain(error: Exception, what: str) -> str:
    match error:
        case OSError(errno=int(number)):
            words = os.strerror(number)
        case FileNotFoundError():
            words = "not found in PATH"
        case PermissionError():
            words = "in PATH, but not executable"
        case _:
            words = str(error)
    return f"{what}: {words}"
