"""The daemon as a process: from files to commands that ran, through signals, kills and restarts."""

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.site import Site


def three_flows(site: Site) -> None:
    """The users' case; each command leaves a line, and the mart reads what the others wrote."""
    site.flow("ingest/orders", site.shell("0 * * * *", "echo orders >> ledger"))
    site.flow("dim/customers", site.shell("0 2 * * *", "echo customers >> ledger"))
    mart = "sort ledger > mart && echo mart >> ledger"
    site.flow("mart/sales", site.shell("0 * * * *", mart, "ingest/orders", "dim/customers"))


def a_flow_that_waits_for_us(site: Site) -> None:
    """Its command ends, with 7, when the test opens the door."""
    os.mkfifo(site.work / "door")
    site.flow("slow", site.shell("0 2 * * *", "echo $$ >> started; read code < door; exit $code"))


def open_door(site: Site) -> None:
    (site.work / "door").write_text("7\n")


def test_the_mart_runs_after_the_load_and_the_dimension(site: Site) -> None:
    three_flows(site)

    with site.daemon() as daemon:
        daemon.until("mart/sales .*: success")
        states = site.states()
        shown = site.ask("run", "show", "mart/sales", "latest")

        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert states == {"ingest/orders": "success", "dim/customers": "success", "mart/sales": "success"}
    assert shown["state"] == "success"
    assert (site.work / "mart").read_text() == "customers\norders\n"
    assert (site.work / "ledger").read_text().splitlines()[2:] == ["mart"]


def test_a_restart_goes_on_where_the_last_daemon_stood(site: Site) -> None:
    three_flows(site)
    for _ in range(2):
        with site.daemon() as daemon:
            daemon.until("leads")
            if not (site.work / "mart").exists():
                daemon.until("mart/sales .*: success")
            daemon.send(signal.SIGTERM)
            assert daemon.end() == 0

    assert len(site.ask("run", "list")["runs"]) == 3
    assert len((site.work / "ledger").read_text().splitlines()) == 3


def test_sigterm_drains(site: Site) -> None:
    a_flow_that_waits_for_us(site)

    with site.daemon() as daemon:
        daemon.until("slow .*: starting")
        daemon.send(signal.SIGTERM)
        assert daemon.until("SIGTERM") == "SIGTERM: draining, 1 running"

        open_door(site)
        assert daemon.end() == 0

    assert site.states() == {"slow": "failed"}
    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"


def test_a_second_signal_stops_now_and_the_next_daemon_takes_the_command_up(site: Site) -> None:
    a_flow_that_waits_for_us(site)
    with site.daemon() as daemon:
        daemon.until("slow .*: starting")
        daemon.send(signal.SIGTERM)
        daemon.until("draining")
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    with site.daemon() as daemon:
        daemon.until("leads")
        open_door(site)
        daemon.until("slow .*: failed")
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert len((site.work / "started").read_text().splitlines()) == 1


def test_a_killed_daemon_leaves_its_command_to_the_next_one(site: Site) -> None:
    a_flow_that_waits_for_us(site)
    with site.daemon() as daemon:
        daemon.until("slow .*: starting")
        daemon.send(signal.SIGKILL)
        daemon.end()

    with site.daemon() as daemon:
        daemon.until("leads")
        open_door(site)
        daemon.until("slow .*: failed")

    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert len((site.work / "started").read_text().splitlines()) == 1


def test_daemon_stop_drains_and_waits(site: Site) -> None:
    three_flows(site)

    with site.daemon() as daemon:
        daemon.until("mart/sales .*: success")
        stopped = site.type("daemon", "stop")
        assert daemon.end() == 0

    assert stopped.returncode == 0, stopped.stderr
    assert "stopped" in stopped.stderr
    assert site.type("daemon", "stop").returncode == 3


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Site:
    return Site(tmp_path / "sqlite", f"sqlite://{tmp_path / 'sqlite' / 'sensord.db'}")


def test_on_sqlite_a_second_daemon_is_refused_and_told_of_the_first(on_sqlite: Site) -> None:
    three_flows(on_sqlite)

    with on_sqlite.daemon() as first:
        first.until("leads")
        refused = on_sqlite.type("daemon", "start")

        assert refused.returncode == 1
        assert str(first.process.pid) in refused.stderr
        assert len(refused.stderr.strip().splitlines()) <= 2
        assert first.process.poll() is None


def test_detached_it_returns_when_it_leads(site: Site) -> None:
    three_flows(site)

    started = site.type("daemon", "start", "--detach")
    leader = site.ask("daemon", "status")["daemon"]
    stopped = site.type("daemon", "stop")

    assert started.returncode == 0, started.stderr
    assert str(leader["pid"]) in started.stderr
    assert stopped.returncode == 0, stopped.stderr
    assert (site.config.parent / "state" / "daemon.log").stat().st_mode & 0o777 == 0o600
