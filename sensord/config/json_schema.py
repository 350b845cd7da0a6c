"""The JSON Schema of flow files and of sensord.toml, made from the tables that read them, for editors.

It says less than `sensord check`: what keys mean together, and whether names and schedules are right, is told there.
"""

from enum import StrEnum
from typing import Any

from sensord.config.meanings import MEANINGS
from sensord.config.names import SETTINGS_FILE
from sensord.config.shape import TABLES
from sensord.config.tables import Expects, FlowTable, SettingsTable, Table
from sensord.core.mapping.build import KEYS
from sensord.core.mapping.spec import REFUSE_ABOVE, UPSTREAM, Closed, Match, Unit, WeekStart

DIALECT = "http://json-schema.org/draft-07/schema#"
"""That which TOML editors know."""

DURATION = r"^[+-]?([0-9]{1,9}(y|mo|w|d|h|m|s))+$"
_TITLES = {
    FlowTable: "A flow of sensord, or what flows build on: a template, or defaults.toml",
    SettingsTable: "sensord.toml",
}


def flow_schema() -> dict[str, Any]:
    """Of a flow's file, of a template and of defaults.toml, since what a flow must have may stand in any of them."""
    whole = _schema(FlowTable)
    sensor = whole["definitions"]["SensorTable"]
    sensor["properties"] |= {key: _mapping_key(key) | sensor["properties"][key] for key in KEYS}
    sensor["properties"]["require"] |= {"anyOf": [{"enum": ["all", "any"]}, {"type": "integer", "minimum": 1}]}
    sensor["required"] = ["upstream"]
    return whole


def settings_schema() -> dict[str, Any]:
    return _schema(SettingsTable)


def _schema(model: type[Table]) -> dict[str, Any]:
    made = model.model_json_schema(ref_template="#/definitions/{model}")
    inner = made.pop("$defs", {})
    for name, one in inner.items():
        _finish(one, next(table for table in TABLES.values() if table.__name__ == name))
    _finish(made, model)
    head = {"$schema": DIALECT, "title": _TITLES[model]}
    return head | made | ({"definitions": inner} if inner else {})


def _finish(made: dict[str, Any], model: type[Table]) -> None:
    """What pydantic says of Python, told of TOML: there is no null, no title but ours, and each key is described."""
    table = next(name for name, one in TABLES.items() if one is model)
    made.pop("title", None)
    made.pop("description", None)
    for key, one in made["properties"].items():
        expects = next((each for each in model.model_fields[key].metadata if isinstance(each, Expects)), None)
        made["properties"][key] = _property(one, expects) | {"description": MEANINGS[table][key]}


def _property(one: dict[str, Any], expects: Expects | None) -> dict[str, Any]:
    kept = {key: value for key, value in one.items() if key not in ("title", "default")}
    choices = [choice for choice in kept.pop("anyOf", []) if choice != {"type": "null"}]
    if choices:
        kept |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    if expects and expects.words.startswith("a duration"):
        kept["pattern"] = DURATION
    return kept


def _mapping_key(key: str) -> dict[str, Any]:
    """The mapping's keys are read by the core, so the tables do not say of what shape they are."""
    match key:
        case "match":
            return {"anyOf": [_one_of(Match, but=Match.PYTHON), {"type": "string", "pattern": "^python:"}]}
        case "align":
            return _one_of(Unit, UPSTREAM)
        case "since":
            dates = [{"type": "string", "format": form} for form in ("date", "date-time")]
            return {"anyOf": [_one_of(Unit), {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d"}, *dates]}
        case "closed":
            return _one_of(Closed)
        case "week_start":
            return _one_of(WeekStart)
        case "strict":
            return {"type": "boolean"}
        case "offset" | "within":
            return {"type": "string", "pattern": DURATION}
        case "back" | "ahead" | "count":
            return {"type": "integer", "minimum": int(key == "count"), "maximum": REFUSE_ABOVE}
        case _:
            raise ValueError(f"expected a key of a mapping, got {key!r}")


def _one_of(kind: type[StrEnum], *more: str, but: StrEnum | None = None) -> dict[str, Any]:
    return {"enum": [*(one.value for one in kind if one is not but), *more]}


SCHEMAS = {"flow": flow_schema, SETTINGS_FILE: settings_schema}
"""What `sensord schema` prints, by the name that it is asked for with."""
