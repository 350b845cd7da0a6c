"""Flows as tables, for properties: every key, in combinations that go together."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
WORD = TEXT.filter(lambda text: "{{" not in text and "{%" not in text)
FILLED_IN = st.sampled_from(
    ["{{ flow }}", "--at={{ logical_date | plus('-1d') | date('%F') }}", "{{ run_id }} {{ attempt }}"]
)
ZONES = ["UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"]
NAMES = ["mine", "up", "other/up"]
UNITS = ["hour", "day", "week", "month", "quarter", "year"]
DURATIONS = ["1d", "2w", "90m", "1h30m", "6d1s", "1mo", "1y", "24h"]
_FROM, _TO = datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2100-01-01")
INSTANTS = st.one_of(
    st.dates(_FROM.date(), _TO.date()),
    st.datetimes(_FROM, _TO).map(lambda at: at.replace(microsecond=0)),
    st.datetimes(_FROM, _TO).map(lambda at: at.replace(tzinfo=UTC)),
    st.datetimes(_FROM, _TO).map(lambda at: at.replace(microsecond=0, tzinfo=timezone(timedelta(hours=5, minutes=30)))),
)
POLICIES = st.sampled_from(["wait", "fail", "skip", "proceed"])
STATES = st.lists(st.sampled_from(["success", "failed", "skipped", "cancelled"]), min_size=1, unique=True)

CATCHUPS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "catchup": st.sampled_from(["all", "latest", "none"]),
        "catchup_limit": st.integers(1, 10_000) | st.sampled_from(["90m", "3d", "2w"]),
        "late_limit": st.sampled_from(["0s", "1m", "60s", "1h30m"]),
    },
)
RULES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {"cron": st.sampled_from(["@daily", "0 2 * * *", "0  2 * *\t* ", "*/5 * * * *", "0 0 L * *", "0 9 * * 1#1"])},
        optional={"timezone": st.sampled_from(ZONES), "seconds": st.just(False), "start": INSTANTS},
    ),
    st.fixed_dictionaries({"cron": st.sampled_from(["0 2 * * * 30", "@hourly"]), "seconds": st.just(True)}),
    st.fixed_dictionaries(
        {"every": st.sampled_from(["90m", "2w", "1mo", "1y", "1h30m"]), "start": INSTANTS},
        optional={"timezone": st.sampled_from(ZONES)},
    ),
    st.fixed_dictionaries(
        {"follow": st.sampled_from(["up", "other/up"])}, optional={"first": st.sampled_from(["last", "next"])}
    ),
)
SCHEDULES = st.builds(lambda rule, catchup: rule | catchup, RULES, CATCHUPS)
RUNS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"command": st.lists(WORD | FILLED_IN, max_size=3).map(lambda words: ["run", *words])}),
    st.fixed_dictionaries({"command": WORD.filter(str.strip) | FILLED_IN, "shell": st.just(True)}),
).flatmap(
    lambda command: st.fixed_dictionaries(
        {key: st.just(value) for key, value in command.items()},
        optional={
            "env": st.dictionaries(st.sampled_from(["A", "B_2", "_c"]), WORD | FILLED_IN),
            "pass_env": st.lists(st.sampled_from(["TOKEN", "LANG"])),
            "cwd": st.sampled_from([".", "jobs", "/srv"]),
            "max_active": st.integers(1, 1000),
            "priority": st.integers(-1000, 1000),
        },
    )
)
_ANCHORED = {"align": st.sampled_from([*UNITS, "upstream"]), "offset": st.sampled_from([*DURATIONS, "-1d", "-6d1s"])}
MAPPINGS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({}, optional={"match": st.just("same"), **_ANCHORED}),
    st.fixed_dictionaries({}, optional={"strict": st.booleans(), "count": st.integers(1, 9), **_ANCHORED}),
    st.fixed_dictionaries({"match": st.sampled_from(["interval", "overlap"]), "back": st.integers(0, 9)}),
    st.fixed_dictionaries({"match": st.just("interval"), "within": st.sampled_from(DURATIONS)}, optional=_ANCHORED),
    st.fixed_dictionaries(
        {"match": st.just("interval"), "since": st.sampled_from(UNITS) | INSTANTS},
        optional={"closed": st.sampled_from(["left", "right", "both"])},
    ),
    st.just({"match": "interval", "since": "week", "week_start": "sunday"}),
    st.just({"match": "python:tests.config.calendars:same"}),
)
SENSORS: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda mapping, others, deadline: mapping | others | deadline,
    MAPPINGS,
    st.fixed_dictionaries(
        {"upstream": st.sampled_from(NAMES)},
        optional={
            "require": st.sampled_from(["all", "any"]) | st.integers(1, 20),
            "accept": STATES | st.just("finished"),
            "on_failure": POLICIES,
            "on_skipped": POLICIES,
            "on_missing": POLICIES,
        },
    ),
    st.just({})
    | st.fixed_dictionaries(
        {"timeout": st.sampled_from(DURATIONS)}, optional={"on_timeout": st.sampled_from(["fail", "skip", "proceed"])}
    ),
)
FLOWS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"schedule": SCHEDULES, "run": RUNS},
    optional={
        "description": TEXT,
        "owner": TEXT,
        "tags": st.lists(TEXT, max_size=3),
        "retention": st.sampled_from(["30d", "2w", "1h"]),
        "sensors": st.lists(SENSORS, max_size=3),
    },
)
