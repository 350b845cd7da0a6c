"""What would mend a sensor that finds nothing: each proposal is tried over the whole horizon before it is made."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sensord.core.check.plain import in_days, is_plain
from sensord.core.check.profile import Profile
from sensord.core.check.strip import TooDense
from sensord.core.check.study import Case, Study
from sensord.core.check.upstream import is_range
from sensord.core.duration import Duration
from sensord.core.instant import from_micros
from sensord.core.mapping import Closed, Mapping, Match
from sensord.core.mapping.anchor import anchor
from sensord.core.mapping.spec import REFUSE_ABOVE
from sensord.core.mapping.wording import Unmapped
from sensord.core.schedule import Schedule
from sensord.errors import InvalidValue

LAST_RESORT = 'on_missing = "skip", if a tick without a match is meant'


def find_misses(case: Case, profile: Profile) -> list[int]:
    """The positions of the logical dates that find too little."""
    need = case.require if isinstance(case.require, int) else 1
    return [i for i, size in enumerate(profile.sizes) if size < need] if min(profile.sizes) < need else []


def suggest_match(case: Case, study: Study, misses: list[int]) -> str:
    """What to write instead in the sensor or, where only the upstream's life is too short, in the flow's schedule."""
    for text, other in _other_sensors(case, study, misses[0]):
        if _holds(other, study):
            return text
    return _suggest_bounds(case, study, misses) or _suggest_kind(case, study) or LAST_RESORT


def suggest_latest(case: Case, study: Study) -> str | None:
    """`latest`, where that would wait for no future tick and find one always."""
    other = case.remapped(_latest(case.mapping))
    if other.mapping == case.mapping or not is_range(other.mapping) or not _holds(other, study):
        return None
    # The tick is at or before the anchor, and this at or before the date.
    try:
        ahead = study.downstream(other).find_ends(other.mapping).lead > 0
    except (TooDense, OverflowError, InvalidValue):
        return None
    return None if ahead else _say_kind(case.mapping, other.mapping)


def _holds(case: Case, study: Study) -> bool:
    if is_plain(case, study):
        return True
    profile = study.profile(case)
    return not find_misses(case, profile) and max(profile.sizes) <= REFUSE_ABOVE


def _other_sensors(case: Case, study: Study, first: int) -> Iterator[tuple[str, Case]]:
    """What is nearest to what is written, nearest first."""
    if (mapping := in_days(case.mapping)) is not None:
        yield f'within = "{mapping.within}"', case.remapped(mapping)
    if isinstance(case.require, int) and (least := min(study.profile(case).sizes)) > 0:
        yield f"require = {least}", replace(case, require=least)
    if case.mapping.match is Match.SAME and case.mapping.offset is None:
        date = study.downstream(case).dates[first]
        for shift in _nearest(case, date):
            offset = Duration(-1 if shift < timedelta() else 1, clock=abs(shift))
            if shift % timedelta(seconds=1) == timedelta():
                yield f'offset = "{offset}"', case.remapped(replace(case.mapping, offset=offset))


def _nearest(case: Case, date: datetime) -> list[timedelta]:
    """From the anchor to the upstream's ticks around it, the smallest step first."""
    try:
        wanted = anchor(case.mapping, date, case.downstream, case.upstream)
    except (Unmapped, OverflowError, InvalidValue):
        return []
    around = (case.upstream.prev(wanted), case.upstream.next(wanted))
    return sorted((tick - wanted for tick in around if tick is not None), key=abs)


def _suggest_bounds(case: Case, study: Study, misses: list[int]) -> str | None:
    """A start or end for the flow, where it misses only what lies before the upstream's start or past its end."""
    upstream, downstream = case.upstream, study.downstream(case)
    endless = replace(case, upstream=Schedule(upstream.rule, upstream.zone))
    if (upstream.start is None and upstream.end is None) or not _holds(endless, study):
        return None
    zone, missed = case.downstream.zone, set(misses)
    fine = [i for i in range(len(downstream.ticks)) if i not in missed]
    if fine and max(downstream.lasts[i] for i in misses) < downstream.ticks[fine[0]]:
        return f"start = {downstream.dates[fine[0]].astimezone(zone).isoformat()} in [schedule]"
    last = max((downstream.lasts[i] for i in fine), default=None)
    if last is not None and last < downstream.ticks[misses[0]]:
        return f"end = {from_micros(last).astimezone(zone).isoformat()} in [schedule]"
    return None


def _suggest_kind(case: Case, study: Study) -> str | None:
    latest = _latest(case.mapping)
    for mapping in (latest, replace(case.mapping, match=Match.OVERLAP, closed=Closed.RIGHT)):
        wrong = mapping.match is Match.OVERLAP and case.mapping.match is not Match.INTERVAL
        if not wrong and mapping != case.mapping and _holds(case.remapped(mapping), study):
            return _say_kind(case.mapping, mapping)
    return None


def _say_kind(old: Mapping, new: Mapping) -> str:
    """Another kind takes its own keys only; of the same kind those are named that are to go."""
    if old.match is not new.match:
        return f'match = "{new.match}"'
    changed = [key for key in ("back", "ahead", "count") if getattr(old, key) != getattr(new, key)]
    texts = [f"{key} = {getattr(new, key)}" for key in changed]
    return ", ".join([*texts, "strict = false"] if old.strict else texts)


def _latest(mapping: Mapping) -> Mapping:
    return Mapping(Match.LATEST, align=mapping.align, offset=mapping.offset, week_start=mapping.week_start)
