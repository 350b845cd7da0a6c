"""A folder of DAGs becomes flows: one for a chain of tasks, else one for each; and a note for what is not as it was."""

import re
import subprocess
from datetime import UTC, datetime
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from sensord.importing.airflow_flows import import_airflow
from sensord.importing.draft import Draft, Imported

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
HEAD = """\
from datetime import datetime, timedelta
import pendulum
from airflow import DAG
from airflow.operators.bash import BashOperator as Bash
from airflow.operators.empty import EmptyOperator as Empty
from airflow.operators.python import PythonOperator
from airflow.sensors.external_task import ExternalTaskSensor as Wait
"""
ORDERS = "with DAG('orders', schedule='0 2 * * *'):\n    Bash(task_id='load', bash_command='load')\n"
DAILY = "with DAG('x', schedule='0 3 * * *'):\n"


def read(*texts: str, interval: bool = True, zone: str = "UTC", split: bool = False, folder: str = "") -> Imported:
    files = {f"dags/{'abc'[number]}.py": HEAD + _spell(dedent(text)) for number, text in enumerate(texts)}
    return import_airflow(files, interval=interval, zone=ZoneInfo(zone), now=NOW, folder=folder, split=split)


def _spell(text: str) -> str:
    """`Work('a')` is a BashOperator that runs `a`, `Work('a', 'x')` one that runs `x`."""
    long = re.sub(r"Work\('(\w+)', ", r"Bash(task_id='\1', bash_command=", text)
    return re.sub(r"Work\('(\w+)'", r"Bash(task_id='\1', bash_command='\1'", long)


def drafts(found: Imported) -> dict[str, Draft]:
    return {draft.name: draft for draft in found.drafts}


def one(text: str, *, interval: bool = True) -> Draft:
    (draft,) = read(text, interval=interval).drafts
    return draft


def said(found: Imported, *, lost: bool = False) -> list[str]:
    return [note.message for note in found.notes if note.lost is lost]


def script(draft: Draft) -> str:
    command = draft.run["command"]
    assert isinstance(command, list)
    assert command[:2] == ["bash", "-c"]
    return str(command[2])


# Schedules


@pytest.mark.parametrize(
    ("arguments", "schedule"),
    [
        ("schedule='0 2 * * *'", {"cron": "0 2 * * *"}),
        ("schedule_interval='@daily'", {"cron": "@daily"}),
        ("schedule='@quarterly'", {"cron": "0 0 1 */3 *"}),
        ("schedule='0 2 * * * 30'", {"cron": "0 2 * * * 30", "seconds": True}),
        ("schedule='@daily', catchup=False", {"cron": "@daily", "catchup": "latest"}),
        ("schedule='@daily', start_date=datetime(2021, 1, 1)", {"cron": "@daily"}),
        (
            "schedule='@daily', start_date=pendulum.datetime(2021, 1, 1, tz='Europe/Amsterdam')",
            {"cron": "@daily", "timezone": "Europe/Amsterdam"},
        ),
        # its first run is of the day that begins at start_date, and comes due when that day ends
        (
            "schedule='@daily', start_date=datetime(2026, 12, 1), end_date=datetime(2026, 12, 31)",
            {"cron": "@daily", "start": datetime(2026, 12, 2, tzinfo=UTC), "end": datetime(2027, 1, 1, tzinfo=UTC)},
        ),
        ("schedule=timedelta(days=1), start_date=datetime(2021, 1, 1, 4, 30)", {"cron": "30 4 * * *"}),
        ("schedule=timedelta(hours=1), start_date=datetime(2021, 1, 1, 4, 30)", {"cron": "30 * * * *"}),
        ("schedule=timedelta(hours=6), start_date=datetime(2021, 1, 1, 7, 30)", {"cron": "30 1/6 * * *"}),
        ("schedule=timedelta(minutes=15), start_date=datetime(2021, 1, 1)", {"cron": "*/15 * * * *"}),
        ("schedule=timedelta(minutes=20), start_date=datetime(2021, 1, 1, 0, 25)", {"cron": "5/20 * * * *"}),
        (
            "schedule=timedelta(minutes=90), start_date=datetime(2026, 11, 22)",
            {"every": "90m", "start": datetime(2026, 11, 22, 12, tzinfo=UTC)},
        ),
        (
            "timetable=CronTriggerTimetable('0 2 * * *', timezone='Asia/Tokyo')",
            {"cron": "0 2 * * *", "timezone": "Asia/Tokyo"},
        ),
        (
            "default_args={'start_date': datetime(2026, 12, 1)}, schedule='@daily'",
            {"cron": "@daily", "start": datetime(2026, 12, 2, tzinfo=UTC)},
        ),
    ],
)
def test_a_schedule(arguments: str, schedule: dict[str, object]) -> None:
    draft = one(f"with DAG('x', {arguments}):\n    Work('a')")
    assert draft.schedule == schedule


