"""`sensord check`: what it finds in the files, and how it says so."""

import json
from typing import Any

import pytest

from tests.cli.program import Program, write
from tests.daemon.world import DAILY, HOURLY, on


def test_check_of_good_files(on_files: Program) -> None:
    write(on_files, "orders", HOURLY)
    write(on_files, "mart/sales", HOURLY, on("orders"))
    said = on_files("check")
    assert (said.out, said.err, said.code) == ("", "no errors, 2 flows fit to run\n", 0)
    assert on_files("check", "--json").json == {
        "ok": True,
        "flows": 2,
        "from": "2026-11-22T10:30:00Z",
        "until": "2028-11-22T10:30:00Z",
        "problems": [],
        "findings": [],
    }


def test_check_shows_each_problem_where_it_stands(on_files: Program) -> None:
    write(on_files, "orders", HOURLY)
    write(on_files, "bad", '[schedule]\n  cron = "0 2 * *"\n[run]\ncommand = "true"\n')
    folder = on_files.folder
    said = on_files("check")
    assert said.code == 1
    assert said.lines == [
        f"{folder}/flows/bad.toml:2:10: error: schedule.cron:"
        " expected 5 fields (minute, hour, day of month, month, day of week), got 4 in '0 2 * *'",
        '    cron = "0 2 * *"',
        "           ^",
        f"{folder}/flows/bad.toml:4:11: error: run.command: expected a list of texts, got one text",
        '    command = "true"',
        "              ^",
        '    hint: write ["true"], or add shell = true',
    ]
    assert said.err == "2 errors, 1 flow fit to run\n"


def test_the_caret_stands_below_the_field_that_is_wrong(on_files: Program) -> None:
    """Letters that take two columns come before it: it is where the field is seen."""
    schedule = 'schedule = {timezone = "UTC", "日本" = 1, cron = "0 99 * * *"}'
    write(on_files, "bad", schedule, '[run]\ncommand = ["true"]\n')
    said = on_files("check")
    place, line, caret = said.lines[-3:]
    assert place.endswith("bad.toml:1:51: error: schedule.cron: hour field: expected 0 to 23, got '99'")
    assert line == f"    {schedule}"
    assert caret == "    " + " " * (50 + 2) + "^"


def test_check_as_json(on_files: Program) -> None:
    write(on_files, "sales", HOURLY, on("orders"))
    said = on_files("check", "--json")
    assert said.code == 1
    shown = json.loads(said.out)
    assert shown["ok"] is False
    assert shown["problems"] == [
        {
            "severity": "error",
            "file": "flows/sales.toml",
            "line": 7,
            "column": 12,
            "flow": "sales",
            "key": "sensors[0].upstream",
            "message": 'expected the name of a flow, got "orders"',
            "hint": "there is no flows/orders.toml",
        }
    ]


def test_check_proves_that_sensors_find_their_ticks(on_files: Program) -> None:
    # given an upstream in a zone where the same wall time is another instant for half of the year
    write(on_files, "orders", DAILY.replace("[run]", 'timezone = "Europe/Berlin"\n[run]'))
    write(on_files, "sales", DAILY.replace("0 2", "0 1"), on("orders", match="same"))
    said = on_files("check", "--from", "2026-11-22")
    assert said.code == 1
    place = f"{on_files.folder}/flows/sales.toml:7:12"
    assert said.lines[0].startswith(f"{place}: error: sensors[0].upstream: the sensor on orders")
    assert said.lines[1:4] == [
        '    upstream = "orders"',
        "               ^",
        "    first: 2027-03-29T01:00:00Z",
    ]
    assert said.err == "1 error, 2 flows fit to run\n"
    finding = json.loads(on_files("check", "--from", "2026-11-22", "--json").out)["findings"][0]
    assert (finding["severity"], finding["kind"], finding["sensor"]) == ("error", "no_match", 0)
    assert finding["counter_example"]["logical_date"] == "2027-03-29T01:00:00Z"
    assert (finding["file"], finding["line"], finding["flow"]) == ("flows/sales.toml", 7, "sales")


def test_check_looks_no_further_than_its_horizon(on_files: Program) -> None:
    write(on_files, "orders", DAILY.replace("[run]", 'timezone = "Europe/Berlin"\n[run]'))
    write(on_files, "sales", DAILY.replace("0 2", "0 1"), on("orders", match="same"))
    assert on_files("check", "--from", "2026-11-22", "--horizon", "90d").code == 0


def test_check_finds_flows_that_wait_for_each_other(on_files: Program) -> None:
    write(on_files, "a", HOURLY, on("b"))
    write(on_files, "b", HOURLY, on("a"))
    said = on_files("check", "--horizon", "2d")
    assert said.code == 1
    assert any(line.startswith("    waits: a 2026-11-22T") and " -> b 2026-11-22T" in line for line in said.lines)
    (finding,) = json.loads(on_files("check", "--horizon", "2d", "--json").out)["findings"]
    assert finding["kind"] == "deadlock"
    assert {step["flow"] for step in finding["counter_example"]["chain"]} == {"a", "b"}


def test_a_warning_alone_is_no_failure(on_files: Program) -> None:
    write(on_files, "day", DAILY.replace("[run]", 'timezone = "Europe/Berlin"\n[run]'))
    write(on_files, "sales", DAILY, on("day", match="interval", within="24h", on_missing="skip"))
    said = on_files("check")
    assert said.code == 0
    assert said.err.startswith("no errors")


