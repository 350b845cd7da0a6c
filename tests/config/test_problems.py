"""Everything that can be wrong in a flow's file: the words, and the place, which `‸` marks in the text."""

import pytest

from sensord.config import unsupported
from sensord.config.names import SETTINGS_FILE
from tests.config.folder import PLAIN, RUN, SCHEDULE, Folder, sensor

MARK = "‸"
Case = tuple[str, str | None, str, str | None]


def check(folder: Folder, case: Case) -> None:
    """The text has exactly one problem: the key, the message and the hint, at the mark."""
    text, key, message, hint = case
    before, marked, after = text.partition(MARK)
    place = (before.count("\n") + 1, len(before) - before.rfind("\n")) if marked else (None, None)
    problems = folder.problems(before + after)
    assert [(one.key, one.message, one.hint) for one in problems] == [(key, message, hint)]
    assert (problems[0].line, problems[0].column) == place
    assert (problems[0].file, problems[0].flow) == ("flows/mine.toml", "mine")


SYNTAX: list[Case] = [
    ("a = ‸\n", None, "expected TOML, got an error: string values must be quoted, expected literal string", None),
    (
        '"é" = "ä" ‸x\n',
        None,
        "expected TOML, got an error: unexpected key or value, expected newline, `#`",
        None,
    ),
    (
        "a = 1\n‸a = 2\n",
        None,
        "expected TOML, got an error: duplicate key",
        "each key, and each [table], may stand once; only [[sensors]] may be repeated",
    ),
    (
        "a = {‸\nb = 1}\n",
        None,
        "expected TOML, got an error: newlines are unsupported in inline tables, expected nothing",
        "write a [table] of its own, or all on one line",
    ),
    (
        "start = 0000-01-01\n",
        None,
        "expected dates and numbers within their range, got an error: year 0 is out of range",
        None,
    ),
    ("a = " + "[" * 32 + "‸[", None, "expected at most 32 tables and lists within one another, got more", None),
    (
        "a = [{b" + ".b" * 30 + "‸.b = 1}]",
        None,
        "expected at most 32 tables and lists within one another, got more",
        None,
    ),
]

_ALL = "the keys are extends, description, owner, tags, params, schedule, run, sensors"
KEYS: list[Case] = [
    (
        "‸x = 1\n" + PLAIN,
        "x",
        "expected a key of a flow, got `x`",
        _ALL,
    ),
    ("‸owners = 1\n" + PLAIN, "owners", "expected a key of a flow, got `owners`", 'did you mean "owner"?'),
    ('‸cron = "x"\n' + PLAIN, "cron", "expected a key of a flow, got `cron`", "it belongs to [schedule]"),
    (
        PLAIN + '‸timezone = "UTC"\n',
        "run.timezone",
        "expected a key of [run], got `timezone`",
        "it belongs to [schedule]",
    ),
    (
        PLAIN + '‸"max-active" = 3\n',
        "run.max-active",
        "expected a key of [run], got `max-active`",
        'did you mean "max_active"?',
    ),
    (PLAIN + "‸retry = 3\n", "run.retry", "expected a key of [run], got `retry`", 'did you mean "retries"?'),
    (PLAIN + "‸[notify]\na = 1\n", "notify", "expected a key of a flow, got `notify`", _ALL),
    (
        PLAIN + sensor("‸with_in = 3"),
        "sensors[0].with_in",
        "expected a key of [[sensors]], got `with_in`",
        'did you mean "within"?',
    ),
    (
        "‸database = 1\n" + PLAIN,
        "database",
        "expected a key of a flow, got `database`",
        "it belongs to sensord.toml",
    ),
]

MISPLACED: list[Case] = [  # nothing is said to be missing that is only misspelled or elsewhere
    (
        '‸[scedule]\ncron = "@daily"\n' + RUN,
        "scedule",
        "expected a key of a flow, got `scedule`",
        'did you mean "schedule"?',
    ),
    (
        '[schedule]\n‸crom = "@daily"\n' + RUN,
        "schedule.crom",
        "expected a key of [schedule], got `crom`",
        'did you mean "cron"?',
    ),
    ('‸command = ["a"]\n' + SCHEDULE, "command", "expected a key of a flow, got `command`", "it belongs to [run]"),
    (
        PLAIN + '[[sensors]]\n‸upstrem = "up"\n',
        "sensors[0].upstrem",
        "expected a key of [[sensors]], got `upstrem`",
        'did you mean "upstream"?',
    ),
]

