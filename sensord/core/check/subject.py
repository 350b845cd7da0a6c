"""What the proof is told about the flows: their ticks, and what each sensor maps and needs."""

from dataclasses import dataclass

from sensord.core.duration import Duration
from sensord.core.mapping import Mapping, Require
from sensord.core.ticks import Timeline


@dataclass(frozen=True, slots=True)
class CheckedSensor:
    """A sensor; `index` is its number in the flow, which a finding gives back.

    skips_settled: skipped upstream runs are accepted, or `on_skipped` is written, so that somebody has thought of them.
    misses_settled: `on_missing` is `skip` or `proceed`, so that a tick without a match now and then is meant.
    """

    index: int
    upstream: str
    mapping: Mapping
    require: Require = "all"
    timeout: Duration | None = None
    skips_settled: bool = False
    misses_settled: bool = False


@dataclass(frozen=True, slots=True)
class CheckedFlow:
    """A flow. Equal timelines of different flows are taken as one, so they must be hashable.

    may_skip: its catchup can pass over ticks (`catchup` is `latest` or `none`, or there is a `catchup_limit`).
    """

    name: str
    timeline: Timeline
    sensors: tuple[CheckedSensor, ...] = ()
    may_skip: bool = False
