"""Templates of commands: what of Jinja2's syntax is read, and what is refused with which words."""

import warnings
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.config import flow_from_body
from sensord.config.templates import parse_template
from sensord.core.command import argv, values
from sensord.core.template import Substitution, Template, Values, escape_text, render
from sensord.core.template_filters import Filter
from tests.config.folder import PLAIN, SCHEDULE, Folder


def fault(text: str) -> tuple[str, str | None]:
    parsed = parse_template(text)
    assert parsed.text is None
    (error,) = parsed.faults
    return error.message, error.hint


@pytest.mark.parametrize("text", ["", "plain", "{ }", "}}", "%}", "${#list[@]}", "{# note #}", "a\r\nb\n", "'{'"])
def test_without_double_braces_a_text_is_itself(text: str) -> None:
    assert parse_template(text).text == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{{flow}}", (Substitution("flow"),)),
        ("a {{ run_id }}-{{ attempt }} b\n", ("a ", Substitution("run_id"), "-", Substitution("attempt"), " b\n")),
        ("{{ params.x_1 }}", (Substitution("params.x_1"),)),
        ("{{ (flow) }}", (Substitution("flow"),)),
        ("a  {{- flow -}}  b", ("a", Substitution("flow"), "b")),
        ("${#l} {{ flow }}{# no comment #}", ("${#l} ", Substitution("flow"), "{# no comment #}")),
        ("a\r\n\r{{ flow }}\r", ("a\r\n\r", Substitution("flow"), "\r")),
        ("{% raw %}{{ x }}{% endraw %} {{ flow }}", ("{{ x }} ", Substitution("flow"))),
        (
            "{{ logical_date|plus('-1d') | in_zone | date(\"%Y\\\\x é\") | upper }}",
            (
                Substitution(
                    "logical_date",
                    (Filter("plus", ("-1d",)), Filter("in_zone"), Filter("date", ("%Y\\x é",)), Filter("upper")),
                ),
            ),
        ),
    ],
)
def test_what_is_read(text: str, parts: tuple[str | Substitution, ...]) -> None:
    assert parse_template(text).text == Template(parts)


def test_raw_alone_is_plain() -> None:
    assert parse_template("{% raw %}{{ .Names }}{% endraw %}").text == "{{ .Names }}"


EXPECTED = "expected a variable or params.name, with filters, got "
VARIABLES = (
    "the variables are flow, logical_date, data_interval_start, data_interval_end, run_id, attempt and params.name"
)


@given(
    st.text(alphabet="{}% \nenadrwx")
    | st.lists(st.sampled_from(["{% raw %}", "{%- endraw", "%}", "{", "x"])).map("".join)
)
def test_a_text_that_is_escaped_is_itself(text: str) -> None:
    assert parse_template(escape_text(text)).text == text
    assert parse_template(escape_text(text) + "{{ flow }}").text == Template(
        (text, Substitution("flow")) if text else (Substitution("flow"),)
    )


