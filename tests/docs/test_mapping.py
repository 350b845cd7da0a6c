"""docs/mapping.md says what the program does: each worked example, and each answer to another system's words."""

import re
import tomllib
from pathlib import Path

import pytest

from sensord.config import load
from sensord.core.mapping import MappingFunction, build_mapping
from sensord.core.mapping.spec import Match
from sensord.core.needs import needs
from sensord.core.run import Reason
from sensord.core.ticks import Timeline
from tests.docs.examples import DOCS, Example, Taken, read_examples

TEXT = (DOCS / "mapping.md").read_text(encoding="utf-8")
EXAMPLES = list(read_examples(TEXT))
KEY = re.compile(r"`([a-z_]+ = [^`]+)`")
POLICIES = {"accept", "on_failure", "on_skipped", "require"}


def write_flow(folder: Path, name: str, schedule: str, sensor: str = "") -> None:
    path = folder / "flows" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'schedule = {{ {schedule} }}\n[run]\ncommand = ["true"]\n{sensor}', encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"line {one.line}")
def test_an_example_takes_what_its_table_says(example: Example, tmp_path: Path) -> None:
    write_flow(tmp_path, example.upstream, example.upstream_schedule)
    write_flow(tmp_path, "me", example.downstream_schedule, example.sensor)
    config = load(tmp_path)
    assert config.problems == []
    me = config.flows["me"].flow
    timelines: dict[str, Timeline] = {name: loaded.flow.schedule for name, loaded in config.flows.items()}

    assert example.rows
    for at, expected in example.rows:
        assert me.schedule.contains(at), f"{at} is no tick of {example.downstream_schedule}"
        (need,) = needs(me, at, timelines, None)
        if expected.number == 0:
            assert need.problem is Reason.NO_MATCH
            continue
        shown = (need.dates[0], need.dates[-1]) if len(expected.dates) != expected.number else need.dates
        assert Taken(shown, len(need.dates)) == expected


def test_there_is_an_example_of_every_kind_but_the_one_that_needs_code() -> None:
    kinds = {tomllib.loads(example.sensor)["sensors"][0].get("match", "latest") for example in EXAMPLES}
    assert kinds == set(Match) - {Match.PYTHON}


def answers() -> list[str]:
    """What the last columns of the tables say to write, each alternative by itself."""
    rows = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("|")]
    parts = [part for row in rows for part in re.split("; |, or ", row[-1])]
    return [part for part in parts if KEY.search(part)]


def test_what_answers_another_systems_words_is_fit_to_be_written() -> None:
    assert len(answers()) > 40
    for answer in answers():
        keys = tomllib.loads("\n".join(KEY.findall(answer)))
        mapping = {key: value for key, value in keys.items() if key not in POLICIES}
        build_mapping(mapping, load=lambda name: MappingFunction(name, lambda at, _context: at))
