"""The sensors of a flow from `[[sensors]]`. Whether their upstream flows exist is for `link` to say."""

from typing import Any
from zoneinfo import ZoneInfo

from sensord.config.mappings import make_mapping
from sensord.config.names import show
from sensord.config.report import Report
from sensord.config.tables import SensorTable
from sensord.core.duration import Duration, parse_duration
from sensord.core.flow import SUCCESS_ONLY, Policy, Sensor
from sensord.core.mapping import KEYS, Loader, Mapping, Require, read_require
from sensord.core.run import FINAL, State
from sensord.errors import ConfigError, InvalidValue

POLICIES = ("on_failure", "on_skipped", "on_missing", "on_timeout")
MOST = 1_000
"""Sensors of one flow: what a run waits for has to be told, and to fit a command's environment."""

_STATES = {state.label: state for state in FINAL}


def build_sensors(
    flow: str, tables: list[SensorTable], zone: ZoneInfo, load: Loader, report: Report
) -> tuple[Sensor, ...]:
    """Of the sensors, those that are right; what is wrong with the others goes to `report`."""
    if len(tables) > MOST:
        hint = "a flow of its own may wait for some of them, and be waited for"
        report.at_value(("sensors",), f"expected at most {MOST:,} sensors, got {len(tables):,}", hint)
        return ()
    sensors = [_build_sensor(flow, index, table, zone, load, report) for index, table in enumerate(tables)]
    return tuple(sensor for sensor in sensors if sensor)


def _build_sensor(
    flow: str, index: int, table: SensorTable, zone: ZoneInfo, load: Loader, report: Report
) -> Sensor | None:
    path = ("sensors", index)
    if table.upstream is None:
        report.missing(path, "upstream", "expected an upstream, got none", 'such as upstream = "ingest/orders"')
    mapping = _build_mapping(path, table, zone, load, report)
    require = _read_require(path, table, report)
    accept = _read_accept(path, table, report)
    timeout = _read_timeout(path, table, report)
    if table.upstream is None or mapping is None or require is None or not accept:
        return None
    accept = accept | {State.SKIPPED} if table.upstream == flow else accept
    policies: dict[str, Any] = {key: Policy(name) for key in POLICIES if (name := getattr(table, key)) is not None}
    return Sensor(index, table.upstream, mapping, require, accept, timeout=timeout, **policies)


def _build_mapping(
    path: tuple[str, int], table: SensorTable, zone: ZoneInfo, load: Loader, report: Report
) -> Mapping | None:
    values = {key: getattr(table, key) for key in KEYS if key in table.model_fields_set}
    try:
        return make_mapping(values, load, zone)
    except ConfigError as error:
        for problem in error.problems:
            report.at_value((*path, problem.key or "match"), problem.message, problem.hint)
        return None


def _read_require(path: tuple[str, int], table: SensorTable, report: Report) -> Require | None:
    if "require" not in table.model_fields_set:
        return "all"
    try:
        return read_require(table.require)
    except InvalidValue as error:
        report.refuse((*path, "require"), error)
        return None


def _read_accept(path: tuple[str, int], table: SensorTable, report: Report) -> frozenset[State]:
    """Empty where it is wrong."""
    if table.accept is None:
        return SUCCESS_ONLY
    words = [table.accept] if isinstance(table.accept, str) else table.accept
    if not words:
        report.at_value((*path, "accept"), "expected at least one state, got an empty list")
    return FINAL if "finished" in words else frozenset(_STATES[word] for word in words)


def _read_timeout(path: tuple[str, int], table: SensorTable, report: Report) -> Duration | None:
    """None where there is none, or where it is wrong."""
    if table.timeout is None:
        if table.on_timeout is not None and not report.said((*path, "timeout")):
            message = "expected a timeout beside it, got none: on_timeout says what happens when that is over"
            report.at_key((*path, "on_timeout"), message, 'such as timeout = "2h"')
        return None
    try:
        timeout = parse_duration(table.timeout)
    except InvalidValue as error:
        report.refuse((*path, "timeout"), error)
        return None
    if not timeout.is_positive:
        report.at_value((*path, "timeout"), f"expected a duration longer than zero, got {show(table.timeout)}")
    return timeout
