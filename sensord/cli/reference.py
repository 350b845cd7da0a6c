"""docs/reference/cli.md, from the commands themselves: `python -m sensord.cli.reference > docs/reference/cli.md`."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

import click

from sensord.cli.command import Command, common_options
from sensord.cli.main import cli
from sensord.errors import NoDaemon, NotFound, SensordError, UsageError

INTRODUCTION = """\
# The command line

<!-- Made by `python -m sensord.cli.reference`; a test compares. -->

Nouns, then verbs; what is typed all day is short. Data goes to stdout, messages go to stderr. On a terminal there are
colours, unless `NO_COLOR` is set, and a table gives way to fit: its last column is cut, and some may be left out. Piped
output is aligned, and never cut or wrapped. Names, messages and logs are shown with their control characters escaped.
[JSON](json.md) is the form for programs.

What shows something needs no daemon: it looks into the database, and never makes or changes one. What changes something
asks the daemon that leads, waits up to five seconds for its answer, and else prints the number of the request.

A DATE is `2026-08-01T02:00Z`, `2026-08-01T02:00`, `2026-08-01 02:00`; in part `2026-08-01T02`, `2026-08-01`, `2026-08`
or `2026`; or a word: `now`, `today`, `yesterday`, `tomorrow`, and where there are runs `latest`, the newest (for
`resolve` the last tick). Without a zone it is a wall time in the flow's own zone, or in UTC where no flow is named, as
for `simulate`, `check` and `run list` without `--flow`: in an overlap the first, in a gap the first instant after it.
Dates are printed in UTC. What is said in part stands for the beginning of that time; where a run is looked for and none
is at that very beginning, for the only one within: `sensord why dim/customers yesterday` finds the run of 02:00.

## Completion

The shell completes commands, options, flows and the dates of their runs, by what the database or else the files have,
once one of these stands in its start-up file:

```sh
eval "$(_SENSORD_COMPLETE=bash_source sensord)"        # ~/.bashrc; bash 4.4 or newer
eval "$(_SENSORD_COMPLETE=zsh_source sensord)"         # ~/.zshrc, after compinit
_SENSORD_COMPLETE=fish_source sensord | source         # ~/.config/fish/completions/sensord.fish
```

## Exit codes

| code | meaning |
|---|---|
"""

CODES = {
    0: "done",
    SensordError.exit_code: "failed, with a message that says why; for `check` and `db check`: something is wrong",
    UsageError.exit_code: "arguments that make no sense",
    NoDaemon.exit_code: "a change was asked for and no daemon leads: nothing was written",
    NotFound.exit_code: "no such flow, run, log, file or database",
    130: "interrupted by Ctrl-C",
    141: "whoever read the output has left, as `head` does",
}


def document() -> str:
    """The whole page."""
    codes = [f"| {code} | {meaning} |" for code, meaning in CODES.items()]
    common = [
        "",
        "## Common options",
        "",
        "They are taken before the command and after it. `-h`, or `--help`, explains any command.",
        "",
    ]
    common += _options(common_options())
    commands = [line for path, command in commands_of(cli) for line in _section(path, command)]
    return INTRODUCTION + "\n".join([*codes, *common, *commands]) + "\n"


def commands_of(group: click.Group, path: Sequence[str] = ("sensord",)) -> Iterator[tuple[str, Command]]:
    """Every command below a group, by its whole name, in the order of `--help`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_of(command, (*path, name))
        elif isinstance(command, Command):
            yield " ".join((*path, name)), command
        else:
            raise TypeError(f"expected a Command of ours, got {command!r}")


def _section(path: str, command: Command) -> list[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    common = {option.name for option in common_options()}
    options = [one for one in command.params if isinstance(one, click.Option) and one.name not in common]
    paragraphs = [wrap(" ".join(part.split()), 120) for part in (command.help or "").split("\n\n")]
    lines = ["", f"## {path}", "", f"`{usage}`"]
    for paragraph in paragraphs:
        lines += ["", *paragraph]
    if options:
        lines += ["", *_options(options)]
    return [*lines, "", "```sh", *command.examples, "```"]


def _options(options: Sequence[click.Parameter]) -> list[str]:
    rows = ["| option | meaning |", "|---|---|"]
    for option in options:
        record = option.get_help_record(click.Context(cli))
        assert record is not None
        name, meaning = (text.replace("|", "\\|") for text in record)
        rows.append(f"| `{name}` | {' '.join(meaning.split())} |")
    return rows


if __name__ == "__main__":
    click.echo(document(), nl=False)
