"""`python -m tests.chaos [--seed N] [--seconds S] [--database NAME]`: a course, its audit, its figures.

Without a seed it takes one by the clock. Exits with 1 where the audit finds anything; the folder is then kept.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.actors import LockedFile, StoppedServer, Store
from tests.chaos.audit import audit
from tests.chaos.blows import draw
from tests.chaos.course import Course
from tests.chaos.evidence import Evidence
from tests.chaos.figures import figures
from tests.e2e.database_server import database_server

CASTS = {"sqlite": (1, 0), "postgresql": (2, 0), "workers": (2, 2)}
"""How many daemons there are, and how many workers, which need PostgreSQL."""
PAUSE = 0.8
"""Seconds from blow to blow, on the average."""


@contextmanager
def open_store(database: str, folder: Path) -> Iterator[Store]:
    if database == "sqlite":
        yield LockedFile(f"sqlite://{folder / 'state' / 'sensord.db'}")
    else:
        with database_server() as server:
            yield StoppedServer(server)


def run(folder: Path, database: str, seed: int, seconds: float) -> Evidence:
    """A course in `folder`. Whatever it raises says how to have it again."""
    try:
        with open_store(database, folder) as store:
            return Course(folder, store, seconds, *CASTS[database]).run(draw(seed, seconds, PAUSE))
    except BaseException as error:
        error.add_note(f"again: {replay(database, seed, seconds)}")
        raise


def replay(database: str, seed: int, seconds: float) -> str:
    return f"python -m tests.chaos --database {database} --seed {seed} --seconds {seconds:g}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--database", choices=[*CASTS], default="postgresql")
    given = parser.parse_args()
    print(replay(given.database, given.seed, given.seconds), flush=True)
    folder = Path(tempfile.mkdtemp(prefix="sensord-chaos-"))
    evidence = run(folder / "site", given.database, given.seed, given.seconds)
    wrong = audit(evidence)
    print("\n".join([*figures(evidence), "", *wrong, f"{len(wrong)} faults"]))
    if wrong:
        print(f"see {folder}; again: {replay(given.database, given.seed, given.seconds)}")
    else:
        shutil.rmtree(folder)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
