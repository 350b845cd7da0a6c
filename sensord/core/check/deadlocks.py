"""Findings about chains of waiting runs: those that close on themselves, and those that never end.

Where the texts leave a choice: a sensor that needs only some of its ticks closes a chain only if it cannot do without
one that is stuck; a chain is endless if it leads from the first half of the horizon past its end in five steps or more.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from sensord.core.check.circles import BEYOND, Circles, Knot, Link
from sensord.core.check.finding import CounterExample, Finding, FindingKind, Severity
from sensord.core.check.graph import find_components, find_cycle
from sensord.core.check.study import Study
from sensord.core.check.subject import CheckedFlow
from sensord.core.check.suggest import find_misses
from sensord.core.check.waits import Tick
from sensord.core.instant import from_micros, to_micros
from sensord.core.mapping import Closed, Match
from sensord.core.mapping import Mapping as SensorMapping
from sensord.core.mapping.wording import wall_time

_STEPS = 5
_MOST_RUNS = 200_000
"""In a larger knot than this no mending is tried."""

_SHOWN = 8


def find_deadlocks(flows: Mapping[str, CheckedFlow], study: Study) -> Iterator[Finding]:
    circles = Circles(study)
    for knot in circles.find_knots(flows):
        stuck = circles.find_stuck(knot)
        for circle in _group(stuck):
            yield _deadlock(knot, circle, stuck, circles, study)
        endless = _find_endless(knot, stuck, circles, study)
        if endless:
            yield _endless(knot, endless, circles, study)


def _group(stuck: Mapping[Tick, list[Tick]]) -> list[list[Tick]]:
    """The runs that wait for themselves, those of the same flows together."""
    groups: dict[frozenset[int], list[Tick]] = {}
    for component in find_components(stuck, lambda run: stuck[run]):
        groups.setdefault(frozenset(flow for flow, _ in component), []).extend(component)
    return list(groups.values())


def _deadlock(
    knot: Knot, circle: Sequence[Tick], stuck: Mapping[Tick, list[Tick]], circles: Circles, study: Study
) -> Finding:
    start = min(circle, key=lambda run: (run[1], run[0]))
    chain = find_cycle(start, lambda run: stuck[run])
    says = f"waits for itself: {_say(knot, chain)}, which waits for the first"
    return _finding(
        FindingKind.DEADLOCK,
        knot,
        chain,
        says,
        len(circle),
        _suggest(knot, list(pairwise([*chain, start])), circles, study),
        circles,
    )


def _endless(knot: Knot, chain: list[Tick], circles: Circles, study: Study) -> Finding:
    says = f"waits for later and later ticks, past the horizon: {_say(knot, chain[:_STEPS])}, and so on"
    suggestion = _suggest(knot, list(pairwise(chain[:_STEPS])), circles, study)
    return _finding(FindingKind.ENDLESS, knot, chain[:_STEPS], says, len(chain), suggestion, circles)


def _find_endless(knot: Knot, stuck: Mapping[Tick, list[Tick]], circles: Circles, study: Study) -> list[Tick]:
    """The first chain of runs, each waiting for the next, that leads past the horizon; empty if none is long enough."""
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
    """The first sensor of the chain that, looking one step further back, lets all go on and finds its ticks."""
    if circles.size(knot) > _MOST_RUNS:
        return None
    for here, there in waits:
        link = circles.find_link(knot, here, there)
        for text, mapping in _further_back(link):
            case = link.case.remapped(mapping)
            mended = Knot(
                knot.flows,
                tuple(replace(other, case=case) if other is link else other for other in knot.links),
            )
            finds = study.profile(case).sizes and not find_misses(case, study.profile(case))
            if finds and not circles.find_stuck(mended) and not _find_endless(mended, {}, circles, study):
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
