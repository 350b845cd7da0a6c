"""Ticks of cron expressions, beside raw croniter over the same wall times."""

import gc
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped] # it has no types

from bench.figures import Figure, rate
from sensord.core.cron import parse_cron

EXPRESSIONS = ("* * * * *", "0 * * * *", "*/15 6-18 * * MON-FRI", "30 2 * * *", "0 0 1 * *")
ZONE = ZoneInfo("Europe/Amsterdam")
SINCE = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))
EACH = 2000


def measure() -> Iterator[Figure]:
    number = EACH * len(EXPRESSIONS)
    raw = rate(number, _raw)
    yield Figure("ticks, made anew", rate(number, _made), "ticks/s", raw, "croniter")
    kept = [parse_cron(expression, ZONE) for expression in EXPRESSIONS]
    yield Figure("ticks, from the shared caches", rate(number, lambda: _walk(kept)), "ticks/s", raw, "croniter")


def _raw() -> None:
    for expression in EXPRESSIONS:
        _take(croniter(expression, SINCE.replace(tzinfo=None), implement_cron_bug=True).all_next(datetime))


def _made() -> None:
    """Nobody holds the rules between two rounds, so each round makes its ticks again."""
    gc.collect()
    _walk(parse_cron(expression, ZONE) for expression in EXPRESSIONS)


def _walk(rules: Iterable[object]) -> None:
    for rule in rules:
        at: datetime | None = SINCE
        for _ in range(EACH):
            at = rule.next(at or SINCE + timedelta())  # type: ignore[attr-defined] # any Ticks


def _take(ticks: Iterator[datetime]) -> None:
    for _ in range(EACH):
        next(ticks)
