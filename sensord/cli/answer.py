"""The answer to "why": gathered from the database and the logs, as one value that `why_text` and `why_json` print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sensord.cli.causes import BY_ITSELF, Cause, CauseKind, Causes, ended_itself, find_causes
from sensord.cli.explain import SensorView, view_sensors
from sensord.cli.foresight import Estimate, estimate, foresee
from sensord.cli.logfile import TAIL_BYTES, last_lines, tail
from sensord.cli.outlook import (
    is_mended,
    outlook_of_deadlines,
    outlook_of_estimate,
    outlook_of_missed,
    outlook_of_priority,
    outlook_of_run,
    outlook_of_stale,
    outlook_of_tick,
    outlook_of_waiters,
)
from sensord.cli.past import Archive, Story
from sensord.cli.past_causes import find_past_causes
from sensord.cli.past_way import Step, find_way
from sensord.core.instant import format_instant, to_micros
from sensord.core.run import FINAL, State
from sensord.core.schedule import Schedule
from sensord.core.sensor import Verdict
from sensord.errors import NotFound
from sensord.executors.folders import log_of
from sensord.store import logs
from sensord.store.database import Database
from sensord.store.lead import current_leader
from sensord.store.reads import consumers, daemon, flows, history, past, runs, waits
from sensord.store.reads.consumers import Rerun
from sensord.store.reads.flows import Flow
from sensord.store.reads.runs import Attempt, Run

LOG_LINES = 10
LOGS = 3
"""Of how many failed root causes the end of the log is shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """state: the run's, or without a run `not_due`, `late`, `missed` or `no_tick`. verdict: of all sensors together.

    logs: the last lines of failed runs' logs, by run id. outlook: what happens next, in sentences.
    complete: whether all root causes were found. estimate: of a run that waits or is to come. story: the run's past;
    way: what came last of what it had to wait for. passed_over: what it went on without.
    """

    flow: str
    logical_at: datetime
    state: str
    run: Run | None = None
    verdict: Verdict | None = None
    sensors: Sequence[SensorView] = ()
    causes: Sequence[Cause] = ()
    logs: dict[int, list[str]] = field(default_factory=dict)
    outlook: Sequence[str] = ()
    complete: bool = True
    estimate: Estimate | None = None
    story: Story | None = None
    attempts: Sequence[Attempt] = ()
    way: Sequence[Step] = ()
    passed_over: Sequence[Mapping[str, Any]] = ()


def answer_run(db: Database, flow: Flow, run: Run, folder: Path, now: datetime, lacks: Sequence[str] = ()) -> Answer:
    """Why a run stands where it stands. `folder` is where executors keep the logs; lacks: what a queued run has not."""
    from sensord.config.body import flow_from_body

    definition = flow_from_body(flow.name, flows.body_of(db, run.definition_id))
    sensors = view_sensors(definition, waits.upstreams(db, run), waits.gates(db, run), runs.deadlines(db, run), now)
    archive = Archive(db, now)
    (story,) = archive.tell([past.known(db, run)])
    causes = _causes(db, run, now) if run.state is State.WAITING else find_past_causes(archive, story)
    ahead = daemon.ahead_of(db, run, flow.pool) if run.state is State.QUEUED else None
    leads = current_leader(db) is not None
    foreseeable = run.state is State.WAITING and all(cause.kind in BY_ITSELF for cause in causes.found)
    guess = estimate(db, flow.name, run.logical_at, sensors, now) if foreseeable else None
    return Answer(
        flow.name,
        run.logical_at,
        run.state.label,
        run,
        _overall(sensors) if run.state is State.WAITING else None,
        sensors,
        causes.found,
        _logs(db, folder, [run, *(cause.run for cause in causes.found if cause.run)]),
        [
            *outlook_of_priority(run, runs.hurried_by(db, run)),
            *lacks,
            *outlook_of_run(flow, run, causes.found, ahead, runs.timers(db, run), leads=leads, now=now),
            *outlook_of_deadlines(sensors, now),
            *(outlook_of_waiters(waits.waiters(db, run)) if run.state in FINAL else ()),
            *(() if is_mended(causes.found) else outlook_of_stale(run, _rerun_since(db, run), now)),
            *outlook_of_estimate(guess),
        ],
        causes.complete,
        guess,
        story,
        runs.attempts(db, run),
        find_way(archive, story),
        runs.details(db, run).passed_over if run.state is not State.WAITING else (),
    )


