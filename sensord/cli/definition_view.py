"""A definition for people: as its flow's file would have it, though in canonical order and without defaults."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sensord.cli.render import Line, Span
from sensord.cli.shapes import moment
from sensord.config.template_body import read_text
from sensord.core.instant import format_instant
from sensord.store.reads.definitions import Definition
from sensord.store.reads.runs import Run

SPANS = ("timeout", "grace", "retention")
"""Lengths of time that a body has in seconds; a sensor's timeout is a text there already."""


DATES = ("start", "end", "since")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT")


def as_file(body: str) -> dict[str, Any]:
    """A stored body with the keys and values of a file. What this version knows no better way for stays as it is."""
    whole: dict[str, Any] = json.loads(body)
    run = dict(whole.pop("run", {}))
    schedule = {key: value for key, value in whole.pop("schedule", {}).items() if value is not False}
    if schedule.get("anchor") == schedule.get("start"):
        schedule.pop("anchor", None)  # `every` counts from the start
    sensors = [_sensor(one) for one in whole.pop("sensors", [])]
    params, env = run.pop("params", {}), run.pop("env", {})
    tables = {"params": params, "schedule": schedule, "run": _run(run), "run.env": _texts(env)}
    shown = _spans(whole) | {key: table for key, table in tables.items() if table}
    return shown | ({"sensors": sensors} if sensors else {})


def shape(run: Run, number: int | None, definition: Definition) -> dict[str, Any]:
    """number: the attempt that was asked for, if one was."""
    return {
        "run_id": run.id,
        "flow": run.flow,
        "logical_date": moment(run.logical_at),
        "attempt": number,
        "definition_id": definition.id,
        "since": moment(definition.since_at),
        "current": definition.current,
        "definition": as_file(definition.body),
    }


def lines(run: Run, number: int | None, definition: Definition) -> Iterator[Line]:
    """Which it is, and the definition in TOML's syntax."""
    which = f", attempt {number}" if number else ""
    yield [Span(f"# {run.flow} {format_instant(run.logical_at)}{which}", "bold")]
    now = "" if definition.current else "; the flow has another one now"
    yield [
        Span(
            f"# by its definition of {format_instant(definition.since_at)}{now}", "" if definition.current else "yellow"
        )
    ]
    yield from _toml(as_file(definition.body))


def _toml(whole: Mapping[str, Any]) -> Iterator[Line]:
    plain = {key: value for key, value in whole.items() if not isinstance(value, dict) and key != "sensors"}
    yield from [[], *(_pair(key, value) for key, value in plain.items())] if plain else []
    for key, value in whole.items():
        if isinstance(value, dict):
            yield from _table(f"[{key}]", value)
    for sensor in whole.get("sensors", ()):
        yield from _table("[[sensors]]", sensor)


def _table(title: str, values: Mapping[str, Any]) -> Iterator[Line]:
    yield []
    yield [Span(title, "bold")]
    for key, value in values.items():
        yield _pair(key, value)


def _pair(key: str, value: Any) -> Line:
    date = key in DATES and isinstance(value, str) and _DATE.match(value)
    return [Span(f"{key} = "), Span(value if date else json.dumps(value, ensure_ascii=False))]


def _run(run: dict[str, Any]) -> dict[str, Any]:
    argv, shell_text = run.pop("argv", None), run.pop("shell_text", None)
    retry: dict[str, Any] = dict(run.pop("retry", {}))
    command: dict[str, Any] = {"command": [str(read_text(one)) for one in argv or ()]}
    if argv is None:
        command = {"command": str(read_text(shell_text or "")), "shell": True}
    names = {"limit": "retries", "delay": "retry_delay", "backoff": "retry_backoff"}
    if "delay" in retry:
        retry["delay"] = span(retry["delay"])
    return command | _spans(run) | {names.get(key, key): value for key, value in retry.items()}


def _sensor(sensor: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of its mapping are its own in a file."""
    own = {key: value for key, value in sensor.items() if key not in ("upstream", "mapping")}
    return {"upstream": sensor["upstream"]} | dict(sensor.get("mapping", {})) | own


def _texts(env: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(read_text(text)) for name, text in env.items()}


def _spans(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: span(value) if key in SPANS else value for key, value in values.items()}


def span(seconds: float) -> str:
    """`1h30m`, in full: unlike what tables show, it loses nothing."""
    whole = int(seconds)
    units = (("h", whole // 3600), ("m", whole // 60 % 60), ("s", whole % 60))
    return "".join(f"{number}{unit}" for unit, number in units if number) or "0s"
