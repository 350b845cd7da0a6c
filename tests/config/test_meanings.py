"""What can be wrong with the meaning of values that are right in shape: schedules, commands, sensors."""

import pytest

from tests.config.folder import PLAIN, RUN, SCHEDULE, Folder, sensor
from tests.config.problem_cases import Case, check

SCHEDULES: list[Case] = [
    (
        "‸[schedule]\n" + RUN,
        "schedule.cron",
        "expected one of cron, every and follow, got none",
        'such as cron = "@daily"',
    ),
    (
        "‸" + RUN,
        "schedule.cron",
        "expected one of cron, every and follow, got none",
        'such as cron = "@daily"',
    ),
    (
        SCHEDULE + '‸follow = "up"\n' + RUN,
        "schedule.follow",
        "expected one of cron, every and follow, got cron and follow",
        None,
    ),
    (SCHEDULE.replace('"0', '"‸61') + RUN, "schedule.cron", "minute field: expected 0 to 59, got '61'", None),
    (
        SCHEDULE + 'timezone = ‸"Europe/Amsterdm"\n' + RUN,
        "schedule.timezone",
        "expected a time zone such as Europe/Amsterdam, got 'Europe/Amsterdm'",
        'did you mean "Europe/Amsterdam"?',
    ),
    (
        '‸[schedule]\nevery = "90m"\n' + RUN,
        "schedule.start",
        "expected a start with every, got none",
        "ticks are counted from it: start = 2025-01-01T06:00:00",
    ),
    (
        '[schedule]\nevery = ‸"0m"\nstart = 2025-01-01\n' + RUN,
        "schedule.every",
        "expected a duration longer than zero, got '0m'",
        None,
    ),
    (
        '[schedule]\nevery = "1d"\nstart = 2025-01-01\n‸seconds = true\n' + RUN,
        "schedule.seconds",
        "expected seconds only with cron, got it with every",
        None,
    ),
    (
        '[schedule]\nfollow = "up"\n‸timezone = "UTC"\n' + RUN,
        "schedule.timezone",
        "expected no timezone with follow, got one",
        'the zone is that of "up"',
    ),
    (
        SCHEDULE + 'start = 2025-01-01\n‸first = "next"\n' + RUN,
        "schedule.first",
        "expected first only without a start, got both",
        "a flow with a start begins there",
    ),
    (
        SCHEDULE + "start = 2025-01-02\nend = ‸2025-01-01T06:00:00\n" + RUN,
        "schedule.end",
        "expected an end at or after the start, 2025-01-02T00:00:00Z, got 2025-01-01T06:00:00Z",
        None,
    ),
    (
        SCHEDULE + "end = ‸9999-12-31T23:59:59-23:59\n" + RUN,
        "schedule.end",
        "expected an instant within the years 1 to 9999, got 9999-12-31T23:59:59-23:59",
        None,
    ),
]

COMMANDS: list[Case] = [
    (
        SCHEDULE + "‸[run]\n",
        "run.command",
        "expected a command, got none",
        'such as command = ["python", "-m", "load"]',
    ),
    ("‸" + SCHEDULE, "run.command", "expected a command, got none", 'such as command = ["python", "-m", "load"]'),
    (
        SCHEDULE + "[run]\ncommand = ‸[]\n",
        "run.command",
        "expected a list that begins with a program, got an empty list",
        None,
    ),
    (
        SCHEDULE + '[run]\ncommand = ‸[""]\n',
        "run.command",
        "expected a list that begins with a program, got an empty text",
        None,
    ),
    (SCHEDULE + '[run]\ncommand = ["a", ‸3]\n', "run.command[1]", "expected a text, got 3", 'in quotes: "3"'),
    (
        SCHEDULE + "[run]\ncommand = ‸{}\n",
        "run.command",
        "expected a list of texts, or one text with shell = true, got a table",
        None,
    ),
    (
        SCHEDULE + "[run]\ncommand = ‸\"load 'a b'\"\n",
        "run.command",
        "expected a list of texts, got one text",
        'write ["load", "a b"], or add shell = true',
    ),
    (
        SCHEDULE + '[run]\ncommand = ‸"load > log"\n',
        "run.command",
        "expected a list of texts, got one text",
        "add shell = true",
    ),
    (
        SCHEDULE + '[run]\ncommand = ‸"it\'s"\n',
        "run.command",
        "expected a list of texts, got one text",
        "add shell = true",
    ),
    (
        SCHEDULE + '[run]\nshell = true\ncommand = ‸["a"]\n',
        "run.command",
        "expected one text, since shell = true, got a list",
        "write it as one text, or leave shell out",
    ),
    (
        SCHEDULE + '[run]\nshell = true\ncommand = ‸" "\n',
        "run.command",
        "expected a command for the shell, got an empty text",
        None,
    ),
    (
        PLAIN + '[run.env]\n‸"A B" = "x"\n',
        'run.env."A B"',
        'expected the name of a variable, got "A B"',
        "letters, digits and _, with no digit first",
    ),
    (
        PLAIN + 'pass_env = ["HOME", ‸"sensord_db"]\n',
        "run.pass_env[1]",
        'expected a name that does not start with SENSORD_, got "sensord_db"',
        "these are given by sensord itself",
    ),
    (
        PLAIN + 'cwd = ‸""\n',
        "run.cwd",
        "expected the path of a folder, got an empty text",
        'the config folder is "."',
    ),
]

SENSORS: list[Case] = [
    (
        PLAIN + '‸[[sensors]]\nmatch = "same"\n',
        "sensors[0].upstream",
        "expected an upstream, got none",
        'such as upstream = "ingest/orders"',
    ),
    (
        PLAIN + sensor() + sensor('match = ‸"lates"'),
        "sensors[1].match",
        'expected one of same, latest, next, interval, overlap, python:module:function, got "lates"',
        'did you mean "latest"?',
    ),
    (
        PLAIN + sensor("require = ‸0"),
        "sensors[0].require",
        'expected "all", "any" or a number from 1, got 0',
        'require = "any" is 1 of them',
    ),
    (
        PLAIN + sensor('require = ‸"al"'),
        "sensors[0].require",
        'expected "all", "any" or a number from 1, got "al"',
        'did you mean "all"?',
    ),
    (PLAIN + sensor("accept = ‸[]"), "sensors[0].accept", "expected at least one state, got an empty list", None),
    (
        PLAIN + sensor("offset = ‸3"),
        "sensors[0].offset",
        'expected a duration such as "1h30m" or "2d", got the bare number 3',
        'add a unit: "3s", "3m"',
    ),
    (
        PLAIN + sensor('match = ‸"python:os:getcwd"'),
        "sensors[0].match",
        "expected a module that mapping_modules allows (none), got os",
        'add "os" to mapping_modules in sensord.toml',
    ),
]


@pytest.mark.parametrize("case", [*SCHEDULES, *COMMANDS, *SENSORS], ids=lambda case: repr(case[0])[:60])
def test_meanings(folder: Folder, case: Case) -> None:
    check(folder, case)
