"""`sensord simulate`: the coming days on a virtual clock, with the durations of the past."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from sensord.cli.command import Command, Session, json_option, pass_session
from sensord.cli.instants import DateType, When

if TYPE_CHECKING:
    from sensord.config import Config
    from sensord.simulation.course import Plan
    from sensord.simulation.past import Past

MOST = 100_000
"""Runs at most: beyond that it would take many minutes."""


@click.command(
    "simulate",
    cls=Command,
    examples=[
        "sensord simulate",
        "sensord simulate --from 2026-08-01 --to 2026-08-03 --set dim/customers.duration=2h",
        "sensord simulate --fail dim/customers@2026-08-01T02:00 --json",
    ],
)
@click.option("--from", "since", type=DateType("now"), default="now", help="Where it begins; without a zone, UTC.")
@click.option("--to", "until", type=DateType("now"), help="Where it ends; unless given, a day later.")
@click.option(
    "--set",
    "settings",
    metavar="FLOW.duration=DURATION",
    multiple=True,
    help="How long a flow takes, if not as long as in the past; * in its name stands for any text.",
)
@click.option("--fail", "failing", metavar="FLOW@DATE", multiple=True, help="A run whose command fails every time.")
@json_option
@pass_session
def simulate(
    session: Session,
    since: When,
    until: When | None,
    settings: tuple[str, ...],
    failing: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run the coming days on a virtual clock.

    When each flow would land, which runs would be late (not done at their flow's next tick), whom they would wait for,
    and what would not get done: by the files as they are, the daemon's own rules, and the median duration of each
    flow's newest successful runs. Nothing is started, and nothing real is changed. What came before is as the database
    has it, or else taken for a success; what is under way begins anew, unless it begins on a later day.
    """
    from sensord.cli import render, simulate_view
    from sensord.cli.files import read_files
    from sensord.cli.instants import at_instant, utc
    from sensord.simulation import course

    config = read_files(session)
    begin = at_instant(since, session.clock, utc)
    end = at_instant(until, session.clock, utc) if until else begin + timedelta(days=1)
    durations = _durations(config, settings)
    fails = frozenset(_failing(session, config, begin, end, text) for text in failing)
    plan = course.Plan(begin, end, durations, fails)
    with _past(session, plan.since) as past:
        _require_few(config, plan, past)
        result = course.simulate(config, plan, past)
    if as_json:
        render.show_json(simulate_view.shape(plan, result))
        return
    render.show(simulate_view.lines(plan, result, width=render.terminal_width()))
    if assumed := sorted({one.run.flow for one in result.runs} - set(result.durations)):
        names = ", ".join(assumed[:5]) + (f" and {len(assumed) - 5} more" if len(assumed) > 5 else "")
        render.message(f"taken to need {render.span_of(course.USUAL)}, since no run of theirs is known: {names}")


@contextmanager
def _past(session: Session, since: datetime) -> "Iterator[Past]":
    """By the database, where there is one; without it nothing is known."""
    from sensord.simulation.past import Past, read_past

    if not session.has_database:
        yield Past()
        return
    with session.open() as db:
        yield read_past(db, since, session.clock.now())


def _durations(config: "Config", settings: tuple[str, ...]) -> dict[str, timedelta]:
    from sensord.cli.lookup import unknown_flow
    from sensord.core.duration import parse_duration
    from sensord.errors import UsageError

    found: dict[str, timedelta] = {}
    for text in settings:
        pattern, given, value = text.rpartition(".duration=")
        if not given:
            raise UsageError(f"expected FLOW.duration=DURATION, got {text!r}", hint="such as mart/sales.duration=2h")
        length = parse_duration(value)
        if not length.is_positive or length.exact is None:
            raise UsageError(f"expected a duration in h, m and s, longer than zero, got {value!r}")
        names = [name for name in config.flows if fnmatchcase(name, pattern)]
        if not names:
            raise unknown_flow(pattern, sorted(config.flows), hint="`sensord graph` shows the flows that there are")
        found |= dict.fromkeys(names, length.exact)
    return found


def _failing(session: Session, config: "Config", begin: datetime, end: datetime, text: str) -> tuple[str, datetime]:
    """The flow and logical date of FLOW@DATE, which has to be a tick of these days, or the only one in that time."""
    from sensord.cli.files import find_in_files
    from sensord.cli.instants import at_instant, period_of
    from sensord.core.instant import format_instant
    from sensord.errors import UsageError

    name, given, date = text.rpartition("@")
    if not given:
        raise UsageError(f"expected FLOW@DATE, got {text!r}", hint="such as dim/customers@2026-08-01T02:00")
    schedule = find_in_files(config, name).schedule
    when = DateType().convert(date, None, None)
    at, period = (
        at_instant(when, session.clock, lambda: schedule.zone),
        period_of(when, session.clock, lambda: schedule.zone),
    )
    before = timedelta(microseconds=1)
    ticks = [at] if schedule.contains(at) else schedule.between(at - before, period[1] - before) if period else []
    if len(ticks) != 1 or not begin <= ticks[0] <= end:
        near = [format_instant(tick) for tick in schedule.between(begin - before, end)[:3]]
        hint = f"its ticks there: {', '.join(near)}" if near else f"{name} has no ticks there"
        raise UsageError(f"expected one tick of {name} within the days simulated, got {date}", hint=hint)
    return name, ticks[0]


def _require_few(config: "Config", plan: "Plan", past: "Past") -> None:
    from sensord.errors import UsageError

    if plan.until < plan.since:
        raise UsageError("expected an end after the beginning, got one before it")
    number = len(past.unfinished) + sum(
        len(one.flow.schedule.between(plan.since, plan.until)) for one in config.flows.values()
    )
    if number > MOST:
        raise UsageError(f"expected at most {MOST:,} runs, got {number:,}", hint="simulate a shorter time")
