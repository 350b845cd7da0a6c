"""The dead man's switch of a keeper: it ends commands by itself unless it is let out in time."""

import os
import signal

import pytest

from sensord.clock import boot_seconds
from sensord.executors import wire
from sensord.executors.base import Attempt
from sensord.executors.leash import LOOK_SECONDS, Leash
from sensord.executors.local import LocalExecutor
from tests.executors.conftest import OpenLocal
from tests.executors.watch import Gate, Watch, shell

FIRST, SECOND = Attempt(1, 1), Attempt(2, 1)
LONG = 3600.0


@pytest.mark.parametrize(
    ("now", "due", "pause"),
    [
        (0.0, None, LOOK_SECONDS),
        (9.5, None, 0.5),
        (10.0, signal.SIGTERM, LOOK_SECONDS),
        (11.75, signal.SIGTERM, 0.25),
        (12.0, signal.SIGKILL, None),
        (99.0, signal.SIGKILL, None),
    ],
)
def test_it_is_due_gently_then_not(now: float, due: int | None, pause: float | None) -> None:
    leash = Leash(10.0, 12.0)

    assert (leash.due(now), leash.pause(now)) == (due, pause)


def let_out(watch: Watch, seconds: float, grace: float = LONG) -> None:
    executor = watch.executor
    assert isinstance(executor, LocalExecutor)
    now = boot_seconds()
    executor.let_out(Leash(now + seconds, now + seconds + grace))


def test_commands_end_when_nobody_lets_it_out(open_local: OpenLocal, gate: Gate) -> None:
    watch = open_local()
    watch.submit(gate.job(FIRST))
    watch.wait_began(FIRST)

    let_out(watch, 0.0)

    ended = watch.wait_ended(FIRST)
    assert ended.problem == "lost"
    assert "could not reach the database" in str(ended.message)


def test_also_those_that_ignore_it_and_though_nobody_is_connected(open_local: OpenLocal, gate: Gate) -> None:
    before = open_local()
    before.submit(gate.job(FIRST, first="trap '' TERM; echo ready"))
    before.wait_began(FIRST)
    let_out(before, 0.0, grace=0.0)
    before.executor.close()

    after = open_local()
    after.adopt(FIRST)

    assert after.wait_ended(FIRST).problem == "lost"


@pytest.mark.parametrize("grace", [0.0, LONG])
def test_none_is_started_before_it_is_let_out_again(open_local: OpenLocal, gate: Gate, grace: float) -> None:
    watch = open_local()
    let_out(watch, 0.0, grace)

    watch.submit(gate.job(FIRST))
    ended = watch.wait_ended(FIRST)
    assert (ended.problem, ended.exit_code) == ("lost", None)
    assert "was not started" in str(ended.message)

    let_out(watch, LONG)
    watch.submit(shell(FIRST, "exit 3"), shell(SECOND, "exit 4"))
    assert watch.wait_ended(SECOND).exit_code == 4
    assert watch.wait_ended(FIRST).problem == "lost"


def test_what_has_ended_by_itself_says_so(open_local: OpenLocal, gate: Gate) -> None:
    watch = open_local()
    let_out(watch, LONG)
    watch.submit(shell(FIRST, "exit 4"), gate.job(SECOND))
    assert watch.wait_ended(FIRST).exit_code == 4

    let_out(watch, 0.0)

    assert watch.wait_ended(SECOND).problem == "lost"
    assert watch.wait_ended(FIRST).exit_code == 4


def test_one_that_was_let_out_again_does_nothing(open_local: OpenLocal, gate: Gate) -> None:
    watch = open_local()
    watch.submit(gate.job(FIRST))
    watch.wait_began(FIRST)
    let_out(watch, LONG)
    let_out(watch, LONG)

    gate.let_end(3)

    assert watch.wait_ended(FIRST).exit_code == 3


def test_the_next_keeper_is_told_of_it(open_local: OpenLocal, gate: Gate) -> None:
    watch = open_local()
    watch.submit(gate.job(FIRST))
    watch.wait_began(FIRST)
    let_out(watch, 1.0, grace=0.0)

    executor = watch.executor
    assert isinstance(executor, LocalExecutor)
    assert executor.keeper_pid
    os.kill(executor.keeper_pid, signal.SIGKILL)

    assert watch.wait_ended(FIRST).problem == "lost"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"until": 1.0},
        {"until": 2.0, "kill_at": 1.0},
        {"until": "1", "kill_at": 2.0},
        {"until": -1.0, "kill_at": 1.0},
    ],
)
def test_one_that_means_nothing_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(wire.Malformed, match="expected seconds"):
        wire.decode_leash(message)
