"""What people ask of the daemon, and how it stops."""

from sensord.core.run import State
from sensord.store import requests
from sensord.store.requests import Answer
from tests.daemon.world import HOURLY, World

TEN = "2026-11-22T10:00"


def ask(world: World, kind: str, **body: object) -> int:
    return requests.ask(world.db, kind, body, who="ann", now=0)


def test_a_request_is_answered_in_its_row(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    asked = ask(world, "reload")
    assert requests.answer_of(world.db, asked) is None

    turn = world.tick()

    assert turn.requests == 1
    assert requests.answer_of(world.db, asked) == Answer(True, "1 flow, 0 problems")
    assert requests.unanswered(world.db) == []


def test_what_cannot_be_done_is_answered_with_the_reason(world: World) -> None:
    world.start()
    (world.folder / "sensord.toml").write_text("slots = 0")
    asked = [ask(world, "reload"), ask(world, "fly")]

    world.tick()

    refused = [requests.answer_of(world.db, one) for one in asked]
    assert [one.ok for one in refused if one] == [False, False]
    assert "slots" in str(refused[0])
    assert "got 'fly'" in str(refused[1])


def test_to_stop_is_to_drain(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()

    ask(world, "stop")
    world.tick("2026-11-22T11:00")

    assert not world.daemon.done
    assert list(world.runs("orders")) == [TEN]

    world.finish("orders", TEN)

    assert world.daemon.done
    assert world.state("orders", TEN) is State.SUCCESS


def test_what_is_queued_stays_queued_for_the_next_daemon(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick("2026-11-22T11:00")

    world.daemon.stop()
    world.finish("orders", TEN)

    assert world.daemon.done
    assert world.state("orders", "2026-11-22T11:00") is State.QUEUED

    world.restart()
    world.tick()

    assert world.state("orders", "2026-11-22T11:00") is State.RUNNING


def test_to_stop_now_leaves_the_commands_to_the_next_daemon(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()

    ask(world, "stop", now=True)
    world.tick()

    assert world.daemon.done
    assert world.daemon.active == 1
    assert world.state("orders", TEN) is State.RUNNING


def test_a_new_daemon_does_not_stop_because_the_last_one_should_have(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    asked = ask(world, "stop")

    world.restart()
    world.tick()

    assert not world.daemon.draining
    assert requests.answer_of(world.db, asked) == Answer(False, "the daemon that was asked has ended")
