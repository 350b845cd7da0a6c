"""JSON Schema draft 7, as much of it as our schemas use: whether a value read from TOML fits.

A word that it does not know is an error of its own.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}
FORMATS = {"date": date, "date-time": datetime}
NOTES = {"$schema", "title", "description", "definitions"}


def faults(schema: dict[str, Any], value: Any, root: dict[str, Any], place: str = "") -> Iterator[str]:
    """Where the value does not fit. Dates of TOML are strings with a format, as TOML editors take them."""
    for word, said in schema.items():
        if word in NOTES or (word == "format" and "type" in schema):
            continue
        if not _fits(word, said, value, root, schema):
            yield f"{place}: {word}"
    yield from _inner(schema, value, root, place)


def _fits(word: str, said: Any, value: Any, root: dict[str, Any], schema: dict[str, Any]) -> bool:
    match word:
        case "type":
            if said == "string" and isinstance(value, date):
                return isinstance(value, FORMATS[schema["format"]]) if "format" in schema else False
            wrong = isinstance(value, bool) and said in ("integer", "number")
            return isinstance(value, KINDS[said]) and not wrong and "format" not in schema
        case "enum":
            return any(value == one and type(value) is type(one) for one in said)
        case "const":
            return bool(value == said)
        case "anyOf":
            return any(not list(faults(one, value, root)) for one in said)
        case "$ref":
            return not list(faults(_definition(said, root), value, root))
        case "pattern":
            return not isinstance(value, str) or re.search(said, value) is not None
        case "minimum":
            return not isinstance(value, int | float) or value >= said
        case "maximum":
            return not isinstance(value, int | float) or value <= said
        case "required":
            return not isinstance(value, dict) or set(said) <= value.keys()
        case "additionalProperties" | "properties" | "items":
            return True
        case _:
            raise AssertionError(f"a word that this validator does not know: {word}")


def _inner(schema: dict[str, Any], value: Any, root: dict[str, Any], place: str) -> Iterator[str]:
    if isinstance(value, dict) and ("properties" in schema or "additionalProperties" in schema):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        for key, one in value.items():
            if key in known:
                yield from faults(known[key], one, root, f"{place}.{key}")
            elif others is False:
                yield f"{place}.{key}: unknown"
            elif others is not True:
                yield from faults(others, one, root, f"{place}.{key}")
    if isinstance(value, list) and "items" in schema:
        for index, one in enumerate(value):
            yield from faults(schema["items"], one, root, f"{place}[{index}]")


def _definition(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = root["definitions"][reference.removeprefix("#/definitions/")]
    return found
