"""The past of a sensor: how its verdict changed while its run waited, worked out from what its upstream runs were when.

The daemon writes no verdict down. Edges stay as they are, runs keep their instants, and the final states that they have
left are kept; a verdict is a function of these.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby

from sensord.core.flow import Policy, Sensor
from sensord.core.run import State
from sensord.core.sensor import Verdict, judge, masks


class What(IntEnum):
    """What is written down when it happens, since nothing else would tell of it. The number is what the database holds.

    RERUN, MARKED: a run left a final state. MISSED: a tick was passed over. MADE: a missed tick was given a run.
    TIMED_OUT: a sensor went on at its deadline. STOPPED: somebody had a command ended.
    """

    RERUN = 1
    MARKED = 2
    MISSED = 3
    MADE = 4
    TIMED_OUT = 5
    STOPPED = 6


@dataclass(frozen=True, slots=True)
class Stay:
    """An upstream run was in a final state (SKIPPED also where a tick was missed). None: since ever, or until now."""

    state: State
    since_at: datetime | None
    until_at: datetime | None = None

    def holds(self, at: datetime, *, closed: bool = False) -> bool:
        """Whether it was so at that instant; closed: also if it ended just then."""
        begun = self.since_at is None or self.since_at <= at
        return begun and (self.until_at is None or at < self.until_at or (closed and at == self.until_at))


Stays = Sequence[Stay]
"""All that one upstream run ever was when it had ended, in order. In between it had not."""


@dataclass(frozen=True, slots=True)
class Change:
    """Upstream run number `upstream` came to a final state, or left one (None)."""

    at: datetime
    upstream: int
    state: State | None


@dataclass(frozen=True, slots=True)
class Period:
    """A sensor had one verdict for some time. by: what brought it about; None at the beginning, and at a deadline.

    counted: how many upstream runs counted at its beginning. timed_out: it went on at its deadline.
    """

    verdict: Verdict
    since_at: datetime
    until_at: datetime
    counted: int
    by: Change | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of a sensor while its run waited, `[since_at, until_at]`.

    need: how many of its upstream runs it needs. problem: it maps to nothing. timed_out_at: it went on then. released:
    at `until_at` the run went on, for which all its sensors had to be satisfied; False: an upstream run's end ended it.
    """

    sensor: Sensor
    need: int
    upstreams: Sequence[Stays]
    since_at: datetime
    until_at: datetime
    problem: bool = False
    timed_out_at: datetime | None = None
    released: bool | None = None


def periods(course: Course) -> list[Period]:
    """The verdicts of the sensor one after the other, never two of the same; the last may have lasted for no time."""
    found: list[Period] = []
    for at, states, by in _steps(course):
        counts = masks(course.sensor).counts
        counted = sum(number for state, number in states.items() if counts & 1 << state)
        timed_out = course.timed_out_at is not None and at >= course.timed_out_at
        verdict = Verdict.SATISFIED if timed_out else _judge(course, states)
        if found and found[-1].verdict is verdict:
            continue
        if found:
            found[-1] = _until(found[-1], at)
        found.append(Period(verdict, at, course.until_at, counted, None if timed_out else by, timed_out))
    return found


def state_at(stays: Stays, at: datetime) -> State | None:
    """The final state that an upstream run had after all that happened at that instant; None where it had none."""
    return next((one.state for one in reversed(stays) if one.holds(at)), None)


def _judge(course: Course, states: Mapping[State, int]) -> Verdict:
    if course.problem:
        return Verdict.SATISFIED if course.sensor.on_missing is Policy.PROCEED else Verdict.IMPOSSIBLE
    return judge(course.need, masks(course.sensor), states)


def _steps(course: Course) -> Iterator[tuple[datetime, Mapping[State, int], Change | None]]:
    """Each instant at which something may have changed, with the states of all upstream runs after that."""
    start, end = course.since_at, course.until_at
    now = [state_at(stays, start) for stays in course.upstreams]
    tally = Counter(State.WAITING if state is None else state for state in now)
    if start < end:
        yield start, tally, None
        changes = [one for number, stays in enumerate(course.upstreams) for one in _changes(number, stays, start, end)]
        if course.timed_out_at and start < course.timed_out_at < end:
            changes.append(Change(course.timed_out_at, -1, None))
        for at, group in groupby(sorted(changes, key=lambda one: one.at), key=lambda one: one.at):
            moved = list(group)
            before = Counter(tally)
            for one in moved:
                if one.upstream >= 0:
                    _move(tally, now, one)
            yield at, tally, _decisive(course.sensor, moved, before, tally)
    moved = []
    for number, stays in enumerate(course.upstreams):
        last = Change(end, number, _state_at_end(course, stays))
        if last.state is not now[number]:
            _move(tally, now, last)
            moved.append(last)
    if moved or start == end or course.timed_out_at == end:
        yield end, tally, _decisive(course.sensor, moved, tally, tally) if start < end else None


def _changes(number: int, stays: Stays, start: datetime, end: datetime) -> Iterator[Change]:
    """Those within (start, end). What began and ended at the same instant changed nothing."""
    instants = sorted({at for one in stays for at in (one.since_at, one.until_at) if at and start < at < end})
    for at in instants:
        yield Change(at, number, state_at(stays, at))


def _state_at_end(course: Course, stays: Stays) -> State | None:
    """Of what an upstream run was at the instant at which the wait was over, that which ended the wait."""
    if course.released is None:
        return state_at(stays, course.until_at)
    found = [one.state for one in stays if one.holds(course.until_at, closed=True)]
    sensor_masks = masks(course.sensor)
    wanted = sensor_masks.counts if course.released else sensor_masks.ends
    return next((state for state in found if wanted & 1 << state), state_at(stays, course.until_at))


def _move(tally: Counter[State], now: list[State | None], change: Change) -> None:
    tally[now[change.upstream] or State.WAITING] -= 1
    tally[change.state or State.WAITING] += 1
    now[change.upstream] = change.state


def _decisive(
    sensor: Sensor, moved: Sequence[Change], before: Mapping[State, int], after: Mapping[State, int]
) -> Change | None:
    """Of what happened at one instant that which tells most: an end that counts where more count now, else one that
    does not, else a run that is to run again.
    """
    real = [one for one in moved if one.upstream >= 0]
    if not real:
        return None
    counts = masks(sensor).counts

    def rank(one: Change) -> int:
        if one.state is None:
            return 2
        return 0 if counts & 1 << one.state else 1

    if sum(n for s, n in after.items() if counts & 1 << s) < sum(n for s, n in before.items() if counts & 1 << s):
        return max(real, key=rank)
    return min(real, key=rank)


def _until(period: Period, at: datetime) -> Period:
    return Period(period.verdict, period.since_at, at, period.counted, period.by, period.timed_out)
