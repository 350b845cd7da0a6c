"""What every executor promises, but for the surroundings of its commands. A second one joins by a parameter of the
fixture `open_executor`.

Each test plays the daemon: `open_executor()` is one daemon's executor, the next call the next one's, on the same place.
"""

import os
import signal
from pathlib import Path

import pytest

from sensord.executors.base import Attempt, Began, Job
from tests.executors.conftest import OpenExecutor
from tests.executors.watch import Gate, Watch, is_waiting, shell, wait_gone, wait_readable

FIRST = Attempt(1, 1)


class TestStarting:
    def test_a_command_begins_and_ends(self, daemon: Watch) -> None:
        daemon.submit(shell(FIRST, "exit 0"))

        ended = daemon.wait_ended(FIRST)

        [began] = daemon.began(FIRST)
        assert daemon.reports == [began, ended]
        assert (ended.exit_code, ended.signal, ended.problem, ended.message) == (0, None, None, None)
        assert began.at <= ended.at
        assert began.at.utcoffset() is not None

    @pytest.mark.parametrize("code", [1, 99, 255])
    def test_its_exit_code_is_reported(self, daemon: Watch, code: int) -> None:
        daemon.submit(shell(FIRST, f"exit {code}"))

        assert daemon.wait_ended(FIRST).exit_code == code

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
    def test_the_signal_that_killed_it_is_reported(self, daemon: Watch, number: int) -> None:
        daemon.submit(shell(FIRST, f"kill -{number} $$"))

        ended = daemon.wait_ended(FIRST)

        assert (ended.exit_code, ended.signal, ended.problem) == (None, number, None)

    def test_many_in_one_go_each_end_as_they_should(self, daemon: Watch) -> None:
        attempts = [Attempt(run_id, 3) for run_id in range(1, 201)]

        daemon.submit(*(shell(attempt, f"exit {attempt.run_id % 7}") for attempt in attempts))

        ended = daemon.wait_all_ended(attempts)
        assert [ended[attempt].exit_code for attempt in attempts] == [attempt.run_id % 7 for attempt in attempts]
        assert all(len(daemon.began(attempt)) == 1 for attempt in attempts)

    def test_nothing_is_reported_of_what_goes_on(self, daemon: Watch, gate: Gate) -> None:
        daemon.submit(gate.job(FIRST))
        daemon.wait_began(FIRST)

        daemon.submit(shell(Attempt(2, 1), ":"))
        daemon.wait_ended(Attempt(2, 1))

        assert daemon.ended(FIRST) == []
        assert daemon.executor.poll() == []
        assert not is_waiting(daemon.executor.fileno())


class TestNotStarting:
    @pytest.mark.parametrize(
        ("argv", "words"),
        [
            (("/no/such/program",), "No such file or directory"),
            (("no-such-program",), "not found in PATH"),
            (("/etc/passwd",), "Permission denied"),
            (("/etc",), "Permission denied"),
            (("/bin/true", "x" * 3_000_000), "Argument list too long"),
            (("/bin/true", "a\0b"), "null"),
        ],
    )
    def test_what_cannot_be_started_says_why(self, daemon: Watch, argv: tuple[str, ...], words: str) -> None:
        daemon.submit(Job(FIRST, argv, "/", {"PATH": "/usr/bin:/bin"}))

        ended = daemon.wait_ended(FIRST)

        assert (ended.problem, ended.exit_code, ended.signal) == ("not_started", None, None)
        assert ended.message
        assert words in ended.message
        assert daemon.began(FIRST) == []

    def test_a_missing_working_directory_says_so(self, daemon: Watch, tmp_path: Path) -> None:
        daemon.submit(Job(FIRST, ("/bin/true",), str(tmp_path / "gone"), {}))

        ended = daemon.wait_ended(FIRST)

        assert ended.problem == "not_started"
        assert ended.message == f"{tmp_path / 'gone'}: No such file or directory"

    def test_a_script_that_no_program_reads_says_so(self, daemon: Watch, tmp_path: Path) -> None:
        script = tmp_path / "script"
        script.write_text("exit 0\n")
        script.chmod(0o700)
        daemon.submit(Job(FIRST, (str(script),), "/", {}))

        ended = daemon.wait_ended(FIRST)

        assert (ended.problem, ended.message) == ("not_started", f"{script}: Exec format error")

    def test_the_others_of_its_batch_start(self, daemon: Watch) -> None:
        second = Attempt(2, 1)

        daemon.submit(Job(FIRST, ("/no/such/program",), "/", {}), shell(second, "exit 3"))

        assert daemon.wait_ended(second).exit_code == 3
        assert daemon.wait_ended(FIRST).problem == "not_started"


