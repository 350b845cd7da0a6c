"""The work of `sensord check`: read the files, and hand the flows that they make to the proof."""

from datetime import datetime
from typing import Literal, NamedTuple

from sensord.cli.files import read_files
from sensord.cli.instants import at_instant, utc
from sensord.cli.session import Session
from sensord.config import Config, Loaded
from sensord.core.check import CheckedFlow, CheckedSensor, Finding, Severity, prove
from sensord.core.duration import parse_duration
from sensord.core.flow import Policy, Sensor
from sensord.core.run import State
from sensord.errors import ConfigError, InvalidValue, Problem, UsageError


class Found(NamedTuple):
    """A finding of the proof, with the place in the file that it is about."""

    finding: Finding
    problem: Problem


class Report(NamedTuple):
    """flows: how many are fit to run. problems: of the files. findings: of the proof, over `since` to `until`."""

    flows: int
    problems: list[Problem]
    findings: list[Found]
    since: datetime
    until: datetime

    @property
    def errors(self) -> int:
        return len(self.problems) + sum(one.finding.severity is Severity.ERROR for one in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.problems) + len(self.findings) - self.errors

    @property
    def ok(self) -> bool:
        return not self.errors


def examine(session: Session, start: datetime | Literal["now"], horizon: str) -> Report:
    """Everything that can be told from the files alone. NotFound where there is no config folder."""
    since = at_instant(start, session.clock, utc)
    until = _end(since, horizon)
    try:
        config = read_files(session)
    except ConfigError as error:
        return Report(0, error.problems, [], since, until)
    findings = prove((_checked(loaded) for loaded in config.flows.values()), since, until)
    return Report(len(config.flows), config.problems, [_place(one, config) for one in findings], since, until)


def _end(since: datetime, horizon: str) -> datetime:
    try:
        length = parse_duration(horizon)
        until = length.add(since, utc())
    except InvalidValue as error:
        raise UsageError(f"--horizon: {error.message}", hint=error.hint) from None
    if not length.is_positive:
        raise UsageError(f"expected a horizon longer than nothing, got {horizon!r}")
    return until


def _checked(loaded: Loaded) -> CheckedFlow:
    flow = loaded.flow
    sensors = (
        _checked_sensor(sensor, skips_meant=f"sensors[{sensor.index}].on_skipped" in loaded.places)
        for sensor in flow.sensors
    )
    return CheckedFlow(flow.name, flow.schedule, tuple(sensors), may_skip=flow.may_skip)


def _checked_sensor(sensor: Sensor, *, skips_meant: bool) -> CheckedSensor:
    return CheckedSensor(
        sensor.index,
        sensor.upstream,
        sensor.mapping,
        sensor.require,
        sensor.timeout,
        skips_settled=skips_meant or State.SKIPPED in sensor.accept,
        misses_settled=sensor.on_missing in (Policy.SKIP, Policy.PROCEED),
    )


def _place(finding: Finding, config: Config) -> Found:
    """Where the sensor's upstream is written, or the flow's schedule where it is about no sensor."""
    loaded = config.flows[finding.flow]
    keys = ["schedule.cron", "schedule.every", "schedule.follow"]
    if finding.sensor_index is not None:
        keys = [f"sensors[{finding.sensor_index}].upstream"]
    key = next((key for key in keys if key in loaded.places), None)
    line, column = loaded.places[key] if key else (None, None)
    file = loaded.files.get(key or "", loaded.file)
    message = finding.message if file == loaded.file else f"for {finding.flow}, {finding.message}"
    return Found(finding, Problem(message, finding.suggestion, file, line, column, finding.flow, key))
