"""Daemons, keepers and machines die: commands go on where they can, start once, and never hang in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sensord.executors.base import Attempt, Ended
from sensord.executors.local import LocalExecutor
from tests.executors.conftest import OpenLocal
from tests.executors.stand_in import make_job
from tests.executors.test_local import keeper_of
from tests.executors.watch import Gate, Watch, shell, wait_gone

COUNT = 50
ALL = [Attempt(number, 1) for number in range(1, COUNT + 1)]
FIRST = Attempt(1, 1)
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[dict[Attempt, Gate]]:
    made = {attempt: Gate(tmp_path / str(attempt.run_id)) for attempt in ALL}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture
def kill_daemon(state: Path, tmp_path: Path, gates: object) -> Callable[[bool], None]:
    """Has a daemon of its own process start 50 commands, and kills it, alone or with its process group."""

    def run_and_kill(with_group: bool) -> None:
        arguments = [sys.executable, "-m", "tests.executors.stand_in", str(state), str(tmp_path), str(COUNT)]
        with subprocess.Popen(arguments, cwd=CHECKOUT, stdout=subprocess.PIPE, start_new_session=True) as daemon:
            assert daemon.stdout
            while daemon.stdout.readline() != f"{COUNT}\n".encode():
                assert daemon.poll() is None
            if with_group:
                os.killpg(daemon.pid, signal.SIGKILL)
            else:
                daemon.kill()

    return run_and_kill


class TestDaemon:
    @pytest.mark.parametrize("with_group", [False, True], ids=["alone", "with its group"])
    def test_the_next_one_adopts_fifty_commands_that_never_noticed(
        self,
        kill_daemon: Callable[[bool], None],
        open_local: OpenLocal,
        gates: dict[Attempt, Gate],
        tmp_path: Path,
        with_group: bool,
    ) -> None:
        kill_daemon(with_group)

        daemon = open_local()
        daemon.adopt(*ALL)
        pids = {daemon.wait_began(attempt).pid for attempt in ALL}
        for attempt, gate in gates.items():
            gate.let_end(attempt.run_id)

        ended = daemon.wait_all_ended(ALL)
        assert len(pids) == COUNT
        assert {attempt: one.exit_code for attempt, one in ended.items()} == {one: one.run_id for one in ALL}
        assert count_beginnings(tmp_path) == [1] * COUNT

    def test_the_next_one_may_submit_them_all_again(
        self,
        kill_daemon: Callable[[bool], None],
        open_local: OpenLocal,
        gates: dict[Attempt, Gate],
        tmp_path: Path,
    ) -> None:
        kill_daemon(False)

        daemon = open_local()
        daemon.submit(*(make_job(tmp_path, attempt.run_id) for attempt in ALL))
        for attempt, gate in gates.items():
            gate.let_end(attempt.run_id)

        ended = daemon.wait_all_ended(ALL)
        assert {attempt: one.exit_code for attempt, one in ended.items()} == {one: one.run_id for one in ALL}
        assert count_beginnings(tmp_path) == [1] * COUNT

    def test_what_ends_while_there_is_none_is_known_to_the_next(
        self, kill_daemon: Callable[[bool], None], open_local: OpenLocal, gates: dict[Attempt, Gate], state: Path
    ) -> None:
        kill_daemon(False)
        keeper = keeper_of(open_local())
        open_local().executor.close()

        for attempt, gate in gates.items():
            gate.let_end(attempt.run_id % 3)

        daemon = open_local()
        daemon.adopt(*ALL)
        ended = daemon.wait_all_ended(ALL)
        assert [ended[attempt].exit_code for attempt in ALL] == [attempt.run_id % 3 for attempt in ALL]
        assert keeper_of(daemon) == keeper


class TestKeeper:
    """It is killed with SIGKILL: nobody is left who could reap its commands."""

    def test_commands_go_on_under_the_next_one(self, open_local: OpenLocal, gate: Gate, tmp_path: Path) -> None:
        daemon = open_local()
        daemon.submit(gate.job(FIRST, first=f"echo began >> '{tmp_path}/began-1'"))
        began = daemon.wait_began(FIRST)
        daemon.forget()
        killed = kill_keeper(daemon)

        assert daemon.wait_began(FIRST) == began
        assert keeper_of(daemon) != killed
        gate.let_end(7)

        assert_ended_as(daemon.wait_ended(FIRST), 7)
        assert count_beginnings(tmp_path) == [1]

    def test_what_comes_later_is_none_the_worse(self, open_local: OpenLocal, gate: Gate) -> None:
        daemon = open_local()
        daemon.submit(shell(FIRST, "exit 1"))
        ended = daemon.wait_ended(FIRST)
        kill_keeper(daemon)

        daemon.submit(shell(FIRST, "exit 2"), shell(Attempt(2, 1), "exit 3"))

        assert daemon.wait_ended(Attempt(2, 1)).exit_code == 3
        assert set(daemon.ended(FIRST)) == {ended}

    def test_killed_again_and_again_it_starts_nothing_twice(self, open_local: OpenLocal, tmp_path: Path) -> None:
        daemon = open_local()
        attempts = [Attempt(number, 1) for number in range(1, 101)]
        daemon.submit(*(shell(one, f"echo began >> '{tmp_path}/began-{one.run_id}'") for one in attempts))
        for number in (10, 20, 30):
            daemon.wait(lambda: (len(daemon.reports) > number and has_keeper(daemon)) or None)  # noqa: B023 - called here
            kill_keeper(daemon)

        ended = daemon.wait_all_ended(attempts)

        assert {(one.exit_code, one.problem) for one in ended.values()} <= {(0, None), (None, "lost")}
        assert all(count <= 1 for count in count_beginnings(tmp_path))
        sure = [attempt for attempt in attempts if ended[attempt].exit_code == 0]
        assert all((tmp_path / f"began-{attempt.run_id}").exists() for attempt in sure)

    def test_the_next_one_can_kill(self, open_local: OpenLocal, gate: Gate) -> None:
        daemon = open_local()
        daemon.submit(gate.job(FIRST))
        began = daemon.wait_began(FIRST)
        kill_keeper(daemon)

        daemon.executor.kill(FIRST, signal.SIGKILL)

        assert_ended_as(daemon.wait_ended(FIRST), signal=signal.SIGKILL)
        wait_gone(began.pid)

    def test_a_kill_that_died_with_it_is_sent_again(self, open_local: OpenLocal, gate: Gate) -> None:
        daemon = open_local()
        daemon.submit(gate.job(FIRST))
        daemon.wait_began(FIRST)
        keeper = keeper_of(daemon)
        os.kill(keeper, signal.SIGSTOP)

        daemon.executor.kill(FIRST, signal.SIGTERM)
        os.kill(keeper, signal.SIGKILL)

        assert_ended_as(daemon.wait_ended(FIRST), signal=signal.SIGTERM)

    def test_what_it_was_to_forget_the_next_one_forgets(self, open_local: OpenLocal, state: Path) -> None:
        daemon = open_local()
        daemon.submit(shell(Attempt(1, 1), ":"))
        daemon.wait_ended(Attempt(1, 1))
        keeper = keeper_of(daemon)
        os.kill(keeper, signal.SIGSTOP)

        daemon.executor.forget([1])
        os.kill(keeper, signal.SIGKILL)

        assert daemon.wait_forgotten(1) == set()
        assert not (state / "runs/1").exists()

    def test_a_command_that_ends_while_there_is_none_does_not_hang(self, open_local: OpenLocal, gate: Gate) -> None:
        before = open_local()
        before.submit(gate.job(FIRST))
        pid = before.wait_began(FIRST).pid
        kill_keeper(before)
        before.executor.close()
        gate.let_end(6)
        wait_gone(pid)

        after = open_local()
        after.adopt(FIRST)

        assert_ended_as(after.wait_ended(FIRST), 6)

    def test_killed_while_it_has_yet_to_note_down_the_pid_the_command_is_found_by_its_log(
        self, open_local: OpenLocal, gate: Gate, state: Path, tmp_path: Path
    ) -> None:
        daemon = open_local()
        daemon.submit(gate.job(FIRST, first=f"echo began >> '{tmp_path}/began-1'"))
        began = daemon.wait_began(FIRST)
        daemon.forget()
        kill_keeper(daemon)
        forget_process(state)

        assert daemon.wait_began(FIRST).pid == began.pid
        gate.let_end(3)

        assert_ended_as(daemon.wait_ended(FIRST), 3)
        assert count_beginnings(tmp_path) == [1]

    def test_killed_before_it_started_what_it_took_the_attempt_is_lost(
        self, open_local: OpenLocal, gate: Gate, state: Path, tmp_path: Path
    ) -> None:
        before = open_local()
        before.submit(shell(FIRST, "exit 0"))
        before.wait_ended(FIRST)
        kill_keeper(before)
        before.executor.close()
        undo_start(state)

        after = open_local()
        after.submit(gate.job(FIRST, first=f"echo began >> '{tmp_path}/began-1'"))

        ended = after.wait_ended(FIRST)
        assert (ended.problem, ended.message) == ("lost", "its keeper died before the command was known to run")
        assert count_beginnings(tmp_path) == []

    def test_stopped_for_a_while_it_only_tells_later(self, open_local: OpenLocal, gate: Gate) -> None:
        daemon = open_local()
        daemon.submit(gate.job(FIRST))
        pid = daemon.wait_began(FIRST).pid
        os.kill(keeper_of(daemon), signal.SIGSTOP)
        gate.let_end(2)
        wait_gone(pid)
        assert daemon.executor.poll() == []

        os.kill(keeper_of(daemon), signal.SIGCONT)

        assert daemon.wait_ended(FIRST).exit_code == 2


class TestMachine:
    def test_after_a_restart_what_ran_is_lost(self, open_local: OpenLocal, gate: Gate, state: Path) -> None:
        before = open_local(boot_id="one")
        before.submit(gate.job(FIRST), shell(Attempt(2, 1), "exit 4"))
        pid = before.wait_began(FIRST).pid
        ended = before.wait_ended(Attempt(2, 1))
        kill_keeper(before)
        before.executor.close()

        after = open_local(boot_id="two")
        after.adopt(FIRST, Attempt(2, 1))

        lost = after.wait_ended(FIRST)
        assert lost.problem == "lost"
        assert lost.message
        assert "restarted" in lost.message
        assert after.began(FIRST) == []
        assert after.wait_ended(Attempt(2, 1)) == ended
        os.killpg(pid, signal.SIGKILL)

    def test_after_a_restart_nothing_that_was_taken_starts_again(
        self, open_local: OpenLocal, gate: Gate, tmp_path: Path
    ) -> None:
        before = open_local(boot_id="one")
        before.submit(gate.job(FIRST))
        pid = before.wait_began(FIRST).pid
        kill_keeper(before)
        os.killpg(pid, signal.SIGKILL)
        before.executor.close()

        after = open_local(boot_id="two")
        after.submit(shell(FIRST, f"echo began >> '{tmp_path}/began-1'"))

        assert after.wait_ended(FIRST).problem == "lost"
        assert after.began(FIRST) == []
        assert count_beginnings(tmp_path) == []

    def test_a_pid_that_is_somebody_elses_by_now_is_left_alone(self, open_local: OpenLocal, state: Path) -> None:
        before = open_local()
        before.submit(shell(FIRST, "exit 0"))
        before.wait_ended(FIRST)
        kill_keeper(before)
        before.executor.close()
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, start_new_session=True) as stranger:
            undo_start(state, pid=stranger.pid)

            after = open_local()
            after.executor.kill(FIRST, signal.SIGKILL)

            assert after.wait_ended(FIRST).problem == "lost"
            assert stranger.stdin
            stranger.stdin.close()
            assert stranger.wait() == 0


def has_keeper(daemon: Watch) -> bool:
    return isinstance(daemon.executor, LocalExecutor) and daemon.executor.keeper_pid is not None


def kill_keeper(daemon: Watch) -> int:
    keeper = keeper_of(daemon)
    os.kill(keeper, signal.SIGKILL)
    wait_gone(keeper)
    return keeper


def undo_start(state: Path, *, pid: int | None = None) -> None:
    """As if the keeper of run 1 had died just after it took the attempt; or had noted down a pid that is used again."""
    forget_process(state)
    if pid:
        with (state / "runs/0/record").open("ab") as record:
            record.write(b'\n1.1 began {"pid":%d,"start":1,"at":0}\n' % pid)


def forget_process(state: Path) -> None:
    """As if of all that the record has to say, the taking alone had been written."""
    record = state / "runs/0/record"
    taken = next(line for line in record.read_bytes().splitlines(keepends=True) if b" taken " in line)
    record.write_bytes(b"\n" + taken)


def assert_ended_as(ended: Ended, code: int | None = None, *, signal: int | None = None) -> None:
    """How a command ended that no keeper could reap is known if the kernel still tells; else it is lost, with words."""
    if ended.problem is None:
        assert (ended.exit_code, ended.signal) == (code, signal)
    else:
        assert ended.problem == "lost"
        assert ended.message
        assert "no keeper could see how" in ended.message


def count_beginnings(folder: Path) -> list[int]:
    return [len(path.read_text().splitlines()) for path in folder.glob("began-*")]