def test_by_ticks_a_start_is_a_tick_and_there_is_no_catchup_by_default() -> None:
    draft = one(
        "with DAG('x', schedule='@daily', start_date=datetime(2026, 12, 1)):\n    Work('a')",
        interval=False,
    )
    assert draft.schedule == {"cron": "@daily", "start": datetime(2026, 12, 1, tzinfo=UTC), "catchup": "latest"}


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("schedule=None", "it has no schedule"),
        ("schedule='@once'", "@once is no schedule of ticks"),
        ("schedule=[Dataset('s3://x')]", "it runs when data is there"),
        ("schedule=Asset('x')", "it runs when data is there: Asset('x')"),
        ("schedule=get()", "its schedule is known only when it runs: get()"),
        ("tags=['a']", "it says no schedule"),
        ("schedule='61 * * * *'", "minute field: expected 0 to 59"),
        ("schedule='0 0 */2 * 1'", "is either day there, and both here"),
        ("schedule=timedelta(hours=5)", "counts from a start_date"),
    ],
)
def test_a_dag_without_times_of_ours_is_left_out(schedule: str, message: str) -> None:
    found = read(f"with DAG('x', {schedule}):\n    Work('a')")
    assert found.drafts == []
    (note,) = found.notes
    assert (note.place, note.subject, note.lost) == ("dags/a.py:8", "DAG x", True)
    assert message in note.message


def test_how_dates_shift_is_told_of_intervals_alone() -> None:
    assert said(read(ORDERS)) == [
        "the run that is 2026-11-22 02:00+00:00 there is 2026-11-23 02:00+00:00 here, the end of its interval"
    ]
    assert said(read(ORDERS, interval=False)) == []


# Commands


def test_one_task_is_one_command() -> None:
    more = "retries=2, execution_timeout=timedelta(hours=1)"
    draft = one(f"{DAILY}    Work('a', 'load --day \"{{{{ ds }}}}\"', {more})")
    assert script(draft) == 'load --day "{{ data_interval_start | date("%Y-%m-%d") }}"'
    assert draft.run == {"command": draft.run["command"], "retries": 2, "retry_delay": "5m", "timeout": "1h"}


def test_a_chain_is_one_command_in_its_order() -> None:
    found = read(
        """
        with DAG('x', schedule='@daily'):
            b = Work('b', 'two')
            Work('a', 'one') >> Empty(task_id='e') >> b
        """
    )
    (draft,) = found.drafts
    assert script(draft) == "set -e\n# a\n(\nset +e\none\n)\n# b\n(\nset +e\ntwo\n)"
    assert "its tasks a, b are one command" in said(found)


@pytest.mark.parametrize(
    ("first", "out", "code"),
    [
        ("echo one", "one\ntwo\n", 0),
        ("echo one; exit 0", "one\ntwo\n", 0),
        ("cd /; X=1; set -u", "two\n", 0),
        ("false; echo one", "one\ntwo\n", 0),
        ("echo one; exit 3", "one\n", 3),
        ("echo one; exit 99", "one\n", 99),
        ("cat <<X\none\nX", "one\ntwo\n", 0),
        ("echo one # and no more", "one\ntwo\n", 0),
    ],
)
def test_in_a_chain_each_is_by_itself_until_one_fails(first: str, out: str, code: int) -> None:
    text = DAILY + f"    Work('a', {first!r}) >> Work('b', 'echo two$X')"
    ran = subprocess.run(["bash", "-c", script(one(text))], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == (out, code)


def test_what_is_no_chain_is_a_flow_for_each_task() -> None:
    found = read(
        """
        with DAG('x', schedule='@daily', catchup=False):
            a, b = Work('a', 'one'), Work('b', 'two')
            c, d = Bash(task_id='c', bash_command='three'), Bash(task_id='d', bash_command='four')
            a >> [b, c] >> d
        """
    )
    flows = drafts(found)
    assert {name: draft.schedule for name, draft in flows.items()} == {
        "x/a": {"cron": "@daily", "catchup": "latest"},
        **{f"x/{task}": {"follow": "x/a", "catchup": "latest"} for task in "bcd"},
    }
    assert [script(draft) for draft in flows.values()] == ["one", "two", "three", "four"]
    assert flows["x/b"].sensors == [{"upstream": "x/a", "match": "same", "on_skipped": "skip"}]
    assert [sensor["upstream"] for sensor in flows["x/d"].sensors] == ["x/b", "x/c"]
    assert "its tasks are 4 flows, which follow x/a" in said(found)


@pytest.mark.parametrize(
    "more",
    ["retries=1", "env={'A': '1'}", "cwd='/srv'", "execution_timeout=timedelta(hours=1)"],
)
def test_a_chain_whose_tasks_are_run_differently_is_split(more: str) -> None:
    text = DAILY + f"    Work('a', 'one') >> Bash(task_id='b', bash_command='two', {more})"
    assert list(drafts(read(text))) == ["x/a", "x/b"]


def test_a_chain_may_be_split_in_any_case() -> None:
    text = DAILY + "    Work('a', 'one') >> Work('b', 'two')"
    assert list(drafts(read(text, split=True, folder="old/"))) == ["old/x/a", "old/x/b"]


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ("PythonOperator(task_id='a', python_callable=f)", "a (PythonOperator)"),
        ("Bash(task_id='a', bash_command='{{ var.value.x }}')", "a: {{ var.value.x }} has no like here"),
        ("Bash(task_id='a', bash_command=COMMAND)", "a: what it runs is known only when it runs: COMMAND"),
        ("Bash(task_id='a', bash_command='run.sh')", "a: its command is a template file, run.sh"),
        ("Bash(task_id='a', bash_command='x', env=ENV)", "a: its env is known only when it runs"),
        ("Bash(task_id='a', bash_command='x', env={'A-B': ''})", "a: 'A-B' is no name of a variable"),
    ],
)
def test_where_something_is_not_carried_over_the_flow_fails_there(task: str, why: str) -> None:
    found = read(DAILY + f"    {task} >> Bash(task_id='b', bash_command='after it')")
    (draft,) = found.drafts
    assert "not carried over" in script(draft)
    assert "exit 1\n)\n# b\n" in script(draft)
    assert said(found, lost=True) == [why]