def test_check_finds_a_deadline_that_comes_before_the_upstream_does(on_files: Program) -> None:
    # given a run at 02:00 that waits for the tick at 09:00, but only until 05:00
    write(on_files, "late", DAILY.replace("0 2", "0 9"))
    write(on_files, "sales", DAILY, on("late", match="next", timeout="3h"))
    said = on_files("check", "--from", "2026-11-22", "--horizon", "30d", "--json")
    (finding,) = json.loads(said.out)["findings"]
    assert (finding["severity"], finding["kind"], finding["sensor"]) == ("warning", "late_upstream", 0)
    assert 'the deadline, timeout = "3h", is 2026-11-22 05:00' in finding["message"]
    assert finding["hint"] == 'timeout = "8h"'


def test_check_warns_of_all_runs_of_a_flow_whose_catchup_may_skip_some(on_files: Program) -> None:
    write(on_files, "orders", HOURLY.replace("[run]", 'catchup = "latest"\n[run]'))
    write(on_files, "dim", DAILY.replace("[run]", "catchup_limit = 3\n[run]"))
    write(on_files, "raw", HOURLY.replace("[run]", 'catchup = "all"\n[run]'))
    write(on_files, "follows", '[schedule]\nfollow = "orders"\n[run]\ncommand = ["true"]\n')
    write(on_files, "sales", HOURLY, on("orders"), on("dim"), on("raw"), on("follows"))
    said = on_files("check", "--json")
    assert said.code == 0
    found = said.json["findings"]
    assert [(one["severity"], one["kind"], one["sensor"]) for one in found] == [
        ("warning", "skipped_upstream", 0),
        ("warning", "skipped_upstream", 1),
    ]
    assert found[0]["hint"] == (
        'on_skipped = "proceed" runs all the same; writing on_skipped = "skip" says that it is meant'
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"on_skipped": "skip"},
        {"on_skipped": "proceed"},
        {"accept": ["success", "skipped"]},
        {"match": "interval", "require": "any"},
    ],
    ids=str,
)
def test_check_has_no_word_for_who_has_thought_of_skipped_runs(on_files: Program, keys: dict[str, Any]) -> None:
    write(on_files, "orders", HOURLY.replace("[run]", 'catchup = "none"\n[run]'))
    write(on_files, "sales", HOURLY, on("orders", **keys))
    assert on_files("check", "--json").json["findings"] == []


def test_a_flow_whose_catchup_may_skip_may_wait_for_itself(on_files: Program) -> None:
    write(on_files, "orders", HOURLY.replace("[run]", 'catchup = "latest"\n[run]'), on("orders", back=1))
    assert on_files("check", "--json").json["findings"] == []


def test_a_sensor_of_a_template_is_told_where_that_has_it_and_of_which_flow(on_files: Program) -> None:
    write(on_files, "orders", DAILY)
    (on_files.folder / "templates").mkdir()
    (on_files.folder / "templates" / "mart.toml").write_text("# all of the mart\n" + on("orders", match="same"))
    write(on_files, "sales", 'extends = "templates/mart"', DAILY.replace("0 2", "0 1"))
    said = on_files("check")
    assert said.lines[0].startswith(f"{on_files.folder}/templates/mart.toml:")
    assert ": error: sensors[0].upstream: for sales, the sensor on orders finds nothing" in said.lines[0]
    assert said.lines[1] == '    upstream = "orders"'
    (found,) = json.loads(on_files("check", "--json").out)["findings"]
    assert (found["file"], found["flow"]) == ("templates/mart.toml", "sales")


@pytest.mark.parametrize(
    ("horizon", "said"),
    [
        ("0d", "expected a horizon longer than nothing, got '0d'"),
        ("-1d", "expected a horizon longer than nothing, got '-1d'"),
        ("1 year", """expected a duration such as "1h30m" or "2d", got '1 year'"""),
        ("5", """expected a duration such as "1h30m" or "2d", got '5'"""),
        ("9000y", "expected a time within the years 1 to 9999"),
    ],
)
def test_a_horizon_that_makes_no_sense(on_files: Program, horizon: str, said: str) -> None:
    answer = on_files("check", "--horizon", horizon)
    assert answer.code == 2
    assert said in answer.err


def test_the_caret_stands_below_the_character_however_wide_those_before_it_are(on_files: Program) -> None:
    write(on_files, "bad", HOURLY.replace("[schedule]", 'owner = "日\\u001b本" # x\n[schedule]\n"ü\t" = 3'))
    (line,) = [at for at, text in enumerate(on_files("check").lines) if "ü" in text and "error" not in text]
    shown, caret = on_files("check").lines[line : line + 2]
    assert shown == '    "ü\\t" = 3'
    assert caret == "    ^"


def test_a_long_line_is_shown_around_the_caret(on_files: Program) -> None:
    write(on_files, "bad", HOURLY.replace("[schedule]", "tags = [" + '"tag", ' * 100 + "3]\n[schedule]"))
    said = on_files("check")
    assert max(map(len, said.lines[1:3])) < 230
    assert said.lines[2].index("^") == said.lines[1].index("3]")


def test_foreign_text_is_escaped(on_files: Program) -> None:
    write(on_files, "bad", HOURLY.replace("0 * * * *", "\u009b31m * * * *"))
    said = on_files("check")
    assert "\x9b" not in said.out
    assert "\\x9b31m" in said.out


def test_wrong_settings_are_told_without_the_line_of_the_url(on_files: Program) -> None:
    (on_files.folder / "sensord.toml").write_text('database = "mysql://me:secret@host/db"\nslots = "x"\n')
    said = on_files("check")
    assert said.code == 1
    assert "secret" not in said.out + said.err
    assert [line for line in said.lines if line.startswith("    slots")] == ['    slots = "x"']
