"""`[schedule]`: which missed ticks are run."""

from datetime import timedelta

import pytest

from sensord.config import flow_from_body
from sensord.core.flow import Catchup, Flow
from tests.config.folder import RUN, SCHEDULE, Folder


def flow_with(folder: Folder, *lines: str) -> Flow:
    folder.flow("load", SCHEDULE, "\n".join([*lines, RUN]))
    return folder.loaded("load").flow


def test_without_any_all_missed_ticks_are_run(folder: Folder) -> None:
    flow = flow_with(folder)

    assert (flow.catchup, flow.catchup_limit, flow.late_limit) == (Catchup.ALL, None, timedelta(minutes=1))


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ('catchup = "latest"', "catchup", Catchup.LATEST),
        ('catchup = "none"', "catchup", Catchup.NONE),
        ("catchup_limit = 3", "catchup_limit", 3),
        ('catchup_limit = "1d12h"', "catchup_limit", timedelta(hours=36)),
        ('late_limit = "5m"', "late_limit", timedelta(minutes=5)),
        ('late_limit = "0s"', "late_limit", timedelta()),
    ],
)
def test_each_is_read_and_kept_in_the_definition(folder: Folder, line: str, key: str, value: object) -> None:
    plain, flow = flow_with(folder), flow_with(folder, line)
    loaded = folder.loaded("load")

    assert getattr(flow, key) == value
    assert flow != plain
    assert flow_from_body("load", loaded.body) == flow


def test_a_limit_of_ticks_is_not_one_of_seconds(folder: Folder) -> None:
    ticks = flow_with(folder, "catchup_limit = 60"), folder.loaded("load").digest
    seconds = flow_with(folder, 'catchup_limit = "60s"'), folder.loaded("load").digest

    assert ticks[0] != seconds[0]
    assert ticks[1] != seconds[1]


def test_they_leave_the_schedule_what_it_is(folder: Folder) -> None:
    flow_with(folder)
    plain = folder.loaded("load").schedule_digest
    flow_with(folder, 'catchup = "none"', "catchup_limit = 3", 'late_limit = "5m"')

    assert folder.loaded("load").schedule_digest == plain


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('catchup = "newest"', 'expected "all", "latest" or "none", got "newest"'),
        ("catchup = true", 'expected "all", "latest" or "none", got true'),
        ("catchup_limit = 0", 'expected a whole number from 1 to 10000, or a duration such as "3d", got 0'),
        ("catchup_limit = 10001", "expected a whole number from 1 to 10000"),
        ("catchup_limit = true", "expected a whole number from 1 to 10000"),
        ("catchup_limit = 1.5", "expected a whole number from 1 to 10000"),
        ('catchup_limit = "0s"', "expected a duration longer than zero, got none at all"),
        ('catchup_limit = "1mo"', "expected a duration of weeks, days, hours, minutes and seconds"),
        ('late_limit = "-1m"', "expected a duration of weeks, days, hours, minutes and seconds"),
        ("late_limit = 5", 'expected a duration such as "5m", got 5'),
    ],
)
def test_what_is_none_of_them_is_refused_in_its_place(folder: Folder, line: str, words: str) -> None:
    folder.flow("load", SCHEDULE, line + "\n", RUN)
    (problem,) = folder.load().problems

    assert (problem.file, problem.line, problem.column) == ("flows/load.toml", 3, line.index("=") + 3)
    assert words in problem.message