class TestOnce:
    """An attempt is started once, however often and by whomever it is submitted."""

    def test_submitted_twice_it_runs_once(self, daemon: Watch, tmp_path: Path) -> None:
        job = shell(FIRST, f"echo ran >> '{tmp_path}/runs'; exit 4")

        daemon.submit(job, job)
        daemon.submit(job)

        assert daemon.wait_ended(FIRST).exit_code == 4
        daemon.submit(shell(Attempt(2, 1), ":"))
        daemon.wait_ended(Attempt(2, 1))
        assert (tmp_path / "runs").read_text() == "ran\n"

    def test_submitted_while_it_runs_it_is_reported_again(self, open_executor: OpenExecutor, gate: Gate) -> None:
        before, after = open_executor(), open_executor()
        before.submit(gate.job(FIRST))
        began = before.wait_began(FIRST)

        after.submit(gate.job(FIRST))

        assert after.wait_began(FIRST) == began
        gate.let_end(5)
        assert after.wait_ended(FIRST) == before.wait_ended(FIRST)

    def test_submitted_after_its_end_only_the_end_is_reported(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        job = shell(FIRST, f"echo ran >> '{tmp_path}/runs'; exit 6")
        before = open_executor()
        before.submit(job)
        ended = before.wait_ended(FIRST)

        after = open_executor()
        after.submit(job)

        assert after.wait_ended(FIRST) == ended
        assert after.began(FIRST) in ([], before.began(FIRST))  # it may be told again how it began, as it was
        assert (tmp_path / "runs").read_text() == "ran\n"

    def test_what_could_not_start_is_not_tried_again(self, open_executor: OpenExecutor, tmp_path: Path) -> None:
        program = tmp_path / "program"
        job = Job(FIRST, (str(program),), "/", {})
        before = open_executor()
        before.submit(job)
        ended = before.wait_ended(FIRST)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o700)

        after = open_executor()
        after.submit(job)

        assert after.wait_ended(FIRST) == ended

    def test_another_attempt_is_another_start(self, daemon: Watch) -> None:
        daemon.submit(shell(FIRST, "exit 1"))
        daemon.wait_ended(FIRST)

        daemon.submit(shell(Attempt(1, 2), "exit 0"))

        assert daemon.wait_ended(Attempt(1, 2)).exit_code == 0


class TestAdopting:
    def test_what_runs_is_reported_and_then_its_end(self, open_executor: OpenExecutor, gate: Gate) -> None:
        before = open_executor()
        before.submit(gate.job(FIRST))
        began = before.wait_began(FIRST)
        before.executor.close()

        after = open_executor()
        after.adopt(FIRST)

        assert after.wait_began(FIRST) == began
        gate.let_end(7)
        assert after.wait_ended(FIRST).exit_code == 7

    def test_what_ended_unseen_by_any_daemon_is_reported(self, open_executor: OpenExecutor, gate: Gate) -> None:
        before = open_executor()
        before.submit(gate.job(FIRST))
        began = before.wait_began(FIRST)
        before.executor.close()
        gate.let_end(8)
        wait_gone(began.pid)

        after = open_executor()
        after.adopt(FIRST)

        assert after.wait_ended(FIRST).exit_code == 8

    def test_what_ended_before_is_reported_the_same(self, open_executor: OpenExecutor) -> None:
        before = open_executor()
        before.submit(shell(FIRST, "kill -9 $$"))
        ended = before.wait_ended(FIRST)

        after = open_executor()
        after.adopt(FIRST)

        assert after.wait_ended(FIRST) == ended

    def test_what_nobody_took_is_lost_until_it_is_submitted(self, daemon: Watch) -> None:
        daemon.adopt(FIRST)
        assert daemon.wait_ended(FIRST).problem == "lost"
        daemon.forget()

        daemon.submit(shell(FIRST, "exit 2"))

        assert daemon.wait_ended(FIRST).exit_code == 2


