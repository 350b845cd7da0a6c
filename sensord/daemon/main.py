"""Put the daemon together and run it: the database, the lead, the executor, the loop; and take it apart again."""

import gc
import logging
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sensord import __version__
from sensord.clock import Clock, SystemClock, WatchedClock
from sensord.config import Config, Settings, load, load_settings
from sensord.config.modules import Modules
from sensord.core.schedule import Schedule
from sensord.daemon.accounts import Accounts
from sensord.daemon.away import Away
from sensord.daemon.berths import Berths
from sensord.daemon.daemon import Daemon
from sensord.daemon.dispatch import Place
from sensord.daemon.eyes import watch_folder
from sensord.daemon.loop import Loop
from sensord.daemon.notify import notify
from sensord.daemon.signals import Signals
from sensord.daemon.station import make_folder, read_station
from sensord.daemon.watch import Watcher
from sensord.errors import ConfigError
from sensord.executors.local import LocalExecutor
from sensord.store import schema
from sensord.store.database import Database, redact
from sensord.store.lead import Holder, Lead
from sensord.store.wake import Listener

if TYPE_CHECKING:
    from sensord.store.heart import Heart

log = logging.getLogger("sensord")


def run(directory: Path, url: str | None = None, clock: Clock | None = None) -> None:
    """Run the daemon on a config folder until it is told to stop and has drained.

    `url` is the database; None takes that of sensord.toml. On PostgreSQL it stands by while another daemon leads.
    Raises SensordError where it cannot start: ConfigError, DatabaseError, and on SQLite DaemonRunning.
    """
    settings = load_settings(directory, url)
    make_folder(settings.state)
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        db = stack.enter_context(Database.open(url or settings.database_url, durability=settings.durability))
        schema.prepare(db)
        holder = Holder(socket.gethostname(), os.getpid(), __version__, read_station(settings.state))
        place = Place("local", holder.host, holder.station, directory.resolve(), os.environ)
        place.accounts.allow(settings.allowed_users)
        if db.dialect == "sqlite":
            lead = Lead.take(db, holder)
            stack.callback(lead.release)
        executor = LocalExecutor(settings.state)
        stack.callback(executor.close)
        seat = Seat(directory, settings, db, executor, signals, place, WatchedClock(clock or SystemClock()))
        if db.dialect == "sqlite":
            seat.lead(lead)
        else:
            from sensord.daemon.turns import take_turns

            take_turns(seat, holder)


@dataclass
class Seat:
    """What a process has for as long as it runs, whether it leads or not. `draining`: it was told to stop."""

    directory: Path
    settings: Settings
    db: Database
    executor: LocalExecutor
    signals: Signals
    place: Place
    clock: Clock
    draining: bool = False

    def lead(self, lead: Lead, heart: "Heart | None" = None, *, follows: bool = False) -> None:
        """Lead until the daemon is told to stop and has drained, or has to stop at once: LeadLost, Unreachable.

        follows: it has stood by for this, so files that are wrong are no reason to refuse.
        """
        with ExitStack() as stack:
            listener = Listener(self.db)
            stack.callback(listener.close)
            reader = _Reader(self.directory, self.settings, self.place.accounts)
            watcher = stack.enter_context(_watch(reader)) if self.settings.watch != "off" else None
            daemon = Daemon(
                self.db,
                lead,
                self.executor,
                self.clock,
                read_config=reader.read,
                place=self.place,
                slots=self.settings.slots,
                away=Away(self.settings.lost_after),
                berths=Berths.by(self.settings, self.db.dialect),
            )
            daemon.adopt()
            log.info("sensord %s leads: %s, %s", __version__, _read_first(daemon, follows), redact(self.db.url))
            # What has been read stays: the collector need not go through ten thousand flows again and again.
            gc.collect()
            gc.freeze()
            notify("READY=1\nSTATUS=leads")
            try:
                Loop(daemon, listener, lead, self.signals, watcher, heart=heart).run()
            finally:
                self.draining = daemon.draining
            notify("STOPPING=1")
            _farewell(daemon)


def _read_first(daemon: Daemon, follows: bool) -> str:
    try:
        return daemon.reload()
    except ConfigError as error:
        if not follows:
            raise
        log.error("%s; the old configuration goes on", error)  # noqa: TRY400 - foreseen, no traceback
        return "the flows as the database has them"


class _Reader:
    """Reads the config folder, again and again: what has not changed since the last time is taken over.

    What is wrong is logged when it is first seen.
    """

    def __init__(self, directory: Path, settings: Settings, accounts: Accounts) -> None:
        self.directory = directory
        self.settings = settings
        self._accounts = accounts
        self._last: Config | None = None
        self._modules = Modules(directory)
        self._told: set[str] = set()

    def read(self, known: Mapping[str, Schedule]) -> Config:
        renewed, problems = self._modules.renew(self.settings.mapping_modules)
        self._accounts.renew()
        url = self.settings.database_url
        config = load(self.directory, None if renewed else self._last, known, self._accounts.refuse, url)
        self._accounts.allow(config.settings.allowed_users)
        self._modules.note(config.settings.mapping_modules)
        self._last = replace(config, problems=[*config.problems, *problems])
        self.settings = self._last.settings
        texts = [str(problem) for problem in self._last.problems]
        for text in texts:
            if text not in self._told:
                log.error("%s", text)
        self._told = set(texts)
        return self._last


def _watch(reader: _Reader) -> Watcher:
    """From before the first reading on, so that no change is missed."""
    return watch_folder(reader.directory, lambda: reader.settings.mapping_modules, poll=reader.settings.watch == "poll")


def _farewell(daemon: Daemon) -> None:
    if daemon.active:
        log.info("stopped; %d commands go on, and the next daemon takes them up", daemon.active)
    else:
        log.info("stopped")
