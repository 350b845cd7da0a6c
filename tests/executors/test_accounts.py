"""Commands that run as another user. Root's keeper becomes anybody; any other is refused by the system, and says so."""

import os
import pwd
import signal
from pathlib import Path

import pytest

from sensord.executors.base import Account, Attempt, Ended, Job
from tests.executors.conftest import OpenLocal
from tests.executors.watch import Watch

FIRST, SECOND = Attempt(1, 1), Attempt(2, 1)
NOBODY = pwd.getpwnam("nobody")
SOMEBODY = Account(NOBODY.pw_uid, NOBODY.pw_gid, (NOBODY.pw_gid, 12345))
ROOT = os.geteuid() == 0
"""Both ways are tested, whoever runs the tests: who is not root must be refused."""


@pytest.fixture
def daemon(open_local: OpenLocal) -> Watch:
    """The executor that is handed a user: a worker finds its own by the flow's definition."""
    return open_local()


def log_of(state: Path, attempt: Attempt) -> Path:
    return state / "runs" / "0" / f"{attempt.run_id}.{attempt.number}.log"


def masks_of(state: Path) -> list[int]:
    """What the command had blocked and ignored, of the signals that are ours: the C library has two more for itself."""
    ours = sum(1 << number - 1 for number in signal.valid_signals())
    return [int(line.split()[1], 16) & ours for line in log_of(state, FIRST).read_text().splitlines()]


def submit_as(daemon: Watch, account: Account | None, script: str) -> Ended:
    daemon.submit(Job(FIRST, ("sh", "-c", script), "/", {"PATH": "/usr/bin:/bin"}, account))
    return daemon.wait_ended(FIRST)


def refused(ended: Ended) -> bool:
    """What happens to who is not root."""
    return (ended.problem, ended.message) == ("not_started", "sh: Operation not permitted")


def test_it_has_the_ids_of_its_user_and_no_others(daemon: Watch, state: Path) -> None:
    ended = submit_as(daemon, SOMEBODY, "id -u; id -g; id -G; id -ru")

    assert ended.exit_code == 0 if ROOT else refused(ended)
    said = f"{SOMEBODY.uid}\n{SOMEBODY.gid}\n{SOMEBODY.gid} 12345\n{SOMEBODY.uid}\n"
    assert log_of(state, FIRST).read_text() == (said if ROOT else "")


def test_it_has_none_of_roots_rights(daemon: Watch, state: Path) -> None:
    ended = submit_as(daemon, SOMEBODY, "grep -h ^Cap[EP] /proc/self/status | grep -vc 0000000000000000")

    assert ended.exit_code == 1 if ROOT else refused(ended)
    assert log_of(state, FIRST).read_text() == ("0\n" if ROOT else "")


def test_its_log_is_the_daemons_and_for_it_alone(daemon: Watch, state: Path) -> None:
    ended = submit_as(daemon, SOMEBODY, "echo said; cat < /dev/stdin; head -c1 /proc/self/fd/1")

    assert ended.exit_code == 1 if ROOT else refused(ended)
    log = log_of(state, FIRST)
    assert (log.stat().st_mode & 0o777, log.stat().st_uid) == (0o600, os.geteuid())
    assert log.read_text().startswith("said\n") is ROOT


def test_it_leads_a_session_takes_all_signals_and_can_be_killed(daemon: Watch, state: Path) -> None:
    leads = 'test "$(cut -d" " -f6 /proc/$$/stat)" = $$'

    ended = submit_as(daemon, SOMEBODY, f"{leads} && grep -h 'Sig[BI]' /proc/self/status && kill -9 $$")

    assert ended.signal == signal.SIGKILL if ROOT else refused(ended)
    assert not log_of(state, FIRST).read_text() or masks_of(state) == [0, 0]


def test_a_program_that_its_user_may_not_execute_is_not_started(daemon: Watch, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)

    daemon.submit(Job(FIRST, (str(program),), "/", {}, SOMEBODY))

    ended = daemon.wait_ended(FIRST)
    words = "Permission denied" if ROOT else "Operation not permitted"
    assert (ended.problem, ended.message) == ("not_started", f"{program}: {words}")


def test_the_next_ones_are_reaped_by_the_keeper_alone(daemon: Watch) -> None:
    """The library that starts them would wait for the earlier ones, and take their ends away from the keeper."""
    ones = [Attempt(number, 1) for number in range(1, 21)]

    daemon.submit(*(Job(one, ("sh", "-c", f"exit {one.run_id}"), "/", {}, SOMEBODY) for one in ones))
    daemon.wait_all_ended(ones)

    ends = [daemon.wait_ended(one) for one in ones]
    assert [end.exit_code for end in ends] == ([one.run_id for one in ones] if ROOT else [None] * 20)


def test_a_refused_one_is_taken_and_never_starts(daemon: Watch, state: Path) -> None:
    for _ in range(2):
        daemon.submit(Job(FIRST, ("sh", "-c", "echo ran"), "/", {"PATH": "/bin"}, refusal="nobody allows it"))
        ended = daemon.wait_ended(FIRST)

        assert (ended.problem, ended.message) == ("not_started", "nobody allows it")
    assert log_of(state, FIRST).read_bytes() == b""


def test_it_gets_no_descriptor_but_the_three(daemon: Watch, state: Path) -> None:
    ended = submit_as(daemon, SOMEBODY, "exec ls /proc/self/fd")

    assert ended.exit_code == 0 if ROOT else refused(ended)
    fourth_is_the_folder = ["0", "1", "2", "3"]
    assert log_of(state, FIRST).read_text().split() == (fourth_is_the_folder if ROOT else [])


def test_what_the_daemons_starter_had_ignored_is_no_matter(open_local: OpenLocal, state: Path) -> None:
    """As a shell does with what it starts in the background."""
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        daemon = open_local()
    finally:
        signal.signal(signal.SIGQUIT, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    ended = submit_as(daemon, SOMEBODY, "grep -h 'Sig[BI]' /proc/self/status")

    assert ended.exit_code == 0 if ROOT else refused(ended)
    assert not log_of(state, FIRST).read_text() or masks_of(state) == [0, 0]
