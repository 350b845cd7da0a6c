"""The database cannot be used for a while: commands go on, and everything is recorded when it can."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.database_server import Server, database_server
from tests.e2e.site import Site


@pytest.fixture
def server() -> Iterator[Server]:
    with database_server() as running:
        yield running


def a_flow_that_waits_for_us(site: Site) -> None:
    """Its command ends, with 7, when the test opens the door."""
    os.mkfifo(site.work / "door")
    site.flow("slow", site.shell("0 2 * * *", "echo $$ >> started; read code < door; exit $code"))


def test_a_server_that_is_stopped_and_comes_back(tmp_path: Path, server: Server) -> None:
    site = Site(tmp_path / "site", server.url)
    a_flow_that_waits_for_us(site)

    with site.daemon() as daemon:
        daemon.until("slow .*: starting")
        server.stop()
        daemon.until("trying again")
        (site.work / "door").write_text("7\n")
        refused = site.type("status")
        server.start()

        daemon.until("slow .*: failed")
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert len((site.work / "started").read_text().splitlines()) == 1


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Site:
    return Site(tmp_path / "site", f"sqlite://{tmp_path / 'site' / 'state' / 'sensord.db'}")


def test_a_file_that_somebody_keeps_locked(on_sqlite: Site) -> None:
    site = on_sqlite
    a_flow_that_waits_for_us(site)

    with site.daemon() as daemon:
        daemon.until("slow .*: starting")
        while site.ask("run", "show", "slow", "latest")["state"] != "running":
            continue
        stranger = sqlite3.connect(site.environment["SENSORD_DB"].removeprefix("sqlite://"), isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        (site.work / "door").write_text("7\n")
        assert "locked" in daemon.until("trying again")
        assert site.states() == {"slow": "running"}
        assert "locked" in site.type("status").stdout
        assert "locked" in site.ask("daemon", "status")["daemon"]["trouble"]
        stranger.execute("ROLLBACK")
        stranger.close()

        daemon.until("it works again")
        assert site.ask("daemon", "status")["daemon"]["trouble"] is None
        daemon.until("slow .*: failed")

    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert len((site.work / "started").read_text().splitlines()) == 1