def test_a_dag_that_does_nothing_is_a_flow_that_does_nothing() -> None:
    draft = one("with DAG('x', schedule='@daily'):\n    Empty(task_id='a')")
    assert draft.run == {"command": ["true"]}


def test_variables_of_a_command_are_its_own_or_come_from_where_they_came() -> None:
    draft = one(DAILY + "    Bash(task_id='a', bash_command='X=1; load $TARGET ${HOME} $X')")
    assert draft.run["pass_env"] == ["TARGET"]
    draft = one(DAILY + "    Bash(task_id='a', bash_command='load $DAY $TARGET', env={'DAY': '{{ ds }}'})")
    assert draft.env == {"DAY": '{{ data_interval_start | date("%Y-%m-%d") }}'}
    assert "pass_env" not in draft.run


def test_params_that_are_used_come_along() -> None:
    draft = one("with DAG('x', schedule='@daily', params={'n': 3, 'other': 4}):\n    Work('a', '{{ params.n }}')")
    assert draft.params == {"n": 3}


def test_what_a_person_reads_comes_along() -> None:
    draft = one("""
        with DAG('x', schedule='@daily', description='All orders', tags=['a'], max_active_runs=3,
                 default_args={'owner': 'crm', 'depends_on_past': True}):
            Work('a')
    """)
    assert draft.top == {"description": "All orders", "owner": "crm", "tags": ["a"]}
    assert draft.run["max_active"] == 3
    assert draft.sensors == [{"upstream": "x", "back": 1}]


# Sensors


def test_a_sensor_waits_for_the_same_run() -> None:
    flows = drafts(
        read(
            ORDERS,
            DAILY + "    Wait(task_id='w', external_dag_id='orders', execution_delta=timedelta(hours=1)) >> Work('a')",
        )
    )
    assert flows["x"].sensors == [
        {"upstream": "orders", "match": "same", "offset": "-1h", "on_skipped": "wait", "timeout": "168h"}
    ]


@pytest.mark.parametrize(
    ("arguments", "policies"),
    [
        ("timeout=3600", {"on_skipped": "wait", "timeout": "1h"}),
        ("timeout=timedelta(hours=2), soft_fail=True", {"on_skipped": "wait", "timeout": "2h", "on_timeout": "skip"}),
        ("failed_states=['failed']", {"on_failure": "fail", "on_skipped": "wait", "timeout": "168h"}),
        (
            "failed_states=['failed', 'skipped']",
            {"on_failure": "fail", "on_skipped": "fail", "timeout": "168h"},
        ),
        ("skipped_states=[State.SKIPPED]", {"on_skipped": "skip", "timeout": "168h"}),
        ("allowed_states=['success', 'skipped']", {"accept": ["success", "skipped"], "timeout": "168h"}),
    ],
)
def test_a_sensors_states_are_policies(arguments: str, policies: dict[str, object]) -> None:
    text = DAILY.replace("0 3", "0 2")
    flows = drafts(
        read(
            ORDERS,
            text + f"    Wait(task_id='w', external_dag_id='orders', {arguments}) >> Work('a')",
        )
    )
    assert flows["x"].sensors == [{"upstream": "orders", "match": "same", **policies}]


