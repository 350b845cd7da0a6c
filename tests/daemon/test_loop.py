"""The loop: whatever happens wakes it at once. It would nap for an hour, so a wake-up that is missed hangs the test."""

import itertools
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence

import pytest

from sensord.core.run import State
from sensord.daemon import loop
from sensord.daemon.eyes import watch_folder
from sensord.daemon.loop import Loop
from sensord.daemon.signals import Signals
from sensord.daemon.turn import Turn
from sensord.errors import DatabaseError, SensordError, Unreachable
from sensord.executors.base import Job
from sensord.store import requests
from sensord.store.database import Database
from sensord.store.wake import Heard, Listener, wake
from sensord.testing import ManualClock, ManualExecutor
from tests.daemon.world import HOURLY, World, on

TEN = "2026-11-22T10:00"


class Script(ManualExecutor):
    """Does the next thing of a list whenever it is handed a job: that is when the daemon has gone to sleep, or will."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.next: list[Callable[[], None]] = []

    def submit(self, jobs: Sequence[Job]) -> None:
        super().submit(jobs)
        for _ in jobs:
            if self.next:
                self.next.pop(0)()


@pytest.fixture
def script(world: World, monkeypatch: pytest.MonkeyPatch) -> Script:
    monkeypatch.setattr(loop, "NAP", 3600.0)
    world.executor = Script(world.clock)
    return world.executor


@pytest.fixture
def run(world: World) -> Iterator[Callable[[], None]]:
    """Runs the daemon's loop until it ends."""
    with Signals() as signals:

        def run_loop() -> None:
            with Listener(world.db) as listener, watch_folder(world.folder, tuple) as watcher:
                Loop(world.daemon, listener, world.daemon.lead, signals, watcher).run()

        yield run_loop


def end_last(script: Script) -> None:
    script.end(script.running[-1])


def leave(world: World) -> None:
    world.daemon.stop(now=True)


def test_the_end_of_a_command_releases_what_waits_for_it(world: World, script: Script, run: Callable[[], None]) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", HOURLY, on("orders"))
    world.start()

    def finish() -> None:
        end_last(script)
        world.daemon.stop()

    script.next = [lambda: end_last(script), finish]

    run()

    assert world.state("mart", TEN) is State.SUCCESS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_a_second_one_stops(
    world: World, script: Script, run: Callable[[], None], number: signal.Signals
) -> None:
    world.flow("orders", HOURLY)
    world.start()

    def signal_twice() -> None:
        for _ in range(2):
            os.kill(os.getpid(), number)

    script.next = [signal_twice]

    run()

    assert world.daemon.draining
    assert world.state("orders", TEN) is State.STARTING


def test_a_signal_reloads(world: World, script: Script, run: Callable[[], None]) -> None:
    world.flow("orders", HOURLY)
    world.start()

    def change() -> None:
        world.flow("stock", HOURLY)
        os.kill(os.getpid(), signal.SIGHUP)

    script.next = [change, lambda: leave(world)]

    run()

    assert world.state("stock", TEN) is State.STARTING


def test_a_new_file_is_taken_up_by_itself(world: World, script: Script, run: Callable[[], None]) -> None:
    world.flow("orders", HOURLY)
    world.start()
    script.next = [lambda: world.flow("stock", HOURLY), lambda: leave(world)]

    run()

    assert world.state("stock", TEN) is State.STARTING


def test_wrong_settings_leave_everything_as_it_was_until_they_are_mended(
    world: World, script: Script, run: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    world.flow("orders", HOURLY)
    world.start()
    settings = world.folder / "sensord.toml"

    class Mending(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "old configuration" in record.getMessage():
                settings.unlink()

    def spoil() -> None:
        settings.write_text("slots = 'many'")
        world.flow("stock", HOURLY)

    script.next = [spoil, lambda: leave(world)]
    mending = Mending()
    logging.getLogger("sensord").addHandler(mending)

    run()

    logging.getLogger("sensord").removeHandler(mending)
    [error] = [message for message in caplog.messages if "old configuration" in message]
    assert "sensord.toml:1:9: slots" in error
    assert world.state("stock", TEN) is State.STARTING


def test_a_reload_that_the_database_refuses_is_made_up_for(
    world: World, script: Script, run: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.flow("orders", HOURLY)
    world.start()
    refusals: list[SensordError] = [Unreachable("it is gone"), DatabaseError("it is locked")]
    reload = world.daemon.reload

    def refuse() -> str:
        if refusals:
            raise refusals.pop()
        return reload()

    monkeypatch.setattr(world.daemon, "reload", refuse)
    monkeypatch.setattr(loop, "BACKOFF", 0.0)
    script.next = [lambda: world.flow("stock", HOURLY), lambda: leave(world)]

    run()

    assert world.state("stock", TEN) is State.STARTING


def test_a_request_is_heard(
    world: World, script: Script, run: Callable[[], None], database_url: str, open_db: Callable[[str], Database]
) -> None:
    world.flow("orders", HOURLY)
    world.start()
    person = open_db(database_url)

    def ask() -> None:
        requests.ask(person, "stop", {"now": True}, who="ann", now=0)
        wake(person)

    script.next = [ask]

    run()

    assert world.daemon.done


@pytest.mark.parametrize(("since_last_turn", "every_time"), [(0.0, False), (2.0, True)])
def test_under_load_requests_are_looked_for_once_a_nap(
    world: World,
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    since_last_turn: float,
    every_time: bool,
) -> None:
    """Wake-ups may get lost. Here each turn finds the next event waiting, and nobody wakes the daemon."""
    world.flow("a", HOURLY)
    world.flow("b", HOURLY, on("a"))
    world.flow("c", HOURLY, on("b"))
    world.start()
    looks: list[bool] = []
    monkeypatch.setattr(loop, "NAP", 1.0)
    monkeypatch.setattr(world.daemon, "tick", note_looks(world.daemon.tick, looks))
    script.next = [lambda: end_last(script), lambda: end_last(script), lambda: leave(world)]
    seconds = itertools.count()

    with Signals() as signals, Listener(world.db) as listener:
        monotonic = lambda: next(seconds) * since_last_turn  # noqa: E731 -- a clock of one line
        Loop(world.daemon, listener, world.daemon.lead, signals, monotonic=monotonic).run()

    assert world.state("c", TEN) is State.STARTING
    assert looks[0]
    assert all(looks) == every_time


def note_looks(tick: Callable[..., Turn], looks: list[bool]) -> Callable[..., Turn]:
    def noted(heard: Heard) -> Turn:
        looks.append(heard.asked)
        return tick(heard)

    return noted


@pytest.mark.parametrize("error", [DatabaseError("it is locked"), Unreachable("it is gone"), SensordError("no keeper")])
def test_what_refuses_for_a_while_is_tried_again(
    world: World,
    script: Script,
    run: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: SensordError,
) -> None:
    world.flow("orders", HOURLY)
    world.start()
    script.next = [lambda: leave(world)]
    refusals = [error, error]
    poll = script.poll

    def refuse() -> list[object]:
        if refusals:
            raise refusals.pop()
        return list(poll())

    monkeypatch.setattr(script, "poll", refuse)
    monkeypatch.setattr(loop, "BACKOFF", 0.0)

    with caplog.at_level("INFO"):
        run()

    assert caplog.messages.count(f"trying again: {error}") == 2
    assert "it works again" in caplog.messages
    assert world.state("orders", TEN) is State.STARTING
