"""A cron expression as text to its fields; refuses, each with its reason, what no schedule should hold."""

import difflib
import re
from dataclasses import dataclass
from typing import NamedTuple

from sensord.core.cron_days import DayRule
from sensord.core.cron_fields import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, FieldKind, FieldValues, parse_field
from sensord.errors import InvalidValue

KINDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY, SECOND)
_WORD = re.compile(r"[^ \t]+")

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class _Field(NamedTuple):
    """`at`: where it begins in the expression."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class CronRule:
    """What an expression says, of no zone yet.

    `floating`: its minute or hour starts with `*`, so it fires on every real minute or hour; else its times are fixed.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    seconds: tuple[int, ...]
    days: DayRule
    floating: bool


def parse_rule(expression: str, *, seconds: bool) -> CronRule:
    """Read five fields, or with `seconds` six, the seconds last; or an alias such as `@hourly`.

    InvalidValue says `at` which character of the expression the field begins that is to blame.
    """
    texts = _split(expression, seconds=seconds)
    fields = [_parse_field(text, kind) for text, kind in zip(texts, KINDS, strict=False)]
    minute, hour, day, month, weekday = fields[:5]
    second = fields[5] if seconds else FieldValues(frozenset({0}))
    days = DayRule(day, month.values, weekday)
    if not days.can_match():
        on = "" if texts[4].text == "*" else f" on day of week {texts[4].text}"
        raise InvalidValue(
            f"day of month field: expected a day that comes, got {expression.strip()[:60]!r}, which never fires",
            hint=f"no year has day {texts[2].text} of month {texts[3].text}{on}",
            at=texts[2].at,
        )
    return CronRule(
        tuple(sorted(minute.values)),
        tuple(sorted(hour.values)),
        tuple(sorted(second.values)),
        days,
        minute.starred or hour.starred,
    )


def _parse_field(field: _Field, kind: FieldKind) -> FieldValues:
    try:
        return parse_field(field.text, kind)
    except InvalidValue as error:
        raise InvalidValue(error.message, hint=error.hint, at=field.at) from None


def _split(expression: str, *, seconds: bool) -> list[_Field]:
    text = expression.strip(" \t")
    if text.startswith("@"):
        at = expression.index("@")
        return [_Field(field, at) for field in _expand_alias(text, at).split() + (["0"] if seconds else [])]
    texts = [_Field(found[0], found.start()) for found in _WORD.finditer(expression)]
    wanted = 6 if seconds else 5
    if len(texts) != wanted:
        fields = "minute, hour, day of month, month, day of week" + (", second" if seconds else "")
        raise InvalidValue(
            f"expected {wanted} fields ({fields}), got {len(texts)} in {text[:60]!r}",
            hint=_explain_count(len(texts), seconds=seconds),
            at=texts[wanted].at if len(texts) > wanted else None,
        )
    return texts


def _expand_alias(text: str, at: int) -> str:
    name = text.lower()
    if name in ALIASES:
        return ALIASES[name]
    if name == "@reboot":
        hint = "a schedule's ticks are instants; the start of a machine is none"
    elif name.startswith("@every"):
        hint = 'use every = "90m", with a start, in place of cron'
    else:
        near = difflib.get_close_matches(name, ALIASES, n=1)
        hint = f"did you mean {near[0]}?" if near else "such as @hourly, @daily, @weekly, @monthly"
    raise InvalidValue(f"expected one of {', '.join(ALIASES)}, got {text[:60]!r}", hint=hint, at=at)


def _explain_count(count: int, *, seconds: bool) -> str | None:
    if count == 6 and not seconds:
        return "a sixth field, for seconds, needs seconds = true"
    if count == 5 and seconds:
        return "with seconds = true the sixth field is the second, such as 0"
    if count == 7:
        return "there is no field for years: use start and end"
    return None
