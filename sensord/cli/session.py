"""Where a command looks: the config folder, the database and the state folder, as options and environment say.

What neither says stands in sensord.toml, read in `place` for these few keys, since reads are to be quick.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sensord.clock import Clock, SystemClock
from sensord.errors import NoDaemon, NotFound, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sensord.cli.place import Place
    from sensord.store.database import Database


@dataclass
class Session:
    """One call of the program. Tests give it a clock, an environment, a way to wait, and a person."""

    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    wait: Callable[[float], None] = time.sleep
    options: dict[str, str] = field(default_factory=dict)
    interactive: Callable[[], bool] = lambda: sys.stdin.isatty() and sys.stderr.isatty()
    """Whether a person is there to be asked."""

    def choose(self, option: str, value: str) -> None:
        """Take `--config` or `--db` from the command line, where `ps` shows it to everybody."""
        if option == "db":
            from sensord.store.database import redact

            if redact(value) != value:
                raise UsageError(
                    "expected a database URL without a password, since `ps` shows the command line to everybody",
                    hint="set SENSORD_DB, or write the URL into a file of mode 0600 and name it database_file",
                )
        self.options[option] = value

    @property
    def config_dir(self) -> "Path":
        from pathlib import Path

        return Path(self.options.get("config") or self.environ.get("SENSORD_CONFIG") or "config")

    @property
    def chosen_url(self) -> str | None:
        """The database as option or environment name it; None leaves it to sensord.toml."""
        return self.options.get("db") or self.environ.get("SENSORD_DB") or None

    @cached_property
    def url(self) -> str:
        return self.chosen_url or self._place.database_url

    @property
    def state_folder(self) -> "Path":
        return self._place.state

    @property
    def colour(self) -> bool:
        return not self.environ.get("NO_COLOR")

    @cached_property
    def _place(self) -> "Place":
        from sensord.cli.place import read_place

        return read_place(self.config_dir)

    def require_database(self) -> None:
        """NotFound where the database is a file that is not there; a server says for itself what is wrong."""
        if not self.has_database:
            raise NotFound(
                f"no database at {self.url.removeprefix('sqlite://')}",
                hint="`sensord daemon start` makes it; --config, --db or SENSORD_DB name another",
            )

    def open(self) -> "Database":
        """The database, to read. It is neither made nor changed."""
        self.require_database()
        return self._open(readonly=True)

    def open_for_change(self, *, of_any_version: bool = False) -> "Database":
        """The database, to leave a request for the daemon. NoDaemon where there is none, so that no daemon leads.

        of_any_version: also one whose daemon is of another version, which knows the request nevertheless.
        """
        if not self.has_database:
            raise NoDaemon("no daemon leads: there is no database yet", hint="start one with `sensord daemon start`")
        return self._open(readonly=False, of_any_version=of_any_version)

    @property
    def has_database(self) -> bool:
        """False where it is a file that is not there."""
        return not self.url.startswith("sqlite://") or os.path.exists(self.url.removeprefix("sqlite://"))  # noqa: PTH110 -- quicker to start than pathlib

    def _open(self, *, readonly: bool, of_any_version: bool = False) -> "Database":
        from sensord.store.database import Database
        from sensord.store.schema import require_current, require_ours

        database = Database.open(self.url, readonly=readonly)
        try:
            (require_ours if of_any_version else require_current)(database)
        except BaseException:
            database.close()
            raise
        return database
