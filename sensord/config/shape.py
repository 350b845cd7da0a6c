"""Shapes: whether a file's keys are known and their values of the right kind, said in our words, never pydantic's."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from sensord.config import unsupported
from sensord.config.document import Document, Path
from sensord.config.elsewhere import WORDS
from sensord.config.names import SETTINGS_FILE, did_you_mean, find_nearest, list_words, show
from sensord.config.report import Report, of_key
from sensord.config.tables import Expects, FlowTable, RunTable, ScheduleTable, SensorTable, SettingsTable, Table

T = TypeVar("T", bound=Table)

TABLES: dict[str, type[Table]] = {
    "": FlowTable,
    "schedule": ScheduleTable,
    "run": RunTable,
    "sensors": SensorTable,
    SETTINGS_FILE: SettingsTable,
}
_INNER: dict[str, type[Table]] = {"schedule": ScheduleTable, "run": RunTable, "sensors": SensorTable}
_TABLE = Expects("a table")


class _Fault(NamedTuple):
    """`expects` is of the key that `path` leads to, or `inside` of which it leads; None where there is no such key."""

    path: Path
    value: Any
    table: str
    expects: Expects | None
    inside: bool = False


def read_shape(model: type[T], report: Report) -> T:
    """The file as `model`, less what is wrong with it, which goes to `report`."""
    return clean(model, report)[0]


def clean(model: type[T], report: Report) -> tuple[T, dict[str, Any]]:
    """The file as `model` and as it is, both less what is wrong with it, which goes to `report`."""
    document = report.document
    assert isinstance(document, Document)  # a file by itself: others are merged only when each of them is clean
    data = document.data
    unusable = list(document.unusable())
    for path, message in unusable:
        report.at_value(path, message)
    data = _without(data, [path for path, _ in unusable])
    while True:
        try:
            return model.model_validate(data), data
        except ValidationError as error:
            faults = list(_faults(model, data, error))
            for fault in faults:
                _say(fault, report)
            data = _without(data, [fault.path for fault in faults])


def _faults(model: type[Table], data: dict[str, Any], error: ValidationError) -> Iterator[_Fault]:
    """One for each value, though pydantic has one for each type that the value might have been."""
    faults = [_locate(model, data, one["loc"]) for one in error.errors(include_url=False, include_context=False)]
    deepest: dict[Path, int] = {}
    for fault in faults:
        key = of_key(fault.path)
        deepest[key] = max(deepest.get(key, 0), len(fault.path))
    unique = {fault.path: fault for fault in faults if len(fault.path) == deepest[of_key(fault.path)]}
    yield from unique.values()


def _locate(model: type[Table], data: dict[str, Any], location: tuple[int | str, ...]) -> _Fault:
    """Follow pydantic's location as far as the data has it: it names types, too, that a value was tried as."""
    path: Path = ()
    value: Any = data
    table = SETTINGS_FILE if model is SettingsTable else ""
    fields: type[Table] | None = model
    expects, depth = _TABLE, 0
    for part in location:
        if isinstance(value, dict) and part in value:
            path, value = (*path, part), value[part]
            if fields is None:
                continue
            field = fields.model_fields.get(str(part))
            if field is None:
                return _Fault(path, value, table, None)
            expects, depth = next(one for one in field.metadata if isinstance(one, Expects)), len(path)
            fields = _INNER.get(str(part)) if len(path) == 1 else None
            table = str(part) if fields else table
        elif isinstance(value, list) and isinstance(part, int):
            path, value = (*path, part), value[part]
            if fields:
                expects, depth = _TABLE, len(path)
    return _Fault(path, value, table, expects, len(path) > depth)


def _say(fault: _Fault, report: Report) -> None:
    path, value, _, expects, inside = fault
    if expects is None:
        _say_key(path, fault.table, report)
    elif not inside:
        report.at_value(path, f"expected {expects.words}, got {show(value)}", _advise(expects, value))
    elif expects.one_of:
        words = list_words(expects.one_of)
        report.at_value(path, f"expected {words}, got {show(value)}", _propose(expects, value))
    else:
        quote = isinstance(value, int | float) and expects.inside.startswith("a text")
        hint = f'in quotes: "{show(value)}"' if quote else None
        report.at_value(path, f"expected {expects.inside}, got {show(value)}", hint)


def _advise(expects: Expects, value: object) -> str | None:
    if isinstance(value, str):
        if "a list" in expects.words and (not expects.one_of or value in expects.one_of):
            return f"write [{show(value)}]"
        if value in ("true", "false") or value.removeprefix("-").isdecimal():
            return f"without quotes: {value}"
    return _propose(expects, value) or expects.hint


def _propose(expects: Expects, value: object) -> str | None:
    return did_you_mean(value, expects.one_of) if isinstance(value, str) and expects.one_of else None


def _say_key(path: Path, table: str, report: Report) -> None:
    """A key that `table` has not. That the key which was meant is missing need not be said, too."""
    key = str(path[-1])
    own = TABLES[table].model_fields.keys() | unsupported.KEYS[table]
    homes = [name for name, model in TABLES.items() if key in model.model_fields]
    if key in unsupported.KEYS[table] or (not homes and any(key in keys for keys in unsupported.KEYS.values())):
        report.at_key(path, f"`{key}` is not supported by this version of sensord")
        return
    hint = f"the keys are {', '.join(TABLES[table].model_fields)}"
    if homes:
        hint = f"it belongs to {_title(homes[0])}"
        report.pass_over((homes[0], key))
    elif theirs := _of_another_system(key.lower(), table):
        home, meant = theirs
        hint = f'here that is "{meant}", below {_title(home)}'
        report.pass_over((home, meant))
    elif near := find_nearest(key, own):
        hint = f'did you mean "{near}"?'
        report.pass_over((*path[:-1], near))
    report.at_key(path, f"expected a key of {_title(table)}, got `{key}`", hint)


def _of_another_system(key: str, table: str) -> tuple[str, str] | None:
    """Our table and key for it. A key of a sensor is meant for the sensor; in sensord.toml nobody looks for one."""
    home, meant = WORDS.get(key, ("", ""))
    meant_here = home == table or (table != "sensors" and table != SETTINGS_FILE)
    return (home, meant) if meant and meant_here else None


def _title(table: str) -> str:
    titles = {"": "a flow", "sensors": "[[sensors]]", SETTINGS_FILE: SETTINGS_FILE}
    return titles.get(table, f"[{table}]")


def _without(data: dict[str, Any], paths: list[Path]) -> dict[str, Any]:
    """A copy without the keys that `paths` lead to or into."""
    if not paths:
        return data
    data = copy.deepcopy(data)
    for path in paths:
        *way, key = of_key(path)
        inner: Any = data
        for part in way:
            inner = inner.get(part, {}) if isinstance(inner, dict) else inner[part]
        inner.pop(key, None)
    return data
