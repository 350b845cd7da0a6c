"""Executors on a fresh state folder. Whatever a test leaves running is killed, and its keeper waited for."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sensord.executors.base import Attempt
from sensord.executors.local import LocalExecutor
from sensord.store.database import Database
from tests.executors.carried import CarriedExecutor, WorkerThread
from tests.executors.watch import Gate, Watch, wait_gone
from tests.support.databases import make_empty


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


OpenLocal = Callable[..., Watch]
OpenExecutor = Callable[[], Watch]


@pytest.fixture
def open_local(state: Path) -> Iterator[OpenLocal]:
    """Opens an executor on the state folder, as each daemon does in turn: `open_local(**options)`."""
    opened: list[tuple[Watch, LocalExecutor]] = []

    def open_one(**options: str | bool) -> Watch:
        executor = LocalExecutor(state, **options)  # type: ignore[arg-type]  # the tests name options that exist
        opened.append((Watch(executor), executor))
        return opened[-1][0]

    yield open_one
    for _, executor in opened:
        executor.close()
    end_all({attempt for watch, _ in opened for attempt in watch.seen}, LocalExecutor(state))


@pytest.fixture
def open_procrastinate(state: Path, postgres_migrated: str) -> Iterator[OpenExecutor]:
    """Opens the daemon's side of workers, one of which is at work."""
    make_empty(postgres_migrated)
    worker = WorkerThread(postgres_migrated, state)
    opened: list[tuple[Watch, CarriedExecutor]] = []

    def open_one() -> Watch:
        executor = CarriedExecutor(Database.open(postgres_migrated, durability="normal"))
        opened.append((Watch(executor), executor))
        return opened[-1][0]

    yield open_one
    worker.stop()
    for _, executor in opened:
        executor.close()
    end_all({attempt for watch, _ in opened for attempt in watch.seen}, LocalExecutor(state))


@pytest.fixture(params=["local", "procrastinate"])
def open_executor(request: pytest.FixtureRequest) -> OpenExecutor:
    """Each kind of executor in turn: what is tested with it is promised by all."""
    opened: OpenExecutor = request.getfixturevalue(f"open_{request.param}")
    return opened


@pytest.fixture
def daemon(open_executor: OpenExecutor) -> Watch:
    """The first daemon's executor."""
    return open_executor()


def end_all(attempts: set[Attempt], executor: LocalExecutor) -> None:
    """Kill what still runs of these, and wait until the keeper has nothing left to stay for."""
    last = Watch(executor)
    for attempt in attempts:
        executor.kill(attempt, signal.SIGKILL)
    last.wait_all_ended(sorted(attempts))
    keeper = executor.keeper_pid
    executor.close()
    assert keeper
    wait_gone(keeper)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    one = Gate(tmp_path / "gate")
    yield one
    one.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """A descriptor of an empty `runs` folder."""
    (tmp_path / "runs").mkdir()
    fd = os.open(tmp_path / "runs", os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)
