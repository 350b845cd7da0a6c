"""A flow merged, key by key, with the file that says so."""

from datetime import date

import pytest

from sensord.config.resolved import Resolved, resolved
from sensord.errors import ConfigError, NotFound
from tests.config.folder import PLAIN, RUN, SCHEDULE, Folder, sensor


def test_each_value_has_its_file_and_place(folder: Folder) -> None:
    folder.flow("x/defaults", 'owner = "d"\ntags = ["d"]\n', SCHEDULE, "start = 2026-01-01\n", sensor(upstream="a"))
    folder.write("templates/base.toml", 'tags = ["t", "u"]\n[run]\nshell = true\ncommand = "x"\nenv = {"A B" = "t"}\n')
    folder.flow("x/mine", 'extends = "templates/base"\n', RUN, sensor("count = 2"))
    below, base, own = "flows/x/defaults.toml", "templates/base.toml", "flows/x/mine.toml"
    assert sorted(resolved(folder.path, "x/mine")) == [
        Resolved("extends", "templates/base", own, 1, 11),
        Resolved("owner", "d", below, 1, 9),
        Resolved("run.command", ["true"], own, 3, 11),
        Resolved('run.env."A B"', "t", base, 5, 16),
        Resolved("schedule.cron", "0 * * * *", below, 4, 8),
        Resolved("schedule.start", date(2026, 1, 1), below, 5, 9),
        Resolved("sensors[0].upstream", "a", below, 7, 12),
        Resolved("sensors[1].count", 2, own, 6, 9),
        Resolved("sensors[1].upstream", "up", own, 5, 12),
        Resolved("tags", ["t", "u"], base, 1, 8),
    ]


def test_a_flow_by_itself(folder: Folder) -> None:
    folder.flow("mine")
    assert [(one.key, one.value, one.file) for one in resolved(folder.path, "mine")] == [
        ("schedule.cron", "0 * * * *", "flows/mine.toml"),
        ("run.command", ["true"], "flows/mine.toml"),
    ]


def test_what_makes_no_sense_is_shown_all_the_same(folder: Folder) -> None:
    folder.flow("mine", '[schedule]\ncron = "61 * * * *"\n')
    assert [one.value for one in resolved(folder.path, "mine")] == ["61 * * * *"]


def test_an_unknown_flow_is_not_found(folder: Folder) -> None:
    folder.flow("mart/mine")
    with pytest.raises(NotFound, match='expected the name of a flow, got "mine"') as caught:
        resolved(folder.path, "mine")
    assert caught.value.hint == 'did you mean "mart/mine"?'


def test_all_that_is_not_of_its_shape_is_told(folder: Folder) -> None:
    folder.flow("defaults", "owner = 3\n")
    folder.flow("mine", 'extends = "templates/gone"\ntags = 3\n', PLAIN)
    with pytest.raises(ConfigError) as caught:
        resolved(folder.path, "mine")
    assert [(one.file, one.key) for one in caught.value.problems] == [
        ("flows/mine.toml", "tags"),
        ("flows/mine.toml", "extends"),
        ("flows/defaults.toml", "owner"),
    ]


def test_a_file_that_is_no_toml_is_told(folder: Folder) -> None:
    folder.flow("mine", "a =")
    with pytest.raises(ConfigError, match=r"^flows/mine.toml:1:4: expected TOML"):
        resolved(folder.path, "mine")
