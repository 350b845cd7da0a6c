"""`sensord.toml`: the settings of the daemon itself. Without the file, or a key, the defaults hold."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from sensord.config.build_limits import read_age, to_span
from sensord.config.document import Document, Fault, read_document
from sensord.config.files import read_text
from sensord.config.names import SETTINGS_FILE, show
from sensord.config.report import Report
from sensord.config.shape import read_shape
from sensord.config.tables import SettingsTable
from sensord.errors import ConfigError, InvalidValue, Problem

STATE_FOLDER = ".sensord"
DATABASE_FILE = "sensord.db"
SLOTS_A_CPU = 4
"""Commands of a warehouse mostly wait for the warehouse."""

LOCAL, PROCRASTINATE = "local", "procrastinate"
"""Executors."""

QUEUE = "default"
SHARED_HINT = "workers need a PostgreSQL that all machines reach: see database, database_file and SENSORD_DB"

RETIRE_AFTER = timedelta(minutes=10)
LOST_AFTER = timedelta(minutes=10)
HEARTBEAT_LIMIT = timedelta(minutes=1)
SHORTEST_LIMIT = timedelta(seconds=5)
SHORTEST = timedelta(minutes=1)
"""A daemon tells every few seconds that it is there; a host that is restarted is back within a minute or two."""

_URL = re.compile(r"sqlite:///.|postgres(ql)?://.")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True, slots=True)
class Settings:
    """state: an absolute path. slots: commands at once. mapping_modules: those that `match = "python:..."` may name.
    retention: how long more than the outcome of a run is kept; None: for ever. retire_after: how long the file of a
    flow may be gone before the flow is given up. pools: their slots by name. lost_after: how long a station may be
    silent before what runs there is given up. allowed_users: those that `[run] user` may name. executor: of flows that
    name none; queue: likewise. heartbeat_limit: how long a worker may be without the database before it ends its own
    commands.
    """

    database_url: str
    state: Path
    durability: Literal["full", "normal"]
    slots: int
    mapping_modules: tuple[str, ...]
    watch: Literal["events", "poll", "off"]
    retention: timedelta | None
    retire_after: timedelta
    pools: Mapping[str, int] = field(default_factory=dict)
    lost_after: timedelta = LOST_AFTER
    allowed_users: tuple[str, ...] = ()
    executor: str = LOCAL
    queue: str = QUEUE
    heartbeat_limit: timedelta = HEARTBEAT_LIMIT

    @property
    def is_shared(self) -> bool:
        """Whether the database is on a server, which workers on other machines reach."""
        return not self.database_url.startswith("sqlite:")


def load_settings(directory: Path, chosen_url: str | None = None) -> Settings:
    """The settings of a config folder. ConfigError, with all problems, where sensord.toml cannot be used.

    chosen_url: the database in use, where that is not the one of the file.
    """
    report = _read(directory)
    table = read_shape(SettingsTable, report)
    # Not resolved: a config folder that is a link to the newest release keeps one state folder beside the link.
    folder = Path(os.path.abspath(directory))  # noqa: PTH100 -- resolve() would follow links
    state = Path(os.path.normpath(folder / (table.state or f"../{STATE_FOLDER}")))
    url = _read_url(table, folder, report) or f"sqlite://{state / DATABASE_FILE}"
    _check_modules(table, report)
    if table.state == "":
        report.at_value(("state",), "expected the path of a folder, got an empty text")
    retention = read_age(table.retention, report)
    retire_after = _read_retire_after(table, report)
    lost_after = read_age(table.lost_after, report, "lost_after") or LOST_AFTER
    if lost_after < SHORTEST:
        report.at_value(("lost_after",), f"expected at least a minute, got {show(table.lost_after)}")
    heartbeat_limit = read_age(table.heartbeat_limit, report, "heartbeat_limit") or HEARTBEAT_LIMIT
    if heartbeat_limit < SHORTEST_LIMIT:
        report.at_value(("heartbeat_limit",), f"expected at least five seconds, got {show(table.heartbeat_limit)}")
    url = chosen_url or url
    if table.executor == PROCRASTINATE and url.startswith("sqlite:"):
        message = f'expected "local" on a SQLite database, got "{PROCRASTINATE}"'
        report.at_value(("executor",), message, SHARED_HINT)
    if report.problems:
        raise ConfigError(sorted(report.problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return Settings(
        database_url=url,
        state=state,
        durability=table.durability or "full",
        slots=table.slots or SLOTS_A_CPU * (os.cpu_count() or 1),
        mapping_modules=tuple(table.mapping_modules or ()),
        watch=table.watch or "events",
        retention=retention,
        retire_after=RETIRE_AFTER if retire_after is None else retire_after,
        pools=table.pools or {},
        lost_after=lost_after,
        allowed_users=tuple(table.allowed_users or ()),
        executor=table.executor or LOCAL,
        queue=table.queue or QUEUE,
        heartbeat_limit=heartbeat_limit,
    )


def _read(directory: Path) -> Report:
    try:
        document = read_document(read_text(directory / SETTINGS_FILE))
    except FileNotFoundError:
        document = Document({}, {}, "")
    except Fault as fault:
        line, column = fault.place or (None, None)
        raise ConfigError([Problem(fault.message, fault.hint, SETTINGS_FILE, line, column)]) from None
    except OSError as error:
        message = f"expected a file that can be read, got: {error.strerror}"
        raise ConfigError([Problem(message, file=SETTINGS_FILE)]) from None
    return Report(SETTINGS_FILE, None, document)


def _read_url(table: SettingsTable, folder: Path, report: Report) -> str | None:
    """None where neither key is there, or what they say is no URL. It may hold a password: no message repeats it."""
    if table.database is not None and table.database_file is not None:
        report.at_key(("database_file",), "expected database or database_file, got both")
    if table.database is not None:
        return _check_url(table.database, "database", report)
    if table.database_file is None:
        return None
    try:
        text = read_text(folder / table.database_file).strip()
    except OSError as error:
        message = f"expected a file that can be read, got {show(table.database_file)}: {error.strerror}"
        report.at_value(("database_file",), message)
    except Fault as fault:
        report.at_value(("database_file",), fault.message, fault.hint)
    else:
        return _check_url(text, "database_file", report)
    return None


def _check_url(text: str, key: str, report: Report) -> str | None:
    if _URL.match(text) and text.isprintable():
        return text
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    got = "an empty text" if not text else f"{scheme[0]}..." if scheme else "a text without a scheme"
    where = " in the file" if key == "database_file" else ""
    hint = "write sqlite:///absolute/path or postgresql://user@host/database"
    report.at_value((key,), f"expected the URL of a database{where}, got {got}", hint)
    return None


def _read_retire_after(table: SettingsTable, report: Report) -> timedelta | None:
    if table.retire_after is None:
        return None
    try:
        return to_span(table.retire_after)
    except InvalidValue as error:
        report.refuse(("retire_after",), error)
        return None


def _check_modules(table: SettingsTable, report: Report) -> None:
    for number, name in enumerate(table.mapping_modules or ()):
        if not _MODULE.fullmatch(name):
            report.at_value(("mapping_modules", number), f"expected the name of a module, got {show(name)}")
