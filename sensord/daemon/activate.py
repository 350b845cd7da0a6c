"""Activate: the flows of the config folder become the flows that the daemon runs, all at one instant.

A file with errors changes nothing: its flow goes on with the definition that was last good, from the database. Only
flows that have changed are looked at there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sensord.config import Config, Loaded, flow_from_body, priority_of
from sensord.core.flow import First, Flow, Sensor
from sensord.core.instant import from_micros, to_micros
from sensord.core.queued import Hold
from sensord.core.ticks import Timeline
from sensord.daemon.catalog import Catalog, Entry
from sensord.daemon.inherit import inherit
from sensord.daemon.plan import catch_up
from sensord.daemon.remap import SLICE, remap
from sensord.daemon.settle import Settled
from sensord.daemon.timelines import Timelines, followed
from sensord.store import edges, flows, priorities, waits
from sensord.store.database import Transaction
from sensord.store.flows import Definition, FlowRow, FlowState, NewDefinition, NewFlow
from sensord.store.runs import Live

_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Activated:
    """The flows that are not what they were, and what that made of runs that wait."""

    entries: list[Entry] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)


def activate(tx: Transaction, config: Config, now: datetime, catalog: Catalog) -> Activated:
    """Bring the database and the catalog, which agree, to the config, as it holds from `now` on.

    Runs that still wait follow their flow's new definition, and their upstreams' new schedules; that may release or end
    them. Where this fails, the catalog is to be read anew.
    """
    micros = to_micros(now)
    flows.set_problems(tx, config.problems, micros)
    flows.set_pools(tx, config.settings.pools)
    touched = _touched(config, catalog)
    if not touched:
        return Activated()
    known = {row.name: row for row in flows.by_name(tx, touched)}
    current = _current(known.values(), flows.definitions_of(tx, [row.id for row in known.values()]))
    changed = [loaded for name, loaded in config.flows.items() if name in touched]
    new = [_new_flow(loaded.flow, now, catalog.timelines) for loaded in changed if loaded.flow.name not in known]
    ids = {name: row.id for name, row in known.items()} | (flows.insert(tx, new, micros) if new else {})
    _define(tx, changed, current, ids, micros)
    gone = [row.id for name, row in known.items() if row.state == FlowState.ACTIVE and not config.holds(name)]
    if gone:
        flows.remove(tx, gone, micros)
    broken = [row.id for name, row in known.items() if row.state == FlowState.REMOVED and config.holds(name)]
    if broken:
        flows.restore(tx, broken)
    before = {entry.id: entry.flow for name in touched if (entry := catalog.by_name.get(name))}
    entries = _renew(tx, catalog, {one.flow.name: one.flow for one in changed}, touched)
    had = {one.flow.name: one for one in changed if one.flow.name in current}
    returned = [row for row in known.values() if row.state != FlowState.ACTIVE and not catalog.by_id[row.id].removed_at]
    shifted = {name for name, one in had.items() if one.schedule_digest != current[name].schedule_digest}
    shifted = _with_followers(catalog, shifted | {row.name for row in returned if row.state == FlowState.RETIRED})
    remapped = {name for name, one in had.items() if _sensors(current[name], name) != one.flow.sensors} | shifted
    if shifted:
        remapped |= {name for name, entry in catalog.by_name.items() if entry.flow.upstreams & shifted}
    waits.redefine(tx, [known[name].id for name in had])
    ranked = {name for name, one in had.items() if priority_of(current[name].body) != one.flow.priority}
    begun = priorities.reset(tx, [known[name].id for name in ranked]) if ranked else []
    missed = catch_up(tx, [catalog.by_id[row.id] for row in returned if row.paused_at is None], micros)
    settled = remap(tx, catalog, _waiting(tx, catalog, remapped, shifted), micros, before, missed)
    for start in range(0, len(begun), SLICE):
        settled.raised += inherit(tx, catalog, begun[start : start + SLICE])
    return Activated(entries, settled)


def load(tx: Transaction) -> Catalog:
    """The flows as the database has them."""
    history = _histories(flows.definitions(tx))
    rows = flows.all_flows(tx)
    parsed = {row.name: flow_from_body(row.name, _body(row, history[row.id]).body) for row in rows}
    catalog = Catalog(_entries(rows, parsed, history, {}))
    catalog.priorities = {priority_of(one.body) for versions in history.values() for one in versions}
    catalog.gated = catalog.gated or edges.any_counted(tx)
    return catalog


def _touched(config: Config, catalog: Catalog) -> set[str]:
    """The flows that have changed, are new or gone, or back. The others' flows are taken over as they were read now:
    their mapping functions may have been imported anew.
    """
    touched = set()
    for name, loaded in config.flows.items():
        entry = catalog.by_name.get(name)
        if entry is None or entry.digest != loaded.digest or entry.removed_at:
            touched.add(name)
        else:
            entry.flow = loaded.flow
    for name, entry in catalog.by_name.items():
        if not entry.retired and config.holds(name) == bool(entry.removed_at):
            touched.add(name)
    return touched


def _renew(tx: Transaction, catalog: Catalog, changed: Mapping[str, Flow], touched: set[str]) -> list[Entry]:
    """Let the catalog have the touched flows, and all that follow them, as the database has them now."""
    names = _with_followers(catalog, touched)
    rows = flows.by_name(tx, names)
    history = _histories(flows.definitions_of(tx, [row.id for row in rows]))
    parsed = {name: changed[name] if name in changed else catalog.by_name[name].flow for name in names}
    entries = _entries(rows, parsed, history, catalog.timelines)
    for entry in entries:
        catalog.put(entry)
        catalog.priorities.add(entry.flow.priority)
    return entries


def _entries(
    rows: Sequence[FlowRow],
    parsed: Mapping[str, Flow],
    history: Mapping[int, Sequence[Definition]],
    others: Mapping[str, Timeline],
) -> list[Entry]:
    timelines = Timelines(parsed, {row.name: history[row.id] for row in rows}, others)
    return [_entry(row, _body(row, history[row.id]), parsed[row.name], timelines.of(row.name)) for row in rows]


def first_cursor(flow: Flow, timeline: Timeline, now: datetime) -> datetime:
    """Where the planning of a new flow begins: just before its first tick to run, and never after `now`."""
    if timeline.start is not None:
        return min(timeline.start - _MICROSECOND, now)
    last = timeline.prev(now + _MICROSECOND) if flow.first is First.LAST else None
    return last - _MICROSECOND if last else now


def _with_followers(catalog: Catalog, names: set[str]) -> set[str]:
    """With all that follow one of these flows, near or far: also those whose own files have errors."""
    found, ahead = set(names), names
    while ahead:
        ahead = {name for name, entry in catalog.by_name.items() if entry.flow.follow in ahead} - found
        found |= ahead
    return found


def _waiting(tx: Transaction, catalog: Catalog, names: Collection[str], shifted: Collection[str]) -> list[Live]:
    """The waiting runs of these flows, and those that wait for `shifted` ones by a definition of their own."""
    found = waits.find(tx, [catalog.by_name[name].id for name in names]) if names else []
    others = [entry.id for name, entry in catalog.by_name.items() if name not in names]
    own = waits.find_with_own(tx, others) if shifted else []
    return found + [
        run for run in own if not catalog.definition(tx, run.flow_id, run.definition_id).upstreams.isdisjoint(shifted)
    ]


def _new_flow(flow: Flow, now: datetime, before: Mapping[str, Timeline]) -> NewFlow:
    """One that follows another begins by the ticks which that had until now."""
    timeline: Timeline = flow.schedule
    if flow.follow and flow.follow in before:
        timeline = followed(before[flow.follow], flow)
    cursor = first_cursor(flow, timeline, now)
    return NewFlow(flow.name, to_micros(cursor), flow.max_active, flow.priority)


def _define(
    tx: Transaction, changed: Sequence[Loaded], current: Mapping[str, Definition], ids: Mapping[str, int], now: int
) -> None:
    """Store what has changed, and make it each flow's current definition."""
    fresh = [one for one in changed if one.flow.name not in current or current[one.flow.name].digest != one.digest]
    rows = [
        NewDefinition(ids[name], one.digest, one.schedule_digest, one.body, _effective_at(current.get(name), now))
        for one in fresh
        for name in [one.flow.name]
    ]
    new = flows.define(tx, rows) if rows else []
    stored = {definition.flow_id: definition.id for definition in new}
    adopted = []
    for one in changed:
        flow_id = ids[one.flow.name]
        definition_id = stored.get(flow_id) or current[one.flow.name].id
        adopted.append((flow_id, definition_id, one.flow.max_active, one.flow.priority, one.flow.pool))
    if adopted:
        flows.adopt(tx, adopted)