RAW = "for the characters themselves write {% raw %}...{% endraw %}"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{{ logical_dat }}", 'expected a variable, got "logical_dat"', 'did you mean "logical_date"?'),
        ("{{ zzz }}", 'expected a variable, got "zzz"', VARIABLES),
        ("{{ params }}", "expected the name of a param, got params alone", "write params.name"),
        ("{{ param.x }}", EXPECTED + "an attribute", 'did you mean "params"?'),
        ("{{ params.x.y }}", EXPECTED + "an attribute", "only params have any: params.name"),
        ("{{ logical_date.year }}", EXPECTED + "an attribute", "only params have any: params.name"),
        ("{{ params['x'] }}", EXPECTED + "a subscript", "a param is written params.name"),
        ("{{ flow() }}", EXPECTED + "a call", 'values are changed by filters: {{ logical_date | date("%Y") }}'),
        (
            "{{ logical_date + 1 }}",
            EXPECTED + "arithmetic",
            'an instant is moved by a filter: {{ logical_date | plus("-1d") }}',
        ),
        ("{{ 'a' }}", EXPECTED + "a constant", RAW),
        ("{{ flow if attempt else run_id }}", EXPECTED + "a condition", None),
        ("{{ flow, flow }}", EXPECTED + "an expression", None),
        ("{{ flow is defined }}", EXPECTED + "a test", None),
        ("{{ flow | tojson }}", "expected a filter, got tojson", None),
        ("{{ flow | date('%Y') }}", "expected an instant before date, got a text: flow", "only dates are instants"),
        (
            "{{ logical_date | upper }}",
            "expected a text before upper, got an instant: logical_date",
            'date("%Y-%m-%d") makes a text of an instant',
        ),
        (
            "{{ logical_date | date('%Y') | plus('1d') }}",
            "expected an instant before plus, got a text: date",
            "only dates are instants",
        ),
        (
            "{{ logical_date | plus(1) }}",
            "expected texts in quotes as arguments of plus, got another",
            'as date("%Y-%m-%d")',
        ),
        (
            "{{ logical_date | plus(flow) }}",
            "expected texts in quotes as arguments of plus, got another",
            'as date("%Y-%m-%d")',
        ),
        (
            "{{ logical_date | plus(by='1d') }}",
            "expected plain arguments of plus, got one with a name or a star",
            None,
        ),
        (
            "{% if flow %}{% endif %}",
            "expected only {{ ... }} in a template, got a statement: {% if ... %}",
            "params and variables may take the place of conditions and loops",
        ),
        (
            "{% include 'x' %}",
            "expected only {{ ... }} in a template, got a statement: {% include ... %}",
            "params and variables may take the place of conditions and loops",
        ),
        (
            "{{ flow",
            "expected a template in Jinja2's syntax, got an error: unexpected end of template, "
            "expected 'end of print statement'.",
            RAW,
        ),
        (
            "{{ flow\r }}",
            "expected a template in Jinja2's syntax, got an error: unexpected char '\\r' at 7",
            RAW,
        ),
        ("{{ " + "(" * 5000 + " }}", "expected a template, got one nested too deeply", None),
    ],
)
def test_what_is_refused(text: str, message: str, hint: str | None) -> None:
    got, advice = fault(text)
    assert got.startswith(message)
    if hint is not None:
        assert advice == hint


def test_the_same_fault_is_told_once() -> None:
    assert len(parse_template("{{ a }} {{ b }} {{ a }}").faults) == 2


def test_a_text_that_would_take_long_to_read_is_refused() -> None:
    assert parse_template("x" * 30_000).text
    assert fault("{{ flow }}" * 2001) == ("expected a template of at most 20,000 characters, got 20,010", None)


def test_every_substitution_is_judged() -> None:
    assert len(parse_template("{{ a }} {{ flow }} {{ b }} {% set x = 1 %}").faults) == 3


def test_a_number_too_long_to_read_is_a_fault() -> None:
    assert parse_template("{{ flow | replace(" + "9" * 5000 + ") }}").faults


def test_an_odd_escape_neither_warns_nor_fails() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_template(r"{{ flow | replace('\d', '') }}").text


PIECES = ["{{", "}}", "{%", "%}", "{#", "|", "(", ")", "'", '"', ".", ",", " ", "\n", "\r", "\\", "-", "é"]
NAMES = ["flow", "logical_date", "params.x", "date", "plus", "'1d'", "'%Y'", "raw", "endraw", "if", "1", "upper"]


@given(st.lists(st.sampled_from(PIECES + NAMES), max_size=14).map("".join))
def test_whatever_is_read_can_be_filled_in(text: str) -> None:
    parsed = parse_template(text)
    assert (parsed.text is None) == bool(parsed.faults)
    if isinstance(parsed.text, str):
        assert "{{" not in text or "raw" in text
    elif parsed.text:
        assert parse_template(str(parsed.text)).text == parsed.text


