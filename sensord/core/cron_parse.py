"""A cron expression as text to its fields; refuses, each with its reason, what no schedule should hold."""

import difflib
import re
from dataclasses import dataclass

from sensord.core.cron_days import DayRule
from sensord.core.cron_fields import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, FieldValues, parse_field
from sensord.errors import InvalidValue

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


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
    """Read five fields, or with `seconds` six, the seconds last; or an alias such as `@hourly`."""
    texts = _split(expression, seconds=seconds)
    minute, hour = parse_field(texts[0], MINUTE), parse_field(texts[1], HOUR)
    days = DayRule(parse_field(texts[2], DAY), parse_field(texts[3], MONTH).values, parse_field(texts[4], WEEKDAY))
    second = parse_field(texts[5], SECOND) if seconds else FieldValues(frozenset({0}))
    if not days.can_match():
        weekday = "" if texts[4] == "*" else f" on day of week {texts[4]}"
        raise InvalidValue(
            f"day of month field: expected a day that comes, got {expression.strip()[:60]!r}, which never fires",
            hint=f"no year has day {texts[2]} of month {texts[3]}{weekday}",
        )
    return CronRule(
        tuple(sorted(minute.values)),
        tuple(sorted(hour.values)),
        tuple(sorted(second.values)),
        days,
        minute.starred or hour.starred,
    )


def _split(expression: str, *, seconds: bool) -> list[str]:
    text = expression.strip(" \t")
    if text.startswith("@"):
        return _expand_alias(text).split() + (["0"] if seconds else [])
    texts = re.split(r"[ \t]+", text) if text else []
    wanted = 6 if seconds else 5
    if len(texts) != wanted:
        fields = "minute, hour, day of month, month, day of week" + (", second" if seconds else "")
        raise InvalidValue(
            f"expected {wanted} fields ({fields}), got {len(texts)} in {text[:60]!r}",
            hint=_explain_count(len(texts), seconds=seconds),
        )
    return texts


def _expand_alias(text: str) -> str:
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
    raise InvalidValue(f"expected one of {', '.join(ALIASES)}, got {text[:60]!r}", hint=hint)


def _explain_count(count: int, *, seconds: bool) -> str | None:
    if count == 6 and not seconds:
        return "a sixth field, for seconds, needs seconds = true"
    if count == 5 and seconds:
        return "with seconds = true the sixth field is the second, such as 0"
    if count == 7:
        return "there is no field for years: use start and end"
    return None
