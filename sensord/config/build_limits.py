"""How long a flow's command may run and how often it is tried, from `[run]`; how long what it did is kept."""

from datetime import timedelta
from typing import Any

from sensord.config.names import show
from sensord.config.report import Report
from sensord.config.tables import RunTable
from sensord.core.duration import parse_duration
from sensord.core.retry import Retry
from sensord.errors import InvalidValue

LONGEST = timedelta(days=3650)
"""Of each unit; so that an instant that far ahead is still one."""

_SPANS = ("timeout", "grace", "retry_delay")


def build_limits(table: RunTable, report: Report) -> dict[str, Any]:
    """The fields of Flow that `[run]` sets: retry, timeout, grace. What is wrong goes to `report`."""
    spans = {key: span for key in _SPANS if (span := _read_span(key, table, report)) is not None}
    if spans.get("timeout") == timedelta():
        report.at_value(("run", "timeout"), "expected a duration longer than zero, got none at all")
    retry = {"limit": table.retries, "delay": spans.get("retry_delay"), "backoff": table.retry_backoff}
    limits = {"timeout": spans.get("timeout"), "grace": spans.get("grace")}
    return {"retry": Retry(**_given(retry)), **_given(limits)}


def _read_span(key: str, table: RunTable, report: Report) -> timedelta | None:
    text: str | None = getattr(table, key)
    if text is None:
        return None
    try:
        return to_span(text)
    except InvalidValue as error:
        report.refuse(("run", key), error)
        return None


def read_age(text: str | None, report: Report, key: str = "retention") -> timedelta | None:
    """What a key at the top of the file says, longer than zero; None where it is not there, or wrong."""
    if text is None:
        return None
    try:
        age = to_span(text)
    except InvalidValue as error:
        report.refuse((key,), error)
        return None
    if not age:
        report.at_value((key,), "expected a duration longer than zero, got none at all")
    return age or None


def to_span(text: str) -> timedelta:
    """A length of time that is the same everywhere: a day is 24 hours. InvalidValue for months, years, below zero."""
    duration = parse_duration(text)
    if duration.years or duration.months or duration.sign < 0:
        raise InvalidValue(
            f"expected a duration of weeks, days, hours, minutes and seconds, got {show(text)}", hint='such as "1h30m"'
        )
    if duration.weeks > LONGEST.days or duration.days > LONGEST.days or duration.clock > LONGEST:
        raise InvalidValue(f"expected at most ten years, got {show(text)}")
    return timedelta(weeks=duration.weeks, days=duration.days) + duration.clock


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
