"""What is wrong is told once and clearly, and nothing else suffers."""

import json
import signal
import subprocess
import sys

import pytest

from tests.e2e.site import Site

GOOD = '[schedule]\ncron = "0 * * * *"\n[run]\ncommand = ["true"]\n'

BAD = {
    "syntax": ("[schedule\n", "flows/bad.toml:1"),
    "key": (GOOD + "colour = 'red'\n", "flows/bad.toml:5:1"),
    "upstream": (GOOD + "[[sensors]]\nupstream = 'godo'\n", "flows/bad.toml:6:12"),
    "cron": (GOOD.replace("0 *", "61 *"), "flows/bad.toml:2:9"),
    "zone": (GOOD.replace("[run]", 'timezone = "Europe/Amsterdan"\n[run]'), "flows/bad.toml:3:12"),
}


@pytest.mark.parametrize("text", BAD)
def test_check_names_the_place_and_the_other_flow_runs(site: Site, text: str) -> None:
    site.flow("good", GOOD)
    content, place = BAD[text]
    site.flow("bad", content)

    checked = site.type("check")
    assert checked.returncode == 1
    assert checked.stdout.count("bad.toml:") == 1
    assert place in checked.stdout

    with site.daemon() as daemon:
        daemon.until("good .*: success")
        assert [problem["file"] for problem in site.ask("status")["problems"]] == ["flows/bad.toml"]
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0

    assert sum("bad.toml" in entry["message"] for entry in daemon.log) == 1
    assert site.states() == {"good": "success"}


def test_a_bad_file_name_is_an_error_of_that_file(site: Site) -> None:
    site.flow("good", GOOD)
    site.flow("not good", GOOD)

    checked = site.type("check")

    assert checked.returncode == 1
    assert checked.stdout.count("not good.toml") == 1
    assert "flows/good.toml" not in checked.stdout


def test_settings_with_an_error_start_nothing(site: Site) -> None:
    site.flow("good", GOOD)
    (site.config / "sensord.toml").write_text("slots = 0\n")

    refused = site.type("daemon", "start")

    assert refused.returncode == 1
    assert "sensord.toml:1:9" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_command_that_is_not_there_fails_its_run_with_the_systems_words(site: Site) -> None:
    site.flow("good", GOOD)
    site.flow("absent", GOOD.replace('"true"', '"no-such-command"'))

    with site.daemon() as daemon:
        daemon.until("absent .*: failed")

    shown = site.ask("run", "show", "absent", "latest")
    assert shown["reason"] == "not_started"
    assert "no-such-command" in shown["message"]


def test_a_database_that_is_newer_is_refused(site: Site) -> None:
    site.flow("good", GOOD)
    assert site.type("db", "upgrade").returncode == 0
    with site.database() as db:
        db.run("UPDATE alembic_version SET version_num = '9999'")

    refused = site.type("daemon", "start")

    assert refused.returncode == 1
    assert "9999" in refused.stderr
    assert "newer" in refused.stderr


@pytest.mark.parametrize("folder", ["/proc/no/state", "/dev/null/state"])
@pytest.mark.parametrize("words", [["daemon", "start"], ["daemon", "start", "--detach"]], ids=" ".join)
def test_a_state_folder_that_cannot_be_made_is_named(site: Site, folder: str, words: list[str]) -> None:
    (site.config / "sensord.toml").write_text(f'state = "{folder}"\n')

    said = site.type(*words)

    assert said.returncode == 1
    assert said.stderr.startswith(f"error: cannot use {folder} as state folder: ")
    assert "hint: " in said.stderr


def test_a_fault_of_ours_that_ends_the_daemon_is_whole_in_its_log_and_brief_for_people(site: Site) -> None:
    code = "import sensord.daemon.main as main; main.run = lambda *_: 1 / 0; from sensord.cli.main import main; main()"
    words = [sys.executable, "-c", code, "--config", str(site.config), "daemon", "start"]

    said = subprocess.run(words, env=site.environment, capture_output=True, text=True, check=False)

    logged, *told = said.stderr.splitlines()
    assert "ZeroDivisionError: division by zero" in json.loads(logged)["error"]
    assert (said.returncode, told[0]) == (1, "error: internal error: ZeroDivisionError: division by zero")
    assert not any("Traceback" in line for line in told)