def answer_tick(db: Database, flow: Flow, at: datetime | None, now: datetime) -> Answer:
    """Why there is no run at `at`; without it, when the flow's first run comes. NotFound where no tick is."""
    from sensord.config.body import flow_from_body

    definition = flow_from_body(flow.name, flows.body(db, flow))
    schedule = definition.schedule
    tick = at or schedule.next(flow.planned_to)
    if tick is None or not schedule.contains(tick):
        when = f"at {format_instant(tick)}" if tick else "to come"
        raise NotFound(f"{flow.name} has no run and no tick {when}", hint=_neighbours(schedule, tick))
    leads = current_leader(db) is not None
    if tick <= flow.planned_to:
        state = "missed"
    elif tick > now:
        state = CauseKind.NOT_DUE.value
    else:
        state = CauseKind.LATE.value
    if state == "missed":
        first_at = history.first_date(db, flow.id)
        return Answer(flow.name, tick, state, outlook=outlook_of_missed(definition, tick, first_at))
    outlook = outlook_of_tick(flow, tick, state, leads=leads, now=now)
    if flow.label != "active":
        return Answer(flow.name, tick, state, outlook=outlook)
    sensors = foresee(db, definition, tick, now)
    guess = estimate(db, flow.name, tick, sensors, now)
    return Answer(
        flow.name,
        tick,
        state,
        sensors=sensors,
        outlook=[*outlook, *outlook_of_deadlines(sensors, now), *outlook_of_estimate(guess)],
        estimate=guess,
    )


def _causes(db: Database, run: Run, now: datetime) -> Causes:
    unmet = waits.unmet(db, run)
    return find_causes(run, unmet, waits.stuck(db, run), now, complete=len(unmet) < waits.MOST)


def _rerun_since(db: Database, run: Run) -> list[Rerun]:
    """The upstream runs that a stale run had consumed before they were rerun."""
    return consumers.rerun_since(db, run, to_micros(run.released_at)) if run.stale_at and run.released_at else []


def _overall(sensors: Sequence[SensorView]) -> Verdict:
    """The worst verdict of all."""
    found = {view.standing.verdict for view in sensors}
    order = (Verdict.IMPOSSIBLE, Verdict.BLOCKED, Verdict.WAITING)
    return next((verdict for verdict in order if verdict in found), Verdict.SATISFIED)


def _logs(db: Database, folder: Path, candidates: Sequence[Run]) -> dict[int, list[str]]:
    failed = [run for run in candidates if run.state in (State.FAILED, State.RETRYING) and ended_itself(run)]
    return {run.id: _log_end(db, folder, run) for run in failed[:LOGS]}


def _log_end(db: Database, folder: Path, run: Run) -> list[str]:
    """From the file, or else from what a worker has shipped."""
    if found := tail(folder / log_of(run.id, run.attempt), LOG_LINES):
        return found
    shipped = b"".join(part.data for part in logs.read(db, run.id, run.attempt))
    return last_lines(shipped[-TAIL_BYTES:].decode(errors="backslashreplace"), LOG_LINES)


def _neighbours(schedule: Schedule, at: datetime | None) -> str:
    near = [schedule.prev(at), schedule.next(at)] if at else []
    ticks = [format_instant(tick) for tick in near if tick]
    return f"its ticks next to that: {', '.join(ticks)}" if ticks else "its schedule has ended"
