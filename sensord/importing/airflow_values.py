"""What an expression of a DAG's file comes to, told from its syntax alone: nothing of the file is ever run.

Numbers, texts, lists, dates, lengths of time and the like are known; what only running it could tell is Opaque.
"""

import ast
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sensord.core.zone import parse_zone
from sensord.errors import InvalidValue

TIMETABLES = frozenset(
    {"CronTriggerTimetable", "CronDataIntervalTimetable", "DeltaDataIntervalTimetable", "DeltaTriggerTimetable"}
)
_WIDTH = re.compile(r"%[^sd%]")
_LONGEST = 10_000
"""How far a range goes at most."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """What cannot be known: the text of the expression."""

    text: str


@dataclass(frozen=True, slots=True)
class Timetable:
    """One of Airflow's own, by the name of its class, and what it goes by: a cron expression or a timedelta."""

    name: str
    by: object
    zone: ZoneInfo | None = None


@dataclass(slots=True)
class Scope:
    """names: what the file's names stand for. imports: the full names of what it imports, by the names they have here.

    other_call, other_operation, other_attribute: what to make of a call, of a `>>`, or of an attribute of a value, that
    is none of those known here.
    """

    other_call: Callable[[ast.Call, str], object]
    other_operation: Callable[[ast.BinOp], object]
    other_attribute: Callable[[ast.Attribute], object]
    names: dict[str, object] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)


def full_name(node: ast.expr, scope: Scope) -> str:
    """`airflow.models.DAG` of `DAG` or `models.DAG`, as it was imported; empty where it is no name."""
    match node:
        case ast.Name(id=name):
            return scope.imports.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            before = full_name(value, scope)
            return f"{before}.{attr}" if before else ""
        case _:
            return ""


def evaluate(node: ast.expr, scope: Scope) -> Any:
    """Opaque where it cannot be known, whatever the reason."""
    try:
        return _evaluate(node, scope)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, InvalidValue):
        return Opaque(ast.unparse(node))


