"""What is concluded about an attempt that another keeper took, from its files and its process."""

import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sensord.clock import SystemClock
from sensord.executors import processes
from sensord.executors.base import Attempt, Ended
from sensord.executors.inquiry import Inquiry, Over, Runs, Unsettled
from sensord.executors.journal import restore, taken_line
from sensord.executors.ledger import Ledger
from sensord.executors.processes import Process

FIRST = Attempt(1, 1)
CLOCK = SystemClock()
BEGAN_AT = CLOCK.now().replace(microsecond=5)
NOBODY = Process(pid=1, start=10**15)


@pytest.fixture
def ledger(folder: int) -> Ledger:
    return Ledger(folder)


@pytest.fixture
def inquiry(ledger: Ledger) -> Inquiry:
    """Asks as another process than this one, so that this one can play the keeper that took the attempt."""
    return Inquiry(ledger, me=NOBODY, boot="now", clock=CLOCK)


@pytest.fixture
def command() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until it is told to end."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, start_new_session=True) as process:
        yield process
        process.kill()


def take(ledger: Ledger, *, boot: str = "now", keeper: Process | None = NOBODY, process: Process | None = None) -> None:
    fd = ledger.take(FIRST)
    assert fd is not None
    os.close(fd)
    if keeper:
        ledger.write_taker(FIRST, boot, keeper)
    if process:
        ledger.write_process(FIRST, process, BEGAN_AT)


def open_log(ledger: Ledger) -> int:
    return os.open(ledger.log_path(FIRST), os.O_WRONLY | os.O_APPEND, dir_fd=ledger.runs_fd)


def explain(finding: object) -> str:
    assert isinstance(finding, Over)
    assert finding.ended.problem == "lost"
    assert finding.ended.message
    return finding.ended.message


def test_a_recorded_end_settles_it(ledger: Ledger, inquiry: Inquiry) -> None:
    take(ledger, boot="before", process=processes.identify(os.getpid()))
    ended = Ended(FIRST, BEGAN_AT, signal=9)
    ledger.write_end(ended)

    assert inquiry.examine(FIRST) == Over(ended, is_recorded=True)


def test_what_nobody_took_is_lost_and_not_to_be_recorded(inquiry: Inquiry) -> None:
    finding = inquiry.examine(FIRST)

    assert explain(finding) == "nobody has taken this attempt here"
    assert isinstance(finding, Over)
    assert finding.is_recorded


def test_its_process_still_runs(ledger: Ledger, inquiry: Inquiry, command: subprocess.Popen[bytes]) -> None:
    process = processes.identify(command.pid)
    take(ledger, process=process)

    assert inquiry.examine(FIRST) == Runs(process, BEGAN_AT)


def test_its_pid_is_another_processs_by_now(ledger: Ledger, inquiry: Inquiry, command: subprocess.Popen[bytes]) -> None:
    take(ledger, process=Process(command.pid, start=processes.identify(command.pid).start - 1))

    assert explain(inquiry.examine(FIRST)) == f"the command (pid {command.pid}) ended while no keeper could see how"


def test_the_machine_was_restarted(ledger: Ledger, inquiry: Inquiry, command: subprocess.Popen[bytes]) -> None:
    take(ledger, boot="before", process=processes.identify(command.pid))

    finding = inquiry.examine(FIRST)

    assert explain(finding) == "the machine was restarted after the attempt had been taken"
    assert isinstance(finding, Over)
    assert not finding.is_recorded


def test_it_was_taken_and_a_power_cut_took_the_rest(ledger: Ledger, inquiry: Inquiry) -> None:
    restore(ledger, taken_line(FIRST))

    assert "restarted" in explain(inquiry.examine(FIRST))


def test_its_keeper_is_at_work_on_it(ledger: Ledger, inquiry: Inquiry) -> None:
    take(ledger, keeper=processes.identify(os.getpid()))

    assert inquiry.examine(FIRST) == Unsettled()