def _current(rows: Iterable[FlowRow], definitions: Sequence[Definition]) -> dict[str, Definition]:
    by_id = {definition.id: definition for definition in definitions}
    return {row.name: by_id[row.definition_id] for row in rows}


def _histories(definitions: Iterable[Definition]) -> dict[int, list[Definition]]:
    """Those of each flow, the oldest first."""
    history: dict[int, list[Definition]] = defaultdict(list)
    for one in definitions:
        history[one.flow_id].append(one)
    return history


def _body(row: FlowRow, history: Sequence[Definition]) -> Definition:
    return next(definition for definition in history if definition.id == row.definition_id)


def _sensors(definition: Definition, name: str) -> tuple[Sensor, ...]:
    return flow_from_body(name, definition.body).sensors


def _effective_at(current: Definition | None, now: int) -> int:
    """After the definition before it, even where the clock has been set back since."""
    return now if current is None else max(now, current.effective_at + 1)


def _entry(row: FlowRow, definition: Definition, flow: Flow, timeline: Timeline) -> Entry:
    first_at = from_micros(row.first_date) if row.first_date is not None else None
    hold = Hold.SCHEDULED if row.paused_at is not None else Hold.NONE
    if row.state != FlowState.ACTIVE:
        hold = Hold.ALL
    planned_to = from_micros(row.planned_to)
    entry = Entry(row.id, flow, definition.id, definition.digest, timeline, planned_to, first_at, hold)
    if row.state != FlowState.ACTIVE and row.removed_at is not None:
        entry.removed_at, entry.retired = from_micros(row.removed_at), row.state == FlowState.RETIRED
    return entry
