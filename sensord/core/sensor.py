"""Verdicts: what a sensor makes of its upstream runs' states, and what the run makes of its sensors.

Works on tallies (how many upstream runs are in which state), never on rows: the store hands them over, `sensord why`
shows them. The counters in the database are the same arithmetic, kept up to date event by event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sensord.core.flow import Policy, Sensor
from sensord.core.run import Reason, State, mask

Tally = Mapping[State, int]
"""How many of a sensor's upstream runs are in each state; ABSENT for those that have no run yet."""

GATED = 1 << 14
"""Set in an edge's `ends` where a gate keeps the count, since the sensor does not need all its upstream runs."""

TIMED = 1 << 13
"""Set in an edge's `ends` where the sensor has a deadline, so that one which waits again is given a new one."""

_BROKEN = frozenset({State.FAILED, State.CANCELLED})


class Verdict(StrEnum):
    SATISFIED = "satisfied"
    WAITING = "waiting"
    BLOCKED = "blocked"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Masks:
    """Two sets of upstream states: those that count towards the sensor's need, and those that end the run."""

    counts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Ending:
    """A waiting run is over by a sensor's policy."""

    state: State
    reason: Reason


def masks(sensor: Sensor) -> Masks:
    """What each final state of an upstream run does for this sensor: count, end the run, or (in neither) block it."""
    counts = set(sensor.accept)
    ends: set[State] = set()
    for states, policy in ((_BROKEN, sensor.on_failure), (frozenset({State.SKIPPED}), sensor.on_skipped)):
        match policy:
            case Policy.PROCEED:
                counts |= states
            case Policy.FAIL | Policy.SKIP:
                ends |= states - sensor.accept
            case Policy.WAIT:
                pass
    return Masks(mask(counts), mask(ends))


def judge(need: int, sensor_masks: Masks, tally: Tally) -> Verdict:
    """The verdict on one sensor that needs `need` of the upstream runs in `tally`.

    blocked: too few are left unless one that failed is repaired; impossible: too few are left, whatever is repaired.
    """
    counted = stuck = ended = 0
    for state, number in tally.items():
        bit = 1 << state
        if sensor_masks.counts & bit:
            counted += number
        elif sensor_masks.ends & bit:
            ended += number
        elif state >= State.SUCCESS:
            stuck += number
    mapped = sum(tally.values())
    if counted >= need:
        return Verdict.SATISFIED
    if mapped - ended < need:
        return Verdict.IMPOSSIBLE
    if mapped - ended - stuck < need:
        return Verdict.BLOCKED
    return Verdict.WAITING


@dataclass(frozen=True, slots=True)
class Standing:
    """One sensor of one run, as it stands: the upstream runs it mapped to, by state, and how many of them it needs.

    problem: why it mapped to nothing, None where it mapped to something (or has nothing to wait for: need 0);
    `words` say it to a person. timed_out: its deadline has passed, and it went on: satisfied for good, need 0.
    """

    sensor: Sensor
    need: int
    tally: Tally
    problem: Reason | None = None
    words: str | None = None
    timed_out: bool = False

    @property
    def verdict(self) -> Verdict:
        if self.timed_out:
            return Verdict.SATISFIED
        if self.problem:
            return Verdict.SATISFIED if self.sensor.on_missing is Policy.PROCEED else Verdict.IMPOSSIBLE
        return judge(self.need, masks(self.sensor), self.tally)

    @property
    def counted(self) -> int:
        """How many of the upstream runs count towards the need."""
        counts = masks(self.sensor).counts
        return sum(number for state, number in self.tally.items() if counts & 1 << state)

    @property
    def gated(self) -> bool:
        """Whether one gate stands for the sensor in `run.pending`, rather than each of its edges."""
        return self.sensor.require != "all" or bool(self.problem) or self.timed_out

    @property
    def quota(self) -> int:
        """How many its gate, where it has one, needs to be open; a mapping that found nothing shuts it for good."""
        if self.problem:
            return int(self.verdict is not Verdict.SATISFIED)
        return self.need

    @property
    def pending(self) -> int:
        """What the sensor adds to its run's `pending`; 0 is satisfied."""
        if self.gated:
            return int(self.verdict is not Verdict.SATISFIED)
        return self.need - self.counted

    @property
    def ending(self) -> Ending | None:
        """What an impossible sensor makes of its run; None where it is possible, or its policy is to wait."""
        if self.verdict is not Verdict.IMPOSSIBLE:
            return None
        if self.problem:
            return severest(_endings([(self.sensor.on_missing, self.problem)]))
        broken = any(self.tally.get(state) for state in _BROKEN - self.sensor.accept)
        skipped = self.tally.get(State.SKIPPED) and State.SKIPPED not in self.sensor.accept
        causes = [(self.sensor.on_failure, Reason.UPSTREAM_FAILED)] if broken else []
        causes += [(self.sensor.on_skipped, Reason.UPSTREAM_SKIPPED)] if skipped else []
        return severest(_endings(causes))


def expire(overdue: Iterable[Standing]) -> Ending | None:
    """What these sensors of one run, whose deadlines have passed unsatisfied, make of it; None is to go on."""
    return severest(_endings([(one.sensor.on_timeout, Reason.SENSOR_TIMEOUT) for one in overdue]))


def severest(endings: Iterable[Ending]) -> Ending | None:
    """Of several endings the one that decides: fail goes before skip."""
    return min(endings, key=lambda one: one.state != State.FAILED, default=None)


def _endings(causes: list[tuple[Policy, Reason]]) -> list[Ending]:
    ends = {Policy.FAIL: State.FAILED, Policy.SKIP: State.SKIPPED}
    return [Ending(ends[policy], reason) for policy, reason in causes if policy in ends]
