"""Processes that are stopped within a transaction, and so keep what it has locked: nobody waits for them for long."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.e2e.site import PATIENCE, RunningDaemon, Site
from tests.e2e.standstill import Standstill, standstill

LEADS = r"^sensord .* leads: "
FOLLOWS = r"^stands by: "
WORKS = r"^sensord .* works: "
REFUSED = "trying again: .*lock timeout"


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
    site.flow("slow", site.shell("0 2 * * *", "echo $$ >> started; read code < door; echo $code >> ended; exit $code"))


def lines(site: Site, file: str) -> list[str]:
    path = site.work / file
    return path.read_text().split() if path.exists() else []


def open_door(site: Site) -> None:
    (site.work / "door").write_text("7\n")


def await_running(site: Site) -> None:
    """Until the leader knows that the command runs."""
    while site.states().get("slow") != "running":
        continue


@contextmanager
def person(site: Site, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Somebody who types `sensord WORDS`, and waits."""
    process = subprocess.Popen(
        site._command(words), env=site.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def at(site: Site, after: str) -> AbstractContextManager[Standstill]:
    return standstill(site.environment["SENSORD_DB"], after)


@contextmanager
def unheard(point: Standstill) -> Iterator[None]:
    """Nobody was told yet that the command has begun."""
    point.run("UPDATE attempt SET began_at = NULL, pid = NULL")
    point.run("UPDATE run SET state = 3, started_at = NULL")
    yield


def await_waiting(point: Standstill) -> None:
    """Until somebody waits to write down that the command has begun."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%SET began_at%'"
    while not point.run(waiting):
        continue


@contextmanager
def led_by_another(site: Site, other: Site) -> Iterator[RunningDaemon]:
    """A command runs on our host, whose daemon was killed; the other host's leads."""
    a_flow_that_waits_for_us(site)
    with site.daemon() as first:
        first.until(LEADS)
        await_running(site)
        with other.daemon() as leader:
            leader.until(FOLLOWS)
            first.send(signal.SIGKILL)
            leader.until(LEADS)
            yield leader


def test_a_stand_by_that_cannot_report_for_a_stopped_leader_takes_over(site: Site, other: Site) -> None:
    with (
        led_by_another(site, other) as leader,
        at(site, "UPDATE OF stopping ON attempt") as point,
        unheard(point),
        person(site, "run", "cancel", "slow", "latest"),
    ):
        point.await_reached()
        with site.daemon() as standby:
            standby.until(FOLLOWS)
            await_waiting(point)
            leader.send(signal.SIGSTOP)
            point.let_go()
            standby.until(LEADS)
            standby.until("slow .*: cancelled")
            leader.send(signal.SIGCONT)
            leader.until("it leads no longer")
            leader.until(FOLLOWS)

    assert len(lines(site, "started")) == 1


def test_another_candidate_does_not_wait_for_a_taker_that_is_stopped(site: Site, other: Site) -> None:
    with site.daemon() as first:
        first.until(LEADS)
        with other.daemon() as taker:
            taker.until(FOLLOWS)
            with at(site, "UPDATE OF term ON leader") as point:
                first.send(signal.SIGKILL)
                point.await_reached()
                taker.send(signal.SIGSTOP)
                point.let_go()
                with within(20), site.daemon() as third:
                    third.until(LEADS)
                    taker.send(signal.SIGCONT)
                    taker.until(FOLLOWS)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is done in it takes no longer than that. On a machine at rest a few seconds do; a server's own limit of a
    minute would be more.
    """
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def for_workers(site: Site) -> None:
    settings = 'executor = "procrastinate"\nqueue = "etl"\nheartbeat_limit = "5s"\n'
    (site.config / "sensord.toml").write_text(f'state = "../state"\n{settings}')


def beats(point: Standstill) -> list[tuple[object, ...]]:
    return point.run("SELECT beat_at FROM worker")


def test_a_worker_that_cannot_report_for_a_stopped_leader_beats_on(site: Site, other: Site) -> None:
    """For longer than its limit: otherwise its keeper would end the command."""
    for_workers(site)
    for_workers(other)
    a_flow_that_waits_for_us(site)
    with site.daemon() as leader:
        leader.until(LEADS)
        with site.worker("--name", "one") as worker:
            await_running(site)
            worker.send(signal.SIGKILL)
        with (
            at(site, "UPDATE OF stopping ON attempt") as point,
            unheard(point),
            person(site, "run", "cancel", "slow", "latest"),
        ):
            point.await_reached()
            leader.send(signal.SIGSTOP)
            point.let_go()
            with site.worker("--name", "one") as worker:
                await_waiting(point)
                for _ in range(8):
                    before = beats(point)
                    while beats(point) == before:
                        assert Path("/proc", lines(site, "started")[0]).exists()
                open_door(site)
                while not lines(site, "ended"):
                    continue
                with other.daemon() as next_leader:
                    next_leader.until(LEADS)
                    worker.until("it works again")
                    next_leader.until("slow .*: (failed|cancelled)")

    assert (len(lines(site, "started")), lines(site, "ended")) == (1, ["7"])
    assert [one["exit_code"] for one in site.ask("run", "show", "slow", "latest")["attempts"]] == [7]


def test_a_leader_ends_what_a_stopped_worker_is_about_to_take(site: Site) -> None:
    for_workers(site)
    a_flow_that_waits_for_us(site)
    with site.daemon() as leader:
        leader.until(LEADS)
        with (
            at(site, "UPDATE OF station ON attempt") as point,
            site.worker() as worker,
        ):
            point.await_reached()
            worker.send(signal.SIGSTOP)
            point.let_go()

            with within(20):
                site.type("run", "cancel", "slow", "latest")
                leader.until("slow .*: cancelled")
            worker.send(signal.SIGCONT)
            worker.until("it works again")

    assert lines(site, "started") == []


def test_a_command_line_that_is_stopped_holds_up_no_other(site: Site) -> None:
    site.flow("orders", site.shell("0 2 * * *", "true"))
    with site.daemon() as daemon:
        daemon.until("orders .*: success")
        with (
            at(site, "INSERT ON request") as point,
            person(site, "flow", "pause", "orders") as somebody,
        ):
            point.await_reached()
            somebody.send_signal(signal.SIGSTOP)
            point.let_go()

            with within(20):
                assert site.type("run", "rerun", "orders", "latest").returncode == 0
                daemon.until("orders .*: success")
                while point.run("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"):
                    continue
            somebody.send_signal(signal.SIGCONT)
            _, told = somebody.communicate(timeout=PATIENCE)
            assert point.run("SELECT kind, ok FROM request") == [("rerun", 1)]

    assert somebody.returncode == 1
    assert "connection" in told


def test_an_upgrade_that_is_stopped_holds_up_no_other(site: Site) -> None:
    """It has the tables of which one is made, and the lock of those that upgrade."""
    with at(site, "CREATE TABLE") as point, person(site, "db", "upgrade") as first:
        point.await_reached()
        first.send_signal(signal.SIGSTOP)
        point.let_go()

        with within(30):
            second = site.type("db", "upgrade")
        assert second.returncode == 0, second.stderr

        first.send_signal(signal.SIGCONT)
        _, told = first.communicate(timeout=PATIENCE)
    assert first.returncode == 1
    assert "nothing was changed" in told


def test_a_lock_that_a_person_keeps_is_told_by_the_leader_who_leads_on(site: Site, other: Site) -> None:
    site.flow("orders", site.shell("0 2 * * *", "true"))
    with site.daemon() as leader:
        leader.until("orders .*: success")
        with other.daemon() as second, psycopg.connect(site.environment["SENSORD_DB"]) as psql:
            second.until(FOLLOWS)
            psql.execute("SELECT * FROM flow FOR UPDATE")
            asked = site.type("flow", "pause", "orders")
            assert "the daemon has not answered yet" in asked.stderr

            leader.until(REFUSED)
            assert site.ask("daemon", "status")["daemon"]["pid"] == leader.process.pid
            psql.rollback()
            leader.until("it works again")

        assert site.type("flow", "resume", "orders").returncode == 0
