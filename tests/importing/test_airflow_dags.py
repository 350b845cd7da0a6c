"""DAGs are read by their syntax: in every way that people write them, and without running a line."""

from datetime import UTC, datetime, timedelta
from textwrap import dedent
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.importing.airflow_dags import read_dags
from sensord.importing.airflow_model import Dag, DagFile
from sensord.importing.airflow_values import Opaque

HEAD = """\
import datetime as dt
from datetime import datetime, timedelta
import pendulum
from airflow import DAG
from airflow.decorators import dag, task
from airflow.operators.bash import BashOperator as Bash
from airflow.models.baseoperator import chain, cross_downstream
from airflow.utils.task_group import TaskGroup
"""


def read(text: str) -> DagFile:
    return read_dags(HEAD + dedent(text), "dags/a.py")


def one(text: str) -> Dag:
    found = read(text)
    assert found.strange == []
    (dag,) = found.dags
    return dag


def order(dag: Dag) -> dict[str, list[str]]:
    assert dag.strange == []
    return {task.id: [before.id for before in task.after] for task in dag.tasks}


@pytest.mark.parametrize(
    "text",
    [
        "with DAG('x') as d:\n    a = Bash(task_id='a')\n    b = Bash(task_id='b')\n    a >> b",
        "d = DAG(dag_id='x')\na = Bash(task_id='a', dag=d)\nb = Bash(task_id='b', dag=d)\nb << a",
        "with DAG('x'):\n    a = Bash(task_id='a')\n    b = Bash(task_id='b')\n    a.set_downstream(b)",
        "with DAG('x'):\n    a = Bash(task_id='a')\n    b = Bash(task_id='b')\n    b.set_upstream([a])",
        "with DAG('x'):\n    a, b = Bash(task_id='a'), Bash(task_id='b')\n    chain(a, b)",
        "with DAG('x'):\n    a, b = Bash(task_id='a'), Bash(task_id='b')\n    cross_downstream([a], [b])",
        "with DAG('x'):\n    Bash(task_id='a') >> Bash(task_id='b')",
        "@dag()\ndef x():\n    Bash(task_id='a') >> Bash(task_id='b')\nx()",
        "@dag\ndef x():\n    @task\n    def a(): return 1\n    @task\n    def b(n): return n\n    b(a())\nx()",
        "@dag\ndef x():\n    @task\n    def a(): return 1\n    b = Bash(task_id='b', env={})\n    a() >> b",
        "d = DAG('x')\ntry:\n    a = Bash(task_id='a', dag=d)\nfinally:\n    b = Bash(task_id='b', dag=d)\na >> b",
    ],
)
def test_two_tasks_in_order_however_they_are_written(text: str) -> None:
    dag = one(text)
    assert (dag.id, dag.file) == ("x", "dags/a.py")
    assert order(dag) == {"a": [], "b": ["a"]}


