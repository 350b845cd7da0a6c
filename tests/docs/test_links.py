"""Links in the documents lead somewhere."""

from pathlib import Path

import pytest

from tests.support.locks import CHECKOUT
from tests.support.markdown import anchors, broken, links

DOCUMENTS = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")]


def test_every_link_leads_to_a_file_or_heading_of_the_project() -> None:
    problems = [problem for document in DOCUMENTS for problem in broken(document, CHECKOUT)]

    assert DOCUMENTS
    assert not problems, "\n".join(problems)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose docs/concepts.md has a heading `The verdicts`."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "concepts.md").write_text("# Concepts\n\n## The verdicts\n")
    return tmp_path


@pytest.mark.parametrize(
    "link",
    [
        "[a](docs/concepts.md)",
        "[a](docs/concepts.md#the-verdicts)",
        "[a](#here-we-are)",
        "[a](docs)",
        '[a](docs/concepts.md "a title")',
        "[![a picture](docs/concepts.md)](docs/concepts.md)",
        "[a]: docs/concepts.md#concepts",
        "[a](https://example.org/nowhere.md)",
        "`[a](nowhere.md)`",
        "```\n[a](nowhere.md)\n```",
    ],
)
def test_a_link_that_leads_somewhere_passes(project: Path, link: str) -> None:
    (project / "README.md").write_text(f"# Here we are\n\n{link}\n")

    assert list(broken(project / "README.md", project)) == []


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("See [a](docs/concept.md)", "no such file"),
        ("See [a](docs/concepts.md#verdicts)", "no such heading"),
        ("See [a](#verdicts)", "no such heading"),
        ("See [a](../elsewhere.md)", "no such file"),
        ("See [a](/docs/concepts.md)", "no such file"),
        ("See [a [b]](nowhere.md), after `code`", "no such file"),
        ("[a]: nowhere.md", "no such file"),
        ("```\n# verdicts\n```\nSee [a](#verdicts)", "no such heading"),
    ],
)
def test_a_link_that_leads_nowhere_is_caught(project: Path, link: str, problem: str) -> None:
    (project / "README.md").write_text(f"{link}\n")

    [found] = broken(project / "README.md", project)

    assert found.startswith("README.md:")
    assert problem in found


def test_headings_of_the_same_words_are_told_apart() -> None:
    assert anchors("# `sensord check`: a proof\n## Time\n## Time\n") == {"sensord-check-a-proof", "time", "time-1"}


def test_a_link_is_told_with_its_line() -> None:
    assert [(link.line, link.target) for link in links("one\n\n[two](b.md) and [three](c.md#d)\n")] == [
        (3, "b.md"),
        (3, "c.md#d"),
    ]
