"""One thing wrong in a flow's file: the words, and the place, which `‸` marks in the text."""

from tests.config.folder import Folder

MARK = "‸"
Case = tuple[str, str | None, str, str | None]


def check(folder: Folder, case: Case) -> None:
    """The text has exactly one problem: the key, the message and the hint, at the mark."""
    text, key, message, hint = case
    before, marked, after = text.partition(MARK)
    place = (before.count("\n") + 1, len(before) - before.rfind("\n")) if marked else (None, None)
    problems = folder.problems(before + after)
    assert [(one.key, one.message, one.hint) for one in problems] == [(key, message, hint)]
    assert (problems[0].line, problems[0].column) == place
    assert (problems[0].file, problems[0].flow) == ("flows/mine.toml", "mine")
