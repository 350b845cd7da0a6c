"""A course of events in a small warehouse, all from one seed, and what it comes to: the same whatever dies.

Who leads, and what becomes of daemons, is the stage's business.
"""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, Protocol

from sensord.core.instant import format_instant, from_micros
from sensord.core.run import FINAL, BackfillState, State
from sensord.executors.base import Job
from sensord.store.database import Database
from tests.daemon.world import World
from tests.simulation import warehouse
from tests.simulation.warehouse import Warehouse

Books = dict[str, list[tuple[Any, ...]]]

STATEMENTS = {
    "runs": """
        SELECT f.name, r.logical_date, r.kind, r.state, r.pending, r.attempt, r.reason, r.message, r.passed_over,
               r.priority, d.digest
        FROM run r JOIN flow f ON f.id = r.flow_id JOIN definition d ON d.id = r.definition_id
        ORDER BY f.name, r.logical_date""",
    "outcomes": """
        SELECT f.name, r.logical_date, o.attempt, o.at, o.exit_code, o.signal, o.problem
        FROM outcome o JOIN run r ON r.id = o.run_id JOIN flow f ON f.id = r.flow_id
        ORDER BY f.name, r.logical_date, o.attempt""",
    "past": """
        SELECT f.name, p.logical_date, p.at, p.what, p.state, p.since_at, p.reason, p.message, p.attempt, p.sensor,
               p.need, p.who
        FROM past p JOIN flow f ON f.id = p.flow_id
        ORDER BY f.name, p.logical_date, p.id""",
    "flows": "SELECT name, state, planned_to, paused_at, first_date FROM flow ORDER BY name",
    "answers": "SELECT kind, ok, answer FROM request ORDER BY id",
    "backfills": "SELECT state, rerun, upstream, max_active FROM backfill ORDER BY id",
}
"""Without what differs by chance, such as ids: a transaction that failed has used them up."""

BACKFILL = re.compile(r"(?<=backfill )\d+|(?<=not over, got )\d+|(?<=that runs, got )\d+|(?<=paused backfill, got )\d+")
SCHEDULES = (*warehouse.SCHEDULES[:-1], 'every = "7h"\nstart = 2026-11-20T01:00:00Z')
"""Without a long past: the many runs of one cost as much as many courses."""

SHARED = 'database = "postgresql://localhost/sensord"\n'
"""So that files may name workers; the database is the stage's."""

BROKEN = "[schedule]\ncron = "
RUNS = (
    "SELECT f.name, r.logical_date, r.state FROM run r JOIN flow f ON f.id = r.flow_id ORDER BY r.logical_date, f.name"
)


class Stage(Protocol):
    """Where a course is played: a world with its files and its clock, and whatever daemons there are."""

    world: World
    db: Database
    """Of the people, not of a daemon: nothing dangerous happens on it."""

    def begin(self, fate: Callable[[Job], tuple[timedelta, dict[str, Any]]]) -> None:
        """The daemons start; commands go by their fate."""

    def reload(self) -> None:
        """The files have changed."""

    def ask(self, kind: str, body: dict[str, Any]) -> None:
        """As the command line does: a row, which waits for whichever daemon comes."""

    def settle(self) -> None:
        """Turns until there is nothing to do."""

    def pass_time(self, by: timedelta) -> None:
        """The clock moves on."""

    def finish(self) -> None:
        """Whoever still sleeps wakes up."""

    def jobs(self) -> list[Job]:
        """All that were ever started."""


