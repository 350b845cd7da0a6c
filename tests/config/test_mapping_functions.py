"""Importing mapping functions: only what is allowed, only what can be called, and every refusal with its reason."""

import sys
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sensord.config.mapping_functions import load_function
from sensord.core.cron import parse_cron
from sensord.core.mapping import Mapping, Match, resolve
from sensord.core.schedule import Schedule
from sensord.errors import InvalidValue
from tests.core.mapping.timelines import at, days

SOURCE = """
from datetime import datetime, timedelta

class Calendar:
    def __call__(self, date):
        return [date]

def plain(date):
    return [date - timedelta(days=1)]

def asking(date, context):
    return [context.upstream.prev(date)]

def asking_by_name(date, *, context=None):
    return [context.previous_tick]

def generating(date):
    yield date

def none_at_all():
    return []

def two(date, other):
    return []

async def late(date):
    return []

async def later(date):
    yield date

whole = Calendar()
number = 5
built_in = datetime.fromisoformat
without_signature = min
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`acme.calendars`, `acme.broken`, `acme.leaving` and `acmeville`, importable for one test."""
    package = tmp_path / "acme"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "calendars.py").write_text(SOURCE)
    (package / "broken.py").write_text("import acme_has_no_such_module\n")
    (package / "leaving.py").write_text("raise SystemExit('bye')\n")
    (tmp_path / "acmeville.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in ("acme", "acmeville")]:
        del sys.modules[name]


def dates(name: str) -> tuple[object, ...]:
    """What the loaded function maps 3 June to, daily on daily."""
    daily = Schedule(parse_cron("0 0 * * *", ZoneInfo("UTC")), ZoneInfo("UTC"))
    mapping = Mapping(Match.PYTHON, function=load_function(name, ["acme"]))
    resolution = resolve(mapping, "all", at("2025-06-03"), daily, daily)
    assert resolution.problem is None, resolution.problem
    return resolution.dates


def refuse(name: str, allowed: list[str]) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        load_function(name, allowed)
    return caught.value


class TestAllowed:
    @pytest.mark.parametrize("allowed", [["acme"], ["acme.calendars"], ["other", "acme"]])
    def test_is_a_module_of_that_name_and_all_below_it(self, allowed: list[str]) -> None:
        assert load_function("acme.calendars:plain", allowed).name == "acme.calendars:plain"

    @pytest.mark.parametrize("name", ["acmeville:plain", "os:system", "acme:plain"])
    def test_is_nothing_else_and_nothing_else_is_imported(self, name: str) -> None:
        error = refuse(name, ["acme.calendars"])

        assert error.message.startswith("expected a module that mapping_modules allows (acme.calendars), got ")
        assert error.hint == f'add "{name.partition(":")[0]}" to mapping_modules in sensord.toml'
        assert "acme" not in sys.modules
        assert "acmeville" not in sys.modules

    def test_is_nothing_without_the_setting(self) -> None:
        assert "mapping_modules allows (none)" in refuse("acme.calendars:plain", []).message


class TestShapes:
    def test_one_argument(self) -> None:
        assert dates("acme.calendars:plain") == days("2025-06-02")

    def test_a_context_beside_it(self) -> None:
        assert dates("acme.calendars:asking") == days("2025-06-02")
        assert dates("acme.calendars:asking_by_name") == days("2025-06-02")

    def test_a_generator_and_a_callable_object(self) -> None:
        assert dates("acme.calendars:generating") == days("2025-06-03")
        assert dates("acme.calendars:whole") == days("2025-06-03")

    def test_a_built_in_without_a_signature_is_given_the_one_argument(self) -> None:
        assert load_function("acme.calendars:without_signature", ["acme"]).name == "acme.calendars:without_signature"


class TestRefused:
    def test_a_module_that_is_not_found_says_where_it_was_looked_for(self) -> None:
        nowhere = "Python looks for it where sensord is installed, and in the folders that PYTHONPATH names"
        assert refuse("acme.nowhere:f", ["acme"]).hint == nowhere
        assert refuse("acme_not_there:f", ["acme_not_there"]).hint == nowhere
        assert refuse("acme.broken:f", ["acme"]).hint is None  # it was found; what it imports was not

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("acme.calendars:missing", "expected a function missing in acme.calendars, got none of that name"),
            ("acme.nowhere:f", "expected acme.nowhere to import, got ModuleNotFoundError"),
            ("acme.broken:f", "expected acme.broken to import, got ModuleNotFoundError: No module named 'acme_has_no"),
            ("acme.leaving:f", "expected acme.leaving to import, got SystemExit: bye"),
            ("acme.calendars:number", "expected acme.calendars:number to be a function, got int"),
            ("acme.calendars:none_at_all", "expected acme.calendars:none_at_all to accept one argument"),
            ("acme.calendars:two", "expected acme.calendars:two to accept one argument"),
            ("acme.calendars:late", "expected acme.calendars:late to be a plain function, got an async one"),
            ("acme.calendars:later", "expected acme.calendars:later to be a plain function, got an async one"),
        ],
    )
    def test_with_its_reason(self, name: str, message: str) -> None:
        assert refuse(name, ["acme"]).message.startswith(message)
