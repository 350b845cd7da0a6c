"""What `sensord status` looks at: the daemon, the errors in the files, and those flows that were asked for.

Shows nothing: that is `status_view`'s. Reads no history, and where nothing was asked for, of many flows only those that
are not at rest: the work grows with the number of flows that are shown.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from sensord.cli.manning import Crew, crews
from sensord.core.run import FINAL, State
from sensord.errors import Problem
from sensord.store.database import Database
from sensord.store.lead import Leader, current_leader
from sensord.store.reads import daemon, flows, unrest, waits
from sensord.store.reads.daemon import Pool
from sensord.store.reads.flows import Flow, Glance
from sensord.store.reads.runs import Run
from sensord.store.reads.waits import Wait

MOST = 100
"""Flows that are shown where nothing was asked for: all of so many, and of more those that are not at rest."""


class Wanted(NamedTuple):
    """Which flows: of each kind that is given, one has to fit. patterns: names, whose `*` stands for folders, too.

    at_rest: also those at rest, however many there are.
    """

    patterns: Sequence[str] = ()
    tags: Sequence[str] = ()
    owners: Sequence[str] = ()
    states: Sequence[str] = ()
    at_rest: bool = False


class Seen(NamedTuple):
    """A flow with its newest runs. next_at: its first tick to come, if it plans any.

    waits: what its newest run waits for; what only a person can mend comes first. pool: the one that it is in.
    """

    flow: Flow
    states: Sequence[State]
    newest: Run | None
    owner: str | None
    tags: Sequence[str]
    next_at: datetime | None
    waits: Sequence[Wait]
    pool: Pool | None = None

    @property
    def blocked(self) -> bool:
        """Whether its newest run waits for something that has ended already."""
        return bool(self.waits) and self.waits[0].state in FINAL


class Left(NamedTuple):
    """So many flows were left out since nothing was asked for; `restless` of them are not at rest. None: some are not,
    and were not counted.
    """

    number: int
    restless: int | None


class Overview(NamedTuple):
    """known: how many flows there are, fitting or not. left: None where all that fit are there."""

    leader: Leader | None
    problems: Sequence[Problem]
    flows: Sequence[Seen]
    known: int
    pools: Sequence[Pool] = ()
    left: Left | None = None
    crews: Sequence[Crew] = ()


def read(db: Database, wanted: Wanted, now: datetime) -> Overview:
    """By name; what was chosen since it is not at rest, by what it is chosen for. NotFound where a pattern fits no flow
    at all.
    """
    leader, problems, known = current_leader(db), flows.problems(db), flows.number(db)
    left = None
    if known > MOST and not any(wanted):
        glances, left = _restless(db, known)
    else:
        glances = flows.glances(db)
    for pattern in wanted.patterns:
        _require_any(pattern, [one.flow.name for one in glances])
    chosen = [(one, body) for one in glances if _fits(wanted, one, body := json.loads(one.body))]
    waiting = _waits(db, [one for one, _ in chosen])
    tick_of = _next_ticks(now)
    pools = daemon.pools(db)
    by_name = {pool.name: pool for pool in pools}
    seen = [_see(one, body, tick_of, waiting)._replace(pool=by_name.get(one.flow.pool or "")) for one, body in chosen]
    if wanted.states:
        seen = [one for one in seen if not _standings(one).isdisjoint(wanted.states)]
    return Overview(leader, problems, seen, known, pools, left, crews(db))


def _restless(db: Database, known: int) -> tuple[list[Glance], Left]:
    """MOST of the flows that are not at rest, what wants a person first."""
    found = unrest.find(db)
    first = sorted(found.causes, key=lambda flow_id: (found.causes[flow_id], flow_id))[:MOST]
    glances = flows.glances_of(db, first)
    glances.sort(key=lambda one: (found.causes[one.flow.id], one.flow.name))
    more = len(found.causes) - len(first)
    return glances, Left(known - len(glances), more if found.complete else None)


def _require_any(pattern: str, names: list[str]) -> None:
    if not any(fnmatchcase(name, pattern) for name in names):
        from sensord.cli.lookup import unknown_flow

        raise unknown_flow(pattern, names, hint="`sensord flow list` shows those that the daemon knows")


def _fits(wanted: Wanted, one: Glance, body: Mapping[str, Any]) -> bool:
    return (
        (not wanted.patterns or any(fnmatchcase(one.flow.name, pattern) for pattern in wanted.patterns))
        and (not wanted.tags or not set(wanted.tags).isdisjoint(body.get("tags", ())))
        and (not wanted.owners or body.get("owner") in wanted.owners)
    )


def _waits(db: Database, glances: Sequence[Glance]) -> dict[int, list[Wait]]:
    waiting = [one.newest for one in glances if one.newest and one.newest.state is State.WAITING]
    by_run: dict[int, list[Wait]] = {}
    for one in sorted(waits.summary(db, waiting), key=_urgency):
        by_run.setdefault(one.run_id, []).append(one)
    return by_run


def _urgency(wait: Wait) -> tuple[bool, bool, int, str]:
    """What has ended comes first, then what a pause or a missing file holds back."""
    return wait.state not in FINAL, not wait.held, -wait.state, wait.upstream


def _next_ticks(now: datetime) -> Callable[[Mapping[str, Any]], datetime | None]:
    """The first tick to come of a schedule as it is stored; schedules that many flows have are read once."""
    from sensord.config.schedule_body import read_schedule

    found: dict[str, datetime | None] = {}

    def next_tick(written: Mapping[str, Any]) -> datetime | None:
        key = json.dumps({name: value for name, value in written.items() if name not in ("follow", "first")})
        if key not in found:
            found[key] = read_schedule(written).next(now)
        return found[key]

    return next_tick


def _see(
    one: Glance,
    body: Mapping[str, Any],
    next_tick: Callable[[Mapping[str, Any]], datetime | None],
    waiting: Mapping[int, Sequence[Wait]],
) -> Seen:
    at = next_tick(body["schedule"]) if one.flow.label == "active" else None
    found = waiting.get(one.newest.id, ()) if one.newest else ()
    return Seen(one.flow, one.states, one.newest, body.get("owner"), body.get("tags", ()), at, found)


def _standings(one: Seen) -> set[str]:
    """All that `--state` calls it."""
    newest = {one.newest.state.label} if one.newest else set()
    return newest | {one.flow.label} | ({"blocked"} if one.blocked else set())
