"""Files that somebody made to do harm: they are refused in time, in words, and no other flow suffers.

How long it takes is held to a bound that is generous on a busy machine, and far below what each took without its limit.
"""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sensord.config import Config, source
from sensord.config.document import Document
from sensord.config.files import MOST_LINKED, FlowFile
from sensord.config.glance import glance
from sensord.config.reading import read_file
from sensord.errors import Problem
from tests.config.folder import PLAIN, Folder, sensor

IN_TIME = 20.0
"""Seconds; a tenth of it is usual."""

COMMAND = '[run]\ncommand = ["true"]\n'
FULL = 250_000
"""Characters: as much as a file may have."""


def fill(text: str) -> str:
    return text * (FULL // len(text))


HOSTILE: dict[str, tuple[str, str]] = {
    "a million sensors": (PLAIN + sensor() * 1_000_000, "at most 262,144 bytes, got"),
    "sensors": (PLAIN + fill('[[sensors]]\nupstream = "up"\n'), "at most 10,000 tables, lists and values"),
    "sensors on a line": ("sensors = [" + fill('{upstream="up"},') + "]\n" + PLAIN, "at most 10,000 tables"),
    "rather many sensors": (PLAIN + sensor() * 1_001, "at most 1,000 sensors, got 1,001"),
    "unknown keys": ("".join(f"k{number} = 1\n" for number in range(20_000)), "at most 10,000 tables"),
    "rather many unknown keys": ("".join(f"k{number} = 1\n" for number in range(9_000)), "expected a key of a flow"),
    "keys twice": (fill("k = 1\n"), "duplicate key"),
    "lists in lists": ("x = " + fill("["), "at most 32 tables and lists"),
    "closed lists in lists": ("x = " + "[" * 120_000 + "]" * 120_000, "at most 32 tables and lists"),
    "tables in tables": ("x = " + fill("{a="), "at most 32 tables and lists"),
    "dotted keys": (fill("a.") + "a = 1\n", "at most 32 tables and lists"),
    "a number without an end": (f"x = {fill('9')}\n", "a number of at most 64 bits"),
    "a cron without an end": (f'[schedule]\ncron = "{fill("* ")}"\n{COMMAND}', "expected 5 fields"),
    "a list of minutes without an end": (f'[schedule]\ncron = "{fill("60,")}0 * * * *"\n{COMMAND}', "minute field"),
    "a duration without an end": (PLAIN + sensor(f'offset = "{fill("1d")}"'), "expected each unit once"),
    "a template without an end": (PLAIN.replace("true", fill("{{ flow }}")), "at most 20,000 characters"),
    "brackets in a template": (PLAIN.replace("true", "{{ " + "(" * 9_000 + "x" + ")" * 9_000 + " }}"), "expected"),
    "a name without an end": (PLAIN + sensor(upstream=fill("a/")), "expected the name of a flow"),
    "ten megabytes": ("#" * 10_000_000, "at most 262,144 bytes, got 10,000,000"),
}


def load(folder: Folder) -> Config:
    """Beside a good flow, in time, and again when nothing has changed."""
    folder.flow("up")
    began = time.monotonic()
    config = folder.load(folder.load())
    assert time.monotonic() - began < IN_TIME
    assert "up" in config.flows
    return config


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_without_measure(folder: Folder, name: str) -> None:
    text, words = HOSTILE[name]
    folder.flow("bad", text)

    config = load(folder)

    assert list(config.flows) == ["up"]
    told = [str(problem) for problem in config.problems]
    assert any(words in one for one in told), told[:3]
    assert max(map(len, told)) < 1_000


def test_as_many_sensors_as_there_may_be(folder: Folder) -> None:
    folder.flow("mart", PLAIN, *(sensor("back = 1") for _ in range(1_000)))

    assert len(load(folder).flows["mart"].flow.sensors) == 1_000


def test_a_fault_of_ours_is_a_problem_of_the_one_file_that_met_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENSORD_DEBUG", raising=False)
    read = read_file

    def fail(found: FlowFile, flow: str | None = None) -> Document | Problem:
        if flow == "bad":
            raise RecursionError("too deep")
        return read(found, flow)

    monkeypatch.setattr(source, "read_file", fail)
    folder.flow("bad")

    (problem,) = load(folder).problems

    assert str(problem).startswith("flows/bad.toml: internal error: RecursionError: too deep")
    monkeypatch.setenv("SENSORD_DEBUG", "1")
    with pytest.raises(RecursionError):
        folder.load()


def test_sensors_of_templates_count_too(folder: Folder) -> None:
    folder.write("templates/many.toml", sensor() * 600)
    folder.flow("mart", 'extends = "templates/many"\n', PLAIN, sensor() * 600)

    (problem,) = load(folder).problems[:1]

    assert "at most 1,000 sensors, got 1,200" in problem.message


NAMES: dict[str, Callable[[Path], object]] = {
    "a newline": lambda flows: (flows / "a\nb.toml").write_text(PLAIN),
    "an escape": lambda flows: (flows / "\x1b[31mred.toml").write_text(PLAIN),
    "no UTF-8": lambda flows: (flows / b"\xff\xfe.toml".decode("utf-8", "surrogateescape")).write_text(PLAIN),
    "turned round": lambda flows: (flows / "a\u202elmot.toml").write_text(PLAIN),
    "as long as can be": lambda flows: (flows / ("x" * 250 + ".toml")).write_text(PLAIN),
    "a space": lambda flows: (flows / " .toml").write_text(PLAIN),
    "an option": lambda flows: (flows / "--help.toml").write_text(PLAIN),
    "a folder": lambda flows: (flows / "folder.toml").mkdir(),
    "a template": lambda flows: (flows / "{{ 7 * 7 }}.toml").write_text(PLAIN),
    "SQL": lambda flows: (flows / "'; DROP TABLE run; --.toml").write_text(PLAIN),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name(folder: Folder, name: str) -> None:
    NAMES[name](folder.path / "flows")

    config = load(folder)

    assert list(config.flows) == ["up"]
    assert len(config.problems) == (0 if name == "a folder" else 1)
    for problem in config.problems:
        assert "/" in str(problem)
        str(problem).encode()


def test_folders_deeper_than_any_name(folder: Folder) -> None:
    """One within the other by hand: no system makes such a path at once."""
    deep = folder.path / "flows"
    for _ in range(450):
        deep = deep / "a"
    deep.mkdir(parents=True)
    (deep / "lost.toml").write_text(PLAIN)

    config = load(folder)

    assert [problem.message for problem in config.problems] == [
        "expected at most 100 folders within one another, got more"
    ]
    assert len(glance(folder.path).folders) < 110


def test_a_link_to_the_whole_machine(folder: Folder) -> None:
    (folder.path / "flows" / "all").symlink_to("/")

    config = load(folder)

    (problem,) = config.problems
    assert problem.file == "flows/all"
    assert problem.message == f"expected a link to at most {MOST_LINKED:,} files and folders"
    assert config.holds("all/what-was-there")
    began = time.monotonic()
    glance(folder.path)
    assert time.monotonic() - began < IN_TIME


def test_a_link_to_a_folder_elsewhere_is_followed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "orders.toml").write_text(PLAIN)
    (folder.path / "flows" / "shared").symlink_to(tmp_path / "elsewhere")

    assert list(load(folder).flows) == ["shared/orders", "up"]


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/stdin", "/proc/self/mem", "/etc", "/nowhere", "self.toml"])
def test_a_link_to_what_is_no_file_of_ours(folder: Folder, target: str) -> None:
    (folder.path / "flows" / "self.toml").symlink_to(target)

    config = load(folder)

    assert list(config.flows) == ["up"]
