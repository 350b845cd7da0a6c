"""Circles of runs: found among stuck runs, or, where all wait for runs of their own date, instant by instant.

Of the second kind there can be many millions, but few that differ: instants at which the same sensors look level have
the same circles, and are looked at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sensord.core.check.graph import find_components, find_cycle
from sensord.core.check.waits import Tick


@dataclass(frozen=True, slots=True)
class Circle:
    """chain: the first circle of its flows; each run waits for the next, the last for the first. count: the runs of
    all circles of the same flows.
    """

    chain: tuple[Tick, ...]
    count: int


def group_stuck(stuck: Mapping[Tick, list[Tick]]) -> list[Circle]:
    """The stuck runs that wait for themselves, by their flows."""
    groups: dict[frozenset[int], list[Tick]] = defaultdict(list)
    for component in find_components(stuck, lambda run: stuck[run]):
        groups[frozenset(flow for flow, _ in component)] += component
    found = []
    for runs in groups.values():
        start = min(runs, key=lambda run: (run[1], run[0]))
        found.append(Circle(tuple(find_cycle(start, lambda run: stuck[run])), len(runs)))
    return found


def _one(_: int) -> int:
    return 1


def find_level(links: Iterable[tuple[int, int, Sequence[int]]], weigh: Callable[[int], int] = _one) -> list[Circle]:
    """Of (flow, upstream, the instants at which the one's run waits for the other's of the same date).

    weigh: how many instants each stands for, itself the first of them.
    """
    bits: dict[int, int] = {}
    instants: list[Sequence[int]] = []
    edges = []
    for flow, upstream, ticks in links:
        if id(ticks) not in bits:
            bits[id(ticks)] = 1 << len(instants)
            instants.append(ticks)
        edges.append((flow, upstream, bits[id(ticks)]))
    found: dict[frozenset[int], Circle] = {}
    for mask, (first, number) in _alike(instants, weigh).items():
        waits: dict[int, list[int]] = defaultdict(list)
        for flow, upstream, bit in edges:
            if mask & bit:
                waits[flow].append(upstream)
                waits[upstream] += ()
        for component in find_components(list(waits), lambda flow: waits[flow]):  # noqa: B023 - used up in the loop
            flows, count = frozenset(component), number * len(component)
            known = found.get(flows)
            if known is None or known.chain[0][1] > first:
                cycle = find_cycle(min(flows), lambda flow: waits[flow])  # noqa: B023 - used up in the loop
                chain = tuple((flow, first) for flow in cycle)
                found[flows] = Circle(chain, count + (known.count if known else 0))
            else:
                found[flows] = replace(known, count=known.count + count)
    return list(found.values())


def _alike(instants: Sequence[Sequence[int]], weigh: Callable[[int], int]) -> dict[int, tuple[int, int]]:
    """Of each set of lists, as a mask: the first instant that is in just these, and how many are."""
    masks: dict[int, int] = defaultdict(int)
    for number, ticks in enumerate(instants):
        for tick in ticks:
            masks[tick] |= 1 << number
    alike: dict[int, tuple[int, int]] = {}
    for tick, mask in masks.items():
        first, number = alike.get(mask, (tick, 0))
        alike[mask] = (min(first, tick), number + weigh(tick))
    return alike
