"""When a DAG runs, as a schedule of ours, and what Airflow calls its runs: by the start of an interval, or by the tick.

Our logical date is the tick, at which the run comes due in both systems. The logical dates of Airflow's intervals are
those of the tick before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sensord.core.cron import parse_cron
from sensord.core.cron_parse import ALIASES
from sensord.core.every import parse_every
from sensord.core.schedule import Schedule
from sensord.core.ticks import Ticks
from sensord.core.zone import EARLIEST, resolve
from sensord.errors import InvalidValue
from sensord.importing.airflow_model import Dag
from sensord.importing.airflow_values import Opaque, Timetable
from sensord.importing.toml import Value

_UTC = ZoneInfo("UTC")
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_ALIASES = {"@quarterly": "0 0 1 */3 *"}
_NEVER = ("@once", "@continuous")
_HINT = "give it a schedule of its own, or run what it does by hand"


@dataclass(frozen=True, slots=True)
class Times:
    """rule: the ticks. interval: whether Airflow's date of a run is the start of its interval, which ends at the tick.

    written: the keys of [schedule]. remarks: what is not quite as it was.
    """

    rule: Ticks
    zone: ZoneInfo
    interval: bool
    written: Mapping[str, Value]
    remarks: tuple[tuple[str, str | None], ...] = ()

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.rule, self.zone)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for those with the same dates there and here."""
        return (self.rule, self.zone.key, self.interval)

    @property
    def is_bounded(self) -> bool:
        """Whether there are dates at which it has no runs yet, or none any more."""
        return bool({"start", "end"} & self.written.keys())

    def theirs(self, tick: datetime) -> datetime:
        """Airflow's logical date of the run that is due at `tick`."""
        return (self.rule.prev(tick) or EARLIEST) if self.interval else tick

    def ours(self, logical: datetime) -> datetime | None:
        """The tick of the run that Airflow calls `logical`; None where there is no such run."""
        if not self.rule.contains(logical):
            return None
        return self.rule.next(logical) if self.interval else logical


@dataclass(frozen=True, slots=True)
class _Rule:
    rule: Ticks
    zone: ZoneInfo
    keys: Mapping[str, Value]
    remarks: tuple[tuple[str, str | None], ...] = ()


def read_times(dag: Dag, *, interval: bool, zone: ZoneInfo, now: datetime) -> Times:
    """InvalidValue where it has no times, or they have no like here.

    interval: what a plain cron expression or timedelta means there. zone: Airflow's `default_timezone`.
    """
    catchup = dag.args.get("catchup", interval)
    start, end = _bound(dag, "start_date", zone), _bound(dag, "end_date", zone)
    own = start.tzinfo if start is not None and isinstance(start.tzinfo, ZoneInfo) else zone
    given = dag.args.get("timetable", dag.args.get("schedule", dag.args.get("schedule_interval", Opaque(""))))
    if isinstance(given, Timetable):
        interval, own = "Interval" in given.name, given.zone or own
        given = given.by
    rule = _read_rule(given, own, start, now)
    times = Times(rule.rule, rule.zone, interval, {}, rule.remarks)
    written: dict[str, Value] = dict(rule.keys)
    if start is not None and (first := _first(times, start)) is not None and first > now and "start" not in written:
        written["start"] = first
    if end is not None and (last := _last(times, end)) is not None:
        written["end"] = last
    if catchup is False:
        written["catchup"] = "latest"
    return Times(rule.rule, rule.zone, interval, written, rule.remarks)


def _bound(dag: Dag, key: str, zone: ZoneInfo) -> datetime | None:
    """The DAG's own, or that of its default_args; None where it has none, or one that is known only when it runs."""
    defaults = dag.args.get("default_args")
    value = dag.args.get(key, defaults.get(key) if isinstance(defaults, dict) else None)
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=zone)


