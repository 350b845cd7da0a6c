"""The answer to "why" as JSON. docs/reference/json.md describes it."""

from typing import Any

from sensord.cli.answer import Answer
from sensord.cli.causes import Cause
from sensord.cli.explain import SensorView
from sensord.cli.foresight import Estimate
from sensord.cli.past_json import past_shape
from sensord.cli.shapes import moment, run_shape
from sensord.store.reads.waits import Upstream


def answer_shape(answer: Answer) -> dict[str, Any]:
    return {
        "flow": answer.flow,
        "logical_date": moment(answer.logical_at),
        "state": answer.state,
        "verdict": answer.verdict.value if answer.verdict else None,
        "run": run_shape(answer.run) if answer.run else None,
        "sensors": [_sensor(view) for view in answer.sensors],
        "causes": [_cause(cause, answer) for cause in answer.causes],
        "complete": answer.complete,
        "log": answer.logs.get(answer.run.id) if answer.run else None,
        "next": list(answer.outlook),
        "estimate": _estimate(answer.estimate) if answer.estimate else None,
        "past": past_shape(answer.story, answer.way) if answer.story else None,
    }


def _estimate(guess: Estimate) -> dict[str, Any]:
    last = guess.last
    return {
        "released_at": moment(guess.released_at),
        "finished_at": moment(guess.finished_at),
        "last": {"flow": last[0], "logical_date": moment(last[1])} if last else None,
    }


def _sensor(view: SensorView) -> dict[str, Any]:
    return {
        "index": view.sensor.index,
        "upstream": view.sensor.upstream,
        "match": view.sensor.mapping.label,
        "need": view.standing.need,
        "counted": view.standing.counted,
        "verdict": view.standing.verdict.value,
        "reason": view.reason,
        "message": view.words,
        "times_out_at": moment(view.deadline_at),
        "on_timeout": view.sensor.on_timeout.value if view.sensor.timeout else None,
        "runs": [_upstream(one) for one in view.upstreams],
    }


def _upstream(one: Upstream) -> dict[str, Any]:
    return {
        "logical_date": moment(one.logical_at),
        "state": one.state.label,
        "counts": one.counts,
        "run_id": one.run.id if one.run else None,
        "since": moment(one.run.since_at) if one.run else None,
        "reason": one.run.reason if one.run else None,
        "message": one.run.message if one.run else None,
    }


def _cause(cause: Cause, answer: Answer) -> dict[str, Any]:
    run = cause.run
    return {
        "kind": cause.kind.value,
        "flow": cause.flow,
        "logical_date": moment(cause.logical_at),
        "run_id": run.id if run else None,
        "since": moment(run.since_at) if run else None,
        "message": cause.words,
        "path": [{"flow": flow, "logical_date": moment(at)} for flow, at in cause.path],
        "log": answer.logs.get(run.id) if run else None,
        "later": cause.later,
        "now": cause.now.label if cause.now else None,
    }
