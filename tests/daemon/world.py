"""A small world for the daemon's tests: a config folder, a real database, a clock and an executor in the test's hands.

Flows are told in TOML, dates in short ISO form (UTC). A test reads: given flows, when a tick, then states.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sensord.config import Config, load
from sensord.core.instant import format_instant, from_micros, to_micros
from sensord.core.run import State
from sensord.core.schedule import Schedule
from sensord.daemon.accounts import Accounts
from sensord.daemon.daemon import Daemon
from sensord.daemon.dispatch import Place
from sensord.daemon.turn import Turn
from sensord.executors.base import Attempt, Executor, Job
from sensord.store.database import Database
from sensord.store.lead import Holder, Lead
from sensord.testing import ManualClock, ManualExecutor

HOURLY = '[schedule]\ncron = "0 * * * *"\n[run]\ncommand = ["true"]\n'
DAILY = '[schedule]\ncron = "0 2 * * *"\n[run]\ncommand = ["true"]\n'


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def on(upstream: str, **keys: object) -> str:
    """A sensor, as TOML."""
    lines = [f"{key} = {_toml(value)}" for key, value in {"upstream": upstream, **keys}.items()]
    return "\n".join(["[[sensors]]", *lines, ""])


class World:
    """`start` puts a daemon on the folder; `restart` another one, as after a crash."""

    def __init__(self, db: Database, folder: Path, now: str) -> None:
        self.db = db
        self.folder = folder
        self.clock = ManualClock(at(now))
        self.executor = ManualExecutor(self.clock)
        self.slots = 100
        self.accounts = Accounts()
        self.daemon: Daemon
        self._config: Config | None = None
        (folder / "flows").mkdir(parents=True, exist_ok=True)

    def flow(self, name: str, *parts: str) -> None:
        file = self.folder / "flows" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(parts))

    def remove(self, name: str) -> None:
        (self.folder / "flows" / f"{name}.toml").unlink()

    @property
    def is_led(self) -> bool:
        """Whether a daemon has been started."""
        return hasattr(self, "daemon")

    def start(self) -> None:
        lead = Lead.take(self.db, Holder("here", os.getpid(), "test"))
        if self.db.dialect == "postgresql":  # a test on a busy machine takes longer than a lease
            self.db.run("UPDATE leader SET expires_at = expires_at + 3600000000")
        self.daemon = self.daemon_on(self.db, lead, self.executor)
        self.daemon.adopt()
        self.daemon.reload()

    def daemon_on(self, db: Database, lead: Lead, executor: Executor, station: str = "here") -> Daemon:
        """A daemon of this world that has just taken the lead."""
        return Daemon(
            db,
            lead,
            executor,
            self.clock,
            read_config=self._read,
            place=Place("manual", station, station, self.folder, {"PATH": "/bin"}, self.accounts),
            slots=self.slots,
            chance=lambda: 0.0,
        )

    def _read(self, known: Mapping[str, Schedule]) -> Config:
        self._config = load(self.folder, self._config, known)
        return self._config

    def restart(self) -> None:
        """The daemon is gone without a word, and another one starts."""
        self.daemon.lead.release()
        self.start()

    def tick(self, now: str | None = None) -> Turn:
        """Turns until one finds nothing to do; returns all that they did."""
        if now:
            self.clock.set(at(now))
        whole = Turn()
        while not (turn := self._turn()).idle:
            whole.planned += turn.planned
            whole.started += turn.started
            whole.ended += turn.ended
            whole.retrying += turn.retrying
            whole.settled.add(turn.settled)
            whole.requests += turn.requests
        return whole

    def _turn(self) -> Turn:
        """The sweep that comes with it has nothing to mend, whatever a test does."""
        turn = self.daemon.tick()
        assert not turn.mended
        return turn

    def end(self, flow: str, date: str, exit_code: int = 0) -> None:
        """The command of the run's latest attempt ends."""
        self.executor.end(self.attempt(flow, date), exit_code)

    def finish(self, flow: str, *dates: str) -> Turn:
        """Their commands succeed, and the daemon hears of it."""
        for date in dates:
            self.end(flow, date)
        return self.tick()

    def attempt(self, flow: str, date: str) -> Attempt:
        return max(attempt for attempt, job in self.executor.jobs.items() if _is(job, flow, date))

    def job(self, flow: str, date: str) -> Job:
        return self.executor.jobs[self.attempt(flow, date)]

    def state(self, flow: str, date: str) -> State:
        """The run's state, ABSENT where there is no run."""
        rows = self.db.fetch(
            "SELECT r.state FROM run r JOIN flow f ON f.id = r.flow_id WHERE f.name = :flow AND r.logical_date = :date",
            flow=flow,
            date=to_micros(at(date)),
        )
        return State(rows[0][0]) if rows else State.ABSENT

    def why(self, flow: str, date: str) -> tuple[str, str]:
        """The run's reason and message."""
        (row,) = self.db.fetch(
            "SELECT r.reason, r.message FROM run r JOIN flow f ON f.id = r.flow_id "
            "WHERE f.name = :flow AND r.logical_date = :date",
            flow=flow,
            date=to_micros(at(date)),
        )
        return str(row[0]), str(row[1])

    def runs(self, flow: str) -> dict[str, State]:
        """Logical date -> state, ascending."""
        rows = self.db.fetch(
            "SELECT r.logical_date, r.state FROM run r JOIN flow f ON f.id = r.flow_id "
            "WHERE f.name = :flow ORDER BY r.logical_date",
            flow=flow,
        )
        return {format_instant(from_micros(date))[:-4]: State(state) for date, state in rows}

    def hours(self, first: str, number: int) -> Iterator[str]:
        for hour in range(number):
            yield format_instant(at(first) + timedelta(hours=hour))[:-4]


def _is(job: Job, flow: str, date: str) -> bool:
    return job.env["SENSORD_FLOW"] == flow and job.env["SENSORD_LOGICAL_DATE"] == format_instant(at(date))


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