def test_a_sensor_that_would_hang_there_is_told_and_takes_the_last_run() -> None:
    found = read(ORDERS, DAILY + "    Wait(task_id='w', external_dag_id='orders') >> Work('a')")
    assert drafts(found)["x"].sensors == [{"upstream": "orders", "on_skipped": "wait", "timeout": "168h"}]
    (note,) = [note for note in found.notes if "for ever" in note.message]
    assert (note.place, note.lost) == ("dags/b.py:9", False)
    assert note.message == (
        "w: on 731 of 731 dates it would wait for ever there: orders has no run of 2026-11-22 03:00+00:00, which it "
        "looks for on 2026-11-23 03:00+00:00; here it takes the last one before (match = latest)"
    )


def test_a_delta_between_other_intervals_is_told_as_it_is_written() -> None:
    hourly = "with DAG('hours', schedule='@hourly'):\n    Bash(task_id='load', bash_command='load')\n"
    found = read(hourly, DAILY + "    Wait(task_id='w', external_dag_id='hours') >> Work('a')")
    assert (
        "w: its delta of 0:00:00 is match = same, offset = -23h here, where a date is the end of an interval"
        in said(found)
    )


def test_a_sensor_in_the_middle_is_that_tasks_own() -> None:
    flows = drafts(
        read(
            ORDERS,
            """
        with DAG('x', schedule='0 2 * * *'):
            a, b = Work('a'), Work('b')
            a >> Wait(task_id='w', external_dag_id='orders') >> b
    """,
        )
    )
    assert flows["x/a"].sensors == []
    assert [sensor["upstream"] for sensor in flows["x/b"].sensors] == ["x/a", "orders"]


def test_a_sensor_on_a_split_dag_waits_for_the_task_or_for_all_its_ends() -> None:
    two = "with DAG('two', schedule='0 2 * * *'):\n    Work('a')\n    Work('b')\n"
    text = "with DAG('x', schedule='0 2 * * *'):\n    Wait(task_id='w', external_dag_id='two'{}) >> Work('c')"
    for more, upstreams in (("", ["two/a", "two/b"]), (", external_task_id='b'", ["two/b"])):
        flows = drafts(read(two, text.format(more)))
        assert [sensor["upstream"] for sensor in flows["x"].sensors] == upstreams


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("external_dag_id='other'", "w: the DAG other is not among the flows that are made"),
        ("external_dag_id='orders', external_task_id='no'", "w: the DAG orders has no task no"),
        (
            "external_dag_id='orders', execution_date_fn=f",
            "w: which dates execution_date_fn gives is known only when it runs",
        ),
        ("external_dag_id=NAME", "w: what it waits for is known only when it runs"),
        ("external_dag_id='orders', allowed_states=['running']", "w: no state that it allows is a final one here"),
    ],
)
def test_a_wait_that_is_not_known_is_a_gap_at_which_the_flow_fails(arguments: str, why: str) -> None:
    found = read(ORDERS, DAILY + f"    Wait(task_id='w', {arguments}) >> Work('a')")
    assert said(found, lost=True) == [why]
    assert drafts(found)["x"].sensors == []
    assert script(drafts(found)["x"]).startswith("set -e\n# w\n(\nset +e\necho ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("with DAG('x', schedule='@daily'):\n    pass", "it has no tasks"),
        (
            "with DAG('orders', schedule='@daily'):\n    Bash(task_id='a')",
            "there is a DAG of this name already, in dags/a.py",
        ),
        ("with DAG('x', schedule='@daily'):\n    Bash(task_id=A)", "a task whose id is known only when it runs: A"),
        ("with DAG(\n", "it is no Python: '(' was never closed"),
        ("def f():\n    return DAG('x')", "what it comes to is known only when the file is run"),
    ],
)
def test_a_dag_that_cannot_be_told_is_left_out(text: str, message: str) -> None:
    found = read(ORDERS, text)
    assert list(drafts(found)) == ["orders"]
    (note,) = [note for note in found.notes if note.lost]
    assert message in note.message
    assert "<unknown>" not in note.message


def test_what_has_no_like_here_is_listed() -> None:
    found = read("""
        with DAG('x', schedule='@daily', dagrun_timeout=timedelta(1)):
            Work('a', 'a', pool='p', trigger_rule='all_done')
    """)
    assert "not taken over: dagrun_timeout, pool" in said(found)
    assert "a: trigger_rule all_done is not kept: it runs when what it comes after has succeeded" in said(found)
