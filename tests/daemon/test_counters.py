"""Whatever happens, and in whatever order: what is counted of each waiting run is what its sensors still lack, and each
sensor's deadline is where it was, or a whole one from when the sensor began to wait again.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensord.core.flow import Sensor
from sensord.core.instant import from_micros
from sensord.core.needs import deadline, needs
from sensord.core.run import State
from sensord.core.sensor import masks
from sensord.errors import SensordError
from sensord.store import edges, waits
from sensord.store.database import Database
from sensord.store.runs import Live
from sensord.store.tables import METADATA
from sensord.store.timers import DEADLINE
from tests.daemon.world import HOURLY, World, on

WIDE = HOURLY + "max_active = 9\n"
GO_ON = {"timeout": "40m", "on_timeout": "proceed"}
SOME = {"match": "interval", "within": "3h"}
MARTS = [
    [on("load", **GO_ON), on("dim")],
    [
        on("load", **GO_ON, on_failure="fail", on_skipped="fail"),
        on("dim", timeout="70m", on_timeout="skip"),
        on("never"),
    ],
    [on("load", **SOME, require="any", **GO_ON), on("dim", on_skipped="wait", timeout="2h"), on("never")],
    [on("dim", on_failure="proceed"), on("load", **SOME, require=2, timeout="50m", on_failure="skip"), on("never")],
    [on("load", **SOME, require=2, **GO_ON), on("load", match="next", strict=True, **GO_ON), on("never")],
    [on("load", accept="finished"), on("dim", require="any"), on("never")],
]
"""Most of them wait for what never ends, so that much can happen meanwhile."""
ACTS = [
    *3 * [("end", "load", "0"), ("pass", "40", "")],
    *[("end", "load", "1"), ("end", "load", "99"), ("end", "dim", "0"), ("end", "dim", "1")],
    *2 * [("mark", "load", "failed"), ("mark", "load", "success"), ("rerun", "load", "")],
    *[("pass", "10", ""), ("pass", "30", ""), ("restart", "", "")],
    *[("reload", str(number), "") for number in range(len(MARTS))],
    *[("rerun", "dim", ""), ("mark", "dim", "skipped"), ("cancel", "mart", ""), ("rerun", "mart", "")],
]
"""(what, whom or how much, how); what matters most comes more than once."""
STEPS = st.lists(st.sampled_from(ACTS), min_size=8, max_size=16)


class Wait(NamedTuple):
    """An unsatisfied sensor of a waiting run, and when its time is over. `began`: the run, made or rerun."""

    began: int
    upstream: str
    timeout: str
    due_at: datetime


class Books:
    """Adds up anew, from the definitions and the runs' states, what the database counts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.waits: dict[tuple[int, int], Wait] = {}
        self.satisfied: dict[tuple[int, int], tuple[int, str, bool]] = {}

    def check(self) -> None:
        picture = self.world.daemon._picture
        before, was_satisfied = self.waits, self.satisfied
        self.waits, self.satisfied = {}, {}
        with self.world.db.transaction() as tx:
            waiting = waits.find(tx, list(picture.catalog.by_id))
            began = waits.begun(tx, [run.run_id for run in waiting])
            pending = dict(tx.fetch("SELECT id, pending FROM run"))
            timers = {(run, what): (attempt, due) for run, what, attempt, due in tx.fetch("SELECT * FROM timer")}
            gates = {(gate.run_id, gate.sensor): gate for gate in edges.gates(tx, [run.run_id for run in waiting])}
            for run in waiting:
                missing = [
                    self._missing(index, dates, need, run, gates.get((run.run_id, index)))
                    for index, dates, need in self._needs(run)
                ]
                assert pending[run.run_id] == sum(missing) > 0
                for index, lacks in enumerate(missing):
                    key = (run.run_id, index)
                    if lacks:
                        self._look_at_deadline(
                            run, index, began[run.run_id], timers, before.get(key), was_satisfied.get(key)
                        )
                    else:
                        sensor = self._sensor(run, index)
                        self.satisfied[key] = (began[run.run_id], sensor.upstream, sensor.timeout is not None)

    def _needs(self, run: Live) -> list[tuple[int, list[State], int]]:
        """Of each sensor its upstream runs' states, and how many it needs."""
        catalog = self.world.daemon._picture.catalog
        entry = catalog.by_id[run.flow_id]
        found = needs(entry.flow, from_micros(run.logical_date), catalog.timelines, entry.first_at)
        result = []
        for need in found:
            upstream = catalog.by_name[need.sensor.upstream]
            states = []
            for date in need.dates:
                state = self.world.state(need.sensor.upstream, date.isoformat()[:16])
                missed = state is State.ABSENT and date <= upstream.planned_to
                states.append(State.SKIPPED if missed else state)
            result.append((need.sensor.index, states, need.need))
        return result

    def _sensor(self, run: Live, index: int) -> Sensor:
        return self.world.daemon._picture.catalog.by_id[run.flow_id].flow.sensors[index]

    def _missing(self, index: int, states: list[State], need: int, run: Live, gate: edges.Gate | None) -> int:
        sensor = self._sensor(run, index)
        counted = sum(masks(sensor).counts >> state & 1 for state in states)
        assert gate is None or gate.problem or gate.counted == counted
        if gate and gate.timed_out:
            assert gate.need == 0
            return 0
        if sensor.require == "all":
            return need - counted
        assert gate
        assert gate.need == need
        return int(counted < need)

    def _look_at_deadline(
        self,
        run: Live,
        index: int,
        began: int,
        timers: dict[tuple[int, int], tuple[int, int]],
        before: Wait | None,
        satisfied: tuple[int, str, bool] | None,
    ) -> None:
        flow, sensor = self.world.daemon._picture.catalog.by_id[run.flow_id].flow, self._sensor(run, index)
        if sensor.timeout is None:
            return
        attempt, due = timers[run.run_id, DEADLINE + index]
        now, due_at = self.world.clock.now(), from_micros(due)
        assert attempt == run.attempt
        assert due_at > now
        wait = Wait(began, sensor.upstream, str(sensor.timeout), due_at)
        self.waits[run.run_id, index] = wait
        if before and before[:2] == wait[:2]:
            assert due_at == before.due_at
        else:
            since = now if satisfied == (began, sensor.upstream, True) else from_micros(began)
            assert due_at == deadline(flow, sensor, from_micros(run.logical_date), since)


