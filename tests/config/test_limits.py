"""`[run]`: how long a command may run, and how often it is tried."""

from datetime import timedelta

import pytest

from sensord.config import flow_from_body
from sensord.core.flow import Flow
from sensord.core.retry import Retry
from sensord.errors import ConfigError
from tests.config.folder import Folder

SCHEDULE = '[schedule]\ncron = "@daily"\n[run]\ncommand = ["true"]\n'


def flow_with(folder: Folder, *lines: str) -> Flow:
    folder.write("flows/load.toml", SCHEDULE + "\n".join(lines))
    return folder.loaded("load").flow


def problem_with(folder: Folder, *lines: str) -> str:
    folder.write("flows/load.toml", SCHEDULE + "\n".join(lines))
    (problem,) = folder.load().problems
    return str(problem)


def test_without_any_a_command_may_run_for_ever_and_is_tried_once(folder: Folder) -> None:
    flow = flow_with(folder)

    assert (flow.timeout, flow.retry) == (None, Retry(limit=0))


def test_limits_are_read(folder: Folder) -> None:
    flow = flow_with(
        folder, 'timeout = "1h30m"', 'grace = "0s"', "retries = 2", 'retry_delay = "5m"', "retry_backoff = 1.5"
    )

    assert (flow.timeout, flow.grace) == (timedelta(minutes=90), timedelta())
    assert flow.retry == Retry(2, timedelta(minutes=5), 1.5)


def test_a_day_is_24_hours_and_a_week_is_seven_of_them(folder: Folder) -> None:
    assert flow_with(folder, 'timeout = "1w1d1h"').timeout == timedelta(days=8, hours=1)


def test_a_stored_definition_keeps_its_limits(folder: Folder) -> None:
    folder.write(
        "flows/load.toml",
        SCHEDULE + 'timeout = "45m"\ngrace = "1m"\nretries = 2\nretry_delay = "1s"\nretry_backoff = 2',
    )
    loaded = folder.loaded("load")

    assert flow_from_body("load", loaded.body) == loaded.flow


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('timeout = "1mo"', "expected a duration of weeks, days, hours, minutes and seconds"),
        ('timeout = "-5m"', "expected a duration of weeks, days, hours, minutes and seconds"),
        ('timeout = "0s"', "expected a duration longer than zero"),
        ("timeout = 45", 'expected a duration such as "45m"'),
        ('retry_delay = "5"', "expected a duration"),
        ("retries = -1", "expected a whole number from 0 to 1000"),
        ("retries = 1.5", "expected a whole number from 0 to 1000"),
        ("retry_backoff = 0.5", "expected a number from 1 to 100"),
        ("retry_backoff = nan", "expected a number from 1 to 100"),
        ("retry_backoff = inf", "expected a number from 1 to 100"),
    ],
)
def test_what_is_no_limit_is_refused_in_its_place(folder: Folder, line: str, words: str) -> None:
    problem = problem_with(folder, line)

    assert problem.startswith("flows/load.toml:5:")
    assert words in problem


def test_retention_is_read_and_kept_in_the_definition(folder: Folder) -> None:
    folder.write("flows/load.toml", 'retention = "90d"\n' + SCHEDULE)
    loaded = folder.loaded("load")

    assert loaded.flow.retention == timedelta(days=90)
    assert flow_from_body("load", loaded.body) == loaded.flow
    assert flow_with(folder).retention is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"0s"', "expected a duration longer than zero"),
        ('"3mo"', "expected a duration of weeks, days, hours, minutes and seconds"),
        ("90", 'expected a duration such as "90d"'),
        ('"90"', "expected a duration"),
        ('"-90d"', "expected a duration of weeks"),
        ('"20000w"', "expected at most ten years"),
    ],
)
@pytest.mark.parametrize("file", ["flows/load.toml", "sensord.toml"])
def test_what_is_no_retention_is_refused_in_its_place(folder: Folder, file: str, value: str, words: str) -> None:
    folder.write("flows/load.toml", SCHEDULE)
    folder.write(file, f"retention = {value}\n" + (SCHEDULE if file != "sensord.toml" else ""))
    try:
        (problem,) = folder.load().problems
    except ConfigError as error:
        (problem,) = error.problems

    assert (problem.file, problem.line, problem.column) == (file, 1, 13)
    assert words in problem.message
