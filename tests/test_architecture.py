"""The tree keeps the rules of the house, and each rule catches what it forbids."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.architecture import rules
from tests.architecture.source import CHECKOUT, Source, read

PACKAGE = read("sensord")
ALL = PACKAGE + read("tests")

Rule = Callable[[Source], Iterator[str]]


def test_there_is_a_tree_to_look_at() -> None:
    rooms = {source.path.split("/")[1] for source in PACKAGE}

    assert {"core", "config", "store", "daemon", "executors", "cli"} <= rooms


@pytest.mark.parametrize("rule", rules.EACH, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    violations = [violation for source in ALL for violation in rule(source)]

    assert not violations, "\n".join(violations)


def test_no_executor_imports_the_store() -> None:
    violations = list(rules.executors_without_store(PACKAGE))

    assert not violations, "\n".join(violations)


def test_a_file_with_a_clock_of_its_own_still_needs_it() -> None:
    asking = {source.path for source in PACKAGE for _line, name in source.names() if name in rules.CLOCKS}

    assert asking == set(rules.OWN_CLOCKS)


@pytest.mark.parametrize(
    ("room", "strangers"),
    [
        ("core", {"click", "rich", "pydantic", "psycopg", "sqlite3", "sqlalchemy", "sqlmodel", "sensord.store"}),
        ("executors", {"click", "rich", "psycopg", "sqlite3", "sqlalchemy", "sqlmodel", "sensord.store"}),
        ("store", {"click", "rich", "sensord.cli", "sensord.daemon", "sensord.executors"}),
        ("daemon", {"click", "rich", "sensord.cli"}),
        ("importing", {"click", "rich", "pydantic", "sqlite3", "sensord.cli", "sensord.daemon", "sensord.store"}),
    ],
)
def test_a_room_really_loads_no_stranger(room: str, strangers: set[str]) -> None:
    """What the syntax tree does not show: imports by name, and what other packages pull in."""
    modules = [
        source.module
        for source in PACKAGE
        if source.path.startswith(f"sensord/{room}/") and "migrations" not in source.path
    ]
    program = f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\nprint(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert loaded.returncode == 0, loaded.stderr
    assert strangers & set(loaded.stdout.split()) == set()


def case(rule: Rule, path: str, text: str) -> object:
    return pytest.param(rule, Source(path, text), id=f"{rule.__name__}: {text[:40]!r}")


IMPURE = ["os", "sys", "io", "socket", "subprocess", "pathlib", "sqlite3", "logging", "time", "random", "asyncio"]
LONG_BODY = "    x = 1\n" * rules.LONGEST_FUNCTION


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        *(case(rules.pure_core, "sensord/core/flow.py", f"import {module}\n") for module in IMPURE),
        case(rules.pure_core, "sensord/core/flow.py", "from os import path\n"),
        case(rules.pure_core, "sensord/core/flow.py", "import sensord.store.runs\n"),
        case(rules.pure_core, "sensord/core/flow.py", "from sensord import clock\n"),
        case(rules.pure_core, "sensord/core/flow.py", "from ..daemon import plan\n"),
        case(rules.pure_core, "sensord/core/mapping/spec.py", "from ...config import files\n"),
        case(rules.pure_core, "sensord/core/__init__.py", "from ..store import runs\n"),
        case(rules.pure_core, "sensord/core/flow.py", "def load():\n    import sqlalchemy\n"),
        case(
            rules.pure_core,
            "sensord/core/flow.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rich\n",
        ),
        case(rules.pure_core, "sensord/core/flow.py", "text = open('x').read()\n"),
        case(rules.pure_core, "sensord/errors.py", "import click\n"),
        case(rules.screen_in_cli, "sensord/daemon/loop.py", "import click\n"),
        case(rules.screen_in_cli, "sensord/config/report.py", "from rich.table import Table\n"),
        case(rules.screen_in_cli, "sensord/testing.py", "def show():\n    import rich.console\n"),
        case(rules.screen_in_cli, "sensord/daemon/loop.py", "from sensord.cli import render\n"),
        case(rules.one_clock, "sensord/daemon/loop.py", "from datetime import datetime\nat = datetime.now()\n"),
        case(rules.one_clock, "sensord/daemon/loop.py", "from datetime import datetime as dt\nat = dt.utcnow()\n"),
        case(rules.one_clock, "sensord/daemon/loop.py", "import datetime\nat = datetime.datetime.now(None)\n"),
        case(rules.one_clock, "sensord/daemon/loop.py", "import datetime as d\ndef f(now=d.date.today): ...\n"),
        case(rules.one_clock, "sensord/store/lead.py", "import time\nat = time.time()\n"),
        case(rules.one_clock, "sensord/store/lead.py", "from time import time_ns as clock\nat = clock()\n"),
        case(rules.short_file, "sensord/daemon/loop.py", "x = 1\n" * (rules.LONGEST_FILE + 1)),
        case(rules.short_functions, "sensord/daemon/loop.py", f"def f():\n{LONG_BODY}"),
        case(rules.short_functions, "tests/test_loop.py", f"async def f():\n{LONG_BODY}"),
        case(rules.docstring, "sensord/daemon/loop.py", "import re\n"),
        case(rules.docstring, "tests/test_loop.py", "# a comment is none\nx = 1\n"),
        case(rules.reasoned_ignores, "sensord/daemon/loop.py", "x = 1  # noqa\n"),
        case(rules.reasoned_ignores, "sensord/daemon/loop.py", "x = 1  # noqa: E501\n"),
        case(rules.reasoned_ignores, "sensord/daemon/loop.py", "x = y  # type: ignore\n"),
        case(rules.reasoned_ignores, "sensord/daemon/loop.py", "x = y  # type: ignore[misc]\n"),
    ],
)
def test_a_rule_catches_what_it_forbids(rule: Rule, planted: Source) -> None:
    [violation] = rule(planted)

    assert violation.startswith(planted.path)


@pytest.mark.parametrize(
    ("rule", "innocent"),
    [
        case(rules.pure_core, "sensord/core/flow.py", "import re\nfrom collections.abc import Mapping\n"),
        case(rules.pure_core, "sensord/core/flow.py", "from ..errors import InvalidValue\nfrom .run import State\n"),
        case(rules.pure_core, "sensord/core/flow.py", "pattern = re.compile('x')\n"),
        case(rules.pure_core, "sensord/corelike.py", "import os\n"),
        case(rules.screen_in_cli, "sensord/cli/render.py", "import click\nfrom rich.table import Table\n"),
        case(rules.screen_in_cli, "sensord/__main__.py", "from sensord.cli.main import main\n"),
        case(rules.screen_in_cli, "sensord/daemon/loop.py", "import richer\n"),
        case(rules.one_clock, "sensord/clock.py", "from datetime import datetime\nat = datetime.now()\n"),
        case(rules.one_clock, "sensord/daemon/loop.py", "import time\nstart = time.monotonic()\n"),
        case(rules.one_clock, "sensord/daemon/loop.py", "def f(clock):\n    return clock.now()\n"),
        case(rules.short_file, "sensord/daemon/loop.py", "x = 1\n" * rules.LONGEST_FILE),
        case(rules.short_functions, "sensord/daemon/loop.py", f"def f():\n{LONG_BODY[:-10]}"),
        case(rules.docstring, "sensord/daemon/__init__.py", ""),
        case(rules.docstring, "sensord/daemon/loop.py", '"""The loop."""\nx = 1\n'),
        case(rules.reasoned_ignores, "sensord/daemon/loop.py", "x = 1  # noqa: E501 -- a URL\n"),
        case(rules.reasoned_ignores, "sensord/daemon/loop.py", "x = y  # type: ignore[misc]  # a callback of theirs\n"),
    ],
)
def test_a_rule_lets_the_innocent_pass(rule: Rule, innocent: Source) -> None:
    assert list(rule(innocent)) == []


STORE = Source("sensord/store/runs.py", '"""Runs."""\n')


@pytest.mark.parametrize(
    "texts",
    [
        {"executors/local": "from sensord.store import runs\n"},
        {"executors/local": "import sensord.store.runs\n"},
        {"executors/local": "def f():\n    from ..store.runs import Run\n"},
        {"executors/local": "from sensord import ledger\n", "ledger": "import sensord.store.runs\n"},
    ],
    ids=["from", "import", "relative", "by way of another"],
)
def test_an_executor_that_imports_the_store_is_caught(texts: dict[str, str]) -> None:
    sources = [STORE, *(Source(f"sensord/{name}.py", text) for name, text in texts.items())]

    [violation] = rules.executors_without_store(sources)

    assert violation.startswith(
        "sensord/executors/local.py: an executor imports the store: sensord.executors.local -> "
    )


def test_an_executor_that_imports_its_own_kind_is_not() -> None:
    base = Source("sensord/executors/base.py", "import signal\n")
    local = Source("sensord/executors/local.py", "from sensord.executors.base import Job\n")

    assert list(rules.executors_without_store([STORE, base, local])) == []
