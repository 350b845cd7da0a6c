"""Findings about chains of waiting runs: those that close on themselves, and those that never end.

Where the texts leave a choice: a sensor that needs only some of its ticks closes a chain only if it cannot do without
one that is stuck; a chain is endless if it leads from the first half of the horizon past its end in five steps or more.
Where no sensor looks ahead, a run counts if it would wait for itself even with all earlier runs done.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

from sensord.core.check.circles import BEYOND, Circles, Knot, Link
from sensord.core.check.finding import CounterExample, Finding, FindingKind, Severity
from sensord.core.check.study import Study
from sensord.core.check.subject import CheckedFlow
from sensord.core.check.suggest import find_misses
from sensord.core.check.waits import Tick
from sensord.core.instant import from_micros, to_micros
from sensord.core.mapping import Closed, Match
from sensord.core.mapping import Mapping as SensorMapping
from sensord.core.mapping.wording import wall_time

UTC = ZoneInfo("UTC")
_STEPS = 5
_MOST = 600_000
"""Runs and waits. Of a larger knot that looks ahead, only the first part of the horizon is searched."""

_SHOWN = 8


def find_deadlocks(flows: Mapping[str, CheckedFlow], study: Study) -> Iterator[Finding]:
    for knot in Circles(study).find_knots(flows):
        searched = _shorten(knot, study)
        circles = Circles(searched)
        for circle in circles.find_circles(knot):
            until = "" if searched is study else f" (searched until {wall_time(searched.until, UTC)})"
            says = f"waits for itself: {_say(knot, circle.chain)}, which waits for the first{until}"
            waits = list(pairwise([*circle.chain, circle.chain[0]]))
            suggestion = _suggest(knot, waits, circles, searched)
            yield _finding(FindingKind.DEADLOCK, knot, circle.chain, says, circle.count, suggestion, circles)
        endless = _find_endless(knot, circles, searched)
        if endless:
            yield _endless(knot, endless, circles, searched)


def _shorten(knot: Knot, study: Study) -> Study:
    """The study itself, unless following each run of the knot would take too much room."""
    circles = Circles(study)
    size = circles.size(knot)
    if size <= _MOST or not circles.looks_ahead(knot):
        return study
    until = study.since + (study.until - study.since) * (_MOST / size)
    return Study(study.since, until.replace(second=0, microsecond=0))


def _endless(knot: Knot, chain: list[Tick], circles: Circles, study: Study) -> Finding:
    says = f"waits for later and later ticks, past the horizon: {_say(knot, chain[:_STEPS])}, and so on"
    suggestion = _suggest(knot, list(pairwise(chain[:_STEPS])), circles, study)
    return _finding(FindingKind.ENDLESS, knot, chain[:_STEPS], says, len(chain), suggestion, circles)


def _find_endless(knot: Knot, circles: Circles, study: Study) -> list[Tick]:
    """The first chain of runs, each waiting for the next, that leads past the horizon; empty if none is long enough."""
    if not circles.looks_ahead(knot):
        return []
    stuck = circles.find_stuck(knot)
    leaving = {run: waits for run, waits in circles.find_stuck(knot, beyond=True).items() if run not in stuck}
    first = min((run for run in leaving if run != BEYOND), key=lambda run: (run[1], run[0]), default=None)
    half = to_micros(study.since + (study.until - study.since) / 2)
    if first is None or first[1] > half:
        return []
    path = _path(first, leaving)
    return path if len(path) > _STEPS else []


def _path(start: Tick, waits: Mapping[Tick, list[Tick]]) -> list[Tick]:
    """The shortest way to BEYOND, without it; empty where there is none."""
    came: dict[Tick, Tick] = {}
    queue = deque([start])
    while queue:
        run = queue.popleft()
        for next_ in waits[run]:
            if next_ == BEYOND:
                path = [run]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return path[::-1]
            if next_ not in came and next_ in waits:
                came[next_] = run
                queue.append(next_)
    return []


def _finding(
    kind: FindingKind,
    knot: Knot,
    chain: Sequence[Tick],
    says: str,
    count: int,
    suggestion: str | None,
    circles: Circles,
) -> Finding:
    (number, tick), (next_number, next_tick) = chain[0], chain[1 % len(chain)]
    flow, upstream = knot.flows[number], knot.flows[next_number]
    date = from_micros(tick)
    example = CounterExample(
        date,
        wall_time(date, flow.timeline.zone),
        wall_time(date, upstream.timeline.zone),
        (from_micros(next_tick),),
        tuple((knot.flows[each].name, from_micros(at)) for each, at in chain),
    )
    link = circles.find_link(knot, chain[0], chain[1 % len(chain)])
    return Finding(Severity.ERROR, kind, flow.name, link.sensor.index, says, example, count, suggestion)


def _say(knot: Knot, chain: Sequence[Tick]) -> str:
    shown = [
        f"{knot.flows[number].name} {wall_time(from_micros(tick), knot.flows[number].timeline.zone)}"
        for number, tick in chain[:_SHOWN]
    ]
    more = [f"{len(chain) - _SHOWN} more"] if len(chain) > _SHOWN else []
    return " waits for ".join([*shown, *more])


def _suggest(knot: Knot, waits: Sequence[tuple[Tick, Tick]], circles: Circles, study: Study) -> str | None:
    """The first sensor of the chain that, looking one step further back, lets all go on and finds its ticks.

    Of a long chain only the first few are tried.
    """
    for here, there in waits[:_SHOWN]:
        link = circles.find_link(knot, here, there)
        for text, mapping in _further_back(link):
            case = link.case.remapped(mapping)
            mended = Knot(
                knot.flows,
                tuple(replace(other, case=case) if other is link else other for other in knot.links),
            )
            finds = study.profile(case).sizes and not find_misses(case, study.profile(case))
            if finds and not circles.find_circles(mended) and not _find_endless(mended, circles, study):
                flow = knot.flows[link.flow].name
                return f"{text} in the sensor of {flow} on {link.sensor.upstream}"
    return None


def _further_back(link: Link) -> Iterator[tuple[str, SensorMapping]]:
    mapping = link.case.mapping
    match mapping.match:
        case Match.LATEST if mapping.ahead:
            yield "back = 1 instead of ahead", replace(mapping, back=1, ahead=0)
        case Match.LATEST if link.case.own:
            yield f"back = {mapping.back + 1}", replace(mapping, back=mapping.back + 1)
        case Match.LATEST:
            yield "strict = true", replace(mapping, strict=True)
        case Match.SAME | Match.NEXT:
            back = SensorMapping(Match.LATEST, strict=True)
            yield 'match = "latest", strict = true', back
        case Match.INTERVAL | Match.OVERLAP if mapping.within is None and mapping.since is None:
            yield "back = 1", replace(mapping, back=1, ahead=0)
        case Match.INTERVAL:
            yield 'closed = "left"', replace(mapping, closed=Closed.LEFT)
        case _:
            return
