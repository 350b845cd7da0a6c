"""Where within a text something is wrong: of a cron expression the field, however the text is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensord.config.document import Place, read_document
from tests.config.folder import RUN, Folder
from tests.config.problem_cases import MARK
from tests.support.cases import share

SCHEDULE = "[schedule]\n"
CASES = [
    (SCHEDULE + 'cron = "‸61 * * * *"\n' + RUN, "minute field: expected 0 to 59, got '61'", None),
    (SCHEDULE + "cron = '0 ‸24 * * *'\n" + RUN, "hour field: expected 0 to 23", "midnight is hour 0"),
    (SCHEDULE + 'cron = "0   0 \t ‸32 * *"\n' + RUN, "day of month field: expected 1 to 31", None),
    (SCHEDULE + 'cron = " 0 0 1 ‸FBE *"\n' + RUN, "month field: expected 1 to 12", "did you mean FEB?"),
    (SCHEDULE + 'cron = "0 0 * * ‸mno"\n' + RUN, "day of week field: expected", "MON"),
    (SCHEDULE + 'cron = "0 0 * * ‸1-5,x"\n' + RUN, "day of week field: expected values", None),
    (SCHEDULE + 'cron = "0 0 ‸31 2 *"\n' + RUN, "day of month field: expected a day that comes", None),
    (SCHEDULE + 'cron = "0 0 * * * ‸*"\n' + RUN, "expected 5 fields", "a sixth field, for seconds"),
    (SCHEDULE + 'cron = ‸"0 0 * *"\n' + RUN, "expected 5 fields", None),
    (SCHEDULE + 'cron = "‸@dayly"\n' + RUN, "expected one of @yearly", "did you mean @daily?"),
    (SCHEDULE + 'cron = "0 0 * * * ‸61"\nseconds = true\n' + RUN, "second field: expected 0", None),
    # written in other ways
    ('schedule = {"timezone" = "UTC", cron = "0 ‸99 * * *"}\n' + RUN, "hour field", None),
    (SCHEDULE + 'cron = "\\u0030 \\t‸99 * * *"\n' + RUN, "hour field: expected 0 to 23", None),
    (SCHEDULE + "cron = '''\n0 ‸99 * * *'''\n" + RUN, "hour field: expected 0 to 23", None),
    (SCHEDULE + 'cron = """\r\n0 \\\n   ‸99 * * *"""\n' + RUN, "hour field: expected 0 to 23", None),
]


@pytest.mark.parametrize(("marked", "message", "hint"), CASES)
def test_the_caret_is_at_the_field(folder: Folder, marked: str, message: str, hint: str | None) -> None:
    before, _, after = marked.partition(MARK)
    (problem,) = folder.problems(before + after)
    assert (problem.line, problem.column) == _place(before)
    assert problem.key == "schedule.cron"
    assert problem.message.startswith(message)
    assert (hint or "") in (problem.hint or "")


def test_in_a_template_it_is_the_template_s_line(folder: Folder) -> None:
    folder.write("templates/late.toml", SCHEDULE + 'cron = "0 99 * * *"\n' + RUN)
    folder.flow("mine", 'extends = "templates/late"\n')
    _, problem = folder.load().problems
    assert (problem.place, problem.key) == ("templates/late.toml:2:11", "schedule.cron")


PIECES = st.sampled_from(
    [
        *[("", one, one) for one in "aé \n'"],
        *[("", "\t", "\\t"), ("", "0", "\\u0030"), ("", "😀", "\\U0001F600"), ("\\\n  \n ", "b", "b")],
    ]
)
"""What is passed over, a letter, and how that is written."""


@share(2)
@given(st.lists(PIECES, min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_each_character_of_a_long_text_is_found_where_it_is_written(
    pieces: list[tuple[str, str, str]], first: str
) -> None:
    source, places = f'"é" = 1\nx = """{first}', []
    for skipped, _, written in pieces:
        places.append(_place(source + skipped))
        source += skipped + written

    document = read_document(f'{source}"""\n')

    assert document.data["x"] == "".join(letter for _, letter, _ in pieces)
    assert [document.text_place(("x",), at) for at in range(len(pieces))] == places


def _place(source: str) -> Place:
    return Place(source.count("\n") + 1, len(source) - source.rfind("\n"))


FIELDS = st.text(alphabet="0123456789*/-,@#?LWmonJAN é\t\u3000", max_size=12)
QUOTED = st.builds(
    lambda text, quote: quote + text.replace("\\", "").replace(quote[0], "") + quote,
    FIELDS | st.text(max_size=8),
    st.sampled_from(['"', "'", '"""', "'''", '"""\n']),
)


@given(QUOTED, st.sampled_from(["", "  ", '"日本" = 1, ']), st.booleans())
def test_the_caret_is_always_within_its_line(
    tmp_path_factory: pytest.TempPathFactory, quoted: str, before: str, seconds: bool
) -> None:
    folder = Folder(tmp_path_factory.mktemp("any") / "config")
    more = ", seconds = true" if seconds else ""
    text = f"schedule = {{{before}cron = {quoted}{more}}}\n{RUN}"
    folder.flow("mine", text)
    for problem in folder.load().problems:
        if problem.key != "schedule.cron":
            continue
        assert problem.line is not None
        assert problem.column is not None
        line = text.split("\n")[problem.line - 1]
        assert 1 <= problem.column <= max(len(line), 1)
