"""What the daemon tells systemd, and how often."""

import math
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensord.daemon.notify import Watchdog, notify


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield ear


def test_it_hears_what_is_said(systemd: socket.socket) -> None:
    assert notify("READY=1")
    assert systemd.recv(100) == b"READY=1"


def test_without_it_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")


def test_the_watchdog_is_fed_four_times_as_often_as_it_asks_for() -> None:
    said: list[str] = []
    now = [0.0]
    watchdog = Watchdog(said.append, lambda: now[0], {"WATCHDOG_USEC": "40000000"})
    assert watchdog.every == 10

    for at in (0.0, 1.0, 9.9, 10.0, 15.0, 21.0):
        now[0] = at
        watchdog.feed()

    assert said == ["WATCHDOG=1"] * 3


@pytest.mark.parametrize(
    "environ", [{}, {"WATCHDOG_USEC": ""}, {"WATCHDOG_USEC": "1", "WATCHDOG_PID": str(os.getpid() + 1)}]
)
def test_where_nobody_watches_nothing_is_fed(environ: dict[str, str]) -> None:
    watchdog = Watchdog(pytest.fail, lambda: 0.0, environ)

    watchdog.feed()

    assert watchdog.every == math.inf
