"""A flow's definition as text: canonical JSON, from which the flow can be made again without its file.

What has its default is left out, so that a new key of the language changes no digest of old definitions.
"""

import hashlib
import json
from dataclasses import fields
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sensord.config.mapping_functions import load_function
from sensord.config.mappings import make_mapping
from sensord.config.schedule_body import read_schedule, write_schedule
from sensord.config.template_body import read_text, write_text
from sensord.core.duration import parse_duration
from sensord.core.flow import SUCCESS_ONLY, Catchup, Command, First, Flow, Policy, Sensor
from sensord.core.mapping import Mapping, MappingFunction, Match
from sensord.core.retry import Retry
from sensord.core.run import State
from sensord.core.schedule import Schedule

_STATES = {state.label: state for state in State}
_DEFAULTS = {kind: {one.name: one.default for one in fields(kind)} for kind in (Flow, Command, Sensor, Mapping, Retry)}
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_PLACED = ("max_active", "priority", "pool", "executor", "queue")
_POLICIES = ("on_failure", "on_skipped", "on_missing", "on_timeout")


def write_body(flow: Flow) -> str:
    """The definition without the flow's name. Equal flows have equal bodies."""
    command, schedule = flow.command, write_schedule(flow.schedule)
    whole = _unlike(flow, "description", "owner", "tags") | {
        "schedule": schedule | _unlike(flow, "follow", "first", "catchup") | _write_catchup_limits(flow),
        "run": _unlike(flow, *_PLACED)
        | _write_limits(flow)
        | _unlike(command, "pass_env", "cwd", "user")
        | _written(_write_texts(command)),
        "sensors": [_write_sensor(sensor) for sensor in flow.sensors],
    }
    if flow.retention:
        whole["retention"] = flow.retention.total_seconds()
    return _dump(_written(whole))


def flow_from_body(name: str, body: str) -> Flow:
    """The flow that `write_body` was given. Its mapping functions are imported when they are first called."""
    whole = json.loads(body)
    schedule, run = whole["schedule"], whole["run"]
    options = {key: whole[key] for key in ("description", "owner") if key in whole}
    options |= {key: run[key] for key in _PLACED if key in run}
    if "retention" in whole:
        options["retention"] = timedelta(seconds=whole["retention"])
    return Flow(
        name=name,
        schedule=read_schedule(schedule),
        command=_read_command(run),
        sensors=tuple(_read_sensor(index, one) for index, one in enumerate(whole.get("sensors", ()))),
        tags=tuple(whole.get("tags", ())),
        follow=schedule.get("follow"),
        first=First(schedule.get("first", First.LAST)),
        catchup=Catchup(schedule.get("catchup", Catchup.ALL)),
        **_read_catchup_limits(schedule),
        **_read_limits(run),
        **options,
    )


def priority_of(body: str) -> int:
    """The priority of a definition; quick for the many that have none of their own."""
    if '"priority":' not in body:
        return 0
    priority: int = json.loads(body)["run"].get("priority", 0)
    return priority


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def schedule_digest(schedule: Schedule) -> str:
    """Equal for schedules with the same ticks by the same rule, whoever else's they are."""
    return digest(_dump(write_schedule(schedule)))


def _write_catchup_limits(flow: Flow) -> dict[str, Any]:
    """Lengths of time in seconds; a limit that is one has a key of its own."""
    written = _unlike(flow, "catchup_limit", "late_limit")
    if isinstance(flow.catchup_limit, timedelta):
        written["catchup_span"] = written.pop("catchup_limit").total_seconds()
    if "late_limit" in written:
        written["late_limit"] = flow.late_limit.total_seconds()
    return written


def _read_catchup_limits(written: dict[str, Any]) -> dict[str, Any]:
    limits = {"catchup_limit": written["catchup_limit"]} if "catchup_limit" in written else {}
    spans = {"catchup_span": "catchup_limit", "late_limit": "late_limit"}
    return limits | {name: timedelta(seconds=written[key]) for key, name in spans.items() if key in written}


