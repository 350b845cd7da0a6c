"""Jinja in BashOperators: what ours renders is, letter by letter, what Airflow's own variables would have rendered."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from jinja2 import Environment

from sensord.core.template import Values, render
from sensord.core.template_filters import Moment, Value
from sensord.importing.airflow_commands import Context, Unmapped, map_command

START, TICK = datetime(2026, 11, 21, 2, tzinfo=UTC), datetime(2026, 11, 22, 2, tzinfo=UTC)
PARAMS = {"day": "it's 7", "n": 3, "flag": True, "list": [1]}


def airflow(text: str, *, interval: bool) -> str:
    """By Airflow's documentation of its template variables."""
    logical = START if interval else TICK

    def written(at: datetime, pattern: str) -> str:
        return at.strftime(pattern)

    day = timedelta(days=1)
    macros = SimpleNamespace(
        ds_add=lambda ds, days: (datetime.fromisoformat(ds) + days * day).strftime("%Y-%m-%d"),
        ds_format=lambda ds, given, wanted: datetime.strptime(ds, given).replace(tzinfo=UTC).strftime(wanted),
    )
    known = {
        "ds": written(logical, "%Y-%m-%d"),
        "ds_nodash": written(logical, "%Y%m%d"),
        "ts": logical.isoformat(),
        "ts_nodash": written(logical, "%Y%m%dT%H%M%S"),
        "ts_nodash_with_tz": written(logical, "%Y%m%dT%H%M%S%z"),
        "yesterday_ds": written(logical - day, "%Y-%m-%d"),
        "tomorrow_ds_nodash": written(logical + day, "%Y%m%d"),
        "next_ds": written(TICK, "%Y-%m-%d"),
        "logical_date": logical,
        "execution_date": logical,
        "dag_run": SimpleNamespace(logical_date=logical),
        "data_interval_start": logical,
        "data_interval_end": TICK,
        "dag": SimpleNamespace(dag_id="sales"),
        "task": SimpleNamespace(task_id="load"),
        "params": PARAMS,
        "macros": macros,
    }
    environment = Environment(keep_trailing_newline=True)
    environment.filters["ds"] = lambda at: at.strftime("%Y-%m-%d")
    return environment.from_string(text).render(known)


def ours(text: str, *, interval: bool) -> str:
    context = Context("sales", interval, PARAMS)
    template = map_command(text, "load", context)
    named: dict[str, Value] = {"logical_date": Moment(TICK), "data_interval_start": Moment(START)}
    named |= {f"params.{name}": str(value) for name, value in context.used.items()}
    return render(template, Values(named=named))


SAME = [
    "load --day {{ ds }} --to '{{ds_nodash}}'\n",
    "{{ ts }} {{ ts_nodash }} {{ ts_nodash_with_tz }}",
    "{{ yesterday_ds }} {{ tomorrow_ds_nodash }}",
    "{{ execution_date.strftime('%Y/%m/%d %H:%M') }} {{ dag_run.logical_date.isoformat() }}",
    "{{ data_interval_start | ds }} {{ data_interval_end.strftime('%j') }}",
    "{{ macros.ds_add(ds, -7) }} {{ macros.ds_format(ds, '%Y-%m-%d', '%d.%m.%Y') }}",
    "{{ macros.ds_add(yesterday_ds, 1) }} {{ ds | replace('-', '_') }} {{ 'x' }}",
    "{{ params.day }} {{ params['n'] }} {{ dag.dag_id }}.{{ task.task_id }}",
    "{# a note #}echo '{% raw %}{{.Names}}{% endraw %}' $x {",
    "no braces, 100%",
]


@pytest.mark.parametrize("interval", [True, False])
@pytest.mark.parametrize("text", SAME)
def test_it_is_written_as_airflow_writes_it(text: str, interval: bool) -> None:
    assert ours(text, interval=interval) == airflow(text, interval=interval)


def test_the_next_date_is_the_end_of_an_interval() -> None:
    assert ours("{{ next_ds }}", interval=True) == airflow("{{ next_ds }}", interval=True) == "2026-11-22"


def test_an_instant_as_it_is_is_written_in_iso_and_remembered() -> None:
    context = Context("sales", True, {})
    assert str(map_command("{{ logical_date }}", "load", context)) == (
        '{{ data_interval_start | date("%Y-%m-%dT%H:%M:%S+00:00") }}'
    )
    assert context.bare == {"logical_date"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ var.value.bucket }}", "var.value.bucket"),
        ("{{ conn.db.host }}", "conn.db.host"),
        ("{{ ti.xcom_pull('a') }}", "ti.xcom_pull(...)"),
        ("{{ run_id }}", "run_id"),
        ("{{ prev_ds }}", "prev_ds"),
        ("{{ params.flag }}", "params.flag"),
        ("{{ params.list }}", "params.list"),
        ("{{ params.nowhere }}", "params.nowhere"),
        ("{{ dag_run.conf['x'] }}", "dag_run.conf['x']"),
        ("{{ execution_date + macros.timedelta(days=1) }}", "an expression (add)"),
        ("{{ execution_date.strftime('%A') }}", "%A"),
        ("{{ execution_date.format('YYYY') }}", "execution_date.format(...)"),
        ("{{ macros.ds_format(ds, '%Y-%m-%d', '%H') }}", "macros.ds_format(...)"),
        ("{{ ds | upper(1) }}", "ds | upper"),
        ("{{ ds | trim }}", "ds | trim"),
        ("{% if params.n %}x{% endif %}", "{% if ... %}"),
        ("{{ ds", "unexpected end of template"),
    ],
)
def test_what_has_no_like_here_is_named(text: str, said: str) -> None:
    with pytest.raises(Unmapped) as caught:
        map_command(text, "load", Context("sales", True, PARAMS))
    assert said in str(caught.value)


def test_the_next_date_of_a_trigger_is_not_known() -> None:
    with pytest.raises(Unmapped):
        map_command("{{ next_ds }}", "load", Context("sales", False, {}))