def _evaluate(node: ast.expr, scope: Scope) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return scope.names[name] if name in scope.names else _named(node, scope)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return _sequence(elements, scope)
        case ast.Dict(keys=keys, values=values):
            return _mapping(keys, values, scope)
        case ast.JoinedStr(values=values):
            return "".join(_known(evaluate(value, scope)) for value in values)
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return str(_known(evaluate(value, scope)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_known(evaluate(operand, scope))
        case ast.BinOp(op=ast.RShift() | ast.LShift()):
            return scope.other_operation(node)
        case ast.BinOp(left=left, op=operation, right=right):
            return _operate(operation, _known(evaluate(left, scope)), _known(evaluate(right, scope)))
        case ast.Subscript(value=value, slice=index):
            return _known(evaluate(value, scope))[_known(evaluate(index, scope))]
        case ast.Attribute():
            return _named(node, scope)
        case ast.Call():
            return _call(node, scope)
        case _:
            return Opaque(ast.unparse(node))


def _known(value: Any) -> Any:
    if isinstance(value, Opaque):
        raise TypeError(value.text)
    return value


def _sequence(elements: list[ast.expr], scope: Scope) -> list[Any]:
    found: list[Any] = []
    for element in elements:
        if isinstance(element, ast.Starred):
            found += _known(evaluate(element.value, scope))
        else:
            found.append(evaluate(element, scope))
    return found


def _mapping(keys: list[ast.expr | None], values: list[ast.expr], scope: Scope) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in zip(keys, values, strict=True):
        if key is None:
            found |= _known(evaluate(value, scope))
        else:
            found[_known(evaluate(key, scope))] = evaluate(value, scope)
    return found


def _operate(operation: ast.operator, left: Any, right: Any) -> Any:
    match operation:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult() if isinstance(left, int | float | timedelta) and isinstance(right, int | float):
            return left * right
        case ast.Mult() if isinstance(left, int | float) and isinstance(right, timedelta):
            return left * right
        case ast.Mod() if isinstance(left, str) and not _WIDTH.search(left):
            return left % (tuple(right) if isinstance(right, list) else right)
        case ast.BitOr() if isinstance(left, dict):
            return left | right
        case _:
            raise TypeError(operation)


def _named(node: ast.expr, scope: Scope) -> Any:
    """A name of a module that stands for a value, which is that of the zone UTC, or an attribute."""
    if full_name(node, scope).rpartition(".")[2] in ("utc", "UTC"):
        return UTC
    return scope.other_attribute(node) if isinstance(node, ast.Attribute) else Opaque(ast.unparse(node))


def _call(node: ast.Call, scope: Scope) -> Any:
    name = full_name(node.func, scope)
    last = name.rpartition(".")[2]
    if last in ("timedelta", "duration"):
        return timedelta(*_arguments(node, scope), **_keywords(node, scope))
    if last == "datetime":
        return _datetime(_arguments(node, scope), _keywords(node, scope))
    if last in ("timezone", "ZoneInfo", "Timezone", "gettz"):
        return parse_zone(*_arguments(node, scope))
    if last in TIMETABLES:
        given = _keywords(node, scope)
        by, *rest = [*_arguments(node, scope), *(given[key] for key in ("cron", "delta") if key in given)]
        zone = given.get("timezone", rest[0] if rest else None)
        if not given.keys() <= {"cron", "delta", "timezone"}:
            raise TypeError("an interval of its own")
        return Timetable(last, by, _zone(zone))
    if last == "Param":
        return [*_arguments(node, scope), _keywords(node, scope).get("default")][0]
    if name in ("str", "range", "list", "int"):
        return _plain_call(name, _arguments(node, scope))
    if name == "dict" and not node.args:
        return dict(_pairs(node, scope))
    if last == "dedent":
        return textwrap.dedent(*_arguments(node, scope))
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("strip", "format"):
        text = evaluate(node.func.value, scope)
        if isinstance(text, str):
            return _text_method(text, node.func.attr, _arguments(node, scope), _keywords(node, scope))
    return scope.other_call(node, name)


def _text_method(text: str, method: str, arguments: list[Any], keywords: dict[str, Any]) -> str:
    """Of texts and whole numbers alone, without widths: `{:999999}` would fill the memory."""
    plain = all(isinstance(one, str | int) for one in (*arguments, *keywords.values()))
    if not plain or (method == "format" and ":" in text):
        raise TypeError(text)
    return text.format(*arguments, **keywords) if method == "format" else text.strip(*arguments)


def _plain_call(name: str, arguments: list[Any]) -> Any:
    match name, arguments:
        case "range", _ if all(isinstance(one, int) and abs(one) <= _LONGEST for one in arguments):
            return list(range(*arguments))
        case "list", [list() | tuple() | dict() as values]:
            return list(values)
        case "str", [str() | int() as value]:
            return str(value)
        case "int", [str() | int() as value]:
            return int(value)
        case _:
            raise TypeError(name)


def _arguments(node: ast.Call, scope: Scope) -> list[Any]:
    return [_known(value) for value in _sequence(node.args, scope)]


def _keywords(node: ast.Call, scope: Scope) -> dict[str, Any]:
    return {key: _known(value) for key, value in _pairs(node, scope)}


def _pairs(node: ast.Call, scope: Scope) -> list[tuple[str, Any]]:
    return list(keywords_of(node, scope).items())


def keywords_of(node: ast.Call, scope: Scope) -> dict[str, Any]:
    """The arguments of a call that have names, `**more` among them as far as it is known."""
    found: dict[str, Any] = {}
    for keyword in node.keywords:
        value = evaluate(keyword.value, scope)
        if keyword.arg is not None:
            found[keyword.arg] = value
        elif isinstance(value, Mapping):
            found |= value
        else:
            found["**"] = value
    return found


def _datetime(arguments: list[Any], keywords: dict[str, Any]) -> datetime:
    zone = keywords.pop("tz", None) or keywords.pop("tzinfo", None)
    at = datetime(*arguments, **keywords)  # noqa: DTZ001 -- as it is written: who knows the default zone gives it
    return at.replace(tzinfo=_tzinfo(zone)) if zone is not None else at


def _tzinfo(zone: object) -> tzinfo:
    return parse_zone(zone) if isinstance(zone, str) else zone if isinstance(zone, tzinfo) else _fail(zone)


def _zone(zone: object) -> ZoneInfo | None:
    if zone is None or isinstance(zone, ZoneInfo):
        return zone
    return parse_zone(zone) if isinstance(zone, str) else ZoneInfo("UTC") if zone is UTC else _fail(zone)


def _fail(value: object) -> Any:
    raise TypeError(value)
