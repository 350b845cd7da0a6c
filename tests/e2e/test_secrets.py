"""A password in the database's URL, and a secret for one command: nobody else ever sees them."""

import os
import signal
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.site import Site

PASSWORD = "hunter2-Xy7marker"
SECRET = "s3cr3t-Qz9marker"
FLOW = '[schedule]\ncron = "0 2 * * *"\n[run]\nshell = true\npass_env = ["TOKEN"]\n'


@pytest.fixture
def site(tmp_path: Path, empty_url: str, dialect: str) -> Site:
    """Its URL holds a password, in a file; its environment a secret that one command is handed."""
    made = Site(tmp_path / "site", empty_url)
    del made.environment["SENSORD_DB"]
    made.environment["TOKEN"] = SECRET
    url = empty_url if dialect == "sqlite" else empty_url.replace("postgres@", f"postgres:{quote(PASSWORD)}@", 1)
    file = made.config / "database.url"
    file.touch(0o600)
    file.write_text(url)
    (made.config / "sensord.toml").write_text('state = "../state"\ndatabase_file = "database.url"\n')
    return made


def told(site: Site) -> dict[str, str]:
    """All that anybody can be told, on either stream."""
    asked = [
        ["status"],
        ["status", "--json"],
        ["daemon", "status"],
        ["daemon", "status", "--json"],
        ["run", "list", "--json"],
        ["run", "show", "bad", "latest", "--json"],
        ["flow", "show", "good", "--json"],
        ["why", "bad"],
        ["db", "check", "--json"],
        ["check"],
    ]
    said = {" ".join(words): site.type(*words) for words in asked}
    assert not [words for words, one in said.items() if one.returncode not in (0, 1)]
    return {words: one.stdout + one.stderr for words, one in said.items()}


def processes() -> dict[str, str]:
    """What `ps` shows of every process."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                found[f"process {entry.name}"] = Path(entry.path, "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has ended
    return found


def files(site: Site) -> dict[str, str]:
    """All that was written but for the file that holds the password."""
    folder = site.config.parent
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "database.url"]
    assert len(paths) > 5
    return {str(path): path.read_bytes().decode(errors="replace") for path in paths}


def rows(site: Site, url: str) -> dict[str, str]:
    """The whole database."""
    from sensord.store.database import Database
    from sensord.store.tables import METADATA

    with Database.open(url) as db:
        return {table.name: str(db.fetch(f"SELECT * FROM {table.name}")) for table in METADATA.sorted_tables}


def test_they_are_nowhere(site: Site, empty_url: str) -> None:
    os.mkfifo(site.work / "door")
    site.flow("good", FLOW + f'command = "test \\"$TOKEN\\" = {SECRET[:6]}*; read x < {site.work}/door"\n')
    site.flow("bad", FLOW + 'command = "env | grep -c PGPASS; exit 3"\n')
    (site.config / "flows" / "wrong.toml").write_text("cron = [\n")

    with site.daemon() as daemon:
        daemon.until("bad .*: failed")
        seen = told(site) | processes() | files(site) | rows(site, empty_url)
        (site.work / "door").write_text("\n")
        daemon.until("good .*: (success|failed)")
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    seen |= files(site) | {"log": str(daemon.log)}
    assert [name for name, text in seen.items() if PASSWORD in text or SECRET in text] == []


def test_all_that_is_written_is_for_the_daemons_user_alone(site: Site) -> None:
    site.flow("bad", FLOW + 'command = "echo said; exit 3"\n')
    os.umask(0o022)

    with site.daemon() as daemon:
        daemon.until("bad .*: failed")
        state = site.config.parent / "state"
        wrong = [
            f"{path} {path.lstat().st_mode:o}" for path in (state, *state.rglob("*")) if path.lstat().st_mode & 0o077
        ]

    assert wrong == []
    assert any(b"said" in path.read_bytes() for path in (state / "runs").rglob("*") if path.is_file())


def test_a_database_that_cannot_be_reached_does_not_give_them_away(site: Site, dialect: str) -> None:
    if dialect == "sqlite":
        (site.config / "database.url").write_text(f"sqlite:///proc/{PASSWORD[:4]}/no.db")
    else:
        (site.config / "database.url").write_text(f"postgresql://me:{PASSWORD}@/no?host=/nowhere")

    said = site.type("daemon", "start")

    assert said.returncode == 1
    assert PASSWORD not in said.stdout + said.stderr
    assert "Traceback" not in said.stderr
