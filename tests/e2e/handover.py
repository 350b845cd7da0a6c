"""How long nobody leads: `python -m tests.e2e.handover [ROUNDS]` measures it on a PostgreSQL of its own, with real
daemons and real blows, from the blow until another daemon has read its files and says that it leads.
"""

import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.database_server import Server, Wire, database_server
from tests.e2e.site import RunningDaemon, Site

LEADS = r"^sensord .* leads: "
FOLLOWS = r"^stands by: "

ONE_MORE = 600_000
"""Microseconds by which a lease is longer that was renewed since a restart, and not just before it."""

Blow = Callable[[RunningDaemon, Server, Wire], None]


def kill(leader: RunningDaemon, _: Server, __: Wire) -> None:
    leader.send(signal.SIGKILL)


def stop(leader: RunningDaemon, _: Server, __: Wire) -> None:
    leader.send(signal.SIGSTOP)


def cut(_: RunningDaemon, __: Server, wire: Wire) -> None:
    wire.cut()


def restart(_: RunningDaemon, server: Server, __: Wire) -> None:
    """The time begins when the server is there again."""
    server.stop()
    server.start()


BLOWS: dict[str, Blow] = {
    "it is killed": kill,
    "it is stopped (SIGSTOP)": stop,
    "its connections are cut": cut,
    "PostgreSQL is restarted, from when it is back": restart,
}


def measure(folder: Path, blow: Blow) -> float:
    """Seconds of one hand-over."""
    with database_server() as server:
        site = Site(folder, server.url)
        site.flow("orders", site.shell("* * * * *", "true"))
        wire = Wire(folder, server.folder)
        far = site.beside("far")
        far.environment["SENSORD_DB"] = wire.url
        with far.daemon() as first:
            first.until(LEADS)
            with site.daemon() as second:
                second.until(FOLLOWS)
                before = lease(server)
                blow(first, server, wire)
                began = time.monotonic()
                if blow is restart:
                    while lease(server) < before + ONE_MORE:
                        continue
                else:
                    second.until(LEADS)
                seconds = time.monotonic() - began
                wire.mend()
                first.send(signal.SIGKILL)
        wire.close()
        return seconds


def lease(server: Server) -> int:
    """Until when it is held, by the one or the other."""
    return int(str(server.run("SELECT expires_at FROM leader")[0][0]))


def main(rounds: int) -> None:
    print("| what becomes of the leader | median | longest | rounds |")
    print("|---|---|---|---|")
    for name, blow in BLOWS.items():
        with tempfile.TemporaryDirectory() as folder:
            seconds = [measure(Path(folder) / str(number), blow) for number in range(rounds)]
        print(f"| {name} | {statistics.median(seconds):.2f} s | {max(seconds):.2f} s | {rounds} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
