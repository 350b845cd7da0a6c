"""A keeper is killed at every point of an attempt's life, as the table in docs/executors.md has it.

Whatever the point: the command is started at most once, and the daemon is told how the attempt ended.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sensord.executors.base import Attempt, Ended
from tests.executors.conftest import OpenLocal
from tests.executors.test_local import keeper_of
from tests.executors.watch import Gate, Watch

FIRST = Attempt(1, 1)
CHECKOUT = Path(__file__).parents[2]
OpenMortal = Callable[[str], Watch]


@pytest.fixture
def open_mortal(open_local: OpenLocal, state: Path) -> Iterator[OpenMortal]:
    """Opens an executor on a keeper that dies at `point`: "WHEN call NTH of MODULE NAME". That it did is checked."""
    opened: list[tuple[Watch, int]] = []

    def open_one(point: str) -> Watch:
        when, _, nth, _, module, name = point.split()
        state.mkdir()
        command = [sys.executable, "-m", "tests.executors.mortal", str(state), module, name, when, nth]
        subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, check=True)
        daemon = open_local()
        opened.append((daemon, keeper_of(daemon)))
        return daemon

    yield open_one
    assert [keeper for daemon, keeper in opened if keeper_of(daemon) == keeper] == []


def count_starts(tmp_path: Path) -> int:
    path = tmp_path / "starts"
    return len(path.read_text().splitlines()) if path.exists() else 0


def submit(daemon: Watch, gate: Gate, tmp_path: Path) -> None:
    daemon.submit(gate.job(FIRST, first=f"echo >> '{tmp_path}/starts'"))


def test_before_the_taking_the_next_one_starts_it(open_mortal: OpenMortal, gate: Gate, tmp_path: Path) -> None:
    daemon = open_mortal("before call 1 of ledger Ledger.take")
    submit(daemon, gate, tmp_path)
    gate.let_end(3)

    assert daemon.wait_ended(FIRST).exit_code == 3
    assert count_starts(tmp_path) == 1


@pytest.mark.parametrize(
    "point",
    [
        "after call 1 of ledger Ledger.take",
        "before call 1 of ledger Ledger.write_taker",
        "after call 1 of ledger Ledger.write_taker",
        "before call 1 of journal Journal.append",
        "after call 1 of journal Journal.append",
        "before call 1 of journal Journal.sync",
        "after call 1 of journal Journal.sync",
        "before call 1 of command start",
        "before call 1 of command find_program",
    ],
)
def test_between_taking_and_start_it_is_lost(open_mortal: OpenMortal, gate: Gate, tmp_path: Path, point: str) -> None:
    daemon = open_mortal(point)
    submit(daemon, gate, tmp_path)
    gate.let_end(3)

    ended = daemon.wait_ended(FIRST)

    assert (ended.problem, ended.message) == ("lost", "its keeper died before the command was known to run")
    assert daemon.began(FIRST) == []
    assert count_starts(tmp_path) == 0


@pytest.mark.parametrize(
    "point",
    [
        "after call 1 of command start",
        "before call 1 of ledger Ledger.write_process",
        "after call 1 of ledger Ledger.write_process",
        "before call 1 of wire encode_report",
        "after call 1 of wire encode_report",
    ],
)
def test_between_start_and_end_the_next_one_takes_over(
    open_mortal: OpenMortal, gate: Gate, tmp_path: Path, point: str
) -> None:
    daemon = open_mortal(point)
    submit(daemon, gate, tmp_path)
    daemon.wait_began(FIRST)
    gate.let_end(3)

    ended = daemon.wait_ended(FIRST)

    assert ended.exit_code == 3 or is_unseen(ended)
    assert count_starts(tmp_path) == 1


def test_between_the_end_and_its_record_it_is_lost(open_mortal: OpenMortal, gate: Gate, tmp_path: Path) -> None:
    daemon = open_mortal("before call 1 of ledger Ledger.write_end")
    submit(daemon, gate, tmp_path)
    gate.let_end(3)

    assert is_unseen(daemon.wait_ended(FIRST))
    assert count_starts(tmp_path) == 1


@pytest.mark.parametrize(
    "point",
    [
        "after call 1 of ledger Ledger.write_end",
        "before call 2 of journal Journal.append",
        "after call 2 of journal Journal.append",
        "before call 2 of wire encode_report",
        "after call 2 of wire encode_report",
    ],
)
def test_once_recorded_the_end_is_told_by_the_next_one(
    open_mortal: OpenMortal, gate: Gate, tmp_path: Path, point: str
) -> None:
    daemon = open_mortal(point)
    submit(daemon, gate, tmp_path)
    gate.let_end(3)

    assert daemon.wait_ended(FIRST).exit_code == 3
    assert count_starts(tmp_path) == 1


def is_unseen(ended: Ended) -> bool:
    return ended.problem == "lost" and "no keeper could see how" in str(ended.message)
