"""The command of a run, complete: its argument list, and the only environment it sees."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sensord.core.flow import Command, Flow
from sensord.core.instant import format_instant
from sensord.core.params import Param, write_param
from sensord.core.passed_over import label
from sensord.core.run import State
from sensord.core.template import PARAMS, VARIABLES, Values, render
from sensord.core.template_filters import Moment, Value

INHERITED = ("PATH", "HOME", "LANG")
"""What every command sees of the daemon's own environment."""

_NOTHING: Mapping[str, str] = {}

UPSTREAM_LIMIT = 100_000
"""Characters of SENSORD_UPSTREAM; the kernel refuses to start a command with a variable over 131,072 bytes."""


@dataclass(frozen=True, slots=True)
class UpstreamRun:
    """One upstream run that a sensor of the run was mapped to."""

    sensor: int
    flow: str
    logical_date: datetime
    state: State


def values(
    flow: Flow, run_id: int, attempt: int, logical_at: datetime, params: Mapping[str, Param] | None = None
) -> Values:
    """What the templates of the command are filled with for one attempt. params: what a person gave the run; those
    that its definition has not (any more) are of no use.
    """
    start = flow.schedule.rule.prev(logical_at)
    named: dict[str, Value] = {
        "flow": flow.name,
        "logical_date": Moment(logical_at),
        "data_interval_start": Moment(start) if start else "",
        "data_interval_end": Moment(logical_at),
        "run_id": str(run_id),
        "attempt": str(attempt),
    }
    given = params or {}
    filled = {f"{PARAMS}.{name}": write_param(given.get(name, value)) for name, value in flow.command.params}
    return Values(flow.schedule.zone, named | filled)


def argv(command: Command, given: Values | None = None) -> tuple[str, ...]:
    """The argument list; a string command goes to the shell, in which each substituted value is one quoted word.

    given: may be left out for a command without templates.
    """
    given = given or Values()
    if command.argv:
        return tuple(render(one, given) for one in command.argv)
    return ("/bin/sh", "-c", render(command.shell_text or "", given, quote=True))


def environment(
    command: Command,
    given: Values,
    upstream: Sequence[UpstreamRun],
    inherited: Mapping[str, str],
    without: Sequence[Mapping[str, Any]] = (),
    user: Mapping[str, str] = _NOTHING,
) -> dict[str, str]:
    """The variables of one attempt. Those of `[run.env]` go before what is inherited, SENSORD_* before all.

    given: what `values` has for it. without: what the run goes on without, as `read_passed` has it. user: the variables
    of the user that the command runs as, which go before what is inherited.
    """
    passed = {name: inherited[name] for name in (*INHERITED, *command.pass_env) if name in inherited}
    env = {name: render(text, given) for name, text in command.env}
    own = {f"SENSORD_{name.upper()}": str(given.named[name]) for name in VARIABLES}
    return passed | dict(user) | env | own | {"SENSORD_UPSTREAM": upstream_json(upstream, without)}


def upstream_json(upstream: Sequence[UpstreamRun], without: Sequence[Mapping[str, Any]] = ()) -> str:
    """`[{"sensor", "upstream", "runs": [{"logical_date", "state"}]}]`, ascending; where the sensor passed something
    over, with `passed_over` and `instead` beside it, as core.passed_over writes them.

    Where that would be too long for an environment, each sensor keeps its newest runs, and "omitted" counts the others.
    """
    sensors: dict[int, dict[str, Any]] = {}
    for one in sorted(upstream, key=lambda run: (run.sensor, run.logical_date)):
        sensor = sensors.setdefault(one.sensor, {"sensor": one.sensor, "upstream": one.flow, "runs": []})
        sensor["runs"].append({"logical_date": format_instant(one.logical_date), "state": label(one.state)})
    for entry in without:
        sensor = sensors.setdefault(
            entry["sensor"], {"sensor": entry["sensor"], "upstream": entry["upstream"], "runs": []}
        )
        sensor |= {key: value for key, value in entry.items() if key not in sensor}
    ordered = [sensors[index] for index in sorted(sensors)]
    whole = json.dumps(ordered)
    if len(whole) <= UPSTREAM_LIMIT:
        return whole
    number = sum(len(sensor["runs"]) + len(sensor.get("passed_over", ())) for sensor in ordered)
    keep = max(1, number * UPSTREAM_LIMIT // len(whole) // (4 * len(sensors)))
    return json.dumps([_cut(sensor, keep) for sensor in ordered])


def _cut(sensor: Mapping[str, Any], keep: int) -> dict[str, Any]:
    """Of each list the newest entries, and how many were left out."""
    runs = sensor["runs"]
    cut = {**sensor, "runs": runs[-keep:], "omitted": len(runs[:-keep])}
    if "passed_over" in sensor:
        passed = sensor["passed_over"]
        omitted = sensor.get("passed_over_omitted", 0) + len(passed[:-keep])
        cut |= {"passed_over": passed[-keep:]} | ({"passed_over_omitted": omitted} if omitted else {})
    return cut
