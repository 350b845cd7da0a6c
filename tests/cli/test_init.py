"""`sensord init`, `sensord schema` and `sensord flow new`: files to begin with, and what editors know of them."""

import json
import tomllib
from pathlib import Path

import pytest

from sensord.config import load
from sensord.testing import ManualClock
from tests.cli.program import Program, write
from tests.daemon.world import DAILY, HOURLY, World, at, on
from tests.support.json_schema import faults


@pytest.fixture
def nowhere(tmp_path: Path) -> Program:
    """The program without a config folder."""
    return Program(tmp_path / "config", None, ManualClock(at("2026-11-22T10:30")))


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def schema_of(file: Path) -> Path:
    """Where the first line of a file sends editors."""
    first = file.read_text().splitlines()[0]
    assert first.startswith("#:schema ")
    return (file.parent / first.removeprefix("#:schema ")).resolve()


def test_init_makes_a_folder_that_is_right(nowhere: Program) -> None:
    said = nowhere("init")
    assert (said.code, said.out) == (0, "")
    assert set(files(nowhere.folder)) == {
        "sensord.toml",
        "schema/flow.json",
        "schema/sensord.json",
        "flows/example/orders.toml",
        "flows/example/summary.toml",
    }
    assert f"made {nowhere.folder}/sensord.toml" in said.err
    assert said.err.splitlines()[-1] == (
        f"next: `sensord --config {nowhere.folder} check`, then `sensord --config {nowhere.folder} daemon start`"
    )
    assert nowhere("check").err == "no errors, 2 flows fit to run\n"


def test_each_file_leads_editors_to_its_schema_and_fits_it(nowhere: Program) -> None:
    nowhere("init")
    for path in nowhere.folder.rglob("*.toml"):
        schema = json.loads(schema_of(path).read_text())
        assert list(faults(schema, tomllib.loads(path.read_text()), schema)) == []
    assert schema_of(nowhere.folder / "flows/example/orders.toml") == nowhere.folder / "schema/flow.json"
    assert schema_of(nowhere.folder / "sensord.toml") == nowhere.folder / "schema/sensord.json"


def test_the_second_example_waits_for_the_newest_run_of_the_first(nowhere: Program) -> None:
    nowhere("init")
    (sensor,) = nowhere("resolve", "example/summary", "2026-11-22T10:33Z", "--json").json["sensors"]
    assert sensor["logical_dates"] == ["2026-11-22T10:30:00Z"]


@pytest.mark.parametrize("time", ["10:30", "10:32", "10:34:59"])
def test_the_first_minute_is_a_success(world: World, sensord: Program, time: str) -> None:
    # given the folder that init makes, and a daemon that is started at any time
    sensord("init")
    world.clock.set(at(f"2026-11-22T{time}"))
    world.start()
    world.tick()

    # when the first orders end
    world.end("example/orders", "2026-11-22T10:30", 0)
    world.tick()
    world.end("example/summary", f"2026-11-22T{time[:5]}", 0)
    world.tick()

    # then both have succeeded, and nothing was skipped
    runs = sensord("run", "list", "--json").json["runs"]
    assert [(run["flow"], run["state"]) for run in runs] == [
        ("example/orders", "success"),
        ("example/summary", "success"),
    ]


def test_what_is_there_is_never_written_over(nowhere: Program) -> None:
    # given a folder with settings and a flow of one's own
    write(nowhere, "mine", HOURLY)
    (nowhere.folder / "sensord.toml").write_text("slots = 3\n")
    before = files(nowhere.folder)

    # when
    said = nowhere("init")

    # then the schemas are added, and no example among the flows
    assert files(nowhere.folder).items() >= before.items()
    assert set(files(nowhere.folder)) - set(before) == {"schema/flow.json", "schema/sensord.json"}
    assert f"kept {nowhere.folder}/sensord.toml" in said.err


def test_init_twice_changes_nothing(nowhere: Program) -> None:
    nowhere("init")
    before = files(nowhere.folder)
    assert nowhere("init").code == 0
    assert files(nowhere.folder) == before


def test_init_takes_a_folder(nowhere: Program, tmp_path: Path) -> None:
    assert nowhere("init", str(tmp_path / "other" / "place")).code == 0
    assert load(tmp_path / "other" / "place").problems == []


