"""`sensord import`: files are written where there are none, load and pass the check, and what is missing is told."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.cli.import_files import finish
from sensord.cli.session import Session
from sensord.config import load
from sensord.core.command import argv
from sensord.core.flow import Command
from sensord.importing.airflow_flows import import_airflow
from sensord.importing.crontab_flows import import_crontab
from sensord.testing import ManualClock
from tests.cli.program import Program, write
from tests.daemon.world import HOURLY, World
from tests.support.cases import share

CRONTAB = """\
MAILTO=ops@example.org
# The nightly backup
30 2 * * * /usr/local/bin/backup.sh --keep 7
@hourly docker ps --format '{{.Names}}' | wc -l
@reboot start
"""


@pytest.fixture
def crontab(tmp_path: Path) -> Path:
    file = tmp_path / "jobs.cron"
    file.write_text(CRONTAB)
    return file


def commands(folder: Path) -> dict[str, Command]:
    config = load(folder)
    assert config.problems == []
    return {name: loaded.flow.command for name, loaded in config.flows.items()}


def test_each_job_becomes_a_file_that_passes_the_check(on_files: Program, crontab: Path) -> None:
    said = on_files("import", "crontab", str(crontab), "--timezone", "Europe/Amsterdam")
    assert (said.code, said.out) == (0, "")
    assert said.err.replace(f"{on_files.folder.parent}/", "").splitlines() == [
        "made config/flows/backup.toml",
        "made config/flows/docker.toml",
        "jobs.cron:1: differs: MAILTO=ops@example.org: no mail is sent",
        "    hint: what a command writes is kept with its run: `sensord run logs FLOW`",
        "jobs.cron:3: differs: 30 2 * * * /usr/local/bin/backup.sh --keep 7: "
        "cron starts it in its user's home, which is not known here",
        "    hint: say it with cwd, below [run]",
        "jobs.cron:4: differs: @hourly docker ps --format '{{.Names}}' | wc -l: "
        "cron starts it in its user's home, which is not known here",
        "    hint: say it with cwd, below [run]",
        "jobs.cron:5: left out: @reboot start: "
        "expected one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, got '@reboot'",
        "    hint: a schedule's ticks are instants; the start of a machine is none",
        "jobs.cron: differs: overlaps: cron starts a command while its last one still runs; a flow waits",
        "    hint: max_active = 2 or more, below [run], lets them run side by side",
        "2 flows made, 1 thing left out",
        "next: `sensord --config config check`",
    ]
    assert on_files("check").err == "no errors, 2 flows fit to run\n"
    assert on_files("next", "backup", "-n", "1").out == "2026-11-23T01:30:00Z\n"
    assert argv(commands(on_files.folder)["docker"]) == ("/bin/sh", "-c", "docker ps --format '{{.Names}}' | wc -l")


@pytest.mark.parametrize(("what", "named"), [("crontab", "no file nowhere"), ("airflow", "no folder nowhere")])
def test_what_is_not_there_exits_4(on_files: Program, what: str, named: str) -> None:
    said = on_files("import", what, "nowhere")
    assert (said.code, said.err) == (4, f"error: {named}\n")


@pytest.mark.parametrize("handed_over", [True, False])
def test_a_crontab_that_is_not_utf_8_is_refused_with_its_place(
    on_files: Program, crontab: Path, handed_over: bool
) -> None:
    content = "# täglich\n@daily ls\n".encode("latin-1")
    crontab.write_bytes(content)
    on_files.answers = content
    said = on_files("import", "crontab", "-" if handed_over else str(crontab))
    name = "crontab" if handed_over else crontab
    assert said.code == 1
    assert said.err == f"error: cannot read {name}:1:4: expected UTF-8, got the byte 0xe4\nhint: save it as UTF-8\n"


def test_what_is_there_stays_as_it_is(on_files: Program, crontab: Path) -> None:
    write(on_files, "Backup", HOURLY)
    on_files("import", "crontab", str(crontab))
    said = on_files("import", "crontab", str(crontab))
    assert "jobs.cron:3: left out: backup: there is a flow of this name already" in said.err
    assert said.err.splitlines()[-1] == "0 flows made, 3 things left out"
    assert set(load(on_files.folder).flows) == {"Backup", "docker"}
    assert (on_files.folder / "flows/Backup.toml").read_text() == HOURLY


def test_into_names_a_folder_and_editors_find_the_schema_from_there(on_files: Program, crontab: Path) -> None:
    assert on_files("import", "crontab", str(crontab), "--into", "etl/cron").code == 0
    assert set(load(on_files.folder).flows) == {"etl/cron/backup", "etl/cron/docker"}
    text = (on_files.folder / "flows/etl/cron/backup.toml").read_text()
    assert text.startswith("#:schema ../../../schema/flow.json\n\n# from ")


def test_a_dry_run_prints_the_files_and_writes_none(on_files: Program, crontab: Path) -> None:
    said = on_files("import", "crontab", str(crontab), "--dry-run")
    first, second = said.out.split(f"# {on_files.folder}/flows/")[1:]
    assert tomllib.loads(first.partition("\n")[2])["run"] == {
        "shell": True,
        "command": "/usr/local/bin/backup.sh --keep 7",
    }
    assert second.startswith("docker.toml\n")
    assert "2 flows to be made, 1 thing left out" in said.err
    assert list((on_files.folder / "flows").iterdir()) == []


def test_the_caller_s_home_is_where_the_commands_start(on_files: Program, crontab: Path) -> None:
    on_files("import", "crontab", str(crontab), HOME="/home/etl")
    assert commands(on_files.folder)["backup"].cwd == "/home/etl"


def test_in_the_crontab_of_the_system_homes_are_those_of_the_users(on_files: Program, tmp_path: Path) -> None:
    (tmp_path / "system").write_text("* * * * * root a\n* * * * * no-such-user b\n")
    said = on_files("import", "crontab", str(tmp_path / "system"), HOME="/home/etl")
    assert commands(on_files.folder)["a"].cwd == "/root"
    assert "which is not known here" in said.err


def test_a_user_whom_the_settings_allow_stays(on_files: Program, tmp_path: Path) -> None:
    (on_files.folder / "sensord.toml").write_text('allowed_users = ["nobody"]\n')
    (tmp_path / "system").write_text("* * * * * nobody a\n* * * * * root b\n")
    said = on_files("import", "crontab", str(tmp_path / "system"))
    assert {name: command.user for name, command in commands(on_files.folder).items()} == {"a": "nobody", "b": None}
    assert 'system:2: differs: user "root": its commands run as the daemon\'s own user' in said.err
    assert "nobody" not in said.err.replace(f"made {on_files.folder}", "")


def test_it_takes_what_crontab_l_prints(on_files: Program) -> None:
    on_files.answers = CRONTAB
    said = on_files("import", "crontab", "-", "--timezone", "UTC")
    assert "\ncrontab:5: left out: @reboot start: " in said.err
    assert set(commands(on_files.folder)) == {"backup", "docker"}


def test_whether_there_are_users_may_be_said(on_files: Program, tmp_path: Path) -> None:
    (tmp_path / "system").write_text("* * * * * www load.sh\n")
    on_files("import", "crontab", str(tmp_path / "system"), "--users")
    assert argv(commands(on_files.folder)["load"])[2] == "load.sh"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 4, "nowhere"),
        (["jobs.cron", "--timezone", "Mars"], 2, "--timezone: expected a time zone such as Europe/Amsterdam"),
        (["jobs.cron", "--into", "../x"], 2, "--into: expected a name of letters, digits"),
        (["latin1"], 1, "expected UTF-8, got the byte 0xe9"),
    ],
)
def test_what_cannot_be_is_said(
    on_files: Program, crontab: Path, arguments: list[str], code: int, message: str
) -> None:
    (crontab.parent / "latin1").write_bytes(b"# caf\xe9\n")
    file, *options = arguments
    said = on_files("import", "crontab", str(crontab.parent / file), *options)
    assert said.code == code
    assert message in said.err
    assert list((on_files.folder / "flows").iterdir()) == []


def test_where_nothing_can_be_written_it_says_so(on_files: Program, crontab: Path) -> None:
    (on_files.folder / "flows").rmdir()
    (on_files.folder / "flows").write_text("a file")
    said = on_files("import", "crontab", str(crontab))
    assert said.code == 1
    assert said.err.startswith("error: cannot write ")


def test_what_defaults_make_wrong_is_told_where_it_is(on_files: Program, crontab: Path) -> None:
    (on_files.folder / "flows/defaults.toml").write_text("[schedule]\nstart = 2026-01-01\n")
    said = on_files("import", "crontab", str(crontab))
    assert said.code == 1
    assert "error: flows/backup.toml:" in said.err
    assert "expected first only without a start, got both" in said.err


def test_the_flows_run_as_they_did(world: World, sensord: Program, crontab: Path) -> None:
    # given an imported folder, and a daemon that starts at 10:30
    sensord("import", "crontab", str(crontab))
    world.start()
    world.tick()

    # then nothing is run that cron has run, and at 11:00 what cron would run
    assert sensord("run", "list").out == ""
    world.tick("2026-11-22T11:00")
    assert [line.split()[0] for line in sensord("run", "list").lines[1:]] == ["docker"]


DAGS = """\
from datetime import datetime, timedelta
from airflow import DAG
from airflow.operators.bash import BashOperator
from airflow.sensors.external_task import ExternalTaskSensor

