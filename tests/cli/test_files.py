"""`sensord resolve` and `next`, and a folder that is not there: from the files alone."""

from pathlib import Path

import pytest

from tests.cli.program import Program, write
from tests.daemon.world import DAILY, HOURLY, on


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
