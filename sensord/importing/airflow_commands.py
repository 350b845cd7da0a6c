"""Commands of BashOperators: what their Jinja means, in our templates. Only what is exactly the same is taken over.

A logical date that names the start of an interval is our `data_interval_start`; one that names the tick our
`logical_date`. Airflow writes dates in UTC, and so do these.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from sensord.core.template import Substitution, Template
from sensord.core.template_filters import Filter, Kind, make_filter
from sensord.errors import InvalidValue
from sensord.importing.airflow_values import Opaque

_DATE = "%Y-%m-%d"
_NODASH = "%Y%m%d"
_ISO = "%Y-%m-%dT%H:%M:%S+00:00"
_TEXTS = {
    "ds": (0, _DATE),
    "ds_nodash": (0, _NODASH),
    "ts": (0, _ISO),
    "ts_nodash": (0, "%Y%m%dT%H%M%S"),
    "ts_nodash_with_tz": (0, "%Y%m%dT%H%M%S+0000"),
    "yesterday_ds": (-24, _DATE),
    "yesterday_ds_nodash": (-24, _NODASH),
    "tomorrow_ds": (24, _DATE),
    "tomorrow_ds_nodash": (24, _NODASH),
}
"""Name -> hours from the logical date, and the pattern it is written in."""
_LOGICAL = frozenset({"logical_date", "execution_date"})
_TICK = frozenset({"data_interval_end", "next_execution_date"})
_NEXT = {"next_ds": _DATE, "next_ds_nodash": _NODASH}
_METHODS = {"isoformat": _ISO, "to_date_string": _DATE, "to_iso8601_string": "%Y-%m-%dT%H:%M:%SZ"}
_TEXT_FILTERS = frozenset({"replace", "upper", "lower"})
_AIRFLOW_FILTERS = {
    "ds": _DATE,
    "ds_nodash": _NODASH,
    "ts": _ISO,
    "ts_nodash": "%Y%m%dT%H%M%S",
    "ts_nodash_with_tz": "%Y%m%dT%H%M%S+0000",
}
_TIME = re.compile(r"%[HMSTsz]")


class Unmapped(Exception):
    """An expression that has no like here."""


@dataclass(frozen=True, slots=True)
class Context:
    """What expressions mean in one DAG. params: its own; those that are used are noted in `used`.

    bare: the names of instants that are written without a format, which differs from one release of Airflow to another.
    """

    dag_id: str
    interval: bool
    params: Mapping[str, Any]
    used: dict[str, str | int] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)


def map_command(text: str, task_id: str, context: Context) -> Template:
    """The text with our substitutions for theirs. Unmapped where one has no like here."""
    try:
        tree = Environment(keep_trailing_newline=True, newline_sequence="\n", cache_size=0).parse(text)
    except (TemplateSyntaxError, ValueError, RecursionError) as error:
        raise Unmapped(str(error)) from None
    parts: list[str | Substitution] = []
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            raise Unmapped(f"{{% {type(node).__name__.lower()} ... %}}")
        for one in node.nodes:
            part = one.data if isinstance(one, nodes.TemplateData) else _map(one, task_id, context)
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part:
                parts.append(part)
    return Template(tuple(parts))


def _map(node: nodes.Expr, task_id: str, context: Context) -> str | Substitution:
    try:
        found = _map_value(node, task_id, context)
    except InvalidValue as error:
        raise Unmapped(f"{describe(node)}: {error.message}") from None
    if found is None:
        raise Unmapped(describe(node))
    if isinstance(found, Substitution) and _gives(found) is Kind.INSTANT:
        context.bare.add(describe(node))
        return _with(found, "date", _ISO)
    return found


def _map_value(node: nodes.Node, task_id: str, context: Context) -> str | Substitution | None:
    match node:
        case nodes.Const(value=str() | int() as value) if not isinstance(value, bool):
            return str(value)
        case nodes.Name(name=name):
            return _map_name(name, context)
        case nodes.Getattr(node=nodes.Name(name="params"), attr=name):
            return _map_param(name, context)
        case nodes.Getitem(node=nodes.Name(name="params"), arg=nodes.Const(value=str() as name)):
            return _map_param(name, context)
        case nodes.Getattr(node=nodes.Name(name="dag"), attr="dag_id"):
            return context.dag_id
        case nodes.Getattr(node=nodes.Name(name="task"), attr="task_id"):
            return task_id
        case nodes.Getattr(node=nodes.Name(name="dag_run"), attr=name) if name in _LOGICAL:
            return _map_name(name, context)
        case nodes.Call(node=nodes.Getattr(node=inner, attr=method), args=args, kwargs=[]):
            return _map_method(inner, method, args, task_id, context)
        case nodes.Filter(node=nodes.Node() as inner, name=name, args=args, kwargs=[]):
            return _map_filter(_map_value(inner, task_id, context), name, args)
        case _:
            return None


def _map_name(name: str, context: Context) -> Substitution | None:
    logical = Substitution("data_interval_start" if context.interval else "logical_date")
    if name in _LOGICAL or name == "data_interval_start":
        return logical
    if name in _TICK:
        return Substitution("logical_date") if context.interval or name == "data_interval_end" else None
    if name in _NEXT and context.interval:
        return _with(Substitution("logical_date"), "date", _NEXT[name])
    if name in _TEXTS:
        hours, pattern = _TEXTS[name]
        moved = _with(logical, "plus", f"{hours}h") if hours else logical
        return _with(moved, "date", pattern)
    return None


def _map_param(name: str, context: Context) -> Substitution | None:
    """One whose value is written as Python writes it here, too."""
    value = context.params.get(name, Opaque(name))
    if isinstance(value, bool) or not isinstance(value, str | int) or not name.isidentifier():
        return None
    context.used[name] = value
    return Substitution(f"params.{name}")


def _map_method(
    inner: nodes.Node, method: str, args: list[nodes.Expr], task_id: str, context: Context
) -> Substitution | None:
    given = [_constant(one) for one in args]
    if isinstance(inner, nodes.Name) and inner.name == "macros":
        return _map_macro(method, args, given, task_id, context)
    found = _map_value(inner, task_id, context)
    if not isinstance(found, Substitution) or _gives(found) is not Kind.INSTANT:
        return None
    if method == "strftime" and len(given) == 1 and isinstance(given[0], str):
        return _with(found, "date", given[0])
    return _with(found, "date", _METHODS[method]) if method in _METHODS and not given else None


def _map_macro(
    name: str, args: list[nodes.Expr], given: list[Any], task_id: str, context: Context
) -> Substitution | None:
    """Those that reckon with the text of a day. Here its instant is reckoned with, before it is written."""
    day = _map_value(args[0], task_id, context) if args else None
    if not isinstance(day, Substitution) or not day.filters or day.filters[-1] != Filter("date", (_DATE,)):
        return None
    instant = Substitution(day.name, day.filters[:-1])
    match name, given[1:]:
        case "ds_add", [int(days)]:
            moved = _with(instant, "plus", f"{24 * days}h") if days else instant
            return _with(moved, "date", _DATE)
        case "ds_format", [str(pattern), str(wanted)] if pattern == _DATE and not _TIME.search(wanted):
            return _with(instant, "date", wanted)
        case _:
            return None


def _map_filter(found: str | Substitution | None, name: str, args: list[nodes.Expr]) -> Substitution | None:
    if not isinstance(found, Substitution):
        return None
    if _gives(found) is Kind.INSTANT:
        return _with(found, "date", _AIRFLOW_FILTERS[name]) if name in _AIRFLOW_FILTERS and not args else None
    texts = [one.value for one in args if isinstance(one, nodes.Const) and isinstance(one.value, str)]
    return _with(found, name, *texts) if name in _TEXT_FILTERS and len(texts) == len(args) else None


def _constant(node: nodes.Expr) -> Any:
    """Its value; None where it has none that is known."""
    try:
        return node.as_const()
    except nodes.Impossible:
        return None


def _with(found: Substitution, name: str, *arguments: str) -> Substitution:
    return Substitution(found.name, (*found.filters, make_filter(name, arguments)))


def _gives(found: Substitution) -> Kind:
    if found.filters:
        return found.filters[-1].gives
    return Kind.TEXT if found.param else Kind.INSTANT


def describe(node: nodes.Node) -> str:
    """An expression in short, for a note."""
    match node:
        case nodes.Name(name=name):
            return str(name)
        case nodes.Getattr(node=inner, attr=attr):
            return f"{describe(inner)}.{attr}"
        case nodes.Getitem(node=inner, arg=nodes.Const(value=value)):
            return f"{describe(inner)}[{value!r}]"
        case nodes.Call(node=inner):
            return f"{describe(inner)}(...)"
        case nodes.Filter(node=nodes.Node() as inner, name=name):
            return f"{describe(inner)} | {name}"
        case nodes.Const(value=value):
            return repr(value)
        case _:
            return f"an expression ({type(node).__name__.lower()})"
