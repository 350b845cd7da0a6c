"""Templates as JSON has them: a plain text is a text; one with substitutions a list of texts and of substitutions."""

from typing import Any

from sensord.core.template import Substitution, Template, Text
from sensord.core.template_filters import make_filter


def write_text(text: Text) -> str | list[Any]:
    """`["--until ", ["data_interval_end", ["date", "%Y-%m-%d"]]]`: a name, and each filter with its arguments."""
    if isinstance(text, str):
        return text
    return [part if isinstance(part, str) else _write(part) for part in text.parts]


def read_text(written: str | list[Any]) -> Text:
    """What `write_text` was given. InvalidValue for a filter that this version, or this host, does not have."""
    if isinstance(written, str):
        return written
    return Template(tuple(part if isinstance(part, str) else _read(part) for part in written))


def _write(part: Substitution) -> list[Any]:
    return [part.name, *([one.name, *one.arguments] for one in part.filters)]


def _read(written: list[Any]) -> Substitution:
    name, *filters = written
    return Substitution(name, tuple(make_filter(one, tuple(arguments)) for one, *arguments in filters))
