"""What the local executor adds to the promises of all: its files, and the keeper that it talks to."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sensord.errors import SensordError
from sensord.executors import doorway, wire
from sensord.executors.base import Attempt
from sensord.executors.local import LocalExecutor
from tests.executors.conftest import OpenLocal
from tests.executors.watch import Gate, Watch, shell, wait_gone

FIRST = Attempt(12, 3)


class TestFiles:
    def test_output_and_errors_go_to_the_log_in_order(self, open_local: OpenLocal, state: Path) -> None:
        daemon = open_local()
        daemon.submit(shell(FIRST, "echo one; echo two >&2; echo three"))

        daemon.wait_ended(FIRST)

        assert (state / "runs/0/12.3.log").read_text() == "one\ntwo\nthree\n"

    def test_each_attempt_has_its_own_log(self, open_local: OpenLocal, state: Path) -> None:
        daemon = open_local()
        attempts = [Attempt(12, number) for number in (1, 2, 3)]
        daemon.submit(*(shell(attempt, f"echo {attempt.number}") for attempt in attempts))

        daemon.wait_all_ended(attempts)

        assert [(state / f"runs/0/12.{number}.log").read_text() for number in (1, 2, 3)] == ["1\n", "2\n", "3\n"]

    def test_the_end_is_on_the_disk_when_it_is_told(self, open_local: OpenLocal, state: Path) -> None:
        daemon = open_local()
        daemon.submit(shell(FIRST, "exit 5"))

        daemon.wait_ended(FIRST)

        assert recorded_end(state)["exit_code"] == 5
        assert b"ended 12 3 " in (state / "runs/journal").read_bytes()

    def test_nothing_is_left_of_a_run_that_is_forgotten(self, open_local: OpenLocal, state: Path) -> None:
        daemon = open_local()
        daemon.submit(shell(FIRST, "echo words"))
        daemon.wait_ended(FIRST)

        daemon.executor.forget([12])
        daemon.wait_forgotten(12)

        assert not (state / "runs/0").exists()
        assert b"forgotten 12\n" in (state / "runs/journal").read_bytes()

    def test_without_durability_there_is_no_journal(self, open_local: OpenLocal, state: Path) -> None:
        daemon = open_local(durable=False)
        daemon.submit(shell(FIRST, "exit 5"))

        assert daemon.wait_ended(FIRST).exit_code == 5

        assert not (state / "runs/journal").exists()
        assert recorded_end(state)["exit_code"] == 5

    def test_nobody_else_may_look(self, open_local: OpenLocal, state: Path) -> None:
        umask = os.umask(0)
        try:
            daemon = open_local()
        finally:
            os.umask(umask)
        daemon.submit(shell(FIRST, "exit 0"))
        daemon.wait_ended(FIRST)

        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [state, *state.rglob("*")]}

        assert {path.name for path in modes} >= {
            "runs",
            "12.3.log",
            "record",
            "journal",
            "keeper.sock",
            "keeper.log",
        }
        assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
        assert {mode for path, mode in modes.items() if not path.is_dir()} == {0o600}

    def test_commands_have_the_umask_that_the_daemon_had(self, open_local: OpenLocal, tmp_path: Path) -> None:
        umask = os.umask(0o027)
        try:
            daemon = open_local()
        finally:
            os.umask(umask)

        daemon.submit(shell(FIRST, f"umask > '{tmp_path}/umask'"))

        daemon.wait_ended(FIRST)
        assert int((tmp_path / "umask").read_text(), 8) == 0o027

    def test_a_path_longer_than_a_socket_may_have_is_no_obstacle(self, tmp_path: Path) -> None:
        state = tmp_path / ("long" * 40) / ("longer" * 30)
        executor = LocalExecutor(state)
        daemon = Watch(executor)

        daemon.submit(shell(FIRST, "exit 3"))

        assert daemon.wait_ended(FIRST).exit_code == 3
        keeper = executor.keeper_pid
        executor.close()
        assert keeper
        wait_gone(keeper)

    def test_the_state_folder_may_have_any_name(self, tmp_path: Path) -> None:
        executor = LocalExecutor(tmp_path / "a: b 'c' \udcff ünï --no-sync")
        keeper = executor.keeper_pid

        executor.close()

        assert keeper
        wait_gone(keeper)


class TestKeeper:
    def test_it_is_nobodys_child_in_a_group_of_its_own_with_nothing_of_ours(
        self, open_local: OpenLocal, state: Path
    ) -> None:
        ours, theirs = socket.socketpair()
        ours.set_inheritable(True)
        daemon = open_local()
        ours.close()
        theirs.close()

        keeper = keeper_of(daemon)

        parent, group, session = Path(f"/proc/{keeper}/stat").read_text().rsplit(")", 1)[1].split()[1:4]
        files = [Path(f"/proc/{keeper}/fd/{fd}").readlink() for fd in (0, 1, 2)]
        sockets = [fd for fd in Path(f"/proc/{keeper}/fd").iterdir() if str(fd.readlink()).startswith("socket:")]
        assert int(parent) != os.getpid()
        assert {int(group), int(session)}.isdisjoint({os.getpgid(0), os.getsid(0)})
        assert files == [Path("/dev/null"), Path("/dev/null"), state / "keeper.log"]
        assert len(sockets) == 4  # where it listens, us, and the pair that signals wake it by
        assert Path(f"/proc/{keeper}/environ").read_bytes() == b""
        assert Path(f"/proc/{keeper}/cwd").readlink() == Path("/")

    def test_there_is_one_for_all_daemons(self, open_local: OpenLocal) -> None:
        assert keeper_of(open_local()) == keeper_of(open_local())

    def test_it_ends_when_nobody_is_there_and_nothing_runs(self, open_local: OpenLocal, state: Path) -> None:
        daemon = open_local()
        keeper = keeper_of(daemon)

        daemon.executor.close()

        wait_gone(keeper)
        assert not (state / "keeper.sock").exists()
        assert (state / "keeper.log").read_text() == ""

    def test_it_stays_for_the_last_command_and_then_ends(self, open_local: OpenLocal, gate: Gate) -> None:
        before = open_local()
        keeper = keeper_of(before)
        before.submit(gate.job(FIRST))
        before.wait_began(FIRST)
        before.executor.close()

        visitor = open_local()
        assert keeper_of(visitor) == keeper
        visitor.executor.close()
        gate.let_end(4)

        wait_gone(keeper)
        after = open_local()
        after.adopt(FIRST)
        assert after.wait_ended(FIRST).exit_code == 4

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_told_to_end_it_first_sees_the_last_command_end(
        self, open_local: OpenLocal, gate: Gate, number: int
    ) -> None:
        daemon = open_local()
        keeper = keeper_of(daemon)
        daemon.submit(gate.job(FIRST))
        daemon.wait_began(FIRST)

        os.kill(keeper, number)
        gate.let_end(11)

        assert daemon.wait_ended(FIRST).exit_code == 11
        wait_gone(keeper)
        daemon.submit(shell(Attempt(13, 1), "exit 1"))
        assert daemon.wait_ended(Attempt(13, 1)).exit_code == 1
        assert keeper_of(daemon) != keeper

    def test_a_hangup_does_not_concern_it(self, open_local: OpenLocal) -> None:
        daemon = open_local()
        keeper = keeper_of(daemon)

        os.kill(keeper, signal.SIGHUP)
        daemon.submit(shell(FIRST, "exit 1"))

        assert daemon.wait_ended(FIRST).exit_code == 1
        assert keeper_of(daemon) == keeper

    def test_a_socket_that_was_cleaned_away_comes_back(self, state: Path) -> None:
        state.mkdir()
        impatient = (
            "import sys; from sensord.executors import keeper; keeper._LOOK_ROUND = 0.01; keeper.main(sys.argv[1:])"
        )
        subprocess.run([sys.executable, "-c", impatient, str(state)], stdout=subprocess.PIPE, check=True)
        executor = LocalExecutor(state)
        keeper = executor.keeper_pid

        (state / "keeper.sock").unlink()

        other = LocalExecutor(state)
        assert other.keeper_pid == keeper
        executor.close()
        other.close()
        assert keeper
        wait_gone(keeper)


class TestTrouble:
    def test_a_keeper_that_cannot_start_says_why(self, state: Path) -> None:
        state.mkdir()
        (state / "runs").write_text("in the way")

        with pytest.raises(SensordError, match="no keeper answers") as caught:
            LocalExecutor(state)

        assert caught.value.hint
        assert "NotADirectoryError" in caught.value.hint

    def test_a_state_folder_that_cannot_be_made_says_why(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        with pytest.raises(SensordError, match="Not a directory"):
            LocalExecutor(tmp_path / "file" / "state")

    def test_a_keeper_of_another_version_is_not_used(self, state: Path) -> None:
        ours, theirs = wire.PROTOCOL, wire.PROTOCOL + 1
        words = wire.encode("hello", protocol=theirs, pid=77)

        with play_keeper(state, words), pytest.raises(SensordError, match=f"protocol {ours}, got {theirs}") as caught:
            LocalExecutor(state)

        assert caught.value.hint
        assert "pid 77" in caught.value.hint

    def test_a_keeper_that_does_not_understand_us_is_an_error(self, state: Path) -> None:
        words = wire.encode("hello", protocol=wire.PROTOCOL, pid=77) + wire.encode("error", message="pardon")

        with play_keeper(state, words), pytest.raises(SensordError, match="pardon"):
            LocalExecutor(state)

    def test_a_keeper_that_hangs_up_at_once_is_replaced(self, state: Path) -> None:
        with play_keeper(state, b""):
            executor = LocalExecutor(state)

        keeper = executor.keeper_pid
        executor.close()
        assert keeper
        wait_gone(keeper)


def recorded_end(state: Path) -> Any:
    """What the record says of the end of attempt 3 of run 12."""
    lines = (state / "runs/0/record").read_text().splitlines()
    return json.loads(next(line.removeprefix("12.3 ended ") for line in lines if line.startswith("12.3 ended ")))


def keeper_of(daemon: Watch) -> int:
    assert isinstance(daemon.executor, LocalExecutor)
    pid = daemon.executor.keeper_pid
    assert pid
    return pid


@contextmanager
def play_keeper(state: Path, words: bytes) -> Iterator[None]:
    """A keeper that says this to the first who comes, and hangs up."""
    state.mkdir()
    state_fd = doorway.open_folder(str(state))
    listener = doorway.listen(state_fd)
    listener.setblocking(True)

    def play() -> None:
        with listener, listener.accept()[0] as visitor:
            doorway.remove(state_fd)
            visitor.sendall(words)

    thread = threading.Thread(target=play)
    thread.start()
    yield
    thread.join()
    os.close(state_fd)
