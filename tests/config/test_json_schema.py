"""The JSON Schemas: they take all that the files may say, refuse what the loader refuses by shape, tell each key."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from sensord.config.json_schema import DURATION, SCHEMAS, flow_schema, settings_schema
from sensord.config.names import SETTINGS_FILE
from sensord.config.shape import TABLES
from tests.config.flow_strategies import FLOWS
from tests.config.problem_cases import MARK, Case
from tests.config.test_problems import KEYS, MISPLACED, SHAPES
from tests.config.test_reference import FLOW, SETTINGS, examples
from tests.support.json_schema import faults

ROOT = Path(__file__).parents[2]
FLOW_SCHEMA, SETTINGS_SCHEMA = flow_schema(), settings_schema()
BEYOND = ("NUL", "64 bits", "got none", "longer than zero", "on_timeout")
"""What is wrong with a value, or with several together, beyond its shape."""


def wrong(text: str, schema: dict[str, Any] = FLOW_SCHEMA) -> list[str]:
    return list(faults(schema, tomllib.loads(text), schema))


@pytest.mark.parametrize("path", sorted((ROOT / "config" / "flows").rglob("*.toml")), ids=lambda path: path.stem)
def test_the_shipped_flows_fit(path: Path) -> None:
    assert wrong(path.read_text()) == []


def test_the_shipped_settings_fit() -> None:
    assert wrong((ROOT / "config" / "sensord.toml").read_text(), SETTINGS_SCHEMA) == []


@pytest.mark.parametrize("example", examples(FLOW) + examples(SETTINGS), ids=lambda one: str(one[0]))
def test_the_examples_of_the_reference_fit(example: tuple[str, str]) -> None:
    file, text = example
    assert wrong(text, SETTINGS_SCHEMA if file.endswith(SETTINGS_FILE) else FLOW_SCHEMA) == []


@given(FLOWS)
def test_every_flow_that_can_be_written_fits(flow: dict[str, Any]) -> None:
    assert list(faults(FLOW_SCHEMA, flow, FLOW_SCHEMA)) == []


@pytest.mark.parametrize(
    "case", [case for case in [*KEYS, *MISPLACED, *SHAPES] if not any(word in case[2] for word in BEYOND)]
)
def test_what_the_loader_refuses_for_its_shape_the_schema_refuses_too(case: Case) -> None:
    assert wrong(case[0].replace(MARK, ""))


@pytest.mark.parametrize(
    "sensor",
    [
        'match = "sam"',
        "match = 3",
        'match = "python"',
        'align = "decade"',
        'offset = "1 day"',
        'within = "P1D"',
        "count = 0",
        "back = -1",
        'strict = "yes"',
        'since = "yesterday"',
        'closed = "open"',
        'week_start = "friday"',
        'require = "most"',
        "require = 0",
    ],
)
def test_a_mapping_of_the_wrong_shape_is_refused(sensor: str) -> None:
    assert wrong(f'[[sensors]]\nupstream = "up"\n{sensor}\n')


def test_a_sensor_names_its_upstream() -> None:
    assert wrong('[[sensors]]\nmatch = "same"\n')


@pytest.mark.parametrize("text", ["1h30m", "-6d1s", "+1mo", "2w"])
def test_durations_are_those_of_the_program(text: str) -> None:
    assert not wrong(f'[[sensors]]\nupstream = "up"\noffset = "{text}"\n'), DURATION


@pytest.mark.parametrize(("name", "table"), [("flow", ""), (SETTINGS_FILE, SETTINGS_FILE)])
def test_every_key_is_in_it_and_told(name: str, table: str) -> None:
    schema = SCHEMAS[name]()
    assert list(schema["properties"]) == list(TABLES[table].model_fields)
    for inner in [schema, *schema.get("definitions", {}).values()]:
        assert all(one["description"] for one in inner["properties"].values())
        assert inner["additionalProperties"] is False
    assert "null" not in json.dumps(schema)