def test_its_keeper_has_seen_the_end_and_is_about_to_record_it(ledger: Ledger, inquiry: Inquiry) -> None:
    take(ledger, keeper=processes.identify(os.getpid()), process=NOBODY)

    assert inquiry.examine(FIRST) == Unsettled()


def test_its_keeper_died_before_the_command_was_known(ledger: Ledger, inquiry: Inquiry) -> None:
    take(ledger)

    assert explain(inquiry.examine(FIRST)) == "its keeper died before the command was known to run"


def test_we_took_it_and_know_nothing_of_it(ledger: Ledger) -> None:
    me = processes.identify(os.getpid())
    take(ledger, keeper=me)

    assert "died" in explain(Inquiry(ledger, me=me, boot="now", clock=CLOCK).examine(FIRST))


@pytest.mark.parametrize(("age", "is_settled"), [(0, False), (3600, True)])
def test_its_keeper_is_not_yet_named(
    ledger: Ledger, inquiry: Inquiry, tmp_path: Path, age: int, is_settled: bool
) -> None:
    take(ledger, keeper=None)
    at = (CLOCK.now() - timedelta(seconds=age)).timestamp()
    os.utime(tmp_path / "runs/0/1.1.log", (at, at))

    assert isinstance(inquiry.examine(FIRST), Over) == is_settled


def test_the_command_nobody_noted_down_is_found_by_its_log(ledger: Ledger, inquiry: Inquiry) -> None:
    take(ledger)
    log = open_log(ledger)
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=log, start_new_session=True) as command:
        finding = inquiry.examine(FIRST)

        assert isinstance(finding, Runs)
        assert finding.process == processes.identify(command.pid)
        assert inquiry.examine(FIRST) == finding
        command.kill()
    os.close(log)


def test_somebody_who_writes_to_the_log_but_leads_no_session_is_not_the_command(
    ledger: Ledger, inquiry: Inquiry
) -> None:
    take(ledger)
    log = open_log(ledger)
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=log) as reader:
        assert "died" in explain(inquiry.examine(FIRST))
        reader.kill()
    os.close(log)


@pytest.mark.parametrize(
    ("script", "expected"), [("exit 0", (0, None)), ("exit 7", (7, None)), ("kill -15 $$", (None, signal.SIGTERM))]
)
def test_a_zombie_still_shows_how_it_ended(
    ledger: Ledger, inquiry: Inquiry, script: str, expected: tuple[int | None, int | None]
) -> None:
    with subprocess.Popen(["/bin/sh", "-c", f"read x; {script}"], stdin=subprocess.PIPE) as command:
        process = processes.identify(command.pid)
        take(ledger, process=process)
        assert command.stdin
        command.stdin.close()
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)

        finding = inquiry.examine(FIRST)

    assert isinstance(finding, Over)
    assert (finding.ended.exit_code, finding.ended.signal) == expected
    assert not finding.is_recorded


def test_a_reaped_one_shows_it_where_the_kernel_still_tells(ledger: Ledger, inquiry: Inquiry) -> None:
    with subprocess.Popen(["/bin/sh", "-c", "read x; exit 7"], stdin=subprocess.PIPE) as command:
        pidfd = os.pidfd_open(command.pid)
        take(ledger, process=processes.identify(command.pid))

    finding = inquiry.examine(FIRST, pidfd)

    os.close(pidfd)
    kernel = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    assert isinstance(finding, Over)
    assert (finding.ended.exit_code, finding.ended.problem) == ((7, None) if kernel >= (6, 15) else (None, "lost"))


def test_a_late_record_of_a_keeper_that_is_gone_counts(
    ledger: Ledger, inquiry: Inquiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It records the end and dies between our first look at the files and our look at the keeper."""
    take(ledger, process=NOBODY)
    ended = Ended(FIRST, BEGAN_AT, exit_code=0)
    is_running = processes.is_running

    def record_and_answer(process: Process) -> bool:
        ledger.write_end(ended)
        return is_running(process)

    monkeypatch.setattr(processes, "is_running", record_and_answer)

    assert inquiry.examine(FIRST) == Over(ended, is_recorded=True)
