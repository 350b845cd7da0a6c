"""Workers as an executor: the daemon's side of them, by the parts that the daemon is made of, and a worker in a thread.

What the daemon does in its own transactions, to dispatch and to prune, is done here as there, for a job of a test.
"""

import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sensord.clock import SystemClock
from sensord.config.body import write_body
from sensord.core.cron import parse_cron
from sensord.core.flow import Command, Flow
from sensord.core.instant import to_micros
from sensord.core.schedule import Schedule
from sensord.core.zone import parse_zone
from sensord.daemon.away import Away
from sensord.daemon.dispatch import Place
from sensord.daemon.signals import Signals
from sensord.daemon.supervise import Supervisor
from sensord.executors.base import Attempt, Ended, Forgotten, Job, News
from sensord.executors.local import LocalExecutor
from sensord.store import attempts, carrier, retention, runs, timers, workers
from sensord.store.carrier import Carried
from sensord.store.database import Database, Transaction
from sensord.store.lead import Holder
from sensord.store.timers import Timer, What
from sensord.store.wake import CHANNEL, wake
from sensord.store.wake_channel import WakeChannel
from sensord.worker.heartbeat import Heartbeat
from sensord.worker.pruning import Pruner
from sensord.worker.shipping import Shipper
from sensord.worker.worker import Ears, Worker

QUEUE = "etl"
UTC_ZONE = parse_zone("UTC")
HOURLY = Schedule(parse_cron("0 * * * *", UTC_ZONE), UTC_ZONE)

MAKE_RUN = """
INSERT INTO run (id, flow_id, logical_date, kind, state, priority, definition_id, created_at, attempt)
OVERRIDING SYSTEM VALUE VALUES (:run, :run, 0, 0, 3, 0, :definition, 0, :number)
ON CONFLICT (id) DO UPDATE SET state = 3, attempt = excluded.attempt, definition_id = excluded.definition_id
WHERE run.attempt < excluded.attempt
"""
MAKE_FLOW = """
INSERT INTO flow (id, name, state, activated_at, planned_to, max_active, priority)
OVERRIDING SYSTEM VALUE VALUES (:run, :name, 1, 0, 0, 1, 0) ON CONFLICT DO NOTHING
"""
MAKE_DEFINITION = """
INSERT INTO definition (flow_id, digest, body, schedule_digest, effective_at)
VALUES (:run, :digest, :body, '', 0) ON CONFLICT (flow_id, digest, effective_at) DO UPDATE SET body = excluded.body
RETURNING id
"""


class CarriedExecutor:
    """An `Executor` whose commands a worker starts."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._away = Away()
        self._ear = WakeChannel(db.url, CHANNEL)
        self._reports: list[News] = []

    def submit(self, jobs: Sequence[Job]) -> None:
        with self._db.transaction() as tx:
            carried = [Carried(*_make(tx, job), 0, QUEUE) for job in jobs]
            carrier.enqueue(tx, carried, _now())
            found = runs.by_id(tx, [job.attempt.run_id for job in jobs])
        self._away.carry([found[job.attempt.run_id]._replace(attempt=job.attempt.number) for job in jobs])
        wake(self._db)

    def adopt(self, found: Sequence[Attempt]) -> None:
        rows = self._db.fetch(
            "SELECT a.run_id, a.number FROM ROWS(:keys, run_id, number) x"
            " JOIN attempt a ON a.run_id = x.run_id AND a.number = x.number",
            keys=[(one.run_id, one.number) for one in found],
        )
        known = {Attempt(*row) for row in rows}
        with self._db.transaction() as tx:
            live = runs.by_id(tx, [one.run_id for one in known])
        self._away.carry([live[one.run_id]._replace(attempt=one.number) for one in known])
        for one in found:
            if one not in known:
                self._reports.append(Ended(one, datetime.now(UTC), problem="lost", message="nobody has taken it"))
        wake(self._db)

    def poll(self) -> list[News]:
        heard = self._ear.drain()
        reports, self._reports = self._reports, []
        return [*reports, *self._away.news(self._db, SystemClock().now(), heard.news)]

    def fileno(self) -> int:
        return self._ear.fileno()

    def kill(self, attempt: Attempt, signal: int) -> None:
        """As the leader does it: SIGTERM, or where that was long ago, SIGKILL."""
        due_at = 0 if signal == 9 else _now() + 3_600_000_000
        with self._db.transaction() as tx:
            attempts.stop(tx, [(attempt.run_id, attempt.number, "cancelled")], _now())
            timers.set_timers(tx, [Timer(attempt.run_id, What.KILL, attempt.number, due_at)])
        workers.hail(self._db)

    def forget(self, run_ids: Sequence[int]) -> None:
        with self._db.transaction() as tx:
            tx.run(
                "UPDATE run SET state = 6, finished_at = 1 FROM outcome o"
                " WHERE o.run_id = run.id AND o.attempt = run.attempt"
            )
            gone = retention.prune(tx, [(run_id, 1) for run_id in run_ids])
        left = {row[0] for row in self._db.fetch("SELECT run_id FROM attempt")}
        kept = tuple(run_id for run_id in run_ids if run_id in left and run_id not in gone)
        self._reports.append(Forgotten(tuple(one for one in run_ids if one not in kept), kept))
        wake(self._db)

    def close(self) -> None:
        self._ear.close()
        self._db.close()


def _now() -> int:
    return to_micros(SystemClock().now())


def _make(tx: Transaction, job: Job) -> tuple[int, int, int]:
    """A flow whose command the job is, with a run in `starting`."""
    run_id, number = job.attempt.run_id, job.attempt.number
    command = Command(argv=job.argv, env=tuple(sorted(job.env.items())), cwd=job.cwd)
    flow = Flow(f"flow{run_id}", HOURLY, command)
    tx.run(MAKE_FLOW, run=run_id, name=flow.name)
    ((definition,),) = tx.fetch(MAKE_DEFINITION, run=run_id, digest=str(number), body=write_body(flow))
    tx.run(MAKE_RUN, run=run_id, definition=definition, number=number)
    return run_id, number, definition


class Deaf(Signals):
    """Signals for a worker in a thread: none but that it is to end."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._ended = threading.Event()

    def drain(self) -> list[int]:
        return [15, 15] if self._ended.is_set() else []

    def end(self) -> None:
        self._ended.set()
        self._sender.send(b"x")

    def close(self) -> None:
        self._receiver.close()
        self._sender.close()


class WorkerThread:
    """A worker, until `stop`. Its commands are in the care of a keeper in `state`."""

    def __init__(self, url: str, state: Path) -> None:
        self._url, self._state = url, state
        self._signals = Deaf()
        self._thread = threading.Thread(target=self._run, name="worker")
        self._thread.start()

    def stop(self) -> None:
        self._signals.end()
        self._thread.join()
        self._signals.close()

    def _run(self) -> None:
        with Database.open(self._url, durability="normal") as db:
            holder = Holder("etl1", 1, "test", "worker")
            place = Place("local", holder.host, holder.station, Path("/"), {})
            executor = LocalExecutor(self._state)
            ears = Ears(WakeChannel(db.url, carrier.CHANNEL.format(QUEUE)), WakeChannel(db.url, workers.CHANNEL))
            Worker(
                db,
                executor,
                Supervisor(db, executor, place),
                Heartbeat(holder, "one", QUEUE, 500, timedelta(hours=1)),
                Shipper(self._state / "runs"),
                Pruner(self._state / "runs"),
                self._signals,
                place,
                SystemClock(),
                ears,
            ).run()
            for ear in (ears.queue, ears.hail):
                ear.close()
            executor.close()
