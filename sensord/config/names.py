"""Names: of flows, of the files of a config folder, and which of many names someone may have meant."""

import difflib
import re
from collections.abc import Iterable, Sequence

SETTINGS_FILE = "sensord.toml"
FLOWS_FOLDER = "flows"
TEMPLATES_FOLDER = "templates"
DEFAULTS_FILE = "defaults.toml"
LONGEST = 200
"""Characters of a flow's name at most."""

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NAME = re.compile(rf"{_PART.pattern}(/{_PART.pattern})*")


def explain_bad_name(name: str) -> tuple[str, str] | None:
    """Why `name` is no name of a flow, as (message, hint); None where it is one."""
    if len(name) <= LONGEST and _NAME.fullmatch(name):
        return None
    for part in name.split("/"):
        if not _PART.fullmatch(part):
            message = f"expected a name of letters, digits and _ . - that starts with none of . and -, got {show(part)}"
            return message, "rename the file or folder: a flow is called by its path below flows/"
    return f"expected a name of at most {LONGEST} characters, got {len(name)}", "shorten its path below flows/"


def show(value: object) -> str:
    """A value as TOML has it, cut where it is long; tables and lists by their kind alone."""
    match value:
        case str():
            quoted = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{quoted}"' if len(quoted) <= 60 else f'"{quoted[:57]}..."'
        case bool():
            return "true" if value else "false"
        case dict():
            return "a table"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return str(value)[:60]


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is the same but for case, or spelled nearly so."""
    lower = {one.lower(): one for one in known}
    near = [word.lower()] if word.lower() in lower else difflib.get_close_matches(word.lower(), lower, n=1)
    return lower[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    near = find_nearest(word, known)
    return f'did you mean "{near}"?' if near else None


def propose_flow(word: str, known: Sequence[str]) -> str:
    """What to write in place of `word`, which is no flow: also one in another folder, or named as its file is."""
    bare = word.strip().removeprefix("/").removeprefix(f"{FLOWS_FOLDER}/").removesuffix(".toml")
    cousins = [name for name in known if name.rpartition("/")[2] == bare.rpartition("/")[2]]
    if bare in known or len(cousins) == 1:
        return f'did you mean "{bare if bare in known else cousins[0]}"?'
    if near := did_you_mean(bare, known):
        return near
    if explain_bad_name(word) or word.endswith(".toml"):
        return f"a flow is called by its path below {FLOWS_FOLDER}/ without .toml"
    return f"there is no {FLOWS_FOLDER}/{word}.toml"


def list_words(words: Sequence[str], link: str = "or") -> str:
    """`"a", "b" or "c"`."""
    quoted = [f'"{word}"' for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {link} {quoted[-1]}"