SHAPES: list[Case] = [
    ("description = ‸3\n" + PLAIN, "description", "expected a text, got 3", None),
    ("description = ‸[]\n" + PLAIN, "description", "expected a text, got an empty list", None),
    ('tags = ‸"a"\n' + PLAIN, "tags", 'expected a list of texts, got "a"', 'write ["a"]'),
    ('tags = ["a", ‸1]\n' + PLAIN, "tags[1]", "expected a text, got 1", 'in quotes: "1"'),
    ("run = ‸3\n" + SCHEDULE, "run", "expected a table, got 3", None),
    (PLAIN + "shell = ‸1\n", "run.shell", "expected true or false, got 1", None),
    (PLAIN + 'shell = ‸"false"\n', "run.shell", 'expected true or false, got "false"', "without quotes: false"),
    (PLAIN + 'max_active = ‸"x"\n', "run.max_active", 'expected a whole number from 1 to 1000, got "x"', None),
    (
        PLAIN + 'max_active = ‸"5"\n',
        "run.max_active",
        'expected a whole number from 1 to 1000, got "5"',
        "without quotes: 5",
    ),
    (PLAIN + "max_active = ‸0\n", "run.max_active", "expected a whole number from 1 to 1000, got 0", None),
    (PLAIN + "max_active = ‸2.0\n", "run.max_active", "expected a whole number from 1 to 1000, got 2.0", None),
    (PLAIN + "priority = ‸true\n", "run.priority", "expected a whole number from -1000 to 1000, got true", None),
    (PLAIN + "priority = ‸1001\n", "run.priority", "expected a whole number from -1000 to 1000, got 1001", None),
    (PLAIN + "env.A = ‸1\n", "run.env.A", "expected a text, got 1", 'in quotes: "1"'),
    (PLAIN + 'env = ‸["A=1"]\n', "run.env", "expected a table of texts, got a list", None),
    (
        PLAIN + 'pass_env = ‸"HOME"\n',
        "run.pass_env",
        'expected a list of names of variables, got "HOME"',
        'write ["HOME"]',
    ),
    (
        PLAIN + "‸[sensors]\n",
        "sensors",
        "expected tables, each begun by [[sensors]], got a table",
        "with double brackets: [[sensors]]",
    ),
    ("sensors = [‸1]\n" + PLAIN, "sensors[0]", "expected a table, got 1", None),
    (
        PLAIN + sensor('on_failure = ‸"skipp"'),
        "sensors[0].on_failure",
        'expected "wait", "fail", "skip" or "proceed", got "skipp"',
        'did you mean "skip"?',
    ),
    (
        PLAIN + sensor('accept = ["success", ‸"Failed"]'),
        "sensors[0].accept[1]",
        'expected "success", "failed", "skipped" or "cancelled", got "Failed"',
        'did you mean "failed"?',
    ),
    (
        PLAIN + sensor('accept = ‸"success"'),
        "sensors[0].accept",
        'expected "finished", or a list of "success", "failed", "skipped", "cancelled", got "success"',
        'write ["success"]',
    ),
    (
        SCHEDULE + 'start = ‸"2025-01-01"\n' + RUN,
        "schedule.start",
        'expected a date, or a date with a time, without quotes, got "2025-01-01"',
        "such as 2025-01-31 or 2025-01-31T06:00:00",
    ),
    (
        SCHEDULE + "end = ‸06:00:00\n" + RUN,
        "schedule.end",
        "expected a date, or a date with a time, without quotes, got 06:00:00",
        "such as 2025-01-31 or 2025-01-31T06:00:00",
    ),
    (
        'description = ‸"a\\u0000b"\n' + PLAIN,
        "description",
        'expected a text without the character NUL, got "a␀b"',
        None,
    ),
    (
        PLAIN + "priority = ‸9223372036854775808\n",
        "run.priority",
        "expected a number of at most 64 bits, got a larger one",
        None,
    ),
    (
        PLAIN + "priority = ‸0x" + "f" * 4000 + "\n",
        "run.priority",
        "expected a number of at most 64 bits, got a larger one",
        None,
    ),
]

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
    (SCHEDULE.replace('"0', '‸"61') + RUN, "schedule.cron", "minute field: expected 0 to 59, got '61'", None),
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


@pytest.mark.parametrize("case", [*SYNTAX, *SHAPES], ids=lambda case: repr(case[0])[:60])
def test_syntax_and_shapes(folder: Folder, case: Case) -> None:
    check(folder, case)


@pytest.mark.parametrize("case", [*SCHEDULES, *COMMANDS, *SENSORS], ids=lambda case: repr(case[0])[:60])
def test_meanings(folder: Folder, case: Case) -> None:
    check(folder, case)


@pytest.mark.parametrize("case", [*KEYS, *MISPLACED], ids=lambda case: repr(case[0])[:60])
def test_unknown_keys(folder: Folder, case: Case) -> None:
    check(folder, case)


@pytest.mark.parametrize(
    ("table", "key"),
    [(table, key) for table, keys in unsupported.KEYS.items() if table != SETTINGS_FILE for key in sorted(keys)],
)
def test_what_is_not_supported_yet_is_refused_by_name(folder: Folder, table: str, key: str) -> None:
    text = {"": f"‸{key} = 1\n{PLAIN}", "schedule": f"{SCHEDULE}‸{key} = 1\n{RUN}", "run": f"{PLAIN}‸{key} = 1\n"}
    path = {"": key, "sensors": f"sensors[0].{key}"}.get(table, f"{table}.{key}")
    message = f"`{key}` is not supported by this version of sensord"
    check(folder, (text.get(table) or PLAIN + sensor(f"‸{key} = 1"), path, message, None))


def test_all_problems_of_a_file_are_said_at_once_in_order(folder: Folder) -> None:
    text = """description = 3
[schedule]
cron = "61 * * * *"
timezone = "Mars"
[run]
command = "load"
queue = 2
[[sensors]]
upstream = "nowhere"
match = "sam"
[[sensors]]
upstream = "up"
on_skipped = "no"
"""
    keys = [(one.line, one.key) for one in folder.problems(text)]
    assert keys == [
        (1, "description"),
        (3, "schedule.cron"),
        (4, "schedule.timezone"),
        (6, "run.command"),
        (7, "run.queue"),
        (9, "sensors[0].upstream"),
        (10, "sensors[0].match"),
        (13, "sensors[1].on_skipped"),
    ]


def test_a_problem_reads_as_one_line(folder: Folder) -> None:
    (problem,) = folder.problems(PLAIN, 'priority = "x"\n')
    assert str(problem) == ('flows/mine.toml:5:12: run.priority: expected a whole number from -1000 to 1000, got "x"')
