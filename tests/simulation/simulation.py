"""Months in the life of a daemon: whatever can happen to it, in any order, and the books audited after every turn.

All is drawn from one seed, so that what went wrong happens again; `journal` tells what happened.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

from sensord.core.instant import format_instant, from_micros
from sensord.core.run import FINAL, State
from sensord.store.database import Database
from tests.cli.program import Program, Said
from tests.daemon.world import World, at
from tests.simulation.alone import NOW
from tests.simulation.audit import Audit
from tests.simulation.plays import make_empty
from tests.simulation.recall import Recall
from tests.simulation.warehouse import Warehouse

POOLS = (1, 1, 2, 5)
SLOTS = (1, 1, 2, 3, 50)
STATES = tuple(state.label for state in sorted(FINAL))
BROKEN = "[schedule]\ncron = "
EXPECTED_CODES = (0, 1, 4)
"""What people ask for may be impossible; but never may it break anything."""

TO_COME_OR_TO_MEND = frozenset({"failed", "cancelled", "skipped", "unaccepted", "no_match", "removed", "not_due"})


class Simulation:
    """One warehouse, its daemon and its people, from one seed."""

    def __init__(self, world: World, sensord: Program, seed: int) -> None:
        self.random = Random(seed)
        self.world, self.sensord = world, sensord
        self.journal: list[str] = []
        world.slots = self.random.choice(SLOTS)
        self._size_pools()
        names = [f"f{number}" for number in range(self.random.randint(2, 6))]
        self.warehouse = Warehouse(self.random, names, most_active=self.random.choice(((1,), (1, 2, 5))))
        for name in self.warehouse.names:
            world.flow(name, self._note(name, self.warehouse.write(name)))
        sensord.meanwhile = lambda: self._turn(settled=False)
        world.start()
        self.audit = Audit(world)
        self.recall = Recall(world)

    def live(self, steps: int) -> None:
        """So many things happen, hours apart; after that, all that can finish has to."""
        acts: list[tuple[int, Callable[[], object]]] = [
            (40, self._let_time_pass),
            (40, self._end_commands),
            (22, self._change_a_run),
            (8, self._change_a_flow),
            (6, self._ask_for_more),
            (14, self._change_a_file),
            (4, self._restart),
            (6, self._ask_why),
        ]
        for place in range(steps):
            self.random.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()
            self._settle()
            if place % 50 == 0:
                self.recall.prove()
        self._finish()
        assert self.recall.prove()

    def _let_time_pass(self) -> None:
        hours = self.random.choice((2, 12, 24, 36)) if self.random.random() < 0.95 else self.random.choice((-3, 200))
        self.world.clock.move(timedelta(hours=hours))
        self._note("clock " + format_instant(self.world.clock.now()))

    def _end_commands(self) -> None:
        for attempt in self.world.executor.running:
            if self.random.random() < 0.6:
                code = self.random.choice((0, 0, 0, 0, 1, 99))
                self._note(f"run {attempt.run_id} attempt {attempt.number} exits {code}")
                self.world.executor.end(attempt, code)

    def _change_a_run(self) -> None:
        if not (found := self._some_run()):
            return
        flow, date = found
        more = self.random.choice(([], [], ["--now"], ["--same-definition"], ["--downstream", "--yes"]))
        state = self.random.choice(STATES)
        self._type(
            *self.random.choice((["rerun", flow, date, *more], ["mark", flow, date, state], ["cancel", flow, date]))
        )

    def _change_a_flow(self) -> None:
        self._type(self.random.choice(("pause", "resume", "resume", "retire")), self._some_flow(), noun="flow")

    def _ask_for_more(self) -> None:
        """Runs by hand, and backfills."""
        flow, now = self._some_flow(), self.world.clock.now()
        if self.random.random() < 0.5:
            at = now - timedelta(hours=self.random.randrange(100))
            self._type("trigger", flow, "--at", format_instant(at))
            return
        since, until = sorted(now - timedelta(hours=self.random.randrange(400)) for _ in range(2))
        options = self.random.choice(([], ["--rerun", "failed"], ["--rerun", "all"], ["--upstream"], ["--downstream"]))
        dates = ["--from", format_instant(since), "--to", format_instant(until)]
        self._type(flow, *dates, *options, "--max-active", "2", "--yes", noun="backfill")
        if self.random.random() < 0.5:
            self._type(
                self.random.choice(("pause", "resume", "cancel")), str(self.random.randint(1, 4)), noun="backfill"
            )

    def _change_a_file(self) -> None:
        name = self._some_flow()
        chance = self.random.random()
        if chance < 0.08:
            self._size_pools()
        elif chance < 0.2 and (self.world.folder / "flows" / f"{name}.toml").exists():
            self._note(f"{name} is removed")
            self.world.remove(name)
        elif chance < 0.32:
            self.world.flow(name, self._note(name, BROKEN))
        else:
            self.world.flow(name, self._note(name, self.warehouse.write(name, reschedule=self.random.random() < 0.3)))
        self._reload()

    def _size_pools(self) -> None:
        """One of the two pools may have no size: it is one slot then."""
        sizes = [f"{pool} = {self.random.choice(POOLS)}" for pool in ("small", "other") if self.random.random() < 0.8]
        (self.world.folder / "sensord.toml").write_text("\n".join(["[pools]", *map(self._note, sizes), ""]))

    def _restart(self) -> None:
        self._note("restart")
        self.world.restart()

    def _ask_why(self) -> None:
        """What `why` says of a waiting run is true: each root cause is in the state that is claimed."""
        if waiting := self._runs("state = 1"):
            flow, date = self.random.choice(waiting)
            answer = self.sensord("why", flow, date, "--json").json
            assert answer["verdict"] in ("waiting", "blocked", "impossible"), answer
            for cause in answer["causes"]:
                self._prove_cause(cause)

    def _prove_cause(self, cause: dict[str, str]) -> None:
        state = self.world.state(cause["flow"], cause["logical_date"][:-1])
        expected: dict[str, set[State]] = {
            "failed": {State.FAILED},
            "cancelled": {State.CANCELLED},
            "skipped": {State.SKIPPED, State.ABSENT},
            "unaccepted": {State.SUCCESS},
            "no_match": {State.WAITING, State.FAILED, State.SKIPPED},
            "running": {State.STARTING, State.RUNNING, State.RETRYING},
            "queued": {State.QUEUED},
            "removed": {State.ABSENT, State.WAITING, State.QUEUED},
            "paused": {State.ABSENT, State.WAITING, State.QUEUED},
            "not_due": {State.ABSENT},
            "late": {State.ABSENT},
        }
        assert state in expected[cause["kind"]], f"{cause} is {state.label}"

    def _finish(self) -> None:
        """Everything is mended but what has failed; then time stands still, and whatever can finish does."""
        for name in self.warehouse.names:
            self.world.flow(name, self.warehouse.texts[name])
        self._reload()
        for name in self.warehouse.names:
            self._type("resume", name, noun="flow")
        for (number,) in self.world.db.fetch("SELECT id FROM backfill WHERE state = 2"):
            self._type("resume", str(number), noun="backfill")
        self._settle()
        while self.world.executor.running or self._runs("state = 5"):
            for attempt in self.world.executor.running:
                self.world.executor.end(attempt)
            self._settle()
            if not self.world.executor.running:
                self.world.clock.move(timedelta(hours=3))
                self._settle()
        assert self._runs("state IN (2, 3, 4, 5)") == [], "something is left that could finish"
        for flow, date in self._runs("state = 1")[-20:]:
            causes = self.sensord("why", flow, date, "--json").json["causes"]
            kinds = {cause["kind"] for cause in causes}
            assert kinds, f"{flow} {date} waits for no reason"
            assert kinds <= TO_COME_OR_TO_MEND, f"{flow} {date} waits for {kinds}"

    def _settle(self) -> None:
        """Turns until there is nothing to do."""
        while not self._turn(settled=False):
            pass
        self.audit.look()
        self.recall.look()

    def _turn(self, *, settled: bool) -> bool:
        """One turn; whether it found nothing to do."""
        turn = self.world.daemon.tick()
        self.audit.look(settled=settled)
        return turn.idle

    def _reload(self) -> None:
        self.world.clock.move(timedelta(seconds=1))
        self.world.daemon.reload()

    def _type(self, verb: str, *words: str, noun: str = "run") -> Said:
        self._note(" ".join((noun, verb, *words)))
        said = self.sensord(noun, verb, *words)
        assert said.code in EXPECTED_CODES, (said.code, said.err)
        assert "internal error" not in said.err, said.err
        return said

    def _some_flow(self) -> str:
        return self.random.choice(self.warehouse.names)

    def _some_run(self) -> tuple[str, str] | None:
        runs = self._runs("state > 0")
        return self.random.choice(runs[-40:] if self.random.random() < 0.8 else runs) if runs else None

    def _runs(self, condition: str) -> list[tuple[str, str]]:
        rows = self.world.db.fetch(
            f"SELECT f.name, r.logical_date FROM run r JOIN flow f ON f.id = r.flow_id WHERE r.{condition} "
            "ORDER BY r.logical_date, f.name"
        )
        return [(name, format_instant(from_micros(date))) for name, date in rows]

    def _note(self, *texts: str) -> str:
        self.journal.append(" ".join(texts))
        return texts[-1]


def live_months(url: str, folder: Path, seed: int, steps: int) -> int:
    """The life of a seed on a database with all tables, which is emptied first; the number of outcomes that it had."""
    with Database.open(url, durability="normal") as db:
        make_empty(db)
        world = World(db, folder / "config", NOW)
        simulation = Simulation(world, Program(world.folder, url, world.clock), seed)
        try:
            simulation.live(steps)
        except BaseException as error:
            error.add_note(f"replay: SIMULATION_SEEDS={seed}-{seed} make test ARGS=tests/simulation/test_simulation.py")
            error.add_note("what happened last:\n" + "\n".join(simulation.journal[-40:]))
            raise
        finally:
            world.executor.close()
            world.daemon.lead.release()
        assert (world.clock.now() - at(NOW)).days > 30, "too short a life"
        return int(db.fetch("SELECT COUNT(*) FROM outcome")[0][0])