with DAG("orders", schedule="0 2 * * *", start_date=datetime(2021, 1, 1)):
    BashOperator(task_id="load", bash_command="load --day '{{ ds }}' {% raw %}{{.x}}{% endraw %}")

with DAG("hours", schedule="@hourly", start_date=datetime(2021, 1, 1)):
    wait = ExternalTaskSensor(task_id="wait", external_dag_id="orders")
    wait >> BashOperator(task_id="make", bash_command="make {{ data_interval_end }}")

with DAG("report", schedule="0 3 * * 1-5", start_date=datetime(2026, 12, 1)):
    wait = ExternalTaskSensor(task_id="wait", external_dag_id="orders", execution_delta=timedelta(hours=1))
    wait >> BashOperator(task_id="d", bash_command="x") >> BashOperator(task_id="e", bash_command="y", retries=3)

with DAG("once", schedule=None):
    BashOperator(task_id="load", bash_command="load")
"""


HEAD = DAGS.partition("\nwith ")[0] + "\nimport pendulum\n\n"


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    """A folder with a file that would fail if it were run, and one that says nothing of Airflow."""
    (tmp_path / "dags" / "mart").mkdir(parents=True)
    (tmp_path / "dags" / "mart" / "all.py").write_text(f"{DAGS}\nraise SystemExit('it was run')\n")
    (tmp_path / "dags" / "other.py").write_text("with DAG('x'\n")
    return tmp_path / "dags"


def test_dags_become_flows_that_pass_the_check(on_files: Program, dags: Path) -> None:
    said = on_files("import", "airflow", str(dags), "--into", "old")
    assert (said.code, said.out) == (0, "")
    assert said.err.splitlines()[-2:] == [
        "4 flows made, 1 thing left out",
        f"next: `sensord --config {on_files.folder} check`",
    ]
    assert "mart/all.py:17: left out: DAG once: it has no schedule" in said.err
    assert on_files("check").err == "no errors, 4 flows fit to run\n"
    assert set(load(on_files.folder).flows) == {"old/orders", "old/hours", "old/report/d", "old/report/e"}


def test_a_sensor_takes_the_run_that_airflow_s_would(on_files: Program, dags: Path) -> None:
    """Their hour of 02:00 is due at 03:00, and looks for the day that begins at 02:00: it is due when that ends."""
    said = on_files("import", "airflow", str(dags))
    (sensor,) = on_files("resolve", "hours", "2026-12-07T03:00Z", "--json").json["sensors"]
    assert sensor["logical_dates"] == ["2026-12-08T02:00:00Z"]
    assert "wait: on 4,792 of 5,000 dates it would wait for ever there: orders has no run of " in said.err


def test_a_sensor_that_has_no_like_here_is_told_with_the_date_on_which_it_differs(
    on_files: Program, dags: Path
) -> None:
    """Monday's report is of Friday there: no mapping of ours goes by the tick before."""
    said = on_files("import", "airflow", str(dags))
    message = "wait: no mapping takes the same runs on all dates: offset = -1h takes another on 2026-11-23 03:00+00:00"
    assert message in said.err
    assert "mart/all.py:14: differs: DAG report: " in said.err


