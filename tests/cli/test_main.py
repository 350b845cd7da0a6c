"""Errors and exit codes, and what `--help` costs."""

import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from sensord import __version__
from sensord.cli import main as program
from sensord.cli.main import COMMANDS, cli
from sensord.errors import ConfigError, DatabaseError, NoDaemon, NotFound, Problem, SensordError, UsageError
from tests.cli.program import Program
from tests.cli.terminal import environment

HEAVY = {
    "rich",
    "zoneinfo",
    "pydantic",
    "sqlmodel",
    "sqlalchemy",
    "psycopg",
    "croniter",
    "alembic",
    "asyncio",
    "logging",
}


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> type["Raising"]:
    """A command `status` that raises what the test says."""
    monkeypatch.setattr(program, "import_module", lambda _: Raising)
    return Raising


class Raising:
    error: BaseException

    @staticmethod
    @click.command()
    def status() -> None:
        raise Raising.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SensordError("no way"), 1),
        (DatabaseError("no way"), 1),
        (UsageError("no way"), 2),
        (NoDaemon("no way"), 3),
        (NotFound("no way"), 4),
    ],
)
def test_an_error_of_ours_is_a_message_and_its_exit_code(
    raising: type[Raising], error: SensordError, code: int
) -> None:
    error.hint = "try another"
    raising.error = error
    result = CliRunner().invoke(cli, ["status"])
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "error: no way\nhint: try another\n"


def test_all_problems_of_the_files_are_told_at_once(raising: type[Raising]) -> None:
    problems = [
        Problem("expected a, got b", "try c", "flows/x.toml", 3, 8, "x", "run.cwd"),
        Problem("expected a folder"),
    ]
    raising.error = ConfigError(problems)
    result = CliRunner().invoke(cli, ["status"])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: flows/x.toml:3:8: run.cwd: expected a, got b",
        "hint: try c",
        "error: expected a folder",
    ]


def test_a_message_cannot_control_the_terminal(raising: type[Raising]) -> None:
    raising.error = SensordError("\x1b]0;mine\x07")
    assert CliRunner().invoke(cli, ["status"]).stderr == "error: \\x1b]0;mine\\x07\n"


def test_an_error_that_nobody_foresaw_is_one_line_and_says_how_to_see_more(
    raising: type[Raising], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENSORD_DEBUG", raising=False)
    raising.error = ZeroDivisionError("by zero")
    result = CliRunner().invoke(cli, ["status"])
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "error: internal error: ZeroDivisionError: by zero"
    assert "SENSORD_DEBUG=1" in result.stderr


def test_with_sensord_debug_it_is_a_traceback(raising: type[Raising], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSORD_DEBUG", "1")
    raising.error = ZeroDivisionError("by zero")
    result = CliRunner().invoke(cli, ["status"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_ctrl_c_is_quiet(raising: type[Raising]) -> None:
    raising.error = KeyboardInterrupt()
    result = CliRunner().invoke(cli, ["status"])
    assert (result.exit_code, result.output.strip()) == (130, "")


@pytest.mark.parametrize("arguments", [["nonsense"], ["run", "nonsense"], ["run", "list", "--nonsense"], ["why"]])
def test_arguments_that_make_no_sense_exit_2(on_files: Program, arguments: list[str]) -> None:
    said = on_files(*arguments)
    assert (said.code, said.out) == (2, "")
    assert "Usage: sensord" in said.err


def test_a_misspelled_command_is_guessed(on_files: Program) -> None:
    assert "Did you mean 'status'?" in on_files("stauts").err


def test_version(on_files: Program) -> None:
    assert on_files("--version").out == f"sensord {__version__}\n"


def test_help_lists_every_command_with_a_whole_sentence(on_files: Program) -> None:
    lines = on_files("--help").lines
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if re.match(r"  \S", line)]
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("group", [[], ["run"], ["flow"], ["backfill"], ["daemon"], ["worker"], ["db"], ["import"]])
def test_no_sentence_of_help_is_cut_off(on_files: Program, group: list[str]) -> None:
    assert "..." not in on_files(*group, "--help").out.partition("Commands:")[2]


@pytest.mark.parametrize("command", [[], ["run"], ["run", "list"]])
def test_h_is_short_for_help(on_files: Program, command: list[str]) -> None:
    assert on_files(*command, "-h").out == on_files(*command, "--help").out != ""


def test_without_arguments_help_is_shown_and_the_exit_code_is_2(on_files: Program) -> None:
    said = on_files()
    assert said.code == 2
    assert "Commands:" in said.out + said.err


def test_help_imports_nothing_heavy() -> None:
    """Milliseconds vary with the machine, imports do not."""
    code = "import sys\nfrom sensord.cli.main import cli\ncli.main(['--help'], prog_name='sensord')"
    assert not imported_by(code) & HEAVY


def test_status_imports_no_models_and_no_schedules() -> None:
    code = "import sensord.cli.main, sensord.cli.place, sensord.cli.status_view, sensord.store.schema"
    heavy = {"rich", "pydantic", "sqlmodel", "sqlalchemy", "psycopg", "croniter", "alembic", "asyncio", "logging"}
    assert not imported_by(code) & heavy


def imported_by(code: str) -> set[str]:
    """The packages that a new process has imported when it ends, but for those of Python's start."""
    wrapped = f"import sys\ntry:\n    exec({code!r})\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", wrapped], capture_output=True, text=True, env=environment(), check=True)
    return {name.partition(".")[0] for name in run.stderr.split()}
