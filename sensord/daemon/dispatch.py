"""Dispatch: queued runs get their slots and become attempts. Those of this host get the complete command that an
executor starts; the others are on their way to workers, which make it themselves.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sensord.core import command
from sensord.core.command import UpstreamRun
from sensord.core.flow import Flow
from sensord.core.instant import from_micros
from sensord.core.passed_over import read_passed
from sensord.core.run import State
from sensord.daemon.accounts import Accounts, Refusal, User
from sensord.daemon.picture import Picture
from sensord.executors.base import Attempt, Job
from sensord.store import manual, passed, runs
from sensord.store.database import Database, Transaction
from sensord.store.runs import Live

DAEMONS_OWN = User({})


@dataclass(frozen=True, slots=True)
class Place:
    """Where commands start: the executor's name, this host and station, the folder that a relative `cwd` starts from,
    the daemon's own environment, of which a command sees only what is asked for, and the users that it may run as.
    """

    executor: str
    host: str
    station: str
    folder: Path
    environment: Mapping[str, str]
    accounts: Accounts = field(default_factory=Accounts)


class Definitions(Protocol):
    """Where the flow of a run is found, as one of its definitions has it."""

    def definition(self, db: Database | Transaction, flow_id: int, definition_id: int) -> Flow: ...


@dataclass(slots=True)
class Dispatched:
    """Runs that went to `starting`: to start on this host, or by workers, to whom they are on their way."""

    here: list[Live] = field(default_factory=list)
    carried: list[Live] = field(default_factory=list)


def dispatch(tx: Transaction, picture: Picture, slots: int, place: Place, now: int) -> Dispatched:
    """Move as many queued runs to `starting` as there are free slots, each with a new attempt."""
    queue = picture.queue
    chosen = queue.take(max(0, slots - queue.busy_here))
    if not chosen:
        return Dispatched()
    queues = {}
    for one in chosen:
        name = picture.berths.of(picture.catalog.by_id[one.flow_id].flow).queue
        if name is not None:
            queues[one.run_id] = name
    started = runs.dispatch(
        tx,
        [one.run_id for one in chosen],
        executor=place.executor,
        host=place.host,
        station=place.station,
        now=now,
        queues=queues,
    )
    ids = {run.run_id for run in started}
    for one in chosen:
        if one.run_id not in ids:
            queue.vacate(one.run_id)
    return Dispatched(
        [run for run in started if run.run_id not in queues], [run for run in started if run.run_id in queues]
    )


def jobs(db: Database | Transaction, definitions: Definitions, starting: Sequence[Live], place: Place) -> list[Job]:
    """The commands of runs in `starting`, by the definition that each was planned with: to submit after the commit."""
    flows = {run.run_id: definitions.definition(db, run.flow_id, run.definition_id) for run in starting}
    sensing = [run.run_id for run in starting if flows[run.run_id].sensors]
    upstream: dict[int, list[UpstreamRun]] = defaultdict(list)
    without, mapped = passed.with_upstream_runs(db, sensing) if sensing else ({}, [])
    for run_id, sensor, name, date, state in mapped:
        upstream[run_id].append(UpstreamRun(sensor, name, from_micros(date), State(state)))
    filled = [run.run_id for run in starting if flows[run.run_id].command.params]
    params = manual.params(db, filled) if filled else {}
    result = []
    for run in starting:
        flow = flows[run.run_id]
        values = command.values(flow, *_subject(run), params.get(run.run_id))
        user, missed = _user(flow, place), read_passed(without.get(run.run_id))
        theirs = user.env if isinstance(user, User) else {}
        env = command.environment(flow.command, values, upstream[run.run_id], place.environment, missed, theirs)
        argv, folder = command.argv(flow.command, values), place.folder / flow.command.cwd
        job = Job(Attempt(run.run_id, run.attempt), argv, str(folder), env)
        result.append(job if user is DAEMONS_OWN else _as(user, job))
    return result


def _as(user: User | Refusal, job: Job) -> Job:
    return replace(job, account=user.account) if isinstance(user, User) else replace(job, refusal=user.message)


def _user(flow: Flow, place: Place) -> User | Refusal:
    """Asked for each attempt, by what is allowed now: a definition may be older, and comes from the database."""
    return DAEMONS_OWN if flow.command.user is None else place.accounts.find(flow.command.user)


def _subject(run: Live) -> tuple[int, int, datetime]:
    return run.run_id, run.attempt, from_micros(run.logical_date)
