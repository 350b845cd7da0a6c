"""The command and environment of an attempt."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sensord.core import command as core
from sensord.core.command import UPSTREAM_LIMIT, UpstreamRun, argv, upstream_json
from sensord.core.cron import parse_cron
from sensord.core.flow import Command, Flow
from sensord.core.run import State
from sensord.core.schedule import Schedule

TWO = datetime(2026, 3, 29, 2, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def environment(command: Command, inherited: Mapping[str, str], run_id: int = 1, attempt: int = 1) -> dict[str, str]:
    flow = Flow("mart/sales", Schedule(parse_cron("0 * * * *", ZONE), ZONE), command)
    return core.environment(command, core.values(flow, run_id, attempt, TWO), [], inherited)


def test_a_list_is_the_command_and_a_string_goes_to_the_shell() -> None:
    assert argv(Command(argv=("dbt", "run"))) == ("dbt", "run")
    assert argv(Command(shell_text="a | b")) == ("/bin/sh", "-c", "a | b")


def test_a_command_sees_who_it_is_and_what_it_is_for() -> None:
    seen = environment(Command(argv=("x",)), {}, 7, 2)

    assert seen == {
        "SENSORD_FLOW": "mart/sales",
        "SENSORD_LOGICAL_DATE": "2026-03-29T02:00:00Z",
        "SENSORD_DATA_INTERVAL_START": "2026-03-29T01:00:00Z",
        "SENSORD_DATA_INTERVAL_END": "2026-03-29T02:00:00Z",
        "SENSORD_RUN_ID": "7",
        "SENSORD_ATTEMPT": "2",
        "SENSORD_UPSTREAM": "[]",
    }


def test_of_the_daemons_environment_a_command_sees_only_what_is_meant_for_it() -> None:
    daemon = {"PATH": "/bin", "HOME": "/root", "LANG": "C", "SENSORD_DB": "postgresql://u:secret@h/d", "TOKEN": "t"}

    plain = environment(Command(argv=("x",)), daemon)
    passing = environment(Command(argv=("x",), pass_env=("TOKEN", "MISSING")), daemon)

    assert {name for name in plain if not name.startswith("SENSORD_")} == {"PATH", "HOME", "LANG"}
    assert "SENSORD_DB" not in plain
    assert passing["TOKEN"] == "t"
    assert "MISSING" not in passing


def test_the_flows_own_variables_go_before_inherited_ones_and_never_before_sensords() -> None:
    command = Command(argv=("x",), env=(("PATH", "/opt/bin"), ("SENSORD_FLOW", "another")))

    seen = environment(command, {"PATH": "/bin"})

    assert seen["PATH"] == "/opt/bin"
    assert seen["SENSORD_FLOW"] == "mart/sales"


def test_the_upstream_runs_are_handed_over_by_sensor_the_oldest_first() -> None:
    upstream = [
        UpstreamRun(1, "dim/customers", TWO, State.FAILED),
        UpstreamRun(0, "ingest/orders", TWO, State.SUCCESS),
        UpstreamRun(0, "ingest/orders", TWO - timedelta(hours=1), State.SUCCESS),
    ]

    assert json.loads(upstream_json(upstream)) == [
        {
            "sensor": 0,
            "upstream": "ingest/orders",
            "runs": [
                {"logical_date": "2026-03-29T01:00:00Z", "state": "success"},
                {"logical_date": "2026-03-29T02:00:00Z", "state": "success"},
            ],
        },
        {
            "sensor": 1,
            "upstream": "dim/customers",
            "runs": [{"logical_date": "2026-03-29T02:00:00Z", "state": "failed"}],
        },
    ]


def test_upstream_runs_beyond_what_an_environment_holds_are_counted_not_listed() -> None:
    upstream = [UpstreamRun(0, "ingest/orders", TWO + timedelta(hours=n), State.SUCCESS) for n in range(5000)]

    text = upstream_json(upstream)
    (sensor,) = json.loads(text)

    assert len(text) <= UPSTREAM_LIMIT
    assert len(sensor["runs"]) + sensor["omitted"] == 5000
    assert sensor["runs"][-1]["logical_date"] == "2026-10-23T09:00:00Z"


def test_what_was_passed_over_stands_beside_the_runs_of_its_sensor() -> None:
    failed = {"logical_date": "2026-03-29T02:00:00Z", "state": "failed", "cause": "on_failure"}
    without = [
        {"sensor": 1, "upstream": "b", "passed_over": [failed], "instead": None},
        {"sensor": 2, "upstream": "c", "passed_over": [failed | {"logical_date": None}], "instead": None},
    ]
    upstream = [UpstreamRun(0, "a", TWO, State.SUCCESS), UpstreamRun(1, "b", TWO, State.FAILED)]

    first, second, third = json.loads(upstream_json(upstream, without))

    assert first.keys() == {"sensor", "upstream", "runs"}
    assert second == without[0] | {"runs": [{"logical_date": "2026-03-29T02:00:00Z", "state": "failed"}]}
    assert third == without[1] | {"runs": []}


def test_what_was_passed_over_is_cut_where_it_is_too_long_too() -> None:
    upstream = [UpstreamRun(n, f"flow{n}", TWO, State.FAILED) for n in range(50)]
    entry = {"logical_date": "2026-03-29T02:00:00Z", "state": "failed", "cause": "on_failure"}
    without = [
        {"sensor": n, "upstream": f"flow{n}", "passed_over": [entry] * 100, "instead": None, "passed_over_omitted": 3}
        for n in range(50)
    ]

    text = upstream_json(upstream, without)

    assert len(text) <= UPSTREAM_LIMIT
    for sensor in json.loads(text):
        assert len(sensor["passed_over"]) + sensor["passed_over_omitted"] == 103