def test_where_nothing_can_be_written_it_says_so(nowhere: Program, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file")
    said = nowhere("init")
    assert said.code == 1
    assert said.err.startswith("error: cannot write ")


@pytest.mark.parametrize(("arguments", "title"), [([], "A flow"), (["flow"], "A flow"), (["sensord.toml"], "sensord")])
def test_schema_is_printed(nowhere: Program, arguments: list[str], title: str) -> None:
    shown = nowhere("schema", *arguments).json
    assert shown["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert shown["title"].startswith(title)


def test_schema_of_what_there_is_none(nowhere: Program) -> None:
    assert nowhere("schema", "run").code == 2


def test_a_new_flow_is_right_at_once(on_files: Program) -> None:
    write(on_files, "ingest/orders", HOURLY)
    write(on_files, "dim/customers", DAILY)
    said = on_files("flow", "new", "mart/sales", "--upstream", "ingest/orders", "--upstream", "dim/customers")
    assert (said.code, said.out) == (0, "")
    path = on_files.folder / "flows/mart/sales.toml"
    assert said.err == f"made {path}\n"
    assert path.read_text() == (
        "#:schema ../../schema/flow.json\n\n"
        '[schedule]\ncron = "0 * * * *"\n\n'
        '[run]\ncommand = ["echo", "{{ flow }}", "{{ logical_date }}"]\n\n'
        '[[sensors]]\nupstream = "ingest/orders"\n\n'
        '[[sensors]]\nupstream = "dim/customers"\n'
    )
    assert on_files("check").err == "no errors, 3 flows fit to run\n"


def test_its_schedule_may_be_said(on_files: Program) -> None:
    on_files("flow", "new", "daily", "--cron", "0 2 * * *")
    assert on_files("next", "daily", "-n", "1").out == "2026-11-23T02:00:00Z\n"


def test_what_a_template_gives_is_left_to_it(on_files: Program) -> None:
    template = on_files.folder / "templates/dbt.toml"
    template.parent.mkdir()
    template.write_text('[schedule]\ncron = "30 * * * *"\n[run]\ncommand = ["dbt", "run"]\n')
    assert on_files("flow", "new", "mart", "--template", "dbt").code == 0
    assert (on_files.folder / "flows/mart.toml").read_text() == (
        '#:schema ../schema/flow.json\n\nextends = "templates/dbt"\n'
    )
    assert on_files("next", "mart", "-n", "1").out == "2026-11-22T11:30:00Z\n"


def test_what_defaults_give_is_left_to_them(on_files: Program) -> None:
    (on_files.folder / "flows/defaults.toml").write_text('[run]\ncommand = ["true"]\n')
    on_files("flow", "new", "mart")
    assert "[run]" not in (on_files.folder / "flows/mart.toml").read_text()
    assert on_files("check").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-mart"], 2, "No such option"),
        (["a//b"], 2, "expected a name of letters, digits"),
        (["Orders"], 1, "there is a flow 'orders' already"),
        (["mart", "--upstream", "ordres"], 4, 'did you mean "orders"?'),
        (["mart", "--template", "dbt"], 4, 'expected the name of a template, got "templates/dbt"'),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    on_files: Program, arguments: list[str], code: int, message: str
) -> None:
    write(on_files, "orders", HOURLY)
    said = on_files("flow", "new", *arguments)
    assert said.code == code
    assert message in said.err
    assert set(files(on_files.folder)) == {"flows/orders.toml"}


def test_a_schedule_that_is_wrong_writes_no_file(on_files: Program) -> None:
    said = on_files("flow", "new", "mart", "--cron", "61 * * * *")
    assert (said.code, said.err) == (2, "error: --cron: minute field: expected 0 to 59, got '61'\n")
    assert not (on_files.folder / "flows" / "mart.toml").exists()


def test_what_is_wrong_in_the_new_file_for_its_defaults_is_told(on_files: Program) -> None:
    (on_files.folder / "flows" / "defaults.toml").write_text('[run]\nretries = "many"\n')
    said = on_files("flow", "new", "mart")
    assert said.code == 1
    assert "flows/mart.toml:1:1: expected all that it builds on to be right" in said.err


def test_a_new_flow_is_taken_up_by_the_daemon(world: World, sensord: Program) -> None:
    world.flow("orders", HOURLY)
    world.start()
    sensord("flow", "new", "mart", "--upstream", "orders")
    world.daemon.reload()
    world.tick()
    assert world.state("mart", "2026-11-22T10:00").label == "waiting"
    assert on("orders").splitlines()[1] in (world.folder / "flows/mart.toml").read_text()