@given(st.sampled_from(range(len(MARTS))), STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_counters_and_deadlines_follow_whatever_happens(
    db: Database, tmp_path: Path, first: int, steps: list[tuple[str, str, str]]
) -> None:
    for table in METADATA.sorted_tables:
        db.run(f"DELETE FROM {table.name}")
    world = World(db, tmp_path / "config", "2026-11-22T10:30")
    world.flow("load", WIDE)
    world.flow("dim", WIDE)
    world.flow("never", WIDE)
    world.flow("mart", WIDE, *MARTS[first])
    world.start()
    try:
        world.tick()
        books = Books(world)
        books.check()
        for step in steps:
            take(world, *step)
            books.check()
    finally:
        world.daemon.lead.release()


def take(world: World, what: str, whom: str, how: str) -> None:
    match what:
        case "end":
            running = [date for date, state in world.runs(whom).items() if state is State.RUNNING]
            for date in running[:1]:
                world.end(whom, date, int(how))
        case "pass":
            world.clock.set(world.clock.now() + timedelta(minutes=int(whom)))
        case "reload":
            world.flow("mart", WIDE, *MARTS[int(whom)])
            world.daemon.reload()
        case "restart":
            world.restart()
        case _:
            newest = max(world.runs(whom))
            with suppress(SensordError):
                body = {"flow": whom, "logical_date": f"{newest}Z", "state": how, "who": "ann"}
                world.daemon.change(what, body)
                if world.state(whom, newest) is State.RUNNING:
                    world.end(whom, newest, 1)
    world.tick()