SUBSTITUTIONS = st.sampled_from(
    [
        "{{ flow }}",
        "{{ params.x }}",
        "{{ logical_date | date('%Y') }}",
        "{{ logical_date | plus('-1mo') | align('day') }}",
    ]
)


@given(st.lists(SUBSTITUTIONS | st.sampled_from(["a", " ", "'", "\n", "{", "}", "é"]), max_size=8).map("".join))
def test_a_template_shown_reads_as_itself(text: str) -> None:
    read = parse_template(text).text
    if isinstance(read, Template):
        assert parse_template(str(read)).text == read


def test_a_command_is_filled_in_from_its_body(folder: Folder) -> None:
    folder.flow(
        "a/b",
        '[params]\nx = "1 2"\nunused = 3\nflag = true\nhalf = 0.5\n',
        SCHEDULE,
        '[run]\ncommand = ["x", "{{ params.x }}{{ params.flag }}", "{{ data_interval_end | date(\'%F\') }}"]\n',
        'env.A = "{{ params.half }} {{ flow }}"\n',
    )
    flow = flow_from_body("a/b", folder.loaded("a/b").body)
    given_values = values(flow, 1, 1, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert argv(flow.command, given_values) == ("x", "1 2true", "2026-03-01")
    assert [(name, render(text, given_values)) for name, text in flow.command.env] == [("A", "0.5 a/b")]
    assert flow.command.params == (("flag", True), ("half", 0.5), ("x", "1 2"))
    assert flow == folder.loaded("a/b").flow


def test_a_plain_text_of_a_body_is_never_read_as_a_template(folder: Folder) -> None:
    folder.flow("a", SCHEDULE, '[run]\ncommand = ["x", "{% raw %}{{ flow }}{% endraw %}"]\n')
    assert argv(flow_from_body("a", folder.loaded("a").body).command, Values()) == ("x", "{{ flow }}")


@pytest.mark.parametrize(
    ("parts", "key", "message", "hint"),
    [
        (
            (SCHEDULE, '[run]\ncommand = ["a", "{{ params.x }}"]\n'),
            "run.command[1]",
            "expected a param that there is, got params.x",
            "give it a value below [params]: x = ...",
        ),
        (
            ('params.table = "t"\n', SCHEDULE, '[run]\ncommand = ["a", "{{ params.tabel }}"]\n'),
            "run.command[1]",
            "expected a param that there is, got params.tabel",
            'did you mean "table"?',
        ),
        (
            (PLAIN, 'env.A = "{{ flo }}"\n'),
            "run.env.A",
            'expected a variable, got "flo"',
            'did you mean "flow"?',
        ),
        (
            ("params.x = []\n", PLAIN),
            "params.x",
            "expected a text, a number, true or false, got an empty list",
            None,
        ),
        (("params = 3\n", PLAIN), "params", "expected a table of texts, numbers, true and false, got 3", None),
        (("params.x = nan\n", PLAIN), "params.x", "expected a finite number, got nan", None),
        (
            ("params.a-b = 1\n", PLAIN),
            "params.a-b",
            'expected the name of a param, got "a-b"',
            "letters, digits and _, with no digit first",
        ),
        (
            (SCHEDULE, "[run]\nshell = true\ncommand = \"load '{{ flow }}'\"\n"),
            "run.command",
            "expected no value within quotes or the like, got {{ flow }} in single quotes",
            'give it to the command by [run.env], as VALUE = "{{ flow }}", and write "$VALUE" here',
        ),
    ],
)
def test_problems_have_their_key(
    folder: Folder, parts: tuple[str, ...], key: str, message: str, hint: str | None
) -> None:
    (problem,) = folder.problems(*parts)
    assert (problem.key, problem.message) == (key, message)
    assert problem.line is not None
    if hint:
        assert problem.hint == hint
