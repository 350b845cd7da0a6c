"""The daemon is killed, or the machine restarts, with commands under way: what really became of each is recorded."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sensord.executors.local import LocalExecutor
from tests.e2e.site import PATIENCE, Site

FIFTY = range(50)


class Door:
    """A pipe that commands wait at. Whoever reads from it goes on once it is open."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path
        self._held = os.open(path, os.O_RDWR)

    def open(self) -> None:
        """Let go all that wait, and with another call those that come late."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
        with suppress(OSError):  # nobody waits at the moment
            os.close(os.open(self._path, os.O_WRONLY | os.O_NONBLOCK))


def lines(site: Site) -> list[str]:
    ledger = site.work / "ledger"
    return ledger.read_text().splitlines() if ledger.exists() else []


def await_lines(site: Site, number: int, *doors: Door) -> None:
    """Until the commands have written so many; fails where they never do."""
    give_up_at = time.monotonic() + PATIENCE
    while len(lines(site)) < number:
        assert time.monotonic() < give_up_at, lines(site)
        for door in doors:
            door.open()


def set_up_fifty(site: Site) -> None:
    """Flow n ends with exit code n; the even ones wait at one door, the odd ones at another."""
    settings = site.config / "sensord.toml"
    settings.write_text(settings.read_text() + "slots = 60\n")
    for number in FIFTY:
        script = f"echo start {number} >> ledger; read x < door{number % 2}; echo end {number} >> ledger; exit {number}"
        site.flow(f"flow{number}", site.shell("0 2 * * *", script))


def outcomes(site: Site) -> dict[str, list[int]]:
    """The exit codes of each flow's attempts."""
    with site.database() as db:
        rows = db.fetch(
            "SELECT f.name, o.exit_code FROM attempt a JOIN run r ON r.id = a.run_id JOIN flow f ON f.id = r.flow_id"
            " JOIN outcome o ON o.run_id = a.run_id AND o.attempt = a.number"
        )
    found: dict[str, list[int]] = {}
    for name, code in rows:
        found.setdefault(name, []).append(code)
    return found


def test_fifty_commands_outlive_their_daemon_and_each_end_is_recorded(site: Site) -> None:
    set_up_fifty(site)
    even, odd = Door(site.work / "door0"), Door(site.work / "door1")

    with site.daemon() as daemon:
        await_lines(site, len(FIFTY))
        daemon.send(signal.SIGKILL)
        daemon.end()
    await_lines(site, len(FIFTY) * 3 // 2, even)
    with site.daemon() as daemon:
        daemon.until("leads")
        await_lines(site, len(FIFTY) * 2, odd)
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert Counter(lines(site)) == {f"{what} {number}": 1 for what in ("start", "end") for number in FIFTY}
    assert outcomes(site) == {f"flow{number}": [number] for number in FIFTY}


@contextmanager
def boot(site: Site, name: str) -> Iterator[None]:
    """A keeper that takes the machine to be in this boot, for a daemon to find; it dies when that boot is over."""
    executor = LocalExecutor(site.state, boot_id=name)
    assert executor.keeper_pid
    try:
        yield
    finally:
        os.kill(executor.keeper_pid, signal.SIGKILL)
        executor.close()


def test_after_a_reboot_what_ran_is_lost_and_tried_again_as_its_flow_wants(site: Site) -> None:
    """The processes of before are left alive: they stand for strangers that were given the same pids."""
    script = "echo $SENSORD_FLOW $$ >> ledger; test $SENSORD_ATTEMPT = 2 || read x < door"
    site.flow("once", site.shell("0 2 * * *", script))
    site.flow("again", site.shell("0 2 * * *", script).replace("[run]", '[run]\nretries = 1\nretry_delay = "1s"'))
    door = Door(site.work / "door")

    with boot(site, "one"), site.daemon() as daemon:
        await_lines(site, 2)
        daemon.send(signal.SIGKILL)
        daemon.end()
    with boot(site, "two"), site.daemon() as daemon:
        daemon.until("again .*: success")
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    once, again = (site.ask("run", "show", flow, "latest") for flow in ("once", "again"))
    strangers = [int(line.split()[1]) for line in lines(site)[:2]]
    assert [Path(f"/proc/{pid}/cwd").resolve() for pid in strangers] == [site.work] * 2
    door.open()
    assert (once["state"], once["reason"], len(once["attempts"])) == ("failed", "lost", 1)
    assert (again["state"], len(again["attempts"])) == ("success", 2)
    assert Counter(line.split()[0] for line in lines(site)) == {"once": 1, "again": 2}
