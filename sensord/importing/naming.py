"""Names for flows: from a command's words or another system's names, valid and unique without case."""

import re
import shlex
from collections.abc import Iterable
from itertools import pairwise

from sensord.config.names import DEFAULTS_FILE, LONGEST

_STRANGE = re.compile(r"[^A-Za-z0-9_.-]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9][0-9.]*[smhdkMG]?")
_SCRIPT = re.compile(r"(?P<stem>[^/]+)\.(sh|bash|py|pl|rb|php|js|jar|sql|R|lua|cgi)")
_SHELLS_OWN = frozenset({"cd", "test", "[", "umask", "exec", "export", "set", "."})
_WRAPPERS = _SHELLS_OWN | {"chronic", "command", "env", "flock", "ionice", "nice", "nohup", "setsid", "sudo", "timeout"}
_INTERPRETERS = re.compile(r"(python|perl|ruby|php|node|bash|sh|dash|zsh|ksh)[0-9.]*")
_ENDS = frozenset({"&&", "||", ";", "|", "&"})


def name_command(command: str) -> str:
    """What a command line is called by: its script, its module, or its program, past what only wraps it."""
    words = _split(command)
    candidates = [found["stem"] for word in words if (found := _SCRIPT.fullmatch(_base(word)))]
    candidates += [word for before, word in pairwise(words) if before == "-m" and any(map(_runs, words))]
    candidates += [_base(program) for part in _simple_commands(words) if (program := _program(part))]
    return next((part for one in candidates if (part := _slug(one))), "flow")


def _slug(text: str) -> str:
    """A text as one part of a flow's name; empty where nothing of it may stand there."""
    return _STRANGE.sub("_", text).strip("_").lstrip(".-")[:60].rstrip("_")


def _base(word: str) -> str:
    return word.rpartition("/")[2]


def _runs(word: str) -> bool:
    return _INTERPRETERS.fullmatch(_base(word)) is not None


def _program(words: list[str]) -> str | None:
    """What a simple command starts, past assignments and wrappers such as `nice -n 19`; None for `cd` and the like."""
    left = [word for word in words if not _ASSIGNMENT.fullmatch(word)]
    while left and _base(left[0]) in _WRAPPERS:
        wrapper = _base(left.pop(0))
        if wrapper in _SHELLS_OWN:
            return None
        while left and (left[0].startswith("-") or _NUMBER.fullmatch(left[0])):
            left.pop(0)
        if wrapper == "flock":
            left = left[1:]
    return left[0] if left else None


def flow_part(text: str) -> str:
    """A name of another system as one part of a flow's name, as little changed as can be."""
    part = _STRANGE.sub("_", text)
    part = part if part[:1] not in ("", ".", "-") else f"_{part}"
    return part[: LONGEST // 2]


def unique(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name_2` and so on, where it is taken in whatever case. `defaults` is no flow's name."""
    lower = {one.lower() for one in taken} | {DEFAULTS_FILE.removesuffix(".toml")}
    number, found = 1, name
    while found.lower() in lower:
        number += 1
        found = f"{name}_{number}"
    return found


def _split(command: str) -> list[str]:
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=";&|()<>")
        lexer.whitespace_split = True
        lexer.commenters = ""
        return list(lexer)
    except ValueError:  # quotes that do not close: only the shell knows what that means
        return command.split()


def _simple_commands(words: list[str]) -> Iterable[list[str]]:
    part: list[str] = []
    for word in words:
        if word in _ENDS:
            yield part
            part = []
        else:
            part.append(word)
    yield part