def test_what_waits_for_a_flow_that_cannot_be_is_left_out_with_it(on_files: Program, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    text = DAGS.replace('bash_command="load --day', 'bash_command="load \\0 --day')
    (tmp_path / "dags" / "all.py").write_text(text)
    said = on_files("import", "airflow", str(tmp_path / "dags"))
    assert "left out: orders: run.command[2]: expected a text without the character NUL" in said.err
    assert "left out: hours: sensors[0].upstream: " in said.err
    assert load(on_files.folder).flows == {}


def test_a_file_of_dags_is_imported_with_its_folder(on_files: Program, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("")
    said = on_files("import", "airflow", str(tmp_path / "one.py"))
    assert (said.code, said.err.splitlines()) == (
        4,
        [
            f"error: no folder {tmp_path}/one.py",
            "hint: name the folder that the file lies in: its DAGs are read together",
        ],
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 4, "error: no folder nowhere"),
        (["--timezone", "Mars", "dags"], 2, "--timezone: expected a time zone"),
        (["--into", "-x", "dags"], 2, "--into: expected a name of letters"),
        (["--logical-date", "end", "dags"], 2, "'end' is not one of 'start', 'tick'"),
    ],
)
def test_what_cannot_be_of_airflow_is_said(on_files: Program, arguments: list[str], code: int, message: str) -> None:
    said = on_files("import", "airflow", *arguments)
    assert said.code == code
    assert message in said.err


