"""No file takes a byte more: the kernel refuses the daemon's writes and its keeper's, as it would on a full disk.

By a limit on the size of files, which anybody may set for processes of his own, and take back.
"""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.site import RunningDaemon, Site
from tests.support.databases import DIALECTS

OFTEN = '[schedule]\ncron = "* * * * * *"\nseconds = true\n[run]\ncommand = ["true"]\n'


@contextmanager
def no_room_for(*pids: int | None) -> Iterator[None]:
    """None of these processes can make a file longer."""
    found = [pid for pid in pids if pid is not None]
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in found}
    for pid, (_, most) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    return "postgresql" if "server" in request.node.name else "sqlite"


def begin(site: Site, daemon: RunningDaemon) -> None:
    """A command that ends, with 7, when the test opens the door, and is known to run."""
    os.mkfifo(site.work / "door")
    site.flow("slow", site.shell("0 2 * * *", "echo $$ >> started; read code < door; exit $code"))
    daemon.until("slow .*: starting")
    while site.ask("run", "show", "slow", "latest")["state"] != "running":
        continue


def end(site: Site) -> None:
    (site.work / "door").write_text("7\n")
    while Path(f"/proc/{(site.work / 'started').read_text().strip()}/cwd").exists():
        continue


def test_a_database_file_that_cannot_grow(site: Site) -> None:
    site.flow("often", OFTEN)

    with site.daemon() as daemon:
        begin(site, daemon)
        with no_room_for(daemon.process.pid, site.keeper()):
            end(site)
            daemon.until("trying again")
            status = site.type("status")
            daemon.until("trying again")
        daemon.until("it works again")
        daemon.until("slow .*: failed")
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert status.returncode == 0
    assert "slow" in status.stdout
    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"
    assert len((site.work / "started").read_text().splitlines()) == 1
    assert_no_gaps(site)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_daemon_that_finds_no_room_at_its_start_says_so(site: Site) -> None:
    site.flow("often", OFTEN)

    started = site.type("daemon", "start", under="ulimit -f 0")

    assert started.returncode == 1
    assert "Traceback" not in started.stderr
    assert "internal error" not in started.stderr
    assert started.stderr.startswith("error: ")


def test_a_state_folder_that_is_full_while_the_database_is_on_a_server(site: Site) -> None:
    """The end is kept until it can be written down; what would start meanwhile does not, and says why."""
    with site.daemon() as daemon:
        begin(site, daemon)
        with no_room_for(site.keeper()):
            end(site)
            site.flow("often", OFTEN)
            daemon.until("often .*: failed")
            (refused, *_) = [
                run for run in site.ask("run", "list", "--flow", "often")["runs"] if run["state"] == "failed"
            ]
            during = site.states()["slow"]
        daemon.until("slow .*: failed")
        daemon.until("often .*: success")
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert during == "running"
    assert refused["reason"] == "not_started"
    assert "cannot" in refused["message"]
    assert site.ask("run", "show", "slow", "latest")["message"] == "exit 7"


def assert_no_gaps(site: Site) -> None:
    """Each second since the first has its run."""
    with site.database() as db:
        dates = [
            date // 1_000_000
            for (date,) in db.fetch(
                "SELECT logical_date FROM run JOIN flow ON flow.id = flow_id WHERE name = 'often' ORDER BY 1"
            )
        ]
    assert dates == list(range(dates[0], dates[-1] + 1))
