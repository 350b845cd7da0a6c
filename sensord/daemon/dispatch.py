"""Dispatch: queued runs get their slots and become attempts, each with the complete command that an executor starts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sensord.core import command
from sensord.core.command import UpstreamRun
from sensord.core.flow import Flow
from sensord.core.instant import from_micros
from sensord.core.passed_over import read_passed
from sensord.core.queue import Queue
from sensord.core.run import State
from sensord.daemon.catalog import Catalog
from sensord.executors.base import Attempt, Job
from sensord.store import edges, passed, runs
from sensord.store.database import Transaction
from sensord.store.runs import Live


@dataclass(frozen=True, slots=True)
class Place:
    """Where commands start: the executor's name, this host, the folder that a relative `cwd` starts from, and the
    daemon's own environment, of which a command sees only what is asked for.
    """

    executor: str
    host: str
    folder: Path
    environment: Mapping[str, str]


def dispatch(tx: Transaction, queue: Queue, slots: int, place: Place, now: int) -> list[Live]:
    """Move as many queued runs to `starting` as there are free slots, each with a new attempt."""
    chosen = queue.take(max(0, slots - queue.busy))
    if not chosen:
        return []
    started = runs.dispatch(tx, [one.run_id for one in chosen], executor=place.executor, host=place.host, now=now)
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
    for run_id, sensor, name, date, state in edges.upstream_runs(tx, sensing) if sensing else []:
        upstream[run_id].append(UpstreamRun(sensor, name, from_micros(date), State(state)))
    without = passed.of_runs(tx, sensing) if sensing else {}
    return [_job(run, flows[run.run_id], upstream[run.run_id], without.get(run.run_id), place) for run in starting]


def _job(run: Live, flow: Flow, upstream: Sequence[UpstreamRun], without: str | None, place: Place) -> Job:
    """without: what the run passed over, as it was recorded."""
    logical_at = from_micros(run.logical_date)
    env = command.environment(
        flow, run.run_id, run.attempt, logical_at, upstream, place.environment, read_passed(without)
    )
    argv = command.argv(flow.command, command.values(flow, run.run_id, run.attempt, logical_at))
    return Job(Attempt(run.run_id, run.attempt), argv, str(place.folder / flow.command.cwd), env)
