"""What goes wrong, or looks odd, between one sensor and its upstream, over the whole horizon.

Where the texts leave a choice: a wait is over a day from 25 hours on, as long as a day can be where clocks are set
back; hours that are whole days are odd only where they make the number of mapped ticks change and days would not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sensord.core.check.finding import CounterExample, FindingKind, Severity
from sensord.core.check.plain import in_days, is_plain
from sensord.core.check.profile import Profile
from sensord.core.check.study import Case, Study
from sensord.core.check.suggest import find_misses, suggest_latest, suggest_match
from sensord.core.instant import from_micros
from sensord.core.mapping import TroubleKind
from sensord.core.mapping.spec import REFUSE_ABOVE, WARN_ABOVE
from sensord.core.mapping.wording import both_times, wall_time

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding of all sensors that are alike, before they have names."""

    severity: Severity
    kind: FindingKind
    message: str
    counter_example: CounterExample
    count: int
    suggestion: str | None


def find_faults(case: Case, study: Study) -> list[Fault]:
    """All that the proof has to say of the case; nothing for a flow without ticks in the horizon."""
    return [] if is_plain(case, study) else count_faults(case, study)


def count_faults(case: Case, study: Study) -> list[Fault]:
    """The same, by looking at every tick that is unlike others."""
    profile = study.profile(case)
    if not profile.sizes:
        return []
    misses = find_misses(case, profile)
    found = [_unmatched(case, study, misses), _refused(case, study, profile), _many(case, study, profile)]
    if not misses or case.misses_settled:
        found.append(_uneven(case, study, profile))
    if len(misses) < len(profile.sizes):
        found.append(_late(case, study, profile, misses) or _long(case, study, profile, misses))
    return [fault for fault in found if fault is not None]


def _unmatched(case: Case, study: Study, misses: list[int]) -> Fault | None:
    """Ticks that find nothing, or too little."""
    if not misses:
        return None
    downstream = study.downstream(case)
    first, count = downstream.dates[misses[0]], downstream.count(misses)
    problem = case.resolve(first).problem
    assert problem is not None, f"the ranges and the mapping disagree on {first}"
    severity = Severity.ERROR
    if case.misses_settled and problem.kind is TroubleKind.NO_MATCH:
        if len(misses) < len(downstream.dates):
            return None
        severity = Severity.WARNING
    says = f"finds nothing to wait for on {_share(count, downstream.total)}: {problem.message}"
    kind = FindingKind(problem.kind.value)
    return Fault(severity, kind, says, _example(case, first), count, suggest_match(case, study, misses))


def _refused(case: Case, study: Study, profile: Profile) -> Fault | None:
    """More ticks than any sensor may map."""
    over = [i for i, size in enumerate(profile.sizes) if size > REFUSE_ABOVE]
    if not over:
        return None
    downstream = study.downstream(case)
    first, count = downstream.dates[over[0]], downstream.count(over)
    problem = case.resolve(first).problem
    assert problem is not None, f"the ranges and the mapping disagree on {first}"
    says = f"maps too much on {_share(count, downstream.total)}: {problem.message}"
    example = _example(case, first)
    return Fault(Severity.ERROR, FindingKind.MAPPING_ERROR, says, example, count, "a shorter period")


def _many(case: Case, study: Study, profile: Profile) -> Fault | None:
    most = max(profile.sizes)
    if not WARN_ABOVE < most <= REFUSE_ABOVE:
        return None
    downstream = study.downstream(case)
    over = [i for i, size in enumerate(profile.sizes) if size > WARN_ABOVE]
    count = downstream.count(over)
    says = f"maps more than {WARN_ABOVE:,} ticks, up to {most:,}, on {_share(count, downstream.total)}"
    example = _example(case, downstream.dates[over[0]])
    return Fault(Severity.WARNING, FindingKind.TOO_MANY, says, example, count, "a shorter period")


def _uneven(case: Case, study: Study, profile: Profile) -> Fault | None:
    """A count that changes unnoticed: `within = "24h"` holds two daily ticks on a day of 23 hours."""
    mapping, sizes = in_days(case.mapping), profile.sizes
    if mapping is None or min(sizes) == max(sizes):
        return None
    steady = study.profile(case.remapped(mapping)).sizes
    usual = steady[0]
    if min(steady) != max(steady):
        return None
    odd = [i for i, size in enumerate(sizes) if size != usual]
    downstream = study.downstream(case)
    first, count = downstream.dates[odd[0]], downstream.count(odd)
    says = (
        f"takes {sizes[odd[0]]} ticks instead of {usual} on {_share(count, downstream.total)}, first for "
        f'{wall_time(first, case.downstream.zone)}: within = "{case.mapping.within}" is no day there'
    )
    example = _example(case, first, tuple(from_micros(tick) for tick in profile.dates(odd[0])))
    return Fault(Severity.WARNING, FindingKind.UNEVEN, says, example, count, f'within = "{mapping.within}"')


def _late(case: Case, study: Study, profile: Profile, misses: list[int]) -> Fault | None:
    """Upstream ticks that fire when the sensor has already given up."""
    if case.timeout is None:
        return None
    downstream = study.downstream(case)
    deadlines = downstream.move(case.timeout)
    lasts = profile.lasts(case.require)
    late = _later(lasts, deadlines, misses)
    if not late:
        return None
    date, last, count = downstream.dates[late[0]], from_micros(lasts[late[0]]), downstream.count(late)
    deadline = wall_time(from_micros(deadlines[late[0]]), case.downstream.zone)
    says = (
        f"gives up before its upstream fires on {_share(count, downstream.total)}: {_says_wait(case, date, last)}, "
        f'and the deadline, timeout = "{case.timeout}", is {deadline}'
    )
    longest = timedelta(microseconds=max(lasts[i] - downstream.ticks[i] for i in late))
    suggestion = f'timeout = "{longest // _HOUR + 1}h"'
    example = _example(case, date, (last,))
    return Fault(Severity.WARNING, FindingKind.LATE_UPSTREAM, says, example, count, suggestion)


def _long(case: Case, study: Study, profile: Profile, misses: list[int]) -> Fault | None:
    """Runs that wait for a tick more than a day ahead."""
    downstream = study.downstream(case)
    lasts = profile.lasts(case.require)
    long = _later(lasts, downstream.find_limits(None).odd, misses)
    if not long:
        return None
    date, last, count = downstream.dates[long[0]], from_micros(lasts[long[0]]), downstream.count(long)
    says = f"waits for more than a day on {_share(count, downstream.total)}: {_says_wait(case, date, last)}"
    example = _example(case, date, (last,))
    return Fault(Severity.WARNING, FindingKind.LONG_WAIT, says, example, count, suggest_latest(case, study))


def _later(lasts: list[int], limits: list[int], misses: list[int]) -> list[int]:
    """The positions, but for those that find nothing at all, whose last tick comes after their limit."""
    found = [i for i, (last, limit) in enumerate(zip(lasts, limits, strict=True)) if last > limit]
    return sorted(set(found).difference(misses)) if misses else found


def _says_wait(case: Case, date: datetime, last: datetime) -> str:
    zone = case.downstream.zone
    return f"{wall_time(date, zone)} waits for {both_times(last, zone, case.upstream.zone)}"


def _share(part: int, whole: int) -> str:
    return f"every one of {whole:,} ticks" if part == whole else f"{part:,} of {whole:,} ticks"


def _example(case: Case, date: datetime, dates: tuple[datetime, ...] = ()) -> CounterExample:
    return CounterExample(date, wall_time(date, case.downstream.zone), wall_time(date, case.upstream.zone), dates)
