"""Mapping modules in the config folder are edited while the daemon runs."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensord.config.modules import Modules

ALLOWED = ("edited_calendar",)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that has been imported and noted."""
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "edited_calendar.py"
    path.write_text("def days(date): return 1\n")
    importlib.import_module("edited_calendar")
    yield path
    sys.modules.pop("edited_calendar", None)


@pytest.fixture
def modules(file: Path) -> Modules:
    one = Modules(file.parent)
    one.note(ALLOWED)
    return one


def days() -> object:
    return importlib.import_module("edited_calendar").days(None)


def test_one_that_is_as_it_was_is_left_alone(modules: Modules) -> None:
    before = sys.modules["edited_calendar"]

    assert modules.renew(ALLOWED) == (False, [])
    assert sys.modules["edited_calendar"] is before


def test_one_that_was_edited_is_imported_anew(modules: Modules, file: Path) -> None:
    file.write_text("def days(date): return 22\n")

    assert modules.renew(ALLOWED) == (True, [])
    modules.note(ALLOWED)

    assert days() == 22
    assert modules.renew(ALLOWED) == (False, [])


def test_one_that_was_edited_within_a_second_and_is_as_long_is_imported_anew(modules: Modules, file: Path) -> None:
    """Python's own cache of compiled modules tells files by the second and the size alone."""
    written_at = file.stat().st_mtime_ns
    file.write_text("def days(date): return 2\n")
    os.utime(file, ns=(written_at, written_at // 1_000_000_000 * 1_000_000_000 + (written_at + 1) % 1_000_000_000))

    assert modules.renew(ALLOWED) == (True, [])
    assert days() == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\n\ndef days(date) return 3\n", 3, "expected ':'"),
        ("import nowhere_at_all\n", None, "ModuleNotFoundError"),
        ("raise SystemExit('no more')\n", None, "SystemExit"),
    ],
)
def test_a_broken_edit_is_told_until_it_is_mended_and_changes_nothing(
    modules: Modules, file: Path, text: str, line: int | None, words: str
) -> None:
    file.write_text(text)

    for _ in range(2):
        renewed, [problem] = modules.renew(ALLOWED)
        modules.note(ALLOWED)
        assert not renewed
        assert (problem.file, problem.line) == ("edited_calendar.py", line)
        assert words in problem.message
        assert days() == 1

    file.write_text("def days(date): return 4444\n")
    assert modules.renew(ALLOWED) == (True, [])
    assert days() == 4444


def test_one_that_is_gone_goes_on_and_is_told(modules: Modules, file: Path) -> None:
    file.unlink()

    _, [problem] = modules.renew(ALLOWED)

    assert "ModuleNotFoundError" in problem.message
    assert days() == 1


def test_modules_elsewhere_are_none_of_its_business(file: Path, tmp_path: Path) -> None:
    modules = Modules(tmp_path / "config")
    modules.note(ALLOWED)
    file.write_text("def days(date): return 22\n")

    assert modules.renew(ALLOWED) == (False, [])
    assert days() == 1
