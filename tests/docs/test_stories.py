"""The tutorial and the how-tos say what really happens. `STORY_WRITE=1` writes the outputs that there were."""

import os
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.daemon.world import World
from tests.docs.examples import DOCS
from tests.docs.story import Story

PAGES = sorted(page for page in [*(DOCS / "howto").glob("*.md"), DOCS / "tutorial.md"] if page.name != "README.md")


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_is_what_happens(
    world: World, sensord: Program, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder.parent)
    monkeypatch.syspath_prepend(world.folder.parent)  # as PYTHONPATH does
    story = Story(world, sensord)
    lived = story.live(page.read_text())
    if os.environ.get("STORY_WRITE"):
        page.write_text(lived)
    wrong = [f"$ {call.command}\n" + "\n".join(call.said) for call in story.calls if not call.holds]
    assert story.calls
    assert not wrong, "\n\n".join(wrong)


def test_every_how_to_is_listed() -> None:
    listed = (DOCS / "howto" / "README.md").read_text()
    assert [page.name for page in PAGES if page.parent.name == "howto" and f"({page.name})" not in listed] == []
