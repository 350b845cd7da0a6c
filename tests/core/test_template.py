"""Texts with substitutions: what a run makes of them."""

import shlex
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.core.command import argv, environment, values
from sensord.core.cron import parse_cron
from sensord.core.flow import Command, Flow
from sensord.core.params import Param, write_param
from sensord.core.schedule import Schedule
from sensord.core.template import VARIABLES, Substitution, Template, Text, Values, render
from sensord.core.template_filters import LONGEST, Moment, make_filter

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MIDNIGHT = datetime(2026, 3, 29, 22, tzinfo=UTC)  # in Amsterdam, at the end of a day of 23 hours


def flow(command: Command) -> Flow:
    return Flow("mart/sales", Schedule(parse_cron("0 0 * * *", AMSTERDAM), AMSTERDAM), command)


def given_to(command: Command, **params: Param) -> Values:
    """What the third attempt of run 7 is filled in with."""
    return values(flow(command), 7, 3, MIDNIGHT, params)


def run(text: Text, *params: tuple[str, Param], **given: Param) -> str:
    """The text as that has it, with the params of the flow, and those given to the run."""
    command = Command(argv=(text,), params=params)
    return argv(command, given_to(command, **given))[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flow", "mart/sales"),
        ("logical_date", "2026-03-29T22:00:00Z"),
        ("data_interval_start", "2026-03-28T23:00:00Z"),
        ("data_interval_end", "2026-03-29T22:00:00Z"),
        ("run_id", "7"),
        ("attempt", "3"),
    ],
)
def test_a_variable_is_what_the_environment_has_by_the_same_name(name: str, expected: str) -> None:
    text = Template((Substitution(name),))
    seen = environment(Command(argv=("x",)), given_to(Command(argv=("x",))), [], {})

    assert run(text) == expected
    assert seen[f"SENSORD_{name.upper()}"] == expected


def test_all_variables_are_told_above() -> None:
    assert set(VARIABLES) == given_to(Command(argv=("x",))).named.keys()


def test_texts_and_substitutions_stand_side_by_side() -> None:
    text = Template(("--table=", Substitution("params.table"), "/", Substitution("flow"), ".csv"))

    assert run(text, ("table", "orders")) == "--table=orders/mart/sales.csv"


def test_the_variables_of_a_flow_are_filled_in_without_quotes() -> None:
    text = Template(("for ", Substitution("params.who")))
    command = Command(shell_text="true", env=(("NOTE", text), ("PLAIN", "{{ flow }}")), params=(("who", "a b"),))

    seen = environment(command, given_to(command), [], {})

    assert (seen["NOTE"], seen["PLAIN"]) == ("for a b", "{{ flow }}")


def test_no_interval_start_is_an_empty_text_whatever_is_made_of_it() -> None:
    filters = (make_filter("plus", ("1d",)), make_filter("date", ("%Y",)))
    text = Template(("<", Substitution("data_interval_start", filters), ">"))

    assert render(text, Values(AMSTERDAM, {"data_interval_start": ""})) == "<>"


@given(st.text(st.characters(exclude_characters="\0")))
def test_for_a_shell_each_value_is_one_word(value: str) -> None:
    command = Command(shell_text=Template(("load ", Substitution("params.x"), " | tee log")), params=(("x", value),))
    shell, option, text = argv(command, given_to(command))

    assert (shell, option) == ("/bin/sh", "-c")
    assert text.startswith("load '")
    assert shlex.split(text) == ["load", value, "|", "tee", "log"]


@pytest.mark.parametrize(
    ("own", "given", "expected"),
    [("a", "b", "b"), (True, False, "false"), (3, 40, "40"), (0.5, 2.0, "2.0"), ("a", "", "")],
)
def test_what_a_run_was_given_goes_before_what_its_flow_has(own: Param, given: Param, expected: str) -> None:
    text = Template(("<", Substitution("params.x"), ">"))

    assert run(text, ("x", own), x=given) == f"<{expected}>"
    assert run(text, ("x", own), y=given) == f"<{write_param(own)}>"


def test_a_text_grows_only_until_no_command_takes_it_and_never_shrinks_again() -> None:
    bomb = tuple(make_filter("replace", ("a", "a" * 1000)) for _ in range(20))
    back = make_filter("replace", ("a", ""))

    assert len(run(Template((Substitution("params.x", bomb),)), ("x", "a"))) == LONGEST
    assert len(run(Template((Substitution("params.x", (*bomb, back)),)), ("x", "aa"))) == LONGEST
    assert len(run(Template((Substitution("params.x"),) * 400), ("x", "a" * 1000))) == LONGEST
    assert LONGEST > 131_072


@pytest.mark.parametrize(("length", "count"), [(LONGEST - 1, 1), (LONGEST // 2, 2), (1, LONGEST - 1)])
def test_a_text_is_cut_where_it_is_too_long(length: int, count: int) -> None:
    filters = (make_filter("replace", ("b", "c" * length)),)

    text = run(Template((Substitution("params.x", filters),)), ("x", "b" * count))

    assert text == ("c" * (length * count))[:LONGEST]


def test_a_value_is_never_read_as_a_template_again() -> None:
    assert run(Template((Substitution("params.x"),)), ("x", "{{ flow }}")) == "{{ flow }}"


def test_a_template_knows_the_params_it_needs() -> None:
    text = Template(
        (Substitution("params.a"), Substitution("flow"), Substitution("params.b"), Substitution("params.a"))
    )

    assert text.params == {"a", "b"}


def test_a_name_without_a_value_is_an_error_not_an_empty_text() -> None:
    with pytest.raises(KeyError):
        render(Template((Substitution("params.gone"),)), Values())


def test_a_template_reads_as_it_was_written() -> None:
    filters = (make_filter("in_zone"), make_filter("date", ('%d "x"',)))
    text = Template(("--on ", Substitution("logical_date", filters), "{", Substitution("params.x"), " {{ y }}"))

    assert str(text) == (
        '--on {{ logical_date | in_zone | date("%d \\"x\\"") }}{% raw %}{{% endraw %}'
        "{{ params.x }}{% raw %} {{ y }}{% endraw %}"
    )


def test_an_instant_is_shown_in_utc_or_in_the_zone_asked_for() -> None:
    assert str(Moment(MIDNIGHT)) == "2026-03-29T22:00:00Z"
    assert str(Moment(MIDNIGHT + timedelta(seconds=0.9), AMSTERDAM)) == "2026-03-30T00:00:00+02:00"
