"""Several daemons, several keepers, at the same moment: one start, and one end that all agree on."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from sensord.executors.base import Attempt
from sensord.executors.ledger import Ledger
from sensord.executors.local import LocalExecutor
from tests.executors.conftest import OpenLocal
from tests.executors.test_deaths import kill_keeper
from tests.executors.test_local import keeper_of
from tests.executors.watch import Gate, Watch, shell, wait_gone

FIRST = Attempt(1, 1)


def at_once(count: int, act: Callable[[int], object]) -> None:
    """Run `act(0)`, `act(1)` ... on threads that set off together."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_one_attempt_is_taken_by_one(tmp_path: Path, folder: int) -> None:
    ledger = Ledger(folder)
    descriptors: list[int] = []

    def take_all(_: int) -> None:
        taken = [ledger.take(Attempt(run_id, 1)) for run_id in range(100)]
        descriptors.extend(fd for fd in taken if fd is not None)

    at_once(8, take_all)

    for fd in descriptors:
        os.close(fd)
    assert len(descriptors) == 100
    assert len(list(tmp_path.glob("runs/*/*.1.log"))) == 100


def test_of_many_keepers_one_stays(state: Path) -> None:
    executors: list[LocalExecutor] = []

    at_once(6, lambda _: executors.append(LocalExecutor(state)))

    keepers = {executor.keeper_pid for executor in executors}
    assert len(executors) == 6
    assert len(keepers) == 1
    for executor in executors:
        executor.close()
    [keeper] = keepers
    assert keeper
    wait_gone(keeper)


class TestTwoKeepers:
    """Somebody removed the lock and the socket of a keeper that is alive and at work."""

    def test_they_start_once_what_both_are_told_to(self, open_local: OpenLocal, state: Path, tmp_path: Path) -> None:
        one, other = open_local(), open_second(open_local, state)
        attempts = [Attempt(run_id, 1) for run_id in range(1, 61)]
        jobs = [shell(attempt, f"echo ran >> '{tmp_path}/{attempt.run_id}'; exit 3") for attempt in attempts]

        at_once(2, lambda number: (one, other)[number].submit(*jobs))

        ended = one.wait_all_ended(attempts)
        assert keeper_of(one) != keeper_of(other)
        assert other.wait_all_ended(attempts) == ended
        assert {end.exit_code for end in ended.values()} == {3}
        assert [(tmp_path / str(attempt.run_id)).read_text() for attempt in attempts] == ["ran\n"] * 60

    def test_the_end_is_told_by_the_one_that_sees_it(self, open_local: OpenLocal, state: Path, gate: Gate) -> None:
        one, other = open_local(), open_second(open_local, state)
        one.submit(gate.job(FIRST))
        began = one.wait_began(FIRST)
        other.adopt(FIRST)
        assert other.wait_began(FIRST) == began

        gate.let_end(21)

        assert other.wait_ended(FIRST) == one.wait_ended(FIRST)
        assert one.wait_ended(FIRST).exit_code == 21

    def test_either_may_kill(self, open_local: OpenLocal, state: Path, gate: Gate) -> None:
        one, other = open_local(), open_second(open_local, state)
        one.submit(gate.job(FIRST))
        one.wait_began(FIRST)

        other.executor.kill(FIRST, signal.SIGTERM)

        assert one.wait_ended(FIRST).signal == signal.SIGTERM
        assert other.wait_ended(FIRST).signal == signal.SIGTERM

    def test_when_one_dies_the_other_goes_on(self, open_local: OpenLocal, state: Path, gate: Gate) -> None:
        one, other = open_local(), open_second(open_local, state)
        one.submit(gate.job(FIRST))
        began = one.wait_began(FIRST)
        other.adopt(FIRST)
        other.wait_began(FIRST)
        kill_keeper(one)
        one.forget()

        assert one.wait_began(FIRST) == began
        assert keeper_of(one) == keeper_of(other)
        gate.let_end(0)

        assert one.wait_ended(FIRST) == other.wait_ended(FIRST)


def open_second(open_local: OpenLocal, state: Path) -> Watch:
    (state / "keeper.lock").unlink()
    (state / "keeper.sock").unlink()
    return open_local()