class TestKilling:
    def test_the_whole_group_gets_the_signal(self, daemon: Watch, tmp_path: Path) -> None:
        reader, fifo = open_fifo(tmp_path / "fifo")
        os.mkfifo(f"{fifo}.never")
        daemon.submit(shell(FIRST, f"cat '{fifo}.never' & echo $! > '{fifo}'; wait", PATH="/usr/bin:/bin"))
        wait_readable(reader)
        child = int(os.read(reader, 100))

        daemon.executor.kill(FIRST, signal.SIGTERM)

        assert daemon.wait_ended(FIRST).signal == signal.SIGTERM
        wait_gone(child)
        os.close(reader)

    def test_the_command_may_answer_the_signal(self, daemon: Watch, gate: Gate, tmp_path: Path) -> None:
        reader, fifo = open_fifo(tmp_path / "fifo")
        daemon.submit(gate.job(FIRST, first=f"trap 'exit 44' TERM; echo ready > '{fifo}'"))
        wait_readable(reader)

        daemon.executor.kill(FIRST, signal.SIGTERM)

        assert daemon.wait_ended(FIRST).exit_code == 44
        os.close(reader)

    def test_a_kill_right_behind_the_submission_is_not_lost(self, daemon: Watch, gate: Gate) -> None:
        daemon.submit(gate.job(FIRST))
        daemon.executor.kill(FIRST, signal.SIGKILL)

        ended = daemon.wait_ended(FIRST)
        assert ended.signal == signal.SIGKILL or (ended.problem == "not_started" and daemon.began(FIRST) == [])

    def test_the_next_daemon_may_kill_what_an_earlier_one_submitted(
        self, open_executor: OpenExecutor, gate: Gate
    ) -> None:
        before = open_executor()
        before.submit(gate.job(FIRST))
        before.wait_began(FIRST)
        before.executor.close()

        after = open_executor()
        after.executor.kill(FIRST, signal.SIGTERM)
        after.adopt(FIRST)

        assert after.wait_ended(FIRST).signal == signal.SIGTERM

    def test_after_the_end_it_does_nothing(self, daemon: Watch, gate: Gate) -> None:
        daemon.submit(shell(FIRST, "exit 1"), gate.job(Attempt(2, 1)))
        ended = daemon.wait_ended(FIRST)

        daemon.executor.kill(FIRST, signal.SIGKILL)
        gate.let_end(0)

        assert daemon.wait_ended(Attempt(2, 1)).exit_code == 0
        assert set(daemon.ended(FIRST)) == {ended}


class TestForgetting:
    def test_what_is_forgotten_was_never_taken(self, daemon: Watch) -> None:
        second = Attempt(1, 2)
        daemon.submit(shell(FIRST, "echo words; exit 1"), shell(Attempt(2, 1), "exit 2"))
        daemon.wait_all_ended([FIRST, Attempt(2, 1)])
        daemon.submit(shell(second, "exit 3"))
        daemon.wait_ended(second)

        daemon.executor.forget([1])

        assert daemon.wait_forgotten(1) == set()
        daemon.forget()
        daemon.adopt(FIRST, second, Attempt(2, 1))
        assert [daemon.wait_ended(one).problem for one in (FIRST, second)] == ["lost", "lost"]
        assert daemon.wait_ended(Attempt(2, 1)).exit_code == 2

    def test_a_run_that_is_under_way_is_kept(self, daemon: Watch, gate: Gate) -> None:
        daemon.submit(gate.job(FIRST), shell(Attempt(2, 1), ":"))
        daemon.wait_began(FIRST)
        daemon.wait_ended(Attempt(2, 1))

        daemon.executor.forget([1, 2])

        assert daemon.wait_forgotten(1, 2) == {1}
        gate.let_end(5)
        assert daemon.wait_ended(FIRST).exit_code == 5

    def test_it_may_be_repeated_and_speak_of_what_never_was(self, daemon: Watch) -> None:
        many = list(range(1, 301))

        daemon.executor.forget(many)
        daemon.executor.forget(many)

        assert daemon.wait_forgotten(*many) == set()

    def test_a_forgotten_run_may_be_tried_again(self, daemon: Watch) -> None:
        daemon.submit(shell(FIRST, "exit 1"))
        daemon.wait_ended(FIRST)
        daemon.executor.forget([1])
        daemon.wait_forgotten(1)

        daemon.submit(shell(Attempt(1, 2), "exit 6"))

        assert daemon.wait_ended(Attempt(1, 2)).exit_code == 6


class TestClosing:
    def test_commands_go_on(self, open_executor: OpenExecutor, gate: Gate, tmp_path: Path) -> None:
        reader, fifo = open_fifo(tmp_path / "fifo")
        before = open_executor()
        before.submit(gate.job(FIRST, first=f"trap 'echo hit > {fifo}' HUP INT TERM PIPE"))
        pid = before.wait_began(FIRST).pid

        before.executor.close()
        gate.let_end(9)
        wait_gone(pid)

        after = open_executor()
        after.adopt(FIRST)
        assert after.wait_ended(FIRST).exit_code == 9
        assert not is_waiting(reader)
        os.close(reader)

    def test_every_daemon_that_asked_is_told(self, open_executor: OpenExecutor, gate: Gate) -> None:
        one, other, stranger = open_executor(), open_executor(), open_executor()
        one.submit(gate.job(FIRST))
        one.wait_began(FIRST)
        other.adopt(FIRST)
        other.wait_began(FIRST)

        gate.let_end(1)

        assert one.wait_ended(FIRST) == other.wait_ended(FIRST)
        stranger.submit(shell(Attempt(2, 1), ":"))
        stranger.wait_ended(Attempt(2, 1))
        assert {report.attempt for report in stranger.reports} == {Attempt(2, 1)}
        assert isinstance(stranger.reports[0], Began)


def open_fifo(path: Path) -> tuple[int, Path]:
    """A fifo that commands write to, and a descriptor to read it by."""
    os.mkfifo(path)
    return os.open(path, os.O_RDWR), path
