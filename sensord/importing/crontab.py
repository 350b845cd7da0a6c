"""Reads a crontab: its jobs, each with the variables that stand above it, and what of it is none. See crontab(5).

What a job becomes is for `crontab_flows`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sensord.core.cron_parse import parse_rule
from sensord.errors import InvalidValue

_VARIABLE = re.compile(r"""("[^"]*"|'[^']*'|[^\s=]+)[ \t]*=[ \t]*(.*)""")
_FIELDS = re.compile(r"(@\S+|\S+(?:[ \t]+\S+){4})(?:[ \t]+(.*))?")
_TITLES = re.compile(r"m(in(ute)?)?\s+h(our)?\s+(dom|day)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Job:
    """One line of a crontab. schedule: five fields, or an alias. command: as it is written, with its `%`.

    variables: what was set above it, by name. comment: the lines of a comment that stands right above it.
    """

    line: int
    text: str
    schedule: str
    command: str
    user: str | None = None
    comment: str = ""
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """A line that sets a variable for the jobs below it."""

    line: int
    name: str
    value: str


def has_users(text: str) -> bool:
    """Whether a user stands before each command, as in /etc/crontab: its columns' titles say so, or a job of root's."""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            if _TITLES.search(stripped) and re.search(r"\buser\b", stripped):
                return True
        elif (found := _FIELDS.fullmatch(stripped)) and (found[2] or "").split()[:1] == ["root"]:
            return True
    return False


def read_crontab(text: str, *, users: bool) -> Iterator[Job | Setting]:
    """In the order of its lines. users: a user stands before each command. A job may lack what it needs: `""`."""
    variables: dict[str, str] = {}
    comment: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" \t\r")
        if stripped.startswith("#"):
            comment += _read_comment(stripped)
            continue
        if found := _VARIABLE.fullmatch(stripped):
            name, value = _unquote(found[1]), _unquote(found[2].rstrip())
            variables = variables | {name: value}
            yield Setting(number, name, value)
        elif stripped:
            yield _read_job(number, stripped, users, " ".join(comment), variables)
        comment = []


def _read_job(number: int, text: str, users: bool, comment: str, variables: dict[str, str]) -> Job:
    found = _FIELDS.fullmatch(text)
    schedule, command = (found[1], found[2] or "") if found else (text, "")
    user = None
    if users:
        user, _, command = command.replace("\t", " ", 1).partition(" ")
        command = command.lstrip(" \t")
    return Job(number, text, " ".join(schedule.split()), command, user, comment, variables)


def _read_comment(line: str) -> list[str]:
    """What it says of the job below: no line of signs, no titles of columns, and no job that is switched off."""
    said = line.lstrip("# \t").rstrip("# \t-=")
    return [] if not re.search(r"\w", said) or _TITLES.match(said) or _is_job(said) else [said]


def _is_job(text: str) -> bool:
    found = _FIELDS.fullmatch(text)
    try:
        return bool(found and found[2] and parse_rule(found[1], seconds=False))
    except InvalidValue:
        return False


def _unquote(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def split_input(command: str) -> tuple[str, str | None]:
    """A command by cron's rule for `%`: what the shell gets, and what it reads as its input; None where there is none.

    `\\%` is a per cent sign. The first other one ends the command, each later one a line of the input.
    """
    parts: list[list[str]] = [[]]
    escaped = False
    for letter in command:
        if letter == "%" and not escaped:
            parts.append([])
            continue
        if letter == "%":
            parts[-1].pop()
        parts[-1].append(letter)
        escaped = letter == "\\" and not escaped
    texts = ["".join(part) for part in parts]
    return texts[0], "\n".join(texts[1:]) if len(texts) > 1 else None