def _write_texts(command: Command) -> dict[str, Any]:
    return {
        "argv": [write_text(one) for one in command.argv or ()],
        "shell_text": command.shell_text and write_text(command.shell_text),
        "env": {name: write_text(text) for name, text in command.env},
        "params": dict(command.params),
    }


def _read_command(run: dict[str, Any]) -> Command:
    return Command(
        argv=tuple(read_text(one) for one in run["argv"]) if "argv" in run else None,
        shell_text=read_text(run["shell_text"]) if "shell_text" in run else None,
        env=tuple((name, read_text(one)) for name, one in sorted(run.get("env", {}).items())),
        params=tuple(sorted(run.get("params", {}).items())),
        pass_env=tuple(run.get("pass_env", ())),
        cwd=run.get("cwd", _DEFAULTS[Command]["cwd"]),
        user=run.get("user"),
    )


def _write_limits(flow: Flow) -> dict[str, Any]:
    """Lengths of time in seconds."""
    spans = {key: span.total_seconds() for key, span in _unlike(flow, "timeout", "grace").items()}
    retry = _unlike(flow.retry, "limit", "backoff")
    delay = {"delay": flow.retry.delay.total_seconds()} if flow.retry.delay != Retry().delay else {}
    return spans | _written({"retry": retry | delay})


def _read_limits(run: dict[str, Any]) -> dict[str, Any]:
    spans = {key: timedelta(seconds=run[key]) for key in ("timeout", "grace") if key in run}
    retry = dict(run.get("retry", {}))
    if "delay" in retry:
        retry["delay"] = timedelta(seconds=retry["delay"])
    return spans | {"retry": Retry(**retry)}


def _write_sensor(sensor: Sensor) -> dict[str, Any]:
    accept = sorted(state.label for state in sensor.accept) if sensor.accept != SUCCESS_ONLY else None
    mapping = write_mapping(sensor.mapping)
    timeout = sensor.timeout and str(sensor.timeout)
    written = _written({"upstream": sensor.upstream, "mapping": mapping, "accept": accept, "timeout": timeout})
    return written | _unlike(sensor, "require", *_POLICIES)


def _read_sensor(index: int, written: dict[str, Any]) -> Sensor:
    options: dict[str, Any] = {key: Policy(written[key]) for key in _POLICIES if key in written}
    if "accept" in written:
        options["accept"] = frozenset(_STATES[label] for label in written["accept"])
    if "timeout" in written:
        options["timeout"] = parse_duration(written["timeout"])
    if "require" in written:
        options["require"] = written["require"]
    mapping = make_mapping(written.get("mapping", {}), _import_later)
    return Sensor(index, written["upstream"], mapping, **options)


def write_mapping(mapping: Mapping) -> dict[str, Any]:
    """As the keys of a sensor, all texts and numbers."""
    since = mapping.since
    texts = {
        "match": mapping.label if mapping.match is not Match.LATEST else None,
        "offset": mapping.offset and str(mapping.offset),
        "within": mapping.within and str(mapping.within),
        "since": since.isoformat() if isinstance(since, datetime) else since,
    }
    return _unlike(mapping, "align", "back", "ahead", "count", "strict", "closed", "week_start") | _written(texts)


def _import_later(name: str) -> MappingFunction:
    """It was allowed when the definition was stored; should it be gone, that is a failure of the mapping, no more."""
    return MappingFunction(name, lambda date, context: _import(name).call(date, context))


def forget_imports() -> None:
    """The modules of mapping functions have been imported anew."""
    _import.cache_clear()


@cache
def _import(name: str) -> MappingFunction:
    return load_function(name, [name.partition(":")[0]])


def _unlike(thing: Flow | Command | Sensor | Mapping | Retry, *keys: str) -> dict[str, Any]:
    """Of these fields, those that differ from their defaults."""
    defaults = _DEFAULTS[type(thing)]
    return {key: value for key in keys if (value := getattr(thing, key)) != defaults[key]}


def _written(values: dict[str, Any]) -> dict[str, Any]:
    """Those that say something."""
    return {key: value for key, value in values.items() if value}


def _dump(value: object) -> str:
    return _ENCODER.encode(value)
