"""Values in a text for the shell: where they may stand, proved by the shells of this machine."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.config.shell_places import refused_places
from sensord.config.templates import parse_template
from sensord.core.template import Template, Text, Values, render

SHELLS = [path for name in ("sh", "dash", "bash") if (path := shutil.which(name))]


def places(text: str) -> list[str]:
    template = parse_template(text.replace("@", "{{ params.x }}")).text
    assert isinstance(template, Template)
    return [place for _, place in refused_places(template)]


@pytest.mark.parametrize(
    "text",
    [
        "load @",
        "load --day=@ | tee @.log",
        "A=@ load 2>&1",
        "@>file",
        "echo 'it' \"is\" @",
        'echo "$(load @)" @',
        "echo $(a | (b @) && c) @",
        "echo 'a # b' @ # it's a note\necho @",
        "echo a#'b'@",
        'echo ${x:-y} ${#x} $x "${x}" @',
        "load \\\n  --day @ \\\n  --x",
        "echo \\' @ \\\\@",
        "echo `date` @",
        "case @ in a) echo @;; esac",
        'echo "5$" @',
        "for x in @; do echo $x; done",
        "load 2>&1 @ >&2",
        "[ @ = 1 ] && ls data[0-9]* @ &",
    ],
)
def test_where_a_value_may_stand(text: str) -> None:
    assert places(text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("echo '@'", "single quotes"),
        ('echo "a @ b"', "double quotes"),
        ('echo "$(load "@")"', "double quotes"),
        ("echo `load @`", "backquotes"),
        ("echo ${x:-@}", "${...}"),
        ("echo # @", "a comment"),
        ("echo \\@", "an escape: it follows a backslash"),
        ("echo $@", "an expansion: it follows a $"),
        ("cat <<END\n@\nEND", "a here-document, or behind it"),
        ("cat <<END\na\nEND\necho @", "a here-document, or behind it"),
        ("echo $((@ + 1))", "arithmetic, or behind it"),
        ("((@))", "arithmetic, or behind it"),
        ("echo $[@]", "arithmetic, or behind it"),
        ("echo $'a' @", "$'...', or behind it"),
        ("echo ${x:-'y'} @", "${...}, or behind one that is hard to follow"),
        ('echo "$(case x in x) echo a;; esac)" @', "a case within $(...), or behind it"),
        ("echo >&a@", "a word behind >& or <&"),
        ("echo 2>& @", "a word behind >& or <&"),
        ("echo >&$x@", "a word behind >& or <&, or behind that"),
        ("a[@]=1", "[...]"),
        ("[[ @ -eq 1 ]]", "[[ ... ]], or behind it"),
        ("echo <\\\n<E @", "a word that goes on in the next line, or behind it"),
    ],
)
def test_where_a_value_may_not_stand(text: str, place: str) -> None:
    assert places(text) == [place]


HARM = "a'b\"c$(: >harmed)`: >harmed`\n: >harmed\n#'; : >harmed; \" \n: >harmed\\"
PIECES = [
    *("@", " @ ", "@", "'", '"', "\\", "`", "$(", "$((", "((", "))", ")", "${x:-", "${x}", "}", "#", " # ", "\n", " "),
    *(
        "<<E",
        "\nE\n",
        "case a in a)",
        ";; esac",
        "$",
        ":",
        "echo ",
        "; ",
        "\\\n",
        "'x'",
        '"y"',
        '"$(echo ',
        ')"',
        "&& ",
    ),
    *("$'", "$[", "]", "2>&1", "|", "(", "A="),
]


@pytest.mark.parametrize("shell", SHELLS)
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=9))
def test_no_value_is_ever_run(shell: str, tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    folder = _folder(tmp_path_factory)
    text = render(_allowed("".join(["echo ", *pieces])), Values(named={"params.x": HARM}), quote=True)

    subprocess.run(
        [shell, "-c", text], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=60
    )

    assert not (folder / "harmed").exists()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", ["echo '@'", 'echo "@"', "cat <<E\n@\nE", "echo # @"])
def test_the_harm_is_real_where_values_are_refused(shell: str, text: str, tmp_path: Path) -> None:
    template = parse_template(text.replace("@", "{{ params.x }}")).text
    assert isinstance(template, Template)
    written = render(template, Values(named={"params.x": HARM}), quote=True)

    subprocess.run([shell, "-c", written], cwd=tmp_path, capture_output=True, check=False, timeout=60)

    assert list(refused_places(template))
    assert (tmp_path / "harmed").exists()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("value", ["", "if", "A=1", "2", "~", "*", "a b", "$HOME", "-n", "it's", "a\nb", "é"])
def test_a_value_is_one_word_as_it_is(shell: str, value: str, tmp_path: Path) -> None:
    template = parse_template("printf '<%s>' {{ params.x }}>&1").text
    assert template
    text = render(template, Values(named={"params.x": value}), quote=True)

    done = subprocess.run([shell, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == f"<{value}>"


def _allowed(text: str) -> Text:
    """With a plain word in place of each value that is refused."""
    while True:
        template = parse_template(text.replace("@", "{{ params.x }}")).text
        assert template is not None
        marks = [at for at, letter in enumerate(text) if letter == "@"]
        if isinstance(template, str):
            return template
        verdicts = [_is_refused(template, number) for number in range(len(marks))]
        if not any(verdicts):
            return template
        first = marks[verdicts.index(True)]
        text = text[:first] + "w" + text[first + 1 :]


def _is_refused(template: Template, number: int) -> bool:
    """Whether its substitution of that number is, by what stands before it."""
    ends = [index for index, part in enumerate(template.parts) if not isinstance(part, str)]
    upto = Template(template.parts[: ends[number] + 1])
    return len(list(refused_places(upto))) > len(list(refused_places(Template(template.parts[: ends[number]]))))


def _folder(factory: pytest.TempPathFactory) -> Path:
    """One for all examples: what makes a file in it ends the test."""
    path = factory.getbasetemp() / "shells"
    path.mkdir(exist_ok=True)
    return path
