"""A course of events in a small warehouse, all from one seed, and what it comes to: the same whatever crashes."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from sensord.core.instant import format_instant, from_micros, to_micros
from sensord.executors.base import Job
from sensord.store import requests
from tests.daemon.world import World
from tests.simulation.crashes import Crash, FatedExecutor, Faults, endanger
from tests.simulation.warehouse import Warehouse

Act = Callable[[], object]
Books = dict[str, list[tuple[Any, ...]]]

STATEMENTS = {
    "runs": """
        SELECT f.name, r.logical_date, r.kind, r.state, r.pending, r.attempt, r.reason, r.message, r.passed_over,
               d.digest
        FROM run r JOIN flow f ON f.id = r.flow_id JOIN definition d ON d.id = r.definition_id
        ORDER BY f.name, r.logical_date""",
    "outcomes": """
        SELECT f.name, r.logical_date, o.attempt, o.at, o.exit_code, o.signal, o.problem
        FROM outcome o JOIN run r ON r.id = o.run_id JOIN flow f ON f.id = r.flow_id
        ORDER BY f.name, r.logical_date, o.attempt""",
    "flows": "SELECT name, state, planned_to, paused_at, first_date FROM flow ORDER BY name",
    "answers": "SELECT id, kind, ok, answer FROM request ORDER BY id",
}


class Course:
    """`play` lets everything happen, and returns the books."""

    def __init__(self, world: World, seed: int, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self.seed, self.random = seed, Random(seed)
        world.executor = FatedExecutor(world.clock, faults, self._fate)
        world.slots = self.random.choice((1, 3, 50))
        names = [f"f{number}" for number in range(self.random.randint(2, 4))]
        self.warehouse = Warehouse(self.random, names)
        for name in names:
            world.flow(name, self.warehouse.write(name))

    def play(self, steps: int = 14) -> Books:
        """So many things happen, hours apart; then two days pass."""
        endanger(self.world.db, self.faults)
        self._survive(self.world.start)
        acts: list[tuple[int, Callable[[], Act]]] = [
            (60, self._let_time_pass),
            (25, self._change_a_run),
            (8, self._pause_or_resume),
            (10, self._change_a_file),
        ]
        drawn = self.random.choices([act for _, act in acts], [weight for weight, _ in acts], k=steps)
        for choose in drawn:
            self._survive(choose())
            self._settle()
        for _ in range(4):
            self.world.clock.move(timedelta(hours=12))
            self._settle()
        return self.close()

    def close(self) -> Books:
        """What the database holds, and which attempts were started; without what differs by chance, such as ids."""
        books = {name: self.world.db.fetch(statement) for name, statement in STATEMENTS.items()}
        jobs = self.world.executor.jobs.values()
        started = [(job.env["SENSORD_FLOW"], job.env["SENSORD_LOGICAL_DATE"], job.attempt.number) for job in jobs]
        return books | {"started": sorted(started)}

    def _fate(self, job: Job) -> tuple[int, int]:
        """How long a command takes, in hours, and how it ends: by its run and attempt, whenever it comes to it."""
        env = job.env
        drawn = Random(f"{self.seed} {env['SENSORD_FLOW']} {env['SENSORD_LOGICAL_DATE']} {job.attempt.number}")
        return drawn.choice((0, 0, 1, 5, 13)), drawn.choice((0, 0, 0, 0, 1, 99))

    def _survive(self, act: Act) -> bool:
        """Do it; where the daemon dies of it, the next one starts, and reads the files first. Whether it lived."""
        try:
            act()
        except Crash:
            while not self._survive(self.world.restart):
                pass
            return False
        return True

    def _settle(self) -> None:
        """Turns until there is nothing to do."""
        while not self._turn():
            pass

    def _turn(self) -> bool:
        """What is due ends, and the daemon has a turn; whether nothing was to be done."""
        executor = self.world.executor
        assert isinstance(executor, FatedExecutor)
        ended, idle = executor.end_due(), [False]
        self._survive(lambda: idle.append(self._tick()))
        return idle[-1] and not ended

    def _tick(self) -> bool:
        turn = self.world.daemon.tick()
        assert not turn.mended
        return turn.idle

    def _let_time_pass(self) -> Act:
        hours = self.random.choice((1, 6, 12, 24))
        return lambda: self.world.clock.move(timedelta(hours=hours))

    def _change_a_run(self) -> Act:
        """Whichever is there at that place in the list; all is the same until here, whatever has crashed."""
        kind, place = self.random.choice(("rerun", "mark", "cancel")), self.random.random()
        state = self.random.choice(("success", "failed", "skipped"))
        rows = self.world.db.fetch(
            "SELECT f.name, r.logical_date FROM run r JOIN flow f ON f.id = r.flow_id ORDER BY r.logical_date, f.name"
        )
        if not rows:
            return self._let_time_pass()
        name, date = rows[int(place * len(rows))]
        body = {"flow": name, "logical_date": format_instant(from_micros(date)), "state": state}
        return lambda: self._ask(kind, body)

    def _pause_or_resume(self) -> Act:
        kind, name = self.random.choice(("pause", "resume")), self.random.choice(self.warehouse.names)
        return lambda: self._ask(kind, {"flow": name})

    def _change_a_file(self) -> Act:
        name = self.random.choice(self.warehouse.names)
        text = self.warehouse.write(name, reschedule=self.random.random() < 0.3)

        def change() -> None:
            self.world.clock.move(timedelta(seconds=1))
            self.world.flow(name, text)
            self.world.daemon.reload()

        return change

    def _ask(self, kind: str, body: dict[str, Any]) -> None:
        """As the command line does: a row, which waits for whichever daemon comes."""
        safe, self.faults.at, self.faults.chance = (self.faults.at, self.faults.chance), None, 0.0
        requests.ask(self.world.db, kind, body, who="ann", now=to_micros(self.world.clock.now()))
        self.faults.at, self.faults.chance = safe
