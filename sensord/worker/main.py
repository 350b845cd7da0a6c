"""Put a worker together and run it: the database, a state folder of its own, the executor; and take it apart again."""

import fcntl
import logging
import os
import re
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from sensord import __version__
from sensord.clock import SystemClock, WatchedClock
from sensord.config import load_settings
from sensord.config.tables import QUEUE
from sensord.daemon.dispatch import Place
from sensord.daemon.notify import notify
from sensord.daemon.signals import Signals
from sensord.daemon.station import make_folder, read_station
from sensord.daemon.supervise import Supervisor
from sensord.errors import DatabaseError, SensordError
from sensord.executors.local import LocalExecutor
from sensord.store import carrier, engine, schema, workers
from sensord.store.database import Database, redact
from sensord.store.lead import Holder
from sensord.worker.heartbeat import Heartbeat
from sensord.worker.pruning import Pruner
from sensord.worker.shipping import Shipper
from sensord.worker.worker import Ears, Worker, leave

FOLDER = "workers"
"""Below the state folder; in it, a state folder for each worker of this machine."""

log = logging.getLogger("sensord")


def is_name(text: str) -> bool:
    """Whether a queue, or a worker, may be named so."""
    return re.fullmatch(QUEUE, text) is not None


def run(directory: Path, url: str | None, *, queue: str | None, slots: int | None, name: str | None) -> None:
    """Run a worker until it is told to stop and has drained. What is None is as sensord.toml has it.

    url: the database. Raises SensordError where it cannot start: ConfigError, DatabaseError.
    """
    settings = load_settings(directory, url)
    if not settings.is_shared:
        raise DatabaseError(
            f"expected a database on PostgreSQL for workers, got {redact(settings.database_url)}",
            hint='name the leader\'s: database = "postgresql://user@host/database" in sensord.toml, or SENSORD_DB',
        )
    queue, slots = queue or settings.queue, slots or settings.slots
    name = name or queue
    state = settings.state / FOLDER / name
    make_folder(state)
    with ExitStack() as stack:
        _lock(state, name, stack)
        signals = stack.enter_context(Signals())
        db = stack.enter_context(Database.open(settings.database_url))
        schema.require_current(db)
        engine.require_current(db)
        holder = Holder(socket.gethostname(), os.getpid(), __version__, read_station(state))
        place = Place("local", holder.host, holder.station, directory.resolve(), os.environ)
        place.accounts.allow(settings.allowed_users)
        executor = LocalExecutor(state)
        stack.callback(executor.close)
        ears = _listen(db, queue, stack)
        supervisor = Supervisor(db, executor, place)
        heartbeat = Heartbeat(holder, name, queue, slots, settings.heartbeat_limit)
        shipper, pruner = Shipper(state / "runs"), Pruner(state / "runs")
        clock = WatchedClock(SystemClock())
        worker = Worker(db, executor, supervisor, heartbeat, shipper, pruner, signals, place, clock, ears)
        log.info("sensord %s works: queue %s, %d slots, %s", __version__, queue, slots, redact(db.url))
        notify(f"READY=1\nSTATUS=takes runs from queue {queue}")
        worker.run()
        notify("STOPPING=1")
        with suppress(DatabaseError):  # then it is missed after its limit, and had nothing
            leave(db, holder.station, supervisor.busy)
        log.info("stopped")


def _listen(db: Database, queue: str, stack: ExitStack) -> Ears:
    from sensord.store.wake_channel import WakeChannel

    ears = Ears(WakeChannel(db.url, carrier.CHANNEL.format(queue)), WakeChannel(db.url, workers.CHANNEL))
    stack.callback(ears.queue.close)
    stack.callback(ears.hail.close)
    return ears


def _lock(state: Path, name: str, stack: ExitStack) -> None:
    """Two workers in one folder would count each other's commands as theirs."""
    descriptor = os.open(state / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    stack.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SensordError(
            f"a worker named {name} is at work in {state}", hint="give this one a name of its own: --name"
        ) from None
