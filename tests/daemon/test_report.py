"""The daemon's log: one line for what happens to a run, with its flow and date as fields."""

import logging

import pytest

from sensord.daemon.report import report
from sensord.store import requests
from tests.daemon.world import DAILY, HOURLY, World, on

TEN = "2026-11-22T10:00"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "sensord")
    return caplog


def test_a_run_waits_starts_and_ends(world: World, logged: pytest.LogCaptureFixture) -> None:
    world.flow("orders", HOURLY)
    world.flow("customers", DAILY)
    world.flow("mart", HOURLY, on("orders"), on("customers"))
    world.start()

    report(world.tick(), world.daemon)
    report(world.finish("orders", TEN), world.daemon)

    assert logged.messages == [
        "mart 2026-11-22T10:00:00Z: waiting for customers, orders",
        "customers 2026-11-22T02:00:00Z: starting",
        "orders 2026-11-22T10:00:00Z: starting",
        "orders 2026-11-22T10:00:00Z: success",
    ]
    assert vars(logged.records[0])["flow"] == "mart"
    assert vars(logged.records[0])["logical_date"] == "2026-11-22T10:00:00Z"


def test_what_goes_wrong_is_a_warning(world: World, logged: pytest.LogCaptureFixture) -> None:
    world.flow("orders", HOURLY)
    world.flow("patient", HOURLY + "retries = 1\n")
    world.flow("mart", HOURLY, on("orders", on_failure="fail"))
    world.start()
    world.tick()
    for flow in ("orders", "patient"):
        world.end(flow, TEN, 1)

    report(world.tick(), world.daemon)

    warnings = [record.getMessage() for record in logged.records if record.levelno == logging.WARNING]
    assert warnings == [
        "orders 2026-11-22T10:00:00Z: failed",
        "patient 2026-11-22T10:00:00Z: failed, and will be tried again",
        "mart 2026-11-22T10:00:00Z: failed without a start, by its sensors' policies",
    ]


def test_who_asked_for_what_and_what_was_answered(world: World, logged: pytest.LogCaptureFixture) -> None:
    world.flow("orders", HOURLY)
    world.start()
    requests.ask(world.db, "pause", {"flow": "orders"}, who="ann@here", now=0)
    requests.ask(world.db, "pause", {"flow": "order"}, who="ann@here", now=0)

    world.tick()

    assert logged.messages == [
        "pause, asked by ann@here: orders is paused",
        "pause, asked by ann@here, is refused: expected a flow, got 'order'",
    ]


def test_a_turn_without_news_is_silent(world: World, logged: pytest.LogCaptureFixture) -> None:
    world.start()

    report(world.tick(), world.daemon)

    assert logged.messages == []
