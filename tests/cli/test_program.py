"""The real program, in processes of its own: a daemon that detaches, terminals, pipes, Ctrl-C."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.terminal import environment, interrupt_on_terminal, run_on_terminal
from tests.daemon.world import HOURLY

SENSORD = [sys.executable, "-m", "sensord"]
COLOUR = re.compile(r"\x1b\[(\d+;)*3\dm")
LIMIT = 60.0  # seconds; nothing here takes more than two, unless it hangs


@dataclass
class Place:
    """A config folder, and the program called in it."""

    folder: Path

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SENSORD, *arguments],
            cwd=self.folder,
            env=environment(**environ),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    @property
    def state(self) -> Path:
        return self.folder / ".sensord"

    def mode(self, name: str) -> int:
        return stat.S_IMODE((self.state / name).stat().st_mode)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "config" / "flows").mkdir(parents=True)
    (tmp_path / "config" / "flows" / "orders.toml").write_text(HOURLY)
    found = Place(tmp_path)
    yield found
    if found.state.exists():
        found("daemon", "stop", "--now")


def test_a_detached_daemon_leads_when_start_returns_and_is_gone_when_stop_does(place: Place) -> None:
    started = place("daemon", "start", "--detach")
    assert started.returncode == 0, started.stderr
    assert started.stdout == ""
    assert started.stderr.startswith("the daemon leads: process ")
    leader = json.loads(place("daemon", "status", "--json").stdout)["daemon"]
    assert f"process {leader['pid']}," in started.stderr
    assert os.getsid(leader["pid"]) == leader["pid"]

    assert json.loads(place("status", "--json").stdout)["flows"][0]["flow"] == "orders"
    assert place("daemon", "reload").stderr == "1 flow, 0 problems\n"

    stopped = place("daemon", "stop")
    assert (stopped.returncode, stopped.stderr.splitlines()[-1]) == (0, "stopped")
    assert place("daemon", "stop").returncode == 3
    assert [place.mode(""), place.mode("daemon.log"), place.mode("sensord.db")] == [0o700, 0o600, 0o600]
    entries = [json.loads(line) for line in (place.state / "daemon.log").read_text().splitlines()]
    assert "leads" in entries[0]["message"]
    assert entries[-1]["message"] == "stopped"


def test_a_second_daemon_is_refused_and_says_why(place: Place) -> None:
    place("daemon", "start", "--detach")
    second = place("daemon", "start", "--detach")
    assert second.returncode == 1
    assert "error: expected no other daemon" in second.stderr
    assert "the daemon did not start" in second.stderr
    assert place("daemon", "start").returncode == 1


def test_a_daemon_that_cannot_start_exits_as_it_would_in_the_foreground(place: Place) -> None:
    (place.folder / "config" / "sensord.toml").write_text('slots = "many"\n')
    detached, foreground = place("daemon", "start", "--detach", SENSORD_DB="sqlite:///x"), place("daemon", "start")
    assert detached.returncode == foreground.returncode == 1
    assert "sensord.toml:1:9: slots: expected a whole number" in foreground.stderr


def test_a_daemon_in_the_foreground_ends_in_order_at_a_signal(place: Place) -> None:
    with subprocess.Popen(
        [*SENSORD, "daemon", "start"], cwd=place.folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stderr is not None
        first = daemon.stderr.readline()
        daemon.send_signal(signal.SIGTERM)
        _, rest = daemon.communicate(timeout=LIMIT)
    assert "leads" in json.loads(first)["message"]
    assert daemon.returncode == 0, rest


def test_output_to_a_pipe_that_closes_is_quiet(place: Place) -> None:
    script = f"'{sys.executable}' -m sensord next orders -n 20000 | head -n 1; echo ${{PIPESTATUS[0]}}"
    found = subprocess.run(
        ["/bin/bash", "-c", script], cwd=place.folder, env=environment(), capture_output=True, text=True, check=True
    )
    first, code = found.stdout.split()
    assert first.endswith(":00:00Z")
    assert (code, found.stderr) == ("141", "")


def test_output_that_finds_no_room_is_an_error_in_words(place: Place) -> None:
    script = f"'{sys.executable}' -m sensord next orders > /dev/full"
    found = subprocess.run(
        ["/bin/bash", "-c", script], cwd=place.folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (1, "error: cannot write the output: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_as_good_as_dev_null(place: Place, closed: str) -> None:
    script = f"'{sys.executable}' -m sensord check {closed}"
    found = subprocess.run(
        ["/bin/bash", "-c", script], cwd=place.folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")
    assert found.stderr in ("", "no errors, 1 flow fit to run\n")


def test_ctrl_c_is_quiet(place: Place) -> None:
    code = (
        "import os, signal, sensord.cli.main as program\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job is born deaf to it
        "program.import_module = lambda _: os.kill(os.getpid(), signal.SIGINT)\n"
        "program.main()"
    )
    command = [sys.executable, "-c", code, "status"]
    found = subprocess.run(
        command, cwd=place.folder, env=environment(), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (found.returncode, found.stdout, found.stderr.strip()) == (130, "", "")


def test_on_a_terminal_there_are_colours_and_a_legend_and_no_color_is_honoured(place: Place) -> None:
    place("daemon", "start", "--detach")
    place("daemon", "stop", "--now")
    plain, coloured = (
        run_on_terminal([*SENSORD, "--config", f"{place.folder}/config", "status"], environment(**changes))
        for changes in ({"NO_COLOR": "1"}, {})
    )
    assert COLOUR.search(coloured)
    assert not COLOUR.search(plain)
    assert "+ success  x failed" in plain
    assert "FLOW" in plain


def test_watch_draws_again_until_ctrl_c(place: Place) -> None:
    place("daemon", "start", "--detach")
    place("daemon", "stop", "--now")
    command = [*SENSORD, "--config", f"{place.folder}/config", "status", "--watch"]
    shown, code = interrupt_on_terminal(command, environment(NO_COLOR="1"), "+ success", 2)
    assert code == 130
    first, second, *_ = shown.split("\x1b[H\x1b[2J")[1:]
    assert "none; nothing starts" in first
    assert second.splitlines()[2].split() == first.splitlines()[2].split()  # columns grow with what they hold
    assert "Traceback" not in shown


def test_what_the_encoding_cannot_show_is_no_error(place: Place) -> None:
    (place.folder / "config" / "flows" / "bad.toml").write_text("owner = 3 # ü\n" + HOURLY)
    found = place("check", PYTHONIOENCODING="ascii")
    assert (found.returncode, found.stderr[:8]) == (1, "1 error,")
    assert "    owner = 3 # \\xfc" in found.stdout


def test_arguments_that_make_no_sense_exit_2(place: Place) -> None:
    assert place("nonsense").returncode == 2


def test_a_thing_that_is_not_there_exits_4(place: Place) -> None:
    assert place("status").returncode == 4
    assert place("next", "nothing").returncode == 4


def test_a_change_without_a_daemon_exits_3(place: Place) -> None:
    assert place("daemon", "reload").returncode == 3
