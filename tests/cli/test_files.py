"""`sensord check`, `resolve` and `next`: from the files alone."""

import json
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, on


def write(program: Program, name: str, *parts: str) -> None:
    file = program.folder / "flows" / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(parts))


def test_check_of_good_files(on_files: Program) -> None:
    write(on_files, "orders", HOURLY)
    write(on_files, "mart/sales", HOURLY, on("orders"))
    said = on_files("check")
    assert (said.out, said.err, said.code) == ("", "no errors, 2 flows fit to run\n", 0)
    assert on_files("check", "--json").json == {
        "ok": True,
        "flows": 2,
        "from": "2026-11-22T10:30:00Z",
        "until": "2027-11-22T10:30:00Z",
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


@pytest.mark.parametrize(("horizon", "code"), [("0d", 2), ("-1d", 2), ("1 year", 1), ("5", 1)])
def test_a_horizon_that_makes_no_sense(on_files: Program, horizon: str, code: int) -> None:
    assert on_files("check", "--horizon", horizon).code == code


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


def test_a_config_folder_that_is_not_there(on_files: Program, tmp_path: Path) -> None:
    for arguments in (["check"], ["next", "x"], ["resolve", "x", "now"]):
        said = on_files(*arguments, "--config", str(tmp_path / "none"))
        assert said.code == 4
        assert f"no config folder at {tmp_path}/none" in said.err


def test_next_ticks(on_files: Program) -> None:
    write(on_files, "berlin", DAILY.replace("[run]", 'timezone = "Europe/Berlin"\n[run]'))
    said = on_files("next", "berlin", "--after", "2026-10-24", "-n", "3", "--json")
    assert said.json == {
        "flow": "berlin",
        "ticks": ["2026-10-24T00:00:00Z", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"],
    }


def test_next_is_exclusive_and_counts_from_now(on_files: Program) -> None:
    write(on_files, "orders", HOURLY)
    assert on_files("next", "orders", "-n", "2").lines == ["2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"]
    after = on_files("next", "orders", "--after", "2026-11-22T11:00Z", "-n", "1")
    assert after.lines == ["2026-11-22T12:00:00Z"]


def test_next_of_a_schedule_that_has_ended(on_files: Program) -> None:
    write(on_files, "old", HOURLY.replace("[run]", "end = 2026-01-01\n[run]"))
    assert on_files("next", "old", "--json").json == {"flow": "old", "ticks": []}
    assert on_files("next", "old").err == "old has no ticks after 2026-11-22T10:30:00Z\n"


def test_resolve(on_files: Program) -> None:
    write(on_files, "orders", HOURLY)
    write(on_files, "dim", DAILY)
    write(on_files, "day", DAILY, on("orders", match="interval", within="2h", require="any"), on("dim", back=1))
    assert on_files("resolve", "day", "2026-11-22T02:00", "--json").json == {
        "flow": "day",
        "logical_date": "2026-11-22T02:00:00Z",
        "tick": True,
        "data_interval": {"start": "2026-11-21T02:00:00Z", "end": "2026-11-22T02:00:00Z"},
        "sensors": [
            {
                "index": 0,
                "upstream": "orders",
                "match": "interval",
                "logical_dates": ["2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z"],
                "need": 1,
                "problem": None,
            },
            {
                "index": 1,
                "upstream": "dim",
                "match": "latest",
                "logical_dates": ["2026-11-21T02:00:00Z"],
                "need": 1,
                "problem": None,
            },
        ],
    }


def test_resolve_of_a_date_off_the_ticks(on_files: Program) -> None:
    write(on_files, "orders", HOURLY)
    write(on_files, "sales", DAILY, on("orders"))
    shown = on_files("resolve", "sales", "now", "--json").json
    assert (shown["tick"], shown["logical_date"]) == (False, "2026-11-22T10:30:00Z")
    assert shown["data_interval"] == {"start": "2026-11-22T02:00:00Z", "end": "2026-11-22T10:30:00Z"}
    assert shown["sensors"][0]["logical_dates"] == ["2026-11-22T10:00:00Z"]


def test_resolve_latest_is_the_flows_last_tick(on_files: Program) -> None:
    write(on_files, "sales", DAILY)
    assert on_files("resolve", "sales", "latest", "--json").json["logical_date"] == "2026-11-22T02:00:00Z"
    write(on_files, "future", DAILY.replace("[run]", "start = 2027-01-01\n[run]"))
    assert on_files("resolve", "future", "latest").code == 4


@pytest.mark.parametrize(
    ("sensor", "kind"),
    [
        (on("nobody"), "unknown_flow"),
        (on("orders", match="same", offset="1s"), "no_match"),
        (on("orders", match="python:broken:answer"), "mapping_error"),
    ],
)
def test_resolve_answers_also_where_a_sensor_finds_nothing(
    on_files: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sensor: str, kind: str
) -> None:
    (tmp_path / "broken.py").write_text("def answer(date, context):\n    return 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    (on_files.folder / "sensord.toml").write_text('mapping_modules = ["broken"]')
    write(on_files, "orders", HOURLY)
    write(on_files, "sales", DAILY, sensor)
    (shown,) = on_files("resolve", "sales", "2026-11-22T02:00Z", "--json").json["sensors"]
    assert (shown["problem"]["kind"], shown["need"], shown["logical_dates"]) == (kind, 0, [])
    assert shown["problem"]["message"]


def test_resolve_for_people(on_files: Program) -> None:
    write(on_files, "orders", HOURLY)
    write(on_files, "sales", DAILY, on("orders"), on("orders", match="same", offset="1s"))
    *lines, problem = on_files("resolve", "sales", "2026-11-22T02:00").lines
    assert lines == [
        "sales 2026-11-22T02:00:00Z",
        "data interval: 2026-11-21T02:00:00Z to 2026-11-22T02:00:00Z",
        "",
        "sensor 0 on orders, latest: 1 of 1 needed",
        "  2026-11-22T02:00:00Z",
        "",
        "sensor 1 on orders, same: 0 of 0 needed",
    ]
    assert problem.startswith("  no_match: the upstream has no tick at 2026-11-22 02:00:01")
    assert on_files("resolve", "orders", "now").lines[-1] == "no sensors"


def test_a_flow_whose_file_is_wrong_shows_what_is_wrong(on_files: Program) -> None:
    write(on_files, "bad", HOURLY.replace("0 * * * *", "x"))
    said = on_files("next", "bad")
    assert said.code == 1
    assert said.err.startswith("error: flows/bad.toml:2:8: schedule.cron: expected")


def test_an_unknown_flow_is_not_found_and_the_nearest_is_named(on_files: Program) -> None:
    write(on_files, "mart/sales", HOURLY)
    said = on_files("next", "sales")
    assert said.code == 4
    assert 'did you mean "mart/sales"?' in said.err
