"""Workers in processes of their own: what the leader dispatches runs there, and goes on whatever becomes of them."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.database_server import Wire, database_server
from tests.e2e.site import RunningDaemon, Site

LEADS = r"^sensord .* leads: "
WORKS = r"^sensord .* works: "


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def site(tmp_path: Path, empty_url: str) -> Site:
    """A site whose runs all go to workers of the queue etl, with a short limit."""
    one = Site(tmp_path / "site", empty_url)
    for_workers(one)
    return one


def for_workers(site: Site) -> None:
    settings = 'executor = "procrastinate"\nqueue = "etl"\nheartbeat_limit = "5s"\n'
    (site.config / "sensord.toml").write_text(f'state = "../state"\n{settings}')


def test_a_run_goes_to_a_worker_and_what_waits_for_it_follows(site: Site) -> None:
    site.flow("orders", site.shell("0 2 * * *", "echo $SENSORD_FLOW $SENSORD_ATTEMPT >> made; echo written"))
    site.flow("mart", site.shell("0 2 * * *", "cat made; exit 3", "orders"))

    with site.daemon() as daemon:
        daemon.until(LEADS)
        with site.worker("--queue", "etl", "--slots", "2") as worker:
            worker.until(WORKS)
            daemon.until("orders .*: success")
            daemon.until("mart .*: failed")

            worker.send(signal.SIGTERM)
            assert worker.end() == 0

    [attempt] = site.ask("run", "show", "orders", "latest")["attempts"]
    assert attempt["executor"] == "procrastinate"
    assert site.ask("run", "show", "mart", "latest")["message"] == "exit 3"
    assert (site.work / "made").read_text() == "orders 1\n"


@contextmanager
def leading(site: Site) -> Iterator[RunningDaemon]:
    """A daemon that leads, and has made the tables that workers need."""
    with site.daemon() as daemon:
        daemon.until(LEADS)
        yield daemon


def a_flow_that_waits_for_us(site: Site, retries: int = 0) -> None:
    """Its command says which attempt began, then ends, with 7, when the test opens the door of that attempt."""
    for number in (1, 2):
        os.mkfifo(site.work / f"door{number}")
    script = "echo $SENSORD_ATTEMPT >> started; read code < door$SENSORD_ATTEMPT; echo $code >> ended; exit $code"
    text = site.shell("0 2 * * *", script)
    site.flow("slow", text.replace("[run]\n", f'[run]\nretries = {retries}\nretry_delay = "1s"\n'))


def open_door(site: Site, number: int = 1) -> None:
    (site.work / f"door{number}").write_text("7\n")


def lines(site: Site, file: str) -> list[str]:
    path = site.work / file
    return path.read_text().split() if path.exists() else []


def await_running(site: Site, attempt: int = 1) -> None:
    """Until the leader knows that the command runs."""
    while True:
        runs = site.ask("run", "list", "--flow", "slow")["runs"]
        if runs and (runs[-1]["state"], runs[-1]["attempt"]) == ("running", attempt):
            return


def message(site: Site, flow: str = "slow") -> str:
    return str(site.ask("run", "show", flow, "latest")["message"])


def test_a_worker_that_is_told_to_stop_waits_for_its_commands(site: Site) -> None:
    a_flow_that_waits_for_us(site)

    with leading(site) as daemon, site.worker() as worker:
        await_running(site)
        worker.send(signal.SIGTERM)
        worker.until("draining, 1 commands run")
        [shown] = site.ask("worker", "list")["workers"]
        assert shown["taking"] is False

        open_door(site)
        assert worker.end() == 0
        daemon.until("slow .*: failed")

    assert message(site) == "exit 7"
    assert site.ask("worker", "list")["workers"] == []


@pytest.mark.parametrize("blow", ["told twice to stop", "killed"])
def test_the_next_worker_of_its_name_takes_its_commands_up(site: Site, blow: str) -> None:
    a_flow_that_waits_for_us(site)

    with leading(site) as daemon:
        with site.worker("--name", "one") as worker:
            await_running(site)
            if blow == "killed":
                worker.send(signal.SIGKILL)
            else:
                worker.send(signal.SIGTERM)
                worker.until("draining")
                worker.send(signal.SIGTERM)
            worker.end()
        with site.worker("--name", "one") as back:
            back.until(WORKS)
            open_door(site)
            daemon.until("slow .*: failed")

    assert message(site) == "exit 7"
    assert lines(site, "started") == ["1"]


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_is_gone_ends_its_commands_and_another_tries_again(site: Site, blow: signal.Signals) -> None:
    """The command is over before the run is given up, and a worker that comes back changes nothing any more."""
    a_flow_that_waits_for_us(site, retries=1)

    with leading(site) as daemon, site.worker("--name", "one") as first, ExitStack() as stack:
        await_running(site)
        pid = int(site.ask("run", "show", "slow", "latest")["attempts"][0]["pid"])
        first.send(blow)
        second = stack.enter_context(site.worker("--name", "two"))
        second.until(WORKS)

        daemon.until("slow .*: failed, and will be tried again")
        assert not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
        await_running(site, attempt=2)
        first.send(signal.SIGCONT) if blow == signal.SIGSTOP else stack.enter_context(site.worker("--name", "one"))
        open_door(site, 2)
        daemon.until("slow .*: failed")

    run = site.ask("run", "show", "slow", "latest")
    assert [one["problem"] for one in run["attempts"]] == ["lost", None]
    assert run["message"] == "exit 7"
    assert (lines(site, "started"), lines(site, "ended")) == (["1", "2"], ["7"])


def test_cancel_reaches_the_process_group(site: Site) -> None:
    a_flow_that_waits_for_us(site)

    with leading(site) as daemon, site.worker() as worker:
        worker.until(WORKS)
        await_running(site)

        assert site.type("run", "cancel", "slow", "latest").returncode == 0
        daemon.until("slow .*: cancelled")

    assert lines(site, "ended") == []


def test_so_does_a_timeout_with_all_that_ignores_it(site: Site) -> None:
    text = site.shell("0 2 * * *", "trap '' TERM; mkfifo never; cat never & wait; wait")
    site.flow("slow", text.replace("[run]\n", '[run]\ntimeout = "1s"\ngrace = "1s"\n'))

    with leading(site) as daemon, site.worker() as worker:
        worker.until(WORKS)
        daemon.until("slow .*: failed")

    run = site.ask("run", "show", "slow", "latest")
    assert (run["reason"], run["attempts"][0]["signal"]) == ("timed_out", signal.SIGKILL)


def test_without_a_worker_runs_stay_queued_and_start_when_one_comes(site: Site) -> None:
    site.flow("orders", site.shell("0 2 * * *", "true"))

    with leading(site) as daemon:
        while site.states() != {"orders": "queued"}:
            continue
        assert "no worker that takes runs from queue etl" in site.type("why", "orders").stdout

        with site.worker() as worker:
            worker.until(WORKS)
            daemon.until("orders .*: success")


def test_logs_are_read_wherever_the_run_ran(site: Site) -> None:
    big = "i=0; while [ $i -lt 30000 ]; do echo line $i of many, to fill more than a MiB of log; i=$((i+1)); done"
    site.flow("big", site.shell("0 2 * * *", big))
    site.flow("small", site.shell("0 2 * * *", "echo hello; echo there >&2; exit 1"))
    site.flow("mute", site.shell("0 2 * * *", "true"))
    site.flow("absent", '[schedule]\ncron = "0 2 * * *"\n[run]\ncommand = ["no-such-program"]\n')

    with leading(site) as daemon, site.worker("--slots", "3") as worker:
        worker.until(WORKS)
        for flow in ("big .*: success", "small .*: failed", "mute .*: success", "absent .*: failed"):
            daemon._seen = 0
            daemon.until(flow)

    small, whole, mute, absent = (site.type("run", "logs", name) for name in ("small", "big", "mute", "absent"))
    assert small.stdout == "hello\nthere\n"
    assert (mute.returncode, mute.stdout, mute.stderr) == (0, "", "attempt 1 wrote nothing: exit 0\n")
    assert (absent.returncode, absent.stdout) == (0, "")
    assert absent.stderr == "attempt 1 wrote nothing: no-such-program: not found in PATH\n"
    shown = whole.stdout.splitlines()
    assert shown[-1] == "line 29999 of many, to fill more than a MiB of log"
    assert 1 << 20 <= len(whole.stdout) + 1 <= (1 << 20) + (1 << 16)
    assert "bytes are on" in whole.stderr
    assert "hello" in site.type("why", "small").stdout
    followed = site.type("run", "logs", "small", "-f")
    assert followed.stdout == "hello\nthere\n"
    with site.database() as db:
        assert db.fetch("SELECT COUNT(*) FROM procrastinate_jobs") == [(0,)]
        assert db.fetch("SELECT COUNT(*) FROM procrastinate_events") == [(0,)]


def test_two_workers_of_one_name_are_refused(site: Site) -> None:
    site.flow("orders", site.shell("0 2 * * *", "true"))
    with leading(site), site.worker() as worker:
        worker.until(WORKS)

        refused = site.type("worker", "start")

    assert refused.returncode == 1
    assert "a worker named etl is at work" in refused.stderr
    assert "--name" in refused.stderr


def test_three_workers_and_two_daemons_under_blows_start_each_attempt_once(site: Site) -> None:
    """A leader is killed, a worker is killed and another stopped; every run succeeds, and none in vain."""
    ticks = 60
    text = site.shell("* * * * * *", "echo $SENSORD_RUN_ID $SENSORD_ATTEMPT >> ran; sleep 0.2")
    schedule = "seconds = true\nstart = 2026-01-01T00:00:00\nend = 2026-01-01T00:00:59\n"
    text = text.replace("[run]\n", f'{schedule}[run]\nmax_active = 50\nretries = 5\nretry_delay = "1s"\n')
    site.flow("many", text)
    other = site.beside("other")
    for_workers(other)

    with leading(site) as first, other.daemon() as second, ExitStack() as stack:
        second.until("^stands by: ")
        one, two, three = (
            stack.enter_context(site.worker("--slots", "4", "--name", name)) for name in ("one", "two", "three")
        )
        for worker in (one, two, three):
            worker.until(WORKS)
        while len(lines(site, "ran")) < 20:
            continue
        first.send(signal.SIGKILL)
        second.until(LEADS)
        two.send(signal.SIGKILL)
        three.send(signal.SIGSTOP)
        with other.database() as db:
            while db.fetch("SELECT COUNT(*) FROM run WHERE state = 6")[0][0] < ticks:
                assert one.process.poll() is None
            assert db.fetch("SELECT DISTINCT state FROM run") == [(6,)]
            assert db.fetch("SELECT COUNT(*) FROM procrastinate_jobs") == [(0,)]
            lost = db.fetch("SELECT COUNT(*) FROM outcome WHERE problem = 'lost'")[0][0]
        three.send(signal.SIGCONT)

    started = [tuple(line.split()) for line in (site.work / "ran").read_text().splitlines()]
    assert len(started) == len(set(started))  # no attempt twice
    assert len({run for run, _ in started}) == ticks
    assert len(started) <= ticks + lost


def test_a_worker_that_is_cut_off_ends_its_commands_and_says_nothing_of_them_later(tmp_path: Path) -> None:
    """Its connections hold back all that is sent, as where a network has gone."""
    with database_server() as server:
        site = Site(tmp_path / "own", server.url)
        for_workers(site)
        a_flow_that_waits_for_us(site, retries=1)
        wire = Wire(tmp_path, server.folder)
        far = site.beside("far")
        for_workers(far)
        far.environment["SENSORD_DB"] = wire.url

        with leading(site) as daemon, far.worker() as first, ExitStack() as stack:
            await_running(site)
            second = stack.enter_context(site.worker("--name", "two"))
            second.until(WORKS)

            wire.cut()
            daemon.until("slow .*: failed, and will be tried again")
            await_running(site, attempt=2)
            wire.mend()
            first.until("it works again")
            open_door(site, 2)
            daemon.until("slow .*: failed")

        wire.close()
        run = site.ask("run", "show", "slow", "latest")

    assert [one["problem"] for one in run["attempts"]] == ["lost", None]
    assert run["message"] == "exit 7"
    assert (lines(site, "started"), lines(site, "ended")) == (["1", "2"], ["7"])
