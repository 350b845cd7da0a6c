"""Dispatch: queued runs get their slots and become attempts, each with the complete command that an executor starts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sensord.core import command
from sensord.core.command import UpstreamRun
from sensord.core.flow import Flow
from sensord.core.instant import from_micros
from sensord.core.passed_over import read_passed
from sensord.core.queue import Queue
from sensord.core.run import State
from sensord.daemon.accounts import Accounts, Refusal, User
from sensord.daemon.catalog import Catalog
from sensord.executors.base import Attempt, Job
from sensord.store import manual, passed, runs
from sensord.store.database import Transaction
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


def dispatch(tx: Transaction, queue: Queue, slots: int, place: Place, now: int) -> list[Live]:
    """Move as many queued runs to `starting` as there are free slots, each with a new attempt."""
    chosen = queue.take(max(0, slots - queue.busy))
    if not chosen:
        return []
    started = runs.dispatch(
        tx,
        [one.run_id for one in chosen],
        executor=place.executor,
        host=place.host,
        station=place.station,
        now=now,
    )
    ids = {run.run_id for run in started}
    for one in chosen:
        if one.run_id not in ids:
            queue.vacate(one.run_id)
    return started


def jobs(tx: Transaction, catalog: Catalog, starting: Sequence[Live], place: Place) -> list[Job]:
    """The commands of runs in `starting`, by the definition that each was planned with: to submit after the commit."""
    flows = {run.run_id: catalog.definition(tx, run.flow_id, run.definition_id) for run in starting}
    sensing = [run.run_id for run in starting if flows[run.run_id].sensors]
    upstream: dict[int, list[UpstreamRun]] = defaultdict(list)
    without, mapped = passed.with_upstream_runs(tx, sensing) if sensing else ({}, [])
    for run_id, sensor, name, date, state in mapped:
        upstream[run_id].append(UpstreamRun(sensor, name, from_micros(date), State(state)))
    filled = [run.run_id for run in starting if flows[run.run_id].command.params]
    params = manual.params(tx, filled) if filled else {}
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
