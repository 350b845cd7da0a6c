"""Reads templates: Jinja2's syntax, of which only variables, `params.x` and our filters are let through.

Jinja2 gives the syntax tree and is never asked to run anything. `{% raw %}` is its lexer's, so it works; comments are
switched off, since `${#list}` is a shell's.
"""

import warnings
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sensord.config.names import did_you_mean, show
from sensord.core.template import PARAMS, VARIABLES, Substitution, Template, Text
from sensord.core.template_filters import Filter, Kind, make_filter
from sensord.errors import InvalidValue

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

MARKS = ("{{", "{%")
"""A text without any of these is plain."""

LONGEST = 20_000
"""Characters of a text with substitutions: a larger one takes seconds to read, and is hardly a command."""

_RAW = "for the characters themselves write {% raw %}...{% endraw %}"
_CARRIAGE_RETURN, _STAND_IN = "\r", "\0"
"""Jinja2 would turn every line's end into its own; NUL is in no text that comes from a file."""
_OTHERS = {
    "Call": ("a call", 'values are changed by filters: {{ logical_date | date("%Y") }}'),
    "Getitem": ("a subscript", "a param is written params.name"),
    "Getattr": ("an attribute", "only params have any: params.name"),
    "Const": ("a constant", _RAW),
    "Filter": ("a filter", None),
    "Test": ("a test", None),
    "Compare": ("a comparison", None),
    "CondExpr": ("a condition", None),
    "Add": ("arithmetic", 'an instant is moved by a filter: {{ logical_date | plus("-1d") }}'),
    "Sub": ("arithmetic", 'an instant is moved by a filter: {{ logical_date | plus("-1d") }}'),
}


class Parsed(NamedTuple):
    """`text` is None where there are faults."""

    text: Text | None
    faults: tuple[InvalidValue, ...] = ()


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Parsed:
    """What a text of `run.command` or `run.env` says, or all that is wrong with it."""
    if not any(mark in text for mark in MARKS):
        return Parsed(text)
    if len(text) > LONGEST:
        return Parsed(
            None, (InvalidValue(f"expected a template of at most {LONGEST:,} characters, got {len(text):,}"),)
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of "\d" in an argument: it stays as it is
            tree = _environment().parse(text.replace(_CARRIAGE_RETURN, _STAND_IN))
    except RecursionError:
        return Parsed(None, (InvalidValue("expected a template, got one nested too deeply"),))
    except (_syntax_error(), ValueError) as error:
        detail = str(error).replace("\\x00", "\\r")
        return Parsed(
            None, (InvalidValue(f"expected a template in Jinja2's syntax, got an error: {detail}", hint=_RAW),)
        )
    faults: list[InvalidValue] = []
    parts = [part for node in tree.body for part in _read_node(node, faults)]
    different = {(fault.message, fault.hint): fault for fault in faults}
    return Parsed(None, tuple(different.values())) if faults else Parsed(_join(parts))


@cache
def _environment() -> "Environment":
    """Imported when the first template is met: most of what reads flows never needs it."""
    from jinja2 import Environment

    never = _STAND_IN + "#"
    return Environment(
        keep_trailing_newline=True, comment_start_string=never, comment_end_string=never[::-1], cache_size=0
    )


@cache
def _syntax_error() -> type[Exception]:
    from jinja2 import TemplateSyntaxError

    return TemplateSyntaxError


def _read_node(node: "nodes.Node", faults: list[InvalidValue]) -> Iterator[str | Substitution]:
    """The parts of one node at the top; what is not allowed goes to `faults`."""
    from jinja2 import nodes

    if not isinstance(node, nodes.Output):
        word = type(node).__name__.lower()
        message = "expected only {{ ... }} in a template, got a statement: {% " + word + " ... %}"
        faults.append(InvalidValue(message, hint="params and variables may take the place of conditions and loops"))
        return
    for one in node.nodes:
        if isinstance(one, nodes.TemplateData):
            yield one.data.replace(_STAND_IN, _CARRIAGE_RETURN)
            continue
        try:
            yield _read_substitution(one)
        except InvalidValue as error:
            faults.append(error)


def _read_substitution(node: "nodes.Expr") -> Substitution:
    from jinja2 import nodes

    chain: list[nodes.Filter] = []
    inner: nodes.Node | None = node
    while isinstance(inner, nodes.Filter):
        chain.append(inner)
        inner = inner.node
    name = _read_name(inner)
    kind = VARIABLES.get(name, Kind.TEXT)
    filters: list[Filter] = []
    for one in reversed(chain):
        made = make_filter(one.name, _read_arguments(one))
        _check_kind(name, filters[-1] if filters else None, kind, made)
        filters.append(made)
        kind = made.gives
    return Substitution(name, tuple(filters))


def _read_name(node: "nodes.Node | None") -> str:
    from jinja2 import nodes

    match node:
        case nodes.Name(name=name) if name in VARIABLES:
            return str(name)
        case nodes.Name(name=name) if name == PARAMS:
            raise InvalidValue("expected the name of a param, got params alone", hint="write params.name")
        case nodes.Name(name=name):
            hint = did_you_mean(name, VARIABLES) or f"the variables are {', '.join(VARIABLES)} and params.name"
            raise InvalidValue(f"expected a variable, got {show(name)}", hint=hint)
        case nodes.Getattr(node=nodes.Name(name=table), attr=attribute) if table == PARAMS:
            return f"{PARAMS}.{attribute}"
        case nodes.Getattr(node=nodes.Name(name=table)):
            near = did_you_mean(table, [PARAMS]) if table not in VARIABLES else None
            raise _refuse(node, near)
        case _:
            raise _refuse(node)


def _read_arguments(node: "nodes.Filter") -> tuple[str, ...]:
    from jinja2 import nodes

    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise InvalidValue(f"expected plain arguments of {node.name[:60]}, got one with a name or a star")
    texts = [one.value if isinstance(one, nodes.Const) else None for one in node.args]
    if not all(isinstance(text, str) for text in texts):
        hint = 'as date("%Y-%m-%d")'
        raise InvalidValue(f"expected texts in quotes as arguments of {node.name[:60]}, got another", hint=hint)
    return tuple(str(text).replace(_STAND_IN, _CARRIAGE_RETURN) for text in texts)


def _check_kind(name: str, before: Filter | None, kind: Kind, made: Filter) -> None:
    if made.takes is kind:
        return
    hint = 'date("%Y-%m-%d") makes a text of an instant' if kind is Kind.INSTANT else "only dates are instants"
    source = before.name if before else name
    raise InvalidValue(f"expected {made.takes} before {made.name}, got {kind}: {source}", hint=hint)


def _refuse(node: "nodes.Node | None", hint: str | None = None) -> InvalidValue:
    what, advice = _OTHERS.get(type(node).__name__, ("an expression", None))
    return InvalidValue(f"expected a variable or params.name, with filters, got {what}", hint=hint or advice)


def _join(parts: list[str | Substitution]) -> Text:
    """With neighbouring texts in one."""
    joined: list[str | Substitution] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(last, str):
            joined[-1] = last + part
        elif part:
            joined.append(part)
    if all(isinstance(part, str) for part in joined):
        return "".join(map(str, joined))
    return Template(tuple(joined))
