"""`sensord flow list` and `show`."""

import pytest

from tests.cli.program import Program
from tests.daemon.world import DAILY, HOURLY, World, on

ABOUT = 'description = "Sales by the hour"\nowner = "analytics"\ntags = ["mart", "hourly"]\n'


@pytest.fixture
def mart(world: World) -> World:
    world.flow("dim/customers", DAILY.replace("[run]", 'timezone = "Europe/Berlin"\n[run]'))
    world.flow("orders", '[schedule]\nevery = "90m"\nstart = 2026-11-01\n[run]\nshell = true\ncommand = "true && :"\n')
    world.flow("sales", ABOUT, HOURLY, on("orders", match="interval", require="any"), on("dim/customers"))
    world.flow("twin", '[schedule]\nfollow = "sales"\n[run]\ncommand = ["true", "x"]\nmax_active = 3\npriority = 7\n')
    world.start()
    return world


@pytest.mark.usefixtures("mart")
def test_all_flows(sensord: Program) -> None:
    assert sensord("flow", "list").lines == [
        "FLOW           STATE   SCHEDULE                      OWNER      UPSTREAMS",
        "dim/customers  active  cron 0 2 * * * Europe/Berlin  -          -",
        "orders         active  every 1h30m                   -          -",
        "sales          active  cron 0 * * * *                analytics  dim/customers, orders",
        "twin           active  follow sales                  -          -",
    ]


def test_no_flows(world: World, sensord: Program) -> None:
    world.start()
    assert (sensord("flow", "list").out, sensord("flow", "list").err) == ("", "no flows\n")
    assert sensord("flow", "list", "--json").json == {"flows": []}


@pytest.mark.usefixtures("mart")
def test_one_flow(sensord: Program) -> None:
    assert sensord("flow", "show", "sales").lines == [
        "sales: active",
        "  about         Sales by the hour",
        "  owner         analytics",
        "  tags          mart, hourly",
        "  schedule      cron 0 * * * *",
        "  next tick     2026-11-22T11:00:00Z, in 30m",
        "  command       true",
        "  at once       1, priority 0",
        "  waited for by nobody",
        "  sensor 0      orders, interval, require any, on_failure wait",
        "  sensor 1      dim/customers, latest, on_failure wait",
    ]


