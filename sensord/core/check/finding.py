"""What the proof finds. Files, lines and columns are added by whoever knows them, by flow and sensor index."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """An error will stop a run; a warning is legal, but odd."""

    ERROR = "error"
    WARNING = "warning"


class FindingKind(StrEnum):
    UNKNOWN_FLOW = "unknown_flow"
    NO_MATCH = "no_match"
    MAPPING_ERROR = "mapping_error"
    DEADLOCK = "deadlock"
    ENDLESS = "endless"
    TOO_MANY = "too_many"
    UNEVEN = "uneven"
    LATE_UPSTREAM = "late_upstream"
    LONG_WAIT = "long_wait"
    SKIPPED_UPSTREAM = "skipped_upstream"


@dataclass(frozen=True, slots=True)
class CounterExample:
    """The first logical date for which it goes wrong, with both sides' wall times of that instant.

    dates: the upstream dates it is about, if any. chain: of a deadlock, (flow, logical date) pairs, each waiting for
    the next, the last for the first; of an endless wait its beginning.
    """

    logical_date: datetime
    wall: str
    upstream_wall: str
    dates: tuple[datetime, ...] = ()
    chain: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """count: how many of the flow's ticks in the horizon it happens on (of a deadlock: how many runs of all its flows
    wait for themselves; of an endless wait: how long its first chain is); 0 where it is not about ticks.
    """

    severity: Severity
    kind: FindingKind
    flow: str
    sensor_index: int | None
    message: str
    counter_example: CounterExample | None = None
    count: int = 0
    suggestion: str | None = None
