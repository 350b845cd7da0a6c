"""The unit for systemd is one that systemd takes, and says what the documents say."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[1] / "packaging"
UNIT, WORKER = PACKAGING / "sensord.service", PACKAGING / "sensord-worker.service"
BOTH = pytest.mark.parametrize("unit", [UNIT, WORKER], ids=lambda unit: unit.stem)

HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "full",
    "PrivateDevices": "yes",
    "RestrictSUIDSGID": "yes",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
}


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # the documented way to keep capitals
    parser.read_string(text)
    return parser


def test_commands_outlive_the_daemon_and_the_loop_is_watched() -> None:
    service = read(UNIT.read_text())["Service"]

    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert (service["KillMode"], service["OOMPolicy"]) == ("process", "continue")
    assert int(service["WatchdogSec"]) > 60
    assert service["ExecStart"].endswith("sensord daemon start")


def test_a_worker_has_time_to_drain_and_comes_back_at_once() -> None:
    service = read(WORKER.read_text())["Service"]

    assert (service["KillMode"], service["Restart"], service["RestartSec"]) == ("process", "always", "2")
    assert service["TimeoutStopSec"] == "12h"
    assert service["ExecStart"].endswith("sensord worker start --queue etl --slots 8")


@BOTH
@pytest.mark.parametrize("key", HARDENED)
def test_it_gives_no_more_rights_than_are_needed(unit: Path, key: str) -> None:
    assert read(unit.read_text())["Service"][key] == HARDENED[key]


@BOTH
def test_systemd_accepts_it(unit: Path, tmp_path: Path) -> None:
    """Where systemd is not installed, its grammar is checked alone: sections and keys, each once."""
    text, unit = unit.read_text(), tmp_path / unit.name
    unit.write_text(text.replace("/opt/sensord/bin/sensord", sys.executable))
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert read(unit.read_text()).sections() == ["Unit", "Service", "Install"]
        return

    said = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False, timeout=120)

    ours = [line for line in said.stderr.splitlines() if unit.name in line]
    assert ours == [], said.stderr