def _read_rule(given: object, zone: ZoneInfo, start: datetime | None, now: datetime) -> _Rule:
    match given:
        case None:
            raise InvalidValue("it has no schedule: it runs when somebody, or another DAG, starts it", hint=_HINT)
        case str() if given in _NEVER:
            raise InvalidValue(f"{given} is no schedule of ticks", hint=_HINT)
        case str():
            return _read_cron(given, zone)
        case timedelta():
            return _read_delta(given, zone, start, now)
        case Opaque(text=""):
            raise InvalidValue("it says no schedule, which is a day in Airflow 2 and none in Airflow 3", hint=_HINT)
        case Opaque(text=text) if "Dataset" in text or "Asset" in text:
            hint = "give it a schedule, and a [[sensors]] table for each flow that makes what it needs"
            raise InvalidValue(f"it runs when data is there: {text}", hint=hint)
        case list():
            hint = "give it a schedule, and a [[sensors]] table for each flow that makes what it needs"
            raise InvalidValue("it runs when data is there", hint=hint)
        case Opaque(text=text):
            raise InvalidValue(f"its schedule is known only when it runs: {text}", hint="write it out in the file")
        case _:
            raise InvalidValue(f"expected a schedule, got {given!r}")


def _read_cron(expression: str, zone: ZoneInfo) -> _Rule:
    text = _ALIASES.get(expression, expression)
    seconds = len(text.split()) == 6
    day, _, weekday = (*ALIASES.get(text, text).split(), "*", "*", "*", "*")[2:5]
    starred = [one for one in (day, weekday) if one.startswith("*") and one != "*"]
    if starred and "*" not in (day, weekday):
        hint = "make two flows of it, or name the days in place of the step"
        raise InvalidValue(f"{text!r} is either day there, and both here, since {starred[0]} starts with *", hint=hint)
    rule = parse_cron(text, zone, seconds=seconds)
    keys: dict[str, Value] = {"cron": text}
    if seconds:
        keys["seconds"] = True
    if zone.key != "UTC":
        keys["timezone"] = zone.key
    return _Rule(rule, zone, keys)


def _read_delta(delta: timedelta, zone: ZoneInfo, start: datetime | None, now: datetime) -> _Rule:
    if start is None:
        raise InvalidValue("its timedelta counts from a start_date, and that is known only when it runs")
    if delta < timedelta(seconds=1) or delta.microseconds or start.microsecond:
        raise InvalidValue(f"expected whole seconds, got {delta} from {start.isoformat()}")
    anchor = _instant(start, zone)
    if cron := _cron_of(delta, anchor):
        return _Rule(parse_cron(cron, _UTC), _UTC, {"cron": cron})
    every = f"{int(delta.total_seconds())}s" if delta % _MINUTE else f"{delta // _MINUTE}m"
    rule = parse_every(every, anchor, _UTC)
    first = anchor if anchor > now else rule.next(now)
    assert first is not None  # it has no end
    hint = "Airflow, with catchup=False, counts from its first run: compare the two, and move start"
    return _Rule(rule, _UTC, {"every": every, "start": first}, (("it is counted from start_date", hint),))


def _cron_of(delta: timedelta, anchor: datetime) -> str | None:
    """The same ticks as a cron expression in UTC, which needs no start; None where they are not the same each day."""
    minutes = delta // _MINUTE
    if (
        delta % _MINUTE
        or _DAY % delta
        or anchor.second
        or (minutes < 60 and 60 % minutes)
        or (minutes > 60 and minutes % 60)
    ):
        return None
    if minutes <= 60:
        first = anchor.minute % minutes
        minute = str(first) if minutes == 60 else f"{first}/{minutes}" if first else f"*/{minutes}"
        return f"{'*' if minutes == 1 else minute} * * * *"
    hours = minutes // 60
    first = anchor.hour % hours
    hour = str(first) if hours == 24 else f"{first}/{hours}" if first else f"*/{hours}"
    return f"{anchor.minute} {hour} * * *"


def _instant(at: datetime, zone: ZoneInfo) -> datetime:
    if at.tzinfo is None or isinstance(at.tzinfo, ZoneInfo):
        own = at.tzinfo if isinstance(at.tzinfo, ZoneInfo) else zone
        return resolve(at.replace(tzinfo=None), own)
    return at.astimezone(UTC)


def _first(times: Times, start: datetime) -> datetime | None:
    """The tick of the first run whose date there is at or after `start`."""
    at = _instant(start, times.zone)
    logical = at if times.rule.contains(at) else times.rule.next(at)
    return logical and times.ours(logical)


def _last(times: Times, end: datetime) -> datetime | None:
    at = _instant(end, times.zone)
    logical = at if times.rule.contains(at) else times.rule.prev(at)
    return logical and times.ours(logical)