class Course:
    """`play` lets everything happen, and returns the books. `deeds` counts what was done to files and the clock.

    haste: how often the next thing happens before the daemons have seen to the last one. limits: without them, nothing
    depends on which of two ends that come at the same time is heard of first. workers: some flows are for these, where
    the database can carry runs to them. prunes: more than the outcome is kept for a day or two, and days pass.
    """

    def __init__(
        self,
        stage: Stage,
        seed: int,
        *,
        haste: float = 0.2,
        limits: bool = True,
        workers: bool = False,
        prunes: bool = False,
    ) -> None:
        self.stage, self.world = stage, stage.world
        self.seed, self.random = seed, Random(seed)
        self.deeds: Counter[str] = Counter()
        self.haste = haste
        self.world.slots = self.random.choice((1, 2, 3, 50)) if limits else 1_000
        names = [f"f{number}" for number in range(self.random.randint(2, 4))]
        # Whoever starts anew counts what runs in the pool that its flow has by now: flows keep theirs.
        most_active = (1, 2, 5) if limits else (1_000,)
        self.warehouse = Warehouse(self.random, names, SCHEDULES, most_active, changes_pools=False)
        if workers:
            self.warehouse.executors = ("", 'executor = "procrastinate"', 'executor = "procrastinate"')
        if prunes:
            self.warehouse.ages = ("", "", 'retention = "1d"\n', 'retention = "4d"\n')
        self._head = SHARED if workers else 'retention = "2d"\n' if prunes else ""
        self._hours: tuple[int, ...] = (6, 24, 48, 120) if prunes else (1, 6, 12, 24)
        self._last_hours: tuple[int, ...] = (24, 48, 120) if prunes else (12, 24)
        self._pools = (1, 1, 2, 3) if limits else (1_000,)
        self._size_pools()
        for name in names:
            self.world.flow(name, self.warehouse.write(name))

    def play(self, steps: int = 12) -> Books:
        """So many things happen, mostly hours apart; then all files are whole, and a day and a half pass."""
        self.stage.begin(self._fate)
        acts: list[tuple[int, Callable[[], None]]] = [
            (60, self._let_time_pass),
            (25, self._change_a_run),
            (8, self._pause_or_resume),
            (12, self._change_a_file),
            (4, self._run_by_hand),
            (14, self._fill_back),
        ]
        for act in self.random.choices([act for _, act in acts], [weight for weight, _ in acts], k=steps):
            act()
            if self.random.random() >= self.haste:
                self.stage.settle()
        self._mend_files()
        for hours in self._last_hours:
            self.stage.pass_time(timedelta(hours=hours))
            self.stage.settle()
        self.stage.finish()
        return self._close()

    def _close(self) -> Books:
        """What the database holds, and which attempts were started."""
        ids = [number for (number,) in self.stage.db.fetch("SELECT id FROM backfill ORDER BY id")]
        ranks = {str(number): str(rank) for rank, number in enumerate(ids, 1)}

        def name(value: Any) -> Any:
            return BACKFILL.sub(lambda found: ranks[found[0]], value) if isinstance(value, str) else value

        books: Books = {}
        for topic, statement in STATEMENTS.items():
            books[topic] = [tuple(map(name, row)) for row in self.stage.db.fetch(statement)]
        started = [(j.env["SENSORD_FLOW"], j.env["SENSORD_LOGICAL_DATE"], j.attempt.number) for j in self.stage.jobs()]
        return books | {"started": sorted(started)}

    def _fate(self, job: Job) -> tuple[timedelta, dict[str, Any]]:
        """By its run and attempt, whenever it comes to it. Never two at the same instant, unless at once."""
        env = job.env
        drawn = Random(f"{self.seed} {env['SENSORD_FLOW']} {env['SENSORD_LOGICAL_DATE']} {job.attempt.number}")
        hours = drawn.choice((0, 0, 0, 1, 5, 12))
        how = drawn.choices(
            ({"exit_code": 0}, {"exit_code": 1}, {"exit_code": 99}, {"signal": 9}, {"problem": "lost"}),
            (60, 20, 12, 4, 4),
        )[0]
        return timedelta(hours=hours, microseconds=drawn.randrange(10**9) if hours else 0), dict(how)

    def _let_time_pass(self) -> None:
        if self.random.random() < 0.03:
            self.deeds["the clock is set back"] += 1
            self.world.clock.move(timedelta(hours=-2))
        else:
            self.stage.pass_time(timedelta(hours=self.random.choice(self._hours)))

    def _change_a_run(self) -> None:
        """Whichever is there at that place in the list; all is the same until here, whatever has died."""
        kind, place = self.random.choice(("rerun", "rerun", "mark", "cancel")), self.random.random()
        state = self.random.choice(("success", "failed", "skipped"))
        more = self.random.choice(({}, {}, {"downstream": True}, {"at_once": True}, {"same_definition": True}))
        wanted = FINAL if kind == "rerun" else frozenset({State.STARTING, State.RUNNING, State.RETRYING})
        rows = self.stage.db.fetch(RUNS)
        if rows := [row for row in rows if row[2] in wanted] or rows:
            name, date, _ = rows[int(place * len(rows))]
            body = {"flow": name, "logical_date": format_instant(from_micros(date)), "state": state}
            self.stage.ask(kind, body | (more if kind == "rerun" else {}))

    def _pause_or_resume(self) -> None:
        """Mostly what can be done; now and then what cannot."""
        paused = {name for (name,) in self.stage.db.fetch("SELECT name FROM flow WHERE paused_at IS NOT NULL")}
        name, kinds = self._some_flow(), ("pause", "resume")
        self.stage.ask(kinds[(name in paused) ^ (self.random.random() < 0.1)], {"flow": name})

    def _run_by_hand(self) -> None:
        at = self.world.clock.now() - timedelta(hours=self.random.randrange(60))
        self.stage.ask("trigger", {"flow": self._some_flow(), "logical_date": format_instant(at)})

    def _fill_back(self) -> None:
        """A backfill begins, or the last one is paused, resumed or cancelled."""
        last = self.stage.db.fetch("SELECT id, state FROM backfill ORDER BY id DESC LIMIT 1")
        if last and self.random.random() < (0.2 if last[0][1] == BackfillState.DONE else 0.8):
            kinds = "pause", "cancel" if last[0][1] == BackfillState.RUNNING else "resume"
            self.stage.ask(f"{self.random.choice(kinds)}_backfill", {"backfill": last[0][0]})
            return
        now = self.world.clock.now()
        since, until = sorted(now - timedelta(hours=self.random.randrange(100)) for _ in range(2))
        body = {"flow": self._some_flow(), "from": format_instant(since), "to": format_instant(until)}
        more = self.random.choice(({}, {"rerun": "failed"}, {"rerun": "all"}, {"upstream": True}, {"downstream": True}))
        self.stage.ask("backfill", body | more | {"max_active": self.random.choice((1, 2, 5))})

    def _change_a_file(self) -> None:
        name, chance = self._some_flow(), self.random.random()
        text = self.warehouse.write(name, reschedule=self.random.random() < 0.3)
        self.world.clock.move(timedelta(seconds=1))
        if chance < 0.1:
            self._deed("pools are resized", self._size_pools)
        elif chance < 0.2:
            self._deed("a file is broken", lambda: self.world.flow(name, BROKEN))
        elif chance < 0.5 and self._is_there(name):
            self._deed("a file is removed", lambda: self.world.remove(name))
        else:
            self._deed("a file is edited", lambda: self.world.flow(name, text))
        if self.random.random() < 0.3:
            self.stage.ask("retire", {"flow": name})

    def _mend_files(self) -> None:
        self.world.clock.move(timedelta(seconds=1))
        for name in self.warehouse.names:
            self.world.flow(name, self.warehouse.texts[name])
        self.stage.reload()

    def _deed(self, what: str, do: Callable[[], object]) -> None:
        do()
        self.deeds[what] += 1
        self.stage.reload()

    def _size_pools(self) -> None:
        small = self.random.choice(self._pools)
        (self.world.folder / "sensord.toml").write_text(
            f"{self._head}[pools]\nsmall = {small}\nother = {self._pools[-1]}\n"
        )

    def _is_there(self, name: str) -> bool:
        return (self.world.folder / "flows" / f"{name}.toml").exists()

    def _some_flow(self) -> str:
        return self.random.choice(self.warehouse.names)