def test_all_that_is_said_of_a_sensor_is_shown(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    policies = {"accept": ["success", "skipped"], "on_skipped": "wait", "on_missing": "proceed"}
    world.flow("top", HOURLY, on("orders", match="interval", offset="-1d", within="2d", require=3, **policies))
    world.flow("sales", HOURLY, on("orders", strict=True, back=2, count=4))
    world.start()
    assert sensord("flow", "show", "top").lines[-1] == (
        "  sensor 0      orders, interval, offset -1d, within 2d, require 3, accept success skipped, on_failure wait,"
        " on_skipped wait, on_missing proceed"
    )
    assert sensord("flow", "show", "sales").lines[-1] == (
        "  sensor 0      orders, latest, back 2, count 4, strict, on_failure wait"
    )
    (shown,) = sensord("flow", "show", "sales", "--json").json["sensors"]
    assert shown["mapping"] == {"back": 2, "count": 4, "strict": True}


def test_a_command_is_shown_as_a_shell_would_take_it(world: World, sensord: Program) -> None:
    world.flow("sales", HOURLY.replace('["true"]', '["sh", "-c", "echo $HOME; ls"]'))
    world.start()
    assert "  command       sh -c 'echo $HOME; ls'" in sensord("flow", "show", "sales").lines


def test_a_deadline_is_told_with_its_sensor(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.flow("sales", HOURLY, on("orders", timeout="90m", on_timeout="skip"))
    world.start()
    assert sensord("flow", "show", "sales").lines[-1].endswith("on_failure wait, timeout 1h30m, then skip")
    (shown,) = sensord("flow", "show", "sales", "--json").json["sensors"]
    assert (shown["timeout"], shown["on_timeout"]) == ("1h30m", "skip")


@pytest.mark.usefixtures("mart")
def test_one_flow_as_json(sensord: Program) -> None:
    shown = sensord("flow", "show", "orders", "--json").json
    assert shown["schedule"] == {
        "every": "1h30m",
        "timezone": "UTC",
        "start": "2026-11-01T00:00:00Z",
        "end": None,
    }
    assert (shown["command"], shown["downstreams"], shown["sensors"]) == ("true && :", ["sales"], [])
    assert shown["next_tick"] == "2026-11-22T12:00:00Z"
    twin = sensord("flow", "show", "twin", "--json").json
    assert twin["schedule"] == {"follow": "sales", "timezone": "UTC", "start": None, "end": None}
    assert (twin["max_active"], twin["priority"], twin["command"]) == (3, 7, ["true", "x"])


@pytest.mark.usefixtures("mart")
def test_a_flows_sensors_as_json(sensord: Program) -> None:
    assert sensord("flow", "show", "sales", "--json").json["sensors"][0] == {
        "index": 0,
        "upstream": "orders",
        "match": "interval",
        "mapping": {},
        "require": "any",
        "accept": ["success"],
        "on_failure": "wait",
        "on_skipped": "skip",
        "on_missing": "fail",
        "timeout": None,
        "on_timeout": None,
    }


def test_a_flow_whose_file_has_become_wrong_keeps_its_last_good_definition(mart: World, sensord: Program) -> None:
    mart.flow("sales", HOURLY.replace("0 * * * *", "0 * * *"))
    mart.daemon.reload()
    lines = sensord("flow", "show", "sales").lines
    assert "  schedule      cron 0 * * * *" in lines
    assert lines[-1].startswith("  error         flows/sales.toml:2:8: schedule.cron: expected 5 fields")


def test_a_flow_that_was_removed_has_no_next_tick(mart: World, sensord: Program) -> None:
    mart.remove("twin")
    mart.daemon.reload()
    shown = sensord("flow", "show", "twin", "--json").json
    assert (shown["state"], shown["next_tick"]) == ("removed", None)
    assert shown["removed_at"] == "2026-11-22T10:30:00Z"


@pytest.mark.usefixtures("mart")
def test_an_unknown_flow(sensord: Program) -> None:
    assert sensord("flow", "show", "nothing").code == 4


class TestResolved:
    """`flow show --resolved`: what the files come to."""

    @pytest.fixture(autouse=True)
    def files(self, world: World) -> None:
        """No database: nothing is started."""
        world.flow("orders", HOURLY)
        world.flow("mart/defaults", 'owner = "analytics"\n[run]\nretries = 2\n')
        templates = world.folder / "templates"
        templates.mkdir()
        (templates / "dbt.toml").write_text('tags = ["dbt", "nightly"]\n[run]\ncommand = ["dbt", "say \\"ä\\"\\n"]\n')
        own = '[schedule]\ncron = "0 4 * * *"\nstart = 2026-01-01\n[run]\nshell = false\n'
        world.flow("mart/sales", 'extends = "templates/dbt"\n', own, on("orders", back=1))

    def test_each_value_stands_beside_the_file_that_says_so(self, sensord: Program) -> None:
        assert sensord("flow", "show", "mart/sales", "--resolved").lines == [
            "KEY                  VALUE                   FILE",
            'owner                "analytics"             flows/mart/defaults.toml:1',
            "run.retries          2                       flows/mart/defaults.toml:3",
            'run.command          ["dbt", "say \\"ä\\"\\n"]  templates/dbt.toml:3',
            "run.shell            false                   flows/mart/sales.toml:7",
            'tags                 ["dbt", "nightly"]      templates/dbt.toml:1',
            'extends              "templates/dbt"         flows/mart/sales.toml:1',
            'schedule.cron        "0 4 * * *"             flows/mart/sales.toml:4',
            "schedule.start       2026-01-01              flows/mart/sales.toml:5",
            'sensors[0].upstream  "orders"                flows/mart/sales.toml:10',
            "sensors[0].back      1                       flows/mart/sales.toml:11",
        ]

    def test_as_json(self, sensord: Program) -> None:
        shown = sensord("flow", "show", "mart/sales", "--resolved", "--json").json

        assert shown["flow"] == "mart/sales"
        values = {one["key"]: one for one in shown["values"]}
        assert values["schedule.start"] == {
            "key": "schedule.start",
            "value": "2026-01-01",
            "file": "flows/mart/sales.toml",
            "line": 5,
            "column": 9,
        }
        assert values["tags"]["value"] == ["dbt", "nightly"]

    def test_what_is_wrong_is_told_with_its_place(self, world: World, sensord: Program) -> None:
        world.flow("mart/sales", 'extends = "templates/gone"\nowner = 3\n')

        said = sensord("flow", "show", "mart/sales", "--resolved")

        assert (said.code, said.out) == (1, "")
        assert "flows/mart/sales.toml:2:9: owner: expected a text, got 3" in said.err
        assert "flows/mart/sales.toml:1:11: extends" in said.err

    def test_a_flow_that_has_no_file_is_not_found(self, sensord: Program) -> None:
        said = sensord("flow", "show", "mart/sale", "--resolved")

        assert said.code == 4
        assert 'did you mean "mart/sales"?' in said.err
        assert sensord("flow", "show", "x", "--resolved", "--config", "/nowhere").code == 4
