"""A process is named for good by its pid and start time, and asked about without being its parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sensord.executors import processes
from sensord.executors.processes import Process

ME = processes.identify(os.getpid())


def test_the_boot_has_a_name_that_stays() -> None:
    assert len(processes.read_boot_id()) == 36
    assert processes.read_boot_id() == processes.read_boot_id()


def test_a_process_is_itself_and_no_other_of_its_pid() -> None:
    assert processes.identify(os.getpid()) == ME
    assert processes.is_running(ME)
    assert not processes.is_running(Process(ME.pid, ME.start + 1))


def test_a_pid_that_nobody_has_names_nobody() -> None:
    pid = run_to_its_end()

    assert not processes.is_running(Process(pid, 1))
    with pytest.raises(ProcessLookupError):
        processes.identify(pid)


def test_a_name_that_looks_like_a_status_line_misleads_nobody(tmp_path: Path) -> None:
    program = tmp_path / "x) Z 1 (y"
    program.symlink_to("/bin/cat")
    with subprocess.Popen([str(program)], stdin=subprocess.PIPE) as command:
        process = processes.identify(command.pid)

        assert processes.is_running(process)
        assert process.start >= ME.start
        command.kill()


def test_a_zombie_has_ended_but_is_still_itself() -> None:
    with subprocess.Popen(["/bin/true"]) as command:
        process = processes.identify(command.pid)
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)

        assert not processes.is_running(process)
        assert processes.identify(command.pid) == process


def test_a_process_whose_first_thread_has_ended_still_runs() -> None:
    """Its first thread leaves by pthread_exit: to a careless eye it is a zombie."""
    program = (
        "import ctypes, threading, sys; threading.Thread(target=sys.stdin.read).start();"
        "print('ready', flush=True); ctypes.CDLL(None).pthread_exit(None)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as command:
        assert command.stdout
        assert command.stdout.readline() == b"ready\n"
        while b") Z" not in Path(f"/proc/{command.pid}/stat").read_bytes():
            os.sched_yield()

        assert processes.is_running(processes.identify(command.pid))
        command.kill()


def test_the_status_of_a_process_that_still_runs_is_not_known() -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as command:
        pidfd = os.pidfd_open(command.pid)

        assert processes.find_status(processes.identify(command.pid), pidfd) is None
        os.close(pidfd)
        command.kill()


def test_the_status_of_one_that_was_never_watched_is_not_known() -> None:
    assert processes.find_status(Process(run_to_its_end(), 1), None) is None


def test_the_status_of_a_zombie_is_that_of_the_same_process_only() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "kill -9 $$"]) as command:
        process = processes.identify(command.pid)
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)

        assert processes.find_status(process, None) == signal.SIGKILL
        assert processes.find_status(Process(process.pid, process.start - 1), None) is None


def test_who_may_not_trace_a_zombie_does_not_take_it_for_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel shows such a one a status of 0, and refuses it the link."""
    with subprocess.Popen(["/bin/sh", "-c", "exit 7"]) as command:
        process = processes.identify(command.pid)
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)

        def refuse(path: str) -> str:
            raise PermissionError(13, "Permission denied", path)

        monkeypatch.setattr(os, "readlink", refuse)

        assert processes.find_status(process, None) is None


def run_to_its_end() -> int:
    with subprocess.Popen(["/bin/true"]) as command:
        pass
    return command.pid
