"""The program `sensord`: finds the command, loads no other, and turns what goes wrong into a message and exit code."""

import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn

import click

from sensord import __version__
from sensord.cli import render
from sensord.cli.command import Group
from sensord.errors import ConfigError, Problem, SensordError

INTERRUPTED = 130
PIPE_CLOSED = 141

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What a write to a file or disk ends with that cannot take it."""

COLLECT_AFTER = 50_000
"""Objects after which Python looks for circles of garbage. By default it does so after 700, in vain: what a command
reads, it keeps to its end."""

COMMANDS = {
    "init": "sensord.cli.init:init",
    "check": "sensord.cli.check:check",
    "status": "sensord.cli.status:status",
    "why": "sensord.cli.why:why",
    "resolve": "sensord.cli.resolve:resolve",
    "next": "sensord.cli.next:next_ticks",
    "graph": "sensord.cli.graph:graph",
    "schema": "sensord.cli.schema:schema",
    "simulate": "sensord.cli.simulate:simulate",
    "import": "sensord.cli.imports:imports",
    "flow": "sensord.cli.flow:flow",
    "run": "sensord.cli.run:run",
    "backfill": "sensord.cli.backfill:backfill",
    "daemon": "sensord.cli.daemon:daemon",
    "worker": "sensord.cli.worker:worker",
    "db": "sensord.cli.db:db",
}


class PipeClosed(Exception):
    """Whoever read our output has left, as `head` does. By this name click does not make it an exit code of its own."""


class Program(Group):
    """The root: its commands are imported when they are called for, in the order in which `--help` shows them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a guess at what was meant."""
        word = args[0]  # click takes it off the list
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(error.message + _guess(word), ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise PipeClosed from error

    def main(  # type: ignore[override]  # click's overloads say the same in four ways
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        try:
            code = super().main(args, prog_name, **extra | {"standalone_mode": False})
        except PipeClosed:
            _forget_stdout()
            code = PIPE_CLOSED
        except click.Abort:
            code = INTERRUPTED
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except SensordError as error:
            report(error)
            code = error.exit_code
        except Exception as error:
            code = 1
            if isinstance(error, OSError) and error.errno in NO_ROOM and not error.filename:
                _forget_stdout()
                report(SensordError(f"cannot write the output: {error.strerror}"))
            elif os.environ.get("SENSORD_DEBUG"):
                raise
            else:
                report(_internal(error))
        sys.exit(code if isinstance(code, int) else 0)


@click.group("sensord", cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sensord", message="%(prog)s %(version)s")
def cli() -> None:
    """A scheduler for flows that wait for each other across schedules.

    What shows something needs no daemon: it looks into the database. `check`, `resolve`, `next` and `graph` read the
    config files alone. `sensord COMMAND --help` has examples.
    """


def main() -> None:
    """The entry point of the package. What the terminal's encoding cannot show is shown by its number."""
    gc.set_threshold(COLLECT_AFTER)
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main(prog_name="sensord")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def report(error: SensordError) -> None:
    """Print an error on stderr: its message, and what to try."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            _report_one(_placed(problem), problem.hint)
    else:
        _report_one(error.message, error.hint)


def _report_one(text: str, hint: str | None) -> None:
    lines = [[render.Span("error: ", "bold red"), render.Span(text)]]
    if hint:
        lines.append([render.Span("hint: ", "cyan"), render.Span(hint)])
    render.show(lines, to=sys.stderr)


def _placed(problem: Problem) -> str:
    parts = (problem.place, problem.key, problem.message)
    return ": ".join(part for part in parts if part)


def _internal(error: Exception) -> SensordError:
    return SensordError(
        f"internal error: {type(error).__name__}: {error}",
        hint="set SENSORD_DEBUG=1 to see where it happened; the daemon's log may say more",
    )


def _guess(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _open_closed_streams() -> None:
    """Where the shell has closed one (`>&-`), its number is free, and the next file to be opened would get it: the
    database, say, which whatever is printed would then be written into.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 -- until the process ends


def _forget_stdout() -> None:
    """Whoever read our output has left. Python would try to flush at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
