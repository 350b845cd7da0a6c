"""Texts with substitutions, and what a run puts in their place: `--until {{ data_interval_end | date("%Y-%m-%d") }}`.

`sensord.config` makes them from Jinja2's syntax; nothing of Jinja2 is needed here. Rendering never fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sensord.core.template_filters import Filter, Kind, Moment, Value, cut

VARIABLES: dict[str, Kind] = {
    "flow": Kind.TEXT,
    "logical_date": Kind.INSTANT,
    "data_interval_start": Kind.INSTANT,
    "data_interval_end": Kind.INSTANT,
    "run_id": Kind.TEXT,
    "attempt": Kind.TEXT,
}
"""What every run has, by the names that SENSORD_* variables have too."""

PARAMS = "params"
"""A param is substituted as `params.x`, and is a text."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """`name` is a variable, or a param as `params.x`. The filters are applied in order, and fit one another."""

    name: str
    filters: tuple[Filter, ...] = ()

    @property
    def param(self) -> str | None:
        """The name of the param; None for a variable."""
        table, _, name = self.name.partition(".")
        return name if table == PARAMS else None

    def __str__(self) -> str:
        return "{{ " + " | ".join([self.name, *map(str, self.filters)]) + " }}"


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts and substitutions, in order; no text is empty and no two stand side by side."""

    parts: tuple[str | Substitution, ...]

    @property
    def params(self) -> frozenset[str]:
        """The names of the params that it needs."""
        return frozenset(part.param for part in self.parts if isinstance(part, Substitution) and part.param)

    def __str__(self) -> str:
        """In Jinja2's syntax, to show it."""
        return "".join(escape_text(part) if isinstance(part, str) else str(part) for part in self.parts)


Text = str | Template
"""A plain text is itself, whatever it looks like."""


@dataclass(frozen=True, slots=True)
class Values:
    """What to put in: by name, for a param `params.x`. zone: the flow's, for calendar arithmetic and `in_zone`."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    named: Mapping[str, Value] = field(default_factory=dict)


def render(text: Text, values: Values, *, quote: bool = False) -> str:
    """quote: each substituted value becomes one word for a shell. KeyError for a name that `values` has not.

    What is filled in is cut at LONGEST characters, with which no command can be started.
    """
    if isinstance(text, str):
        return text
    return cut(part if isinstance(part, str) else _substitute(part, values, quote) for part in text.parts)


def _substitute(part: Substitution, values: Values, quote: bool) -> str:
    value = values.named[part.name]
    for one in part.filters if value else ():  # an empty text may stand for an instant that there is none of
        value = one.apply(value, values.zone)
    text = str(value) if isinstance(value, Moment) else value
    return quote_word(text) if quote else text


def quote_word(text: str) -> str:
    """For a shell: in quotes even where shlex.quote has none, so that it is no `if`, no `A=1` and no `2` of `2>`."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def escape_text(text: str) -> str:
    """A literal text as part of a template: what would be read as more than that stands in `{% raw %}`."""
    if "{{" not in text and "{%" not in text and not text.endswith("{"):
        return text
    if "endraw" in text:  # its end must not be found within it
        text = text.replace("{%", "{{% endraw %}{% raw %}%")
    return "{% raw %}" + text + "{% endraw %}"
