"""What an attack on the daemon once found: requests that are no requests, reports out of order, clocks set back."""

from contextlib import suppress

import pytest

from sensord.core.run import State
from sensord.errors import DatabaseError, SensordError
from sensord.executors.base import Ended
from sensord.store import requests
from sensord.store.requests import Answer
from tests.daemon.world import HOURLY, World, at, on

TEN, ELEVEN = "2026-11-22T10:00", "2026-11-22T11:00"
PATIENT = HOURLY + 'retries = 5\nretry_delay = "10m"\n'
QUARTER_PAST = '[schedule]\ncron = "15 10 * * *"\n[run]\ncommand = ["true"]\n'


def ask(world: World, kind: str, **body: object) -> int:
    return requests.ask(world.db, kind, body, who="ann", now=0)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("rerun", {}),
        ("rerun", {"flow": "orders", "logical_date": "yesterday"}),
        ("rerun", {"flow": "orders", "logical_date": TEN}),
        ("rerun", {"flow": "orders", "logical_date": 5}),
        ("rerun", {"flow": "orders", "logical_date": "9999-12-31T23:59:59-05:00"}),
        ("mark", {"flow": "orders", "logical_date": f"{TEN}:00+00:00", "state": "done"}),
        ("mark", {"flow": "orders", "logical_date": f"{TEN}:00+00:00"}),
    ],
)
def test_a_malformed_request_is_answered_and_ends_nobody(world: World, kind: str, body: dict[str, object]) -> None:
    world.flow("orders", HOURLY)
    world.start()
    asked = ask(world, kind, **body)

    world.tick()

    answer = requests.answer_of(world.db, asked)
    assert answer
    assert not answer.ok
    assert world.state("orders", TEN) is State.RUNNING


def test_a_request_that_fails_within_is_answered_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.start()
    asked = ask(world, "reload")
    monkeypatch.setitem(world.daemon._handlers, "reload", lambda *_: 1 / 0)

    world.tick()

    answer = requests.answer_of(world.db, asked)
    assert answer
    assert answer.text.startswith("internal error: ZeroDivisionError")


def test_a_change_and_its_answer_are_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    world.finish("orders", TEN)
    asked = ask(world, "rerun", flow="orders", logical_date=f"{TEN}:00+00:00")
    commit, failures = world.db._commit, [DatabaseError("the disk is full")]

    def fail_once() -> None:
        if failures:
            world.db._roll_back()
            raise failures.pop()
        commit()

    monkeypatch.setattr(world.db, "_commit", fail_once)
    with suppress(DatabaseError):
        world.tick()
    assert requests.answer_of(world.db, asked) is None

    world.tick()
    assert requests.answer_of(world.db, asked) == Answer(True, f"orders {TEN}:00Z is queued")


def test_an_end_that_is_told_twice_at_once_is_one_end(world: World) -> None:
    world.flow("orders", PATIENT)
    world.start()
    world.tick()

    world.end("orders", TEN, 1)
    world.end("orders", TEN, 1)
    world.tick()

    assert world.state("orders", TEN) is State.RETRYING


def test_a_late_end_of_an_old_attempt_leaves_the_retry_alone(world: World) -> None:
    world.flow("orders", PATIENT)
    world.start()
    world.tick()
    first = world.attempt("orders", TEN)
    world.end("orders", TEN, 1)
    world.tick()
    world.tick("2026-11-22T10:41")
    world.end("orders", TEN, 1)
    world.tick()

    world.executor.end(first, 1)
    world.tick()
    world.tick("2026-11-22T10:59")

    assert world.state("orders", TEN) is State.RUNNING


