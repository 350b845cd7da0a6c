"""Several daemons on one PostgreSQL: whatever becomes of the leader, another one leads, and no command starts twice."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.e2e.database_server import Server, Wire, database_server
from tests.e2e.site import PATIENCE, RunningDaemon, Site

LEADS = r"^sensord .* leads: "
FOLLOWS = r"^stands by: "


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def other(site: Site) -> Site:
    """The same site, seen from another host."""
    return site.beside("other")


def a_flow_that_waits_for_us(site: Site) -> None:
    """Its command ends, with 7, when the test opens the door."""
    os.mkfifo(site.work / "door")
    site.flow("slow", site.shell("0 2 * * *", "echo $$ >> started; read code < door; exit $code"))


def open_door(site: Site) -> None:
    (site.work / "door").write_text("7\n")


def starts(site: Site) -> int:
    return len((site.work / "started").read_text().splitlines())


def await_start(site: Site, daemon: RunningDaemon) -> None:
    """Until the leader knows that the command runs."""
    daemon.until("slow .*: starting")
    while site.ask("run", "show", "slow", "latest")["state"] != "running":
        continue


def test_the_second_one_stands_by_and_is_shown(site: Site, other: Site) -> None:
    site.flow("orders", site.shell("0 * * * *", "true"))

    with site.daemon() as first:
        first.until(LEADS)
        with other.daemon() as second:
            assert f"process {first.process.pid}" in second.until(FOLLOWS)

            status = site.ask("daemon", "status")
            assert status["daemon"]["pid"] == first.process.pid
            assert [one["pid"] for one in status["standing_by"]] == [second.process.pid]
            assert f"process {second.process.pid} on" in site.type("daemon", "status").stdout

            second.send(signal.SIGTERM)
            assert second.end() == 0
            assert site.ask("daemon", "status")["standing_by"] == []


def test_when_the_leader_stops_the_next_one_leads(site: Site, other: Site) -> None:
    site.flow("orders", site.shell("0 * * * *", "true"))

    with site.daemon() as first:
        first.until(LEADS)
        with other.daemon() as second:
            second.until(FOLLOWS)

            stopped = site.type("daemon", "stop")
            second.until(LEADS)

            assert stopped.returncode == 0, stopped.stderr
            assert first.end() == 0
            assert site.ask("daemon", "status")["daemon"]["pid"] == second.process.pid


def test_a_killed_leader_is_followed_and_its_commands_go_on(site: Site) -> None:
    """Both daemons are of one host: the next leader takes the command up itself."""
    a_flow_that_waits_for_us(site)

    with site.daemon() as first:
        await_start(site, first)
        with site.daemon() as second:
            second.until(FOLLOWS)
            first.send(signal.SIGKILL)
            second.until(LEADS)

            open_door(site)
            second.until("slow .*: failed")

    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert starts(site) == 1


def test_a_daemon_that_stands_by_reports_what_its_host_runs(site: Site, other: Site) -> None:
    a_flow_that_waits_for_us(site)

    with site.daemon() as first:
        await_start(site, first)
        with other.daemon() as second:
            second.until(FOLLOWS)
            first.send(signal.SIGKILL)
            second.until(LEADS)

            with site.daemon() as back:
                back.until(FOLLOWS)
                open_door(site)
                second.until("slow .*: failed")

    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert starts(site) == 1


def test_the_new_leader_cancels_what_runs_on_the_old_ones_host(site: Site, other: Site) -> None:
    a_flow_that_waits_for_us(site)

    with site.daemon() as first:
        await_start(site, first)
        with other.daemon() as second:
            second.until(FOLLOWS)
            first.send(signal.SIGKILL)
            second.until(LEADS)
            with site.daemon() as back:
                back.until(FOLLOWS)

                assert site.type("run", "cancel", "slow", "latest").returncode == 0
                second.until("slow .*: cancelled")

    assert starts(site) == 1


def test_a_stopped_leader_is_followed_and_stands_by_when_it_goes_on(site: Site) -> None:
    a_flow_that_waits_for_us(site)

    with site.daemon() as first:
        await_start(site, first)
        with site.daemon() as second:
            second.until(FOLLOWS)
            first.send(signal.SIGSTOP)
            second.until(LEADS)

            first.send(signal.SIGCONT)
            first.until("it leads no longer: .*got overtaken")
            assert f"process {second.process.pid}" in first.until(f"{FOLLOWS}.*{second.process.pid}")
            open_door(site)
            second.until("slow .*: failed")

            second.send(signal.SIGKILL)
            first.until(LEADS)

    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert starts(site) == 1


def test_one_that_is_stopped_within_a_transaction_holds_nobody_up(site: Site) -> None:
    site.flow("orders", site.shell("0 * * * *", "true"))
    asks = site._command(["flow", "pause", "orders"])

    with site.daemon() as first, psycopg.connect(site.environment["SENSORD_DB"]) as lock:
        first.until("orders .*: success")
        with site.daemon() as second:
            second.until(FOLLOWS)
            lock.execute("LOCK TABLE flow IN SHARE MODE")
            with subprocess.Popen(asks, env=site.environment, stderr=subprocess.PIPE) as person:
                await_waiting(site)
                first.send(signal.SIGSTOP)
                lock.commit()  # now it holds the leader's row and the flow's, and does nothing
                second.until(LEADS)
                person.communicate(timeout=PATIENCE)

            first.send(signal.SIGCONT)
            first.until("it leads no longer")
            first.until(f"{FOLLOWS}.*{second.process.pid}")
            assert site.type("flow", "resume", "orders").returncode == 0

    assert starts_of(site, "orders") == 1


def await_waiting(site: Site) -> None:
    """Until the leader waits, within a transaction of its own, for what the test holds."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%flow%'"
    with psycopg.connect(site.environment["SENSORD_DB"], autocommit=True) as looker:
        while not looker.execute(waiting).fetchall():
            continue


def starts_of(site: Site, flow: str) -> int:
    return len(site.ask("run", "show", flow, "latest")["attempts"])


@pytest.fixture
def server() -> Iterator[Server]:
    with database_server() as running:
        yield running


@pytest.fixture
def own(server: Server, tmp_path: Path) -> Site:
    """A site on a server of its own."""
    return Site(tmp_path / "own", server.url)


def test_a_leader_that_is_cut_off_is_followed(own: Site, server: Server, tmp_path: Path) -> None:
    a_flow_that_waits_for_us(own)
    wire = Wire(tmp_path, server.folder)
    far = own.beside("far")
    far.environment["SENSORD_DB"] = wire.url

    with far.daemon() as first:
        await_start(own, first)
        with own.daemon() as second:
            second.until(FOLLOWS)
            wire.cut()
            second.until(LEADS)
            open_door(own)

            wire.mend()
            first.until("it leads no longer")
            first.until(f"{FOLLOWS}.*{second.process.pid}")
            second.until("slow .*: failed")

    wire.close()
    assert own.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert starts(own) == 1


def test_after_a_restart_of_the_server_one_of_them_leads(own: Site, server: Server) -> None:
    a_flow_that_waits_for_us(own)

    with own.daemon() as first:
        await_start(own, first)
        with own.daemon() as second:
            second.until(FOLLOWS)
            server.stop()
            second.until("trying again")
            open_door(own)
            server.start()

            while own.ask("run", "show", "slow", "latest")["state"] != "failed":
                assert {first.process.poll(), second.process.poll()} == {None}

    assert own.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert starts(own) == 1
