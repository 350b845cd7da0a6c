"""sensord.toml: defaults, paths, the URL, and what is refused."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from sensord.config import Settings, load_settings, unsupported
from sensord.config.names import SETTINGS_FILE
from sensord.errors import ConfigError, Problem
from tests.config.folder import Folder


def refuse(folder: Folder, text: str | bytes) -> list[Problem]:
    folder.write("sensord.toml", text)
    folder.flow("good")
    with pytest.raises(ConfigError) as caught:
        folder.load()
    return caught.value.problems


def test_without_a_file_the_defaults_hold(folder: Folder) -> None:
    state = folder.path.parent / ".sensord"
    slots = 4 * (os.cpu_count() or 1)
    url, minutes = f"sqlite://{state}/sensord.db", timedelta(minutes=10)
    assert folder.load().settings == Settings(url, state, "full", slots, (), "events", None, minutes)


def test_all_keys(folder: Folder) -> None:
    text = """database = "postgresql://me@host/db"
state = "state"
durability = "normal"
slots = 7
mapping_modules = ["a", "b.c"]
watch = "poll"
retention = "90d"
retire_after = "0s"
lost_after = "1h"
"""
    folder.write("sensord.toml", text)
    state = folder.path / "state"
    url, modules, days, hour = "postgresql://me@host/db", ("a", "b.c"), timedelta(days=90), timedelta(hours=1)
    settings = Settings(url, state, "normal", 7, modules, "poll", days, timedelta(), lost_after=hour)
    assert folder.load().settings == settings


@pytest.mark.parametrize("wrong", ['"0s"', '"59s"', '"1mo"', '"-1h"', "60"])
def test_a_host_is_given_a_minute_at_least(folder: Folder, wrong: str) -> None:
    [problem] = refuse(folder, f"lost_after = {wrong}\n")
    assert (problem.key, problem.line, problem.column) == ("lost_after", 1, 14)


def test_the_database_lies_in_the_state_folder(folder: Folder) -> None:
    folder.write("sensord.toml", 'state = "../there"\n')
    assert folder.load().settings.database_url == f"sqlite://{folder.path.parent}/there/sensord.db"


def test_the_state_folder_lies_beside_the_link_not_beside_its_target(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    link = tmp_path / "at/current"
    link.symlink_to(folder.path)
    assert load_settings(link).state == tmp_path / "at/.sensord"


def test_a_config_folder_may_be_relative(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    assert load_settings(Path()).state == folder.path.parent / ".sensord"


def test_the_url_may_stand_in_a_file_of_its_own(folder: Folder) -> None:
    folder.write("secret/url", "postgresql://me:pw@host/db\n")
    folder.write("sensord.toml", 'database_file = "secret/url"\n')
    assert folder.load().settings.database_url == "postgresql://me:pw@host/db"


_URL_HINT = "write sqlite:///absolute/path or postgresql://user@host/database"


@pytest.mark.parametrize(
    ("text", "line", "column", "key", "message", "hint"),
    [
        ("slot = 3", 1, 1, "slot", "expected a key of sensord.toml, got `slot`", 'did you mean "slots"?'),
        ("\nslots = 0", 2, 9, "slots", "expected a whole number from 1 to 10000, got 0", None),
        ('durability = "ful"', 1, 14, "durability", 'expected "full" or "normal", got "ful"', 'did you mean "full"?'),
        (
            'mapping_modules = ["a", "b-c"]',
            1,
            25,
            "mapping_modules[1]",
            'expected the name of a module, got "b-c"',
            None,
        ),
        (
            'mapping_modules = "a"',
            1,
            19,
            "mapping_modules",
            'expected a list of names of modules, got "a"',
            'write ["a"]',
        ),
        ('state = ""', 1, 9, "state", "expected the path of a folder, got an empty text", None),
        ('database = ""', 1, 12, "database", "expected the URL of a database, got an empty text", _URL_HINT),
        (
            'database = "mysql://u:pw@h/d"',
            1,
            12,
            "database",
            "expected the URL of a database, got mysql:...",
            _URL_HINT,
        ),
        (
            'database = "me"',
            1,
            12,
            "database",
            "expected the URL of a database, got a text without a scheme",
            _URL_HINT,
        ),
        ('database = "u:pw@h/d"', 1, 12, "database", "expected the URL of a database, got u:...", _URL_HINT),
        ('database = "sqlite:x"', 1, 12, "database", "expected the URL of a database, got sqlite:...", _URL_HINT),
        (
            'database_file = "no"',
            1,
            17,
            "database_file",
            'expected a file that can be read, got "no": No such file or directory',
            None,
        ),
        (
            'database_file = "flows"',
            1,
            17,
            "database_file",
            'expected a file that can be read, got "flows": Is a directory',
            None,
        ),
        ('cron = "x"', 1, 1, "cron", "expected a key of sensord.toml, got `cron`", "it belongs to [schedule]"),
        (
            "a = ",
            1,
            5,
            None,
            "expected TOML, got an error: string values must be quoted, expected literal string",
            None,
        ),
    ],
)
def test_what_is_wrong_stops_everything(
    folder: Folder, text: str, line: int, column: int, key: str | None, message: str, hint: str | None
) -> None:
    assert refuse(folder, text) == [Problem(message, hint, "sensord.toml", line, column, None, key)]


def test_a_password_is_never_repeated(folder: Folder) -> None:
    (problem,) = refuse(folder, 'database = "postgres//me:secret@host/db"')
    assert "secret" not in str(problem)
    folder.write("url", "me:secret@host")
    (problem,) = refuse(folder, 'database_file = "url"')
    assert str(problem) == (
        "sensord.toml:1:17: database_file: expected the URL of a database in the file, got me:... "
        "(write sqlite:///absolute/path or postgresql://user@host/database)"
    )


def test_all_problems_at_once_in_order(folder: Folder) -> None:
    problems = refuse(folder, 'slots = "x"\nstate = 3\ndatabase = "x"\ndatabase_file = "y"\npools = 1\n')
    assert [one.key for one in problems] == ["slots", "state", "database", "database_file", "pools"]


@pytest.mark.parametrize("key", sorted(unsupported.KEYS[SETTINGS_FILE]))
def test_what_is_not_supported_yet_is_refused_by_name(folder: Folder, key: str) -> None:
    (problem,) = refuse(folder, f"{key} = 1")
    assert problem.message == f"`{key}` is not supported by this version of sensord"


def test_a_file_that_cannot_be_read(folder: Folder) -> None:
    assert refuse(folder, b"\xff")[0].message == "expected UTF-8, got the byte 0xff"
    (folder.path / "sensord.toml").unlink()
    os.mkfifo(folder.path / "sensord.toml")
    with pytest.raises(ConfigError, match="expected a regular file, got a pipe"):
        folder.load()
    (folder.path / "sensord.toml").unlink()
    (folder.path / "sensord.toml").mkdir()
    with pytest.raises(ConfigError, match="expected a file that can be read, got: Is a directory"):
        folder.load()