def test_a_word_that_no_executor_should_say_is_a_loss(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()

    world.executor.end(world.attempt("orders", TEN), None, problem="exotic", message="a\0b")
    world.tick()

    assert world.why("orders", TEN)[0] == "lost"


def test_a_timeout_does_not_undo_a_cancel_under_way(world: World) -> None:
    world.flow("orders", HOURLY + 'timeout = "1m"\ngrace = "5m"\nretries = 3\n')
    world.start()
    world.tick()
    world.daemon.change("cancel", {"flow": "orders", "logical_date": at(TEN).isoformat()})

    world.tick("2026-11-22T10:32")
    world.end("orders", TEN, 1)
    world.tick()

    assert world.state("orders", TEN) is State.CANCELLED


def test_a_sigkill_that_was_not_sent_is_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.flow("orders", HOURLY + 'timeout = "1m"\n')
    world.start()
    world.tick()
    world.tick("2026-11-22T10:32")

    def refuse(*_: object) -> None:
        raise SensordError("no keeper")

    with monkeypatch.context() as patch:
        patch.setattr(world.executor, "kill", refuse)
        with suppress(SensordError):
            world.tick("2026-11-22T10:33")
    world.restart()
    world.tick("2026-11-22T10:40")

    assert 9 in [signal for _, signal in world.executor.killed]


def test_to_ask_again_does_not_put_off_the_sigkill(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()

    for second in range(0, 30, 5):
        world.daemon.change("cancel", {"flow": "orders", "logical_date": at(TEN).isoformat()})
        world.tick(f"2026-11-22T10:30:{second:02}")

    assert 9 in [signal for _, signal in world.executor.killed]


def test_definitions_stay_in_order_though_the_clock_is_set_back(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.tick()
    for now, minute in (("10:40", 5), ("10:35", 7)):
        world.clock.set(at(f"2026-11-22T{now}"))
        world.flow("orders", HOURLY.replace("0 *", f"{minute} *"))
        world.daemon.reload()

    world.tick("2026-11-22T12:30")

    assert list(world.runs("orders")) == [TEN, "2026-11-22T11:07", "2026-11-22T12:07"]


def test_a_start_in_the_future_that_is_taken_out_holds_nothing_back(world: World) -> None:
    total = HOURLY + "max_active = 5\n"
    world.flow("total", total.replace("[run]", "start = 2062-01-01T00:00:00Z\n[run]"), on("total", back=1))
    world.start()
    world.tick()

    world.flow("total", total, on("total", back=1))
    world.daemon.reload()
    world.tick("2026-11-22T12:30")

    assert world.runs("total") == {ELEVEN: State.RUNNING, "2026-11-22T12:00": State.WAITING}


def test_waiters_follow_their_upstreams_new_schedule(world: World) -> None:
    world.flow("orders", HOURLY)
    world.flow("mart", QUARTER_PAST, on("orders", match="next"))
    world.start()
    world.tick()

    world.flow("orders", HOURLY.replace("0 *", "20 *"))
    world.daemon.reload()
    world.tick("2026-11-22T11:30")
    world.finish("orders", TEN)
    world.finish("orders", "2026-11-22T11:20")

    assert world.state("mart", "2026-11-22T10:15") is State.RUNNING


def test_a_new_follower_has_the_history_of_what_it_follows(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.clock.set(at("2026-11-22T10:40"))
    world.flow("orders", HOURLY.replace("0 *", "20 *"))
    world.daemon.reload()
    world.clock.set(at("2026-11-22T10:50"))
    world.flow("echo", '[schedule]\nfollow = "orders"\n[run]\ncommand = ["true"]\n')
    world.daemon.reload()

    world.tick()

    assert list(world.runs("echo")) == [TEN]


def test_commands_of_another_host_are_left_to_it(world: World) -> None:
    world.flow("orders", HOURLY)
    world.start()
    world.daemon.tick()
    world.db.run("UPDATE attempt SET host = 'there', station = 'there'")
    world.executor.jobs.clear()

    world.restart()
    world.tick()

    assert world.executor.jobs == {}
    assert world.executor.adopted == []


def test_an_invalid_value_within_a_turn_loses_no_tick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.flow("orders", HOURLY)
    world.start()

    def refuse(*_: object) -> list[Ended]:
        raise SensordError("expected x, got y")

    with monkeypatch.context() as patch:
        patch.setattr("sensord.daemon.daemon.dispatch", refuse)
        with suppress(SensordError):
            world.tick()
    world.tick()

    assert world.state("orders", TEN) is State.RUNNING
