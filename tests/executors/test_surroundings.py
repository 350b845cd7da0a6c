"""What a command of any executor finds around it: what its job says, and nothing of the executor's."""

import os
import signal
import sys
from pathlib import Path

import pytest

from sensord.executors.base import Attempt, Job
from tests.executors.watch import Watch

FIRST = Attempt(1, 1)


@pytest.mark.parametrize("env", [{}, {"A": "1", "B": "two words\nand a line", "Ü": "ä = ß"}])
def test_its_environment_is_exactly_the_given_one(daemon: Watch, tmp_path: Path, env: dict[str, str]) -> None:
    out = tmp_path / "environ"
    daemon.submit(Job(FIRST, ("/bin/cp", "/proc/self/environ", str(out)), "/", env))

    assert daemon.wait_ended(FIRST).exit_code == 0

    found = dict(entry.split("=", 1) for entry in out.read_text().split("\0")[:-1])
    told = {name for name in found if name.startswith("SENSORD_")}  # by a worker, which makes the command itself
    assert {name: found[name] for name in found.keys() - told} == env


def test_its_arguments_come_unchanged(daemon: Watch, tmp_path: Path) -> None:
    out = tmp_path / "arguments"
    arguments = ("", " two  words ", 'quote" and \\', "$HOME `x` *", "line\nline", "ünï", "\udcff not UTF-8")
    daemon.submit(Job(FIRST, ("/bin/sh", "-c", f"printf '%s\\0' \"$@\" > '{out}'", "sh", *arguments), "/", {}))

    assert daemon.wait_ended(FIRST).exit_code == 0

    assert out.read_bytes() == b"".join(os.fsencode(one) + b"\0" for one in arguments)


def test_it_runs_in_its_working_directory(daemon: Watch, tmp_path: Path) -> None:
    job = Job(FIRST, ("./here",), str(tmp_path), {})
    (tmp_path / "here").write_text("#!/bin/sh\npwd -P > where\n")
    (tmp_path / "here").chmod(0o700)

    daemon.submit(job)

    assert daemon.wait_ended(FIRST).exit_code == 0
    assert (tmp_path / "where").read_text().strip() == str(tmp_path.resolve())


def test_its_program_is_sought_in_its_own_path(daemon: Watch, tmp_path: Path) -> None:
    for name, code in (("first", 1), ("second", 2), ("third", 3)):
        (tmp_path / name).mkdir()
        program = tmp_path / name / "program"
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(0o600 if name == "first" else 0o700)
    path = ":".join(str(tmp_path / name) for name in ("none", "first", "second", "third"))

    daemon.submit(Job(FIRST, ("program",), "/", {"PATH": path}))

    assert daemon.wait_ended(FIRST).exit_code == 2


def test_it_leads_a_session_of_its_own(daemon: Watch, tmp_path: Path) -> None:
    out = tmp_path / "stat"
    daemon.submit(Job(FIRST, ("/bin/cp", "/proc/self/stat", str(out)), "/", {}))

    pid = daemon.wait_began(FIRST).pid
    daemon.wait_ended(FIRST)

    _, _, _, _, group, session = out.read_text().split()[:6]
    assert (group, session) == (str(pid), str(pid))


def test_no_signal_is_blocked_or_ignored(daemon: Watch, tmp_path: Path) -> None:
    out = tmp_path / "status"
    daemon.submit(Job(FIRST, ("/bin/cp", "/proc/self/status", str(out)), "/", {}))

    daemon.wait_ended(FIRST)

    masks = dict(line.split(":\t") for line in out.read_text().splitlines() if line.startswith("Sig"))
    ours = sum(1 << number - 1 for number in signal.valid_signals())  # the C library has two more for itself
    assert [int(masks[name], 16) & ours for name in ("SigBlk", "SigIgn", "SigCgt")] == [0, 0, 0]


def test_it_has_three_open_files_and_no_input(daemon: Watch, tmp_path: Path) -> None:
    out = tmp_path / "descriptors"
    program = (
        "import os, sys\n"
        "names = [name for name in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + name)]\n"
        "open(sys.argv[1], 'w').write(' '.join([*sorted(names), os.readlink('/proc/self/fd/0')]))"
    )
    daemon.submit(Job(FIRST, (sys.executable, "-I", "-S", "-c", program, str(out)), "/", {}))

    daemon.wait_ended(FIRST)

    assert out.read_text().split() == ["0", "1", "2", "/dev/null"]
