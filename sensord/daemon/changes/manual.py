"""Trigger: a person makes a run by hand, at a tick or at any other instant that is free, with params of its own."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sensord.config.names import did_you_mean
from sensord.core.instant import format_instant, from_micros, to_micros
from sensord.core.params import Param, read_param
from sensord.core.queued import Hold
from sensord.core.run import Kind, State
from sensord.daemon.catalog import Entry
from sensord.daemon.changes.change import Changed, asker, find_entry, read_date, tell
from sensord.daemon.picture import Picture
from sensord.daemon.plan import resolve
from sensord.daemon.settle import settle
from sensord.errors import InvalidValue
from sensord.store import manual, past, runs
from sensord.store.database import Transaction
from sensord.store.runs import Move, NewRun

LATELY = timedelta(minutes=1)
"""How far back from now a free instant is looked for, where a person names none."""

_SECOND = timedelta(seconds=1)


def trigger(tx: Transaction, picture: Picture, body: Mapping[str, Any], now: int) -> Changed:
    """Make a manual run: at `logical_date`, which with `tick` has to be one of the flow's, or else at the last instant
    that is free and no tick. `params`: texts, by the names that its templates have. It waits as every run does.
    """
    entry = find_entry(picture, body)
    flow = entry.flow
    if entry.hold is Hold.ALL:
        raise InvalidValue(f"expected a flow that has its file, got {flow.name}, whose file is gone")
    params = _read_params(dict(flow.command.params), body.get("params") or {}, flow.name)
    at = _find_date(tx, entry, body, now)
    name = f"{flow.name} {format_instant(at)}"
    text = manual.write_params(params)
    run = NewRun(entry.id, to_micros(at), Kind.MANUAL, flow.priority, entry.definition_id, params=text)
    made = runs.insert(tx, [run], now)
    if not made:
        raise InvalidValue(f"expected a date without a run, got {name}", hint=f"sensord run rerun {name}")
    missed = [Move(entry.id, run.logical_date, State.SKIPPED, State.WAITING)] if at <= entry.planned_to else []
    past.note_made(tx, missed, asker(body), now)
    settled = settle(tx, picture.catalog, missed, now)
    settled.add(resolve(tx, picture.catalog, made, now))
    return Changed(tell(name, made[0], settled), settled)


def _find_date(tx: Transaction, entry: Entry, body: Mapping[str, Any], now: int) -> datetime:
    if body.get("logical_date") is None and not body.get("tick"):
        return _last_free(tx, entry, from_micros(now))
    at = read_date(body)
    if to_micros(at) > now:
        raise InvalidValue(f"expected a date that has come, got {format_instant(at)}")
    if at.microsecond:
        raise InvalidValue(f"expected a date in whole seconds, got {at.isoformat()}")
    if body.get("tick") and not _is_tick(entry, at):
        raise InvalidValue(
            f"expected a tick of {entry.flow.name}, got {format_instant(at)}", hint=_neighbours(entry, at)
        )
    return at


def _last_free(tx: Transaction, entry: Entry, now: datetime) -> datetime:
    """The newest of the last seconds that has no run and is no tick: what nobody waits for."""
    last = now.replace(microsecond=0)
    taken = manual.dates(tx, entry.id, to_micros(last - LATELY), to_micros(last))
    taken |= {to_micros(tick) for tick in entry.timeline.rule.between(last - LATELY, last)}
    seconds = (last - number * _SECOND for number in range(int(LATELY / _SECOND)))
    free = next((at for at in seconds if to_micros(at) not in taken), None)
    if free is None:
        raise InvalidValue("expected a free instant in the last minute, got none", hint="name one: --at")
    return free


def _is_tick(entry: Entry, at: datetime) -> bool:
    """Also before a written start: a person may want what the schedule left out."""
    end = entry.timeline.end
    return entry.timeline.rule.contains(at) and (end is None or at <= end)


def _neighbours(entry: Entry, at: datetime) -> str:
    rule, end = entry.timeline.rule, entry.timeline.end
    near = [tick for tick in (rule.prev(at), rule.next(at)) if tick and (end is None or tick <= end)]
    ticks = f"its ticks next to that: {', '.join(map(format_instant, near))}; " if near else ""
    return f"{ticks}--at takes any other instant"


def _read_params(known: Mapping[str, Param], given: object, flow: str) -> dict[str, Param]:
    """What was given, each of the type that the flow has it in; all that is wrong is said at once."""
    if not isinstance(given, Mapping):
        raise InvalidValue(f"expected params by name, got {given!r}")
    read: dict[str, Param] = {}
    faults: list[InvalidValue] = []
    for name, text in given.items():
        try:
            read[name] = _read_param(name, text, known, flow)
        except InvalidValue as fault:
            faults.append(fault)
    if faults:
        hint = next((fault.hint for fault in faults if fault.hint), None)
        raise InvalidValue("; ".join(fault.message for fault in faults), hint=hint)
    return read


def _read_param(name: str, text: object, known: Mapping[str, Param], flow: str) -> Param:
    if name not in known:
        raise InvalidValue(f"expected a param that {flow} fills in, got {name[:60]!r}", hint=_known(name, known))
    return read_param(name, str(text), known[name])


def _known(name: str, known: Mapping[str, Param]) -> str:
    names = f"there is {', '.join(known)}" if known else "its command and variables fill in no params"
    return did_you_mean(name, known) or names
