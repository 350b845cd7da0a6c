"""Workers on hosts of their own: each in a network namespace whose only network is taken away from one of them.

What is sent then is gone, and nobody hears of an end. Where this machine allows no namespaces, the same is tried with
sockets that hold back what is sent, and the test's id says so.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.e2e.database_server import Server, Wire, database_server
from tests.e2e.site import RunningDaemon, Site
from tests.e2e.test_workers import (
    WORKS,
    a_flow_that_waits_for_us,
    await_running,
    for_workers,
    leading,
    lines,
    open_door,
)

AS_ROOT = os.geteuid() == 0
UNSHARE = ["unshare", "--net"] if AS_ROOT else ["unshare", "--map-root-user", "--net"]
ENTER = ["--net"] if AS_ROOT else ["--user", "--preserve-credentials", "--net"]


class Namespace:
    """A host with a network of its own. `url` is the database as it is reached from there, `within` the way there."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.url = f"postgresql://postgres@127.0.0.1:{self._answer()}/postgres"
        self.within = ("nsenter", f"--target={process.pid}", *ENTER)

    def cut(self) -> None:
        self._tell("down")

    def mend(self, worker: RunningDaemon) -> None:
        """Not before the worker has found out for itself, by the silence."""
        worker.until("trying again: ")
        self._tell("up")

    def _tell(self, word: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._answer() == word

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


class HeldBack:
    """A host on this machine's network, whose wire to the database holds back what is sent when it is cut."""

    within: tuple[str, ...] = ()

    def __init__(self, wire: Wire) -> None:
        self.url, self.cut, self._wire = wire.url, wire.cut, wire

    def mend(self, _: RunningDaemon) -> None:
        """On a socket silence has no limit: the worker finds out by the end of the held connections."""
        self._wire.mend()


Host = Callable[[Path, Server], AbstractContextManager["Namespace | HeldBack"]]


@contextmanager
def namespace(_: Path, server: Server) -> Iterator[Namespace]:
    relay = [sys.executable, "-I", str(Path(__file__).with_name("relay.py")), str(server.folder / ".s.PGSQL.5432")]
    with subprocess.Popen([*UNSHARE, *relay], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Namespace(process)  # the end of its standard input ends it


@contextmanager
def held_back(folder: Path, server: Server) -> Iterator[HeldBack]:
    folder.mkdir()
    wire = Wire(folder, server.folder)
    yield HeldBack(wire)
    wire.close()


def host_of_this_machine() -> Host:
    """A namespace, where one can be made, entered, and given a loopback."""
    trial = [*UNSHARE, "sh", "-c", "ip link set lo up && nsenter --version"]
    try:
        done = subprocess.run(trial, capture_output=True, check=False)
    except FileNotFoundError:
        return held_back
    return namespace if done.returncode == 0 else held_back


@pytest.mark.parametrize("host", [host_of_this_machine()], ids=lambda host: host.__name__)
def test_of_two_hosts_one_is_cut_off_and_the_other_tries_again(tmp_path: Path, host: Host) -> None:
    with database_server() as server, host(tmp_path / "1", server) as one, host(tmp_path / "2", server) as two:
        site = Site(tmp_path / "site", server.url)
        for_workers(site)
        a_flow_that_waits_for_us(site, retries=1)

        with leading(site) as daemon, worker_on(one, site, "one") as first:
            await_running(site)
            pid = int(site.ask("run", "show", "slow", "latest")["attempts"][0]["pid"])
            with worker_on(two, site, "two") as second:
                second.until(WORKS)

                one.cut()
                daemon.until("slow .*: failed, and will be tried again")
                assert not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
                await_running(site, attempt=2)
                assert [shown["name"] for shown in site.ask("worker", "list")["workers"]] == ["two"]

                one.mend(first)
                first.until("it works again")
                assert [shown["name"] for shown in site.ask("worker", "list")["workers"]] == ["one", "two"]
                open_door(site, 2)
                daemon.until("slow .*: failed")
                run = site.ask("run", "show", "slow", "latest")

    assert [attempt["problem"] for attempt in run["attempts"]] == ["lost", None]
    assert (run["message"], lines(site, "started"), lines(site, "ended")) == ("exit 7", ["1", "2"], ["7"])


def worker_on(host: "Namespace | HeldBack", site: Site, name: str) -> AbstractContextManager[RunningDaemon]:
    """A worker of that name, with a state folder of its own."""
    there = site.beside(name)
    for_workers(there)
    there.environment["SENSORD_DB"] = host.url
    there.within = host.within
    return there.worker("--name", name)
