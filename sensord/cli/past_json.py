"""The past of a run as JSON. docs/reference/json.md describes it."""

from collections.abc import Sequence
from typing import Any

from sensord.cli.past import End, SensorPast, Story, Turn
from sensord.cli.past_way import Step
from sensord.cli.shapes import moment, name_shape
from sensord.core.past import What


def past_shape(story: Story, way: Sequence[Step]) -> dict[str, Any]:
    return {
        "begun_at": moment(story.begun_at),
        "again_by": story.again.who if story.again else None,
        "mapped_at": moment(story.mapped_at),
        "waited_until": moment(story.waited_until),
        "released": story.released,
        "kept": not story.pruned,
        "at_once": story.at_once,
        "sensors": [_sensor(one, waits=story.waited_until is None) for one in story.sensors],
        "last": [_step(one) for one in way],
        "ends": [end_shape(one) for one in story.ends],
    }


def _sensor(sensor: SensorPast, *, waits: bool) -> dict[str, Any]:
    """waits: the last verdict holds still."""
    verdicts = [_turn(one) for one in sensor.turns]
    if waits and verdicts:
        verdicts[-1]["until"] = None
    return {
        "index": sensor.sensor.index,
        "upstream": sensor.sensor.upstream,
        "verdicts": verdicts,
    }


def _turn(turn: Turn) -> dict[str, Any]:
    edge, end, again = turn.upstream, turn.end, turn.again
    return {
        "verdict": turn.period.verdict.value,
        "since": moment(turn.period.since_at),
        "until": moment(turn.period.until_at),
        "counted": turn.period.counted,
        "timed_out": turn.period.timed_out,
        "by": name_shape((edge.flow, edge.logical_at) if edge else None),
        "state": end.state.label if end else None,
        "message": (end.message or end.reason) if end else None,
        "who": again.who if again else None,
    }


def _step(step: Step) -> dict[str, Any]:
    story = step.story
    return {
        "flow": step.flow,
        "logical_date": moment(step.logical_at),
        "state": step.end.state.label,
        "begun_at": moment(story.begun_at) if story else None,
        "waited_until": moment(story.waited_until) if story else None,
        "finished_at": moment(step.end.since_at),
        "message": step.end.message or step.end.reason,
    }


def end_shape(end: End) -> dict[str, Any]:
    """A final state that a run has left."""
    left = end.left
    return {
        "state": end.state.label,
        "since": moment(end.since_at),
        "until": moment(left.at) if left else None,
        "reason": end.reason,
        "message": end.message,
        "attempt": end.attempt,
        "left_by": {What.RERUN: "rerun", What.MARKED: "mark"}.get(left.what, "trigger") if left else None,
        "who": left.who if left else None,
    }
