"""What can be wrong with a file as a file, its keys and the shapes of its values; meanings are in test_meanings."""

import pytest

from sensord.config import unsupported
from sensord.config.elsewhere import WORDS
from sensord.config.names import SETTINGS_FILE
from sensord.config.shape import TABLES
from tests.config.folder import PLAIN, RUN, SCHEDULE, Folder, sensor
from tests.config.problem_cases import Case, check

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

_ALL = "the keys are extends, description, owner, tags, retention, params, schedule, run, sensors"
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
    (
        PLAIN + '‸depends_on = ["a"]\n',
        "run.depends_on",
        "expected a key of [run], got `depends_on`",
        'here that is "upstream", below [[sensors]]',
    ),
    (
        PLAIN + sensor("‸interval = 3"),
        "sensors[0].interval",
        "expected a key of [[sensors]], got `interval`",
        f"the keys are {', '.join(TABLES['sensors'].model_fields)}",
    ),
    (
        SCHEDULE + '[run]\n‸cmd = ["true"]\n',
        "run.cmd",
        "expected a key of [run], got `cmd`",
        'here that is "command", below [run]',
    ),
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
        PLAIN + sensor('timeout = "2h"', 'on_timeout = ‸"wait"'),
        "sensors[0].on_timeout",
        'expected "fail", "skip" or "proceed", got "wait"',
        None,
    ),
    (
        PLAIN + sensor('‸on_timeout = "skip"'),
        "sensors[0].on_timeout",
        "expected a timeout beside it, got none: on_timeout says what happens when that is over",
        'such as timeout = "2h"',
    ),
    (PLAIN + sensor('timeout = ‸"0s"'), "sensors[0].timeout", 'expected a duration longer than zero, got "0s"', None),
    (PLAIN + sensor('timeout = ‸"-2h"'), "sensors[0].timeout", 'expected a duration longer than zero, got "-2h"', None),
    (
        PLAIN + sensor('timeout = ‸"2 hours"', 'on_timeout = "skip"'),
        "sensors[0].timeout",
        'expected a duration such as "1h30m" or "2d", got \'2 hours\'',
        'without spaces: "1h30m"',
    ),
    (
        PLAIN + sensor("timeout = ‸7200", 'on_timeout = "skip"'),
        "sensors[0].timeout",
        'expected a duration such as "45m", got 7200',
        None,
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


@pytest.mark.parametrize("case", [*SYNTAX, *SHAPES], ids=lambda case: repr(case[0])[:60])
def test_syntax_and_shapes(folder: Folder, case: Case) -> None:
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


def test_the_words_of_other_systems_lead_to_keys_that_there_are() -> None:
    for word, (table, key) in WORDS.items():
        assert key in TABLES[table].model_fields
        assert word not in TABLES[table].model_fields