def test_lists_fan_out_and_in() -> None:
    dag = one("""
        with DAG('x'):
            a, b = Bash(task_id='a'), Bash(task_id='b')
            c, d = Bash(task_id='c'), Bash(task_id='d')
            a >> [b, c] >> d
    """)
    assert order(dag) == {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_a_group_comes_after_and_before_as_a_whole() -> None:
    dag = one("""
        with DAG('x'):
            a = Bash(task_id='a')
            with TaskGroup('g') as g:
                b = Bash(task_id='b')
                c = Bash(task_id='c')
                b >> c
            a >> g >> Bash(task_id='d')
    """)
    assert order(dag) == {"a": [], "g.b": ["a"], "g.c": ["g.b"], "d": ["g.c"]}


def test_a_loop_over_a_list_is_followed() -> None:
    dag = one("""
        TABLES = ["orders", "items"]
        with DAG('x'):
            last = Bash(task_id='last')
            for table in TABLES:
                one = Bash(task_id=f"load_{table}", bash_command="load " + table)
                one >> last
    """)
    assert order(dag) == {"last": ["load_orders", "load_items"], "load_orders": [], "load_items": []}
    assert dag.tasks[1].args["bash_command"] == "load orders"


def test_a_task_knows_the_id_of_another_and_of_its_dag() -> None:
    dag = one("""
        with DAG('x') as d:
            a = Bash(task_id='a', dag_of=d.dag_id)
            Bash(task_id='b', task_of=a.task_id, other=a.owner)
    """)
    assert dag.tasks[0].args["dag_of"] == "x"
    assert dag.tasks[1].args["task_of"] == "a"
    assert dag.tasks[1].args["other"] == Opaque("a.owner")


def test_a_dag_in_a_loop_is_many() -> None:
    found = read("for n in ('a', 'b'):\n    with DAG(f'load_{n}'):\n        Bash(task_id='t')")
    assert [dag.id for dag in found.dags] == ["load_a", "load_b"]


def test_a_task_called_twice_is_two_and_a_bash_task_has_its_command() -> None:
    dag = one("""
        @dag
        def x():
            @task.bash
            def load():
                return "load it"
            load() >> load() >> load.override(task_id="again")()
    """)
    assert order(dag) == {"load": [], "load__1": ["load"], "again": ["load__1"]}
    assert dag.tasks[0].args["bash_command"] == "load it"


def test_the_arguments_of_a_task_go_before_the_defaults() -> None:
    dag = one("""
        common = {"retries": 2, "owner": "me"}
        with DAG('x', default_args={**common, "retries": 3}):
            Bash(task_id='a')
            Bash(task_id='b', retries=1)
    """)
    assert [task.args["retries"] for task in dag.tasks] == [3, 1]
    assert dag.tasks[0].args["owner"] == "me"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("timedelta(days=1, hours=2)", timedelta(days=1, hours=2)),
        ("dt.timedelta(minutes=5) * 3", timedelta(minutes=15)),
        ("datetime(2021, 1, 1)", datetime(2021, 1, 1)),
        ("dt.datetime(2021, 1, 1, tzinfo=dt.timezone.utc)", datetime(2021, 1, 1, tzinfo=UTC)),
        (
            "pendulum.datetime(2021, 1, 1, tz='Europe/Amsterdam')",
            datetime(2021, 1, 1, tzinfo=ZoneInfo("Europe/Amsterdam")),
        ),
        (
            "datetime(2021, 1, 1, tzinfo=pendulum.timezone('Asia/Tokyo'))",
            datetime(2021, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")),
        ),
        ("f'{1 + 1}-{\"a\"}'", "2-a"),
        ("'a %s' % 'b'", "a b"),
        ("60 * 60 - 1", 3599),
        ("dict(a=1)", {"a": 1}),
        ("[*[1, 2], 3][2]", 3),
        ("[str(n) for n in range(2)]", Opaque("[str(n) for n in range(2)]")),
        ("list(range(1, 3))", [1, 2]),
        ("'{}_{n}'.format('a', n=1)", "a_1"),
        ("'{:9999999999}'.format(1)", Opaque("'{:9999999999}'.format(1)")),
        ("'%9999999999d' % 1", Opaque("'%9999999999d' % 1")),
        ("'{0.__class__}'.format(get())", Opaque("'{0.__class__}'.format(get())")),
        ("' a '.strip()", "a"),
        ("'n' + str(2)", "n2"),
        ("range(10 ** 9)", Opaque("range(10 ** 9)")),
        ("-1", -1),
        ("os.environ['X']", Opaque("os.environ['X']")),
        ("Variable.get('x')", Opaque("Variable.get('x')")),
        ("f'{unknown}'", Opaque("f'{unknown}'")),
        ("1 / 0", Opaque("1 / 0")),
        ("{}['a']", Opaque("{}['a']")),
        ("lambda dt: dt", Opaque("lambda dt: dt")),
        ("'x' * 10 ** 10", Opaque("'x' * 10 ** 10")),
    ],
)
def test_what_a_value_is(expression: str, value: Any) -> None:
    assert one(f"with DAG('x', value={expression}):\n    Bash(task_id='a')").args["value"] == value


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("def make(n):\n    with DAG(n):\n        pass\nmake('a')", "a DAG made by the function make"),
        ("if x:\n    d = DAG('x')", "a DAG made under a condition"),
        ("for n in names():\n    DAG(n)", "a DAG made in a loop over names()"),
        ("DAG(NAME)", "a DAG whose id is known only when it runs: NAME"),
    ],
)
def test_a_dag_that_is_known_only_when_it_runs_is_told(text: str, what: str) -> None:
    found = read(text)
    assert [said for _, said in found.strange] == [what]
    assert found.dags == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("if x:\n        Bash(task_id='a')", "BashOperator under a condition"),
        ("for n in names():\n        Bash(task_id=n)", "BashOperator in a loop over names()"),
        ("Bash(task_id=NAME)", "a task whose id is known only when it runs: NAME"),
        ("Bash.partial(task_id='a').expand(x=[1])", "tasks that are known only when it runs: .expand(...)"),
        ("Bash(task_id='a') >> other", "an order of tasks that are not known: Bash(task_id='a') >> other"),
    ],
)
def test_a_task_that_is_known_only_when_it_runs_is_told(text: str, what: str) -> None:
    (dag,) = read(f"with DAG('x'):\n    {text}").dags
    assert [said for _, said in dag.strange] == [what]


def test_what_is_no_dag_is_passed_over() -> None:
    assert read("import os\nif __name__ == '__main__':\n    DAG('x').cli()\n\nclass A:\n    x = 1\n") == DagFile()


PIECES = st.sampled_from(
    ["with DAG('x') as d:\n ", "a = Bash(task_id='a')", "a >> ", "[a]", "for a in [1]:", "lambda: ", "f'{", "1/0"]
) | st.sampled_from("\n()' d")


@given(st.lists(PIECES).map("".join) | st.text())
def test_whatever_the_file_holds_it_is_read_or_refused(text: str) -> None:
    try:
        read_dags(text, "a.py")
    except (SyntaxError, ValueError):
        return
