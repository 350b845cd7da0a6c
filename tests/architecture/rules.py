"""The rules. Each takes one source (the last one the whole tree) and yields a line for every violation."""

import ast
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO

from tests.architecture.source import Source

LONGEST_FILE = 400
LONGEST_FUNCTION = 50

CORE = ("sensord.core", "sensord.errors")
PURE = frozenset(
    {
        *(
            "__future__",
            "abc",
            "bisect",
            "calendar",
            "collections",
            "contextlib",
            "croniter",
            "dataclasses",
            "datetime",
        ),
        *("decimal", "difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "itertools", "json"),
        *(
            "math",
            "operator",
            "re",
            "shlex",
            "string",
            "textwrap",
            "types",
            "typing",
            "unicodedata",
            "weakref",
            "zoneinfo",
        ),
    }
)
IMPURE_BUILTINS = frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"})

IGNORE = re.compile(r"#\s*(noqa|type:\s*ignore)\b")
REASONED = re.compile(r"#\s*(noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\])\s*(#|--?)\s*\w")

SCREEN = ("click", "rich")
CLOCKS = frozenset(
    f"{module}.{name}"
    for module, names in {
        "datetime.datetime": ("now", "utcnow", "today"),
        "datetime.date": ("today",),
        "time": ("time", "time_ns", "localtime", "ctime", "clock_gettime", "clock_gettime_ns"),
    }.items()
    for name in names
)
OWN_CLOCKS: Mapping[str, str] = {
    "sensord/clock.py": "it is the clock",
}
"""Files that may ask for the time themselves, each with its reason."""


def within(name: str, packages: Sequence[str]) -> bool:
    """Whether a full name is one of the packages, or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def pure_core(source: Source) -> Iterator[str]:
    """The core, and the errors that it raises, do no I/O and ask no clock: a list says what they may import."""
    if not within(source.module, CORE):
        return
    for each in source.imports():
        if each.name.partition(".")[0] not in PURE and not within(each.name, CORE):
            yield f"{source.path}:{each.line}: the core imports {each.name}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id in IMPURE_BUILTINS:
            yield f"{source.path}:{node.lineno}: the core calls {node.id}"


def screen_in_cli(source: Source) -> Iterator[str]:
    """Only the command line imports click and rich, and nothing but `python -m sensord` imports the command line."""
    if not within(source.module, ["sensord"]) or within(source.module, ["sensord.cli"]):
        return
    for each in source.imports():
        ours = within(each.name, ["sensord.cli"]) and source.module != "sensord.__main__"
        if ours or within(each.name, SCREEN):
            yield f"{source.path}:{each.line}: {each.name} is imported outside sensord/cli"


def one_clock(source: Source) -> Iterator[str]:
    """The time comes from `clock.py`, or as an argument."""
    if not within(source.module, ["sensord"]) or source.path in OWN_CLOCKS:
        return
    for line, name in source.names():
        if name in CLOCKS:
            yield f"{source.path}:{line}: {name} is asked for the time outside clock.py"


def short_file(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > LONGEST_FILE:
        yield f"{source.path}: {lines} lines, more than {LONGEST_FILE}"


def short_functions(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{source.path}:{node.lineno}: {node.name} has {lines} lines, more than {LONGEST_FUNCTION}"


def docstring(source: Source) -> Iterator[str]:
    """A module that holds anything says first what its job is."""
    if source.tree.body and not ast.get_docstring(source.tree):
        yield f"{source.path}: no docstring"


def reasoned_ignores(source: Source) -> Iterator[str]:
    """`# noqa: ARG002 -- why` and `# type: ignore[misc]  # why`: an ignore says what it passes over, and why."""
    for token in tokenize.generate_tokens(StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and IGNORE.match(token.string) and not REASONED.match(token.string):
            yield f"{source.path}:{token.start[0]}: an ignore without a rule or a reason: {token.string}"


EACH: tuple[Callable[[Source], Iterator[str]], ...] = (
    pure_core,
    screen_in_cli,
    one_clock,
    short_file,
    short_functions,
    docstring,
    reasoned_ignores,
)


def executors_without_store(sources: Sequence[Source]) -> Iterator[str]:
    """No executor imports the store, nor anything that does."""
    modules = {source.module: source for source in sources}
    for source in sources:
        if within(source.module, ["sensord.executors"]):
            way = _way(source.module, "sensord.store", modules)
            if way:
                yield f"{source.path}: an executor imports the store: {' -> '.join(way)}"


def _way(start: str, target: str, modules: Mapping[str, Source]) -> list[str]:
    """The modules from `start` to one within `target`, along imports; empty where there is no way."""
    ways = {start: [start]}
    ahead = [start]
    while ahead:
        module = ahead.pop(0)
        for each in modules[module].imports():
            if within(each.name, [target]):
                return [*ways[module], each.name]
            for known in (each.name, each.name.rpartition(".")[0]):
                if known in modules and known not in ways:
                    ways[known] = [*ways[module], known]
                    ahead.append(known)
    return []
