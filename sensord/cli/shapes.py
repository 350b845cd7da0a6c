"""The shapes of JSON that several commands print. Keys stay as they are: docs/reference/json.md lists them."""

from datetime import datetime
from typing import Any

from sensord.cli.manning import Crew
from sensord.core.instant import format_instant, from_micros
from sensord.errors import Problem
from sensord.store.lead import Leader
from sensord.store.reads.runs import Attempt, Run
from sensord.store.workers import Worker


def moment(at: datetime | None) -> str | None:
    return format_instant(at) if at else None


def run_shape(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "flow": run.flow,
        "logical_date": moment(run.logical_at),
        "kind": run.kind.label,
        "state": run.state.label,
        "since": moment(run.since_at),
        "reason": run.reason,
        "message": run.message,
        "attempt": run.attempt,
        "priority": run.priority,
        "stale": run.stale_at is not None,
        "stale_at": moment(run.stale_at),
        "created_at": moment(run.created_at),
        "released_at": moment(run.released_at),
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
    }


def name_shape(name: tuple[str, datetime] | None) -> dict[str, Any] | None:
    """A run by its flow and date."""
    return {"flow": name[0], "logical_date": moment(name[1])} if name else None


def attempt_shape(attempt: Attempt, log: str | None) -> dict[str, Any]:
    return {
        "attempt": attempt.number,
        "executor": attempt.executor,
        "host": attempt.host,
        "submitted_at": moment(attempt.submitted_at),
        "began_at": moment(attempt.began_at),
        "pid": attempt.pid,
        "ended_at": moment(attempt.ended_at),
        "exit_code": attempt.exit_code,
        "signal": attempt.signal,
        "problem": attempt.problem,
        "message": attempt.message,
        "log": log,
    }


def problem_shape(problem: Problem, severity: str = "error") -> dict[str, Any]:
    return {
        "severity": severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "flow": problem.flow,
        "key": problem.key,
        "message": problem.message,
        "hint": problem.hint,
    }


def worker_shape(worker: Worker) -> dict[str, Any]:
    """A worker. `silent`: seconds since it was last heard of."""
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "queue": worker.queue,
        "slots": worker.slots,
        "busy": worker.busy,
        "taking": bool(worker.is_taking),
        "started_at": moment(from_micros(worker.started_at)),
        "silent": worker.silent,
    }


def crew_shape(crew: Crew) -> dict[str, Any]:
    """The workers of one queue."""
    return {
        "queue": crew.queue,
        "number": crew.workers,
        "draining": crew.draining,
        "slots": crew.slots,
        "busy": crew.busy,
    }


def leader_shape(leader: Leader | None) -> dict[str, Any] | None:
    """The daemon that leads, null where none does."""
    if leader is None:
        return None
    return {
        "host": leader.holder.host,
        "pid": leader.holder.pid,
        "version": leader.holder.version,
        "started_at": moment(leader.started_at),
        "trouble": leader.trouble,
    }