LINES = st.text(st.characters(codec="utf-8", exclude_characters="\n")) | st.text(alphabet="{%}#'\"\\ a=@*/")


@share(0.5)
@given(lines=st.lists(LINES | LINES.map("* * * * * {}".format), max_size=4))
def test_whatever_stands_in_a_crontab_what_is_written_loads(
    lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("config")
    found = import_crontab("\n".join(lines), "crontab", home=lambda _: "/")
    session = Session(environ={"SENSORD_CONFIG": str(folder)})
    finish(session, found, dry_run=False)
    if (folder / "flows").exists():
        assert load(folder).problems == []


CRONS = st.sampled_from(["0 2 * * *", "@hourly", "*/20 * * * *", "0 5 * * 1-5", "30 4 * * 1", "0 0 1 * *"])
SCHEDULES = CRONS.map(repr) | st.sampled_from(
    [f"timedelta({given})" for given in ("days=1", "hours=1", "minutes=90", "hours=36", "weeks=1")]
)
STARTS = st.sampled_from(
    ["datetime(2021, 1, 1)", "datetime(2026, 12, 24, 7)", "pendulum.datetime(2021, 3, 4, tz='Europe/Amsterdam')"]
)
BODIES = st.sampled_from(
    ["w >> a", "w >> a >> b", "a >> w >> b", "a >> [b, w] >> c", "w >> [a, b] >> c", "a >> c\n    w >> b", "c << w"]
)
DAG = st.tuples(
    SCHEDULES,
    STARTS,
    BODIES,
    st.integers(-30, 60),
    st.sampled_from(["", "catchup=False, ", "end_date=datetime(2027, 2, 3), "]),
)
OPERATORS = """
    a = BashOperator(task_id='a', bash_command='a {{ ds }}')
    b = BashOperator(task_id='b', bash_command='b "$X" {{ ts }}', retries=1)
    c = BashOperator(task_id='c', bash_command='c {{ var.value.x }}')
"""


@share(0.3)
@given(st.lists(DAG, min_size=2, max_size=3), st.booleans(), st.booleans())
def test_whatever_the_dags_their_flows_load_and_pass_the_check(
    tmp_path_factory: pytest.TempPathFactory, dags: list[tuple[str, str, str, int, str]], interval: bool, split: bool
) -> None:
    """Each waits for the one before it."""
    text = HEAD
    for number, (schedule, start, body, hours, more) in enumerate(dags):
        delta = f"execution_delta=timedelta(hours={hours})"
        text += f"with DAG('d{number}', schedule={schedule}, {more}start_date={start}):{OPERATORS}"
        text += f"    w = ExternalTaskSensor(task_id='w', external_dag_id='d{number - 1}', {delta})\n    {body}\n"
    now = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    found = import_airflow({"a.py": text}, interval=interval, zone=ZoneInfo("UTC"), now=now, split=split)
    program = Program(tmp_path_factory.mktemp("any") / "config", None, ManualClock(now))
    finish(Session(environ={"SENSORD_CONFIG": str(program.folder)}), found, dry_run=False)

    said = program("check")

    assert said.code == 0, said.out
    assert {draft.name for draft in found.drafts} == set(load(program.folder).flows)
