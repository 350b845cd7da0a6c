"""Which flow waits for which: the graph of flows and sensors, a part of it around one flow, and its layers. Pure.

Flows stand for nodes and sensors for links; what single runs wait for is the mapping's business.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sensord.core.flow import Flow


class Link(NamedTuple):
    """`downstream` waits for `upstream`, by one sensor or several; `matches` has the kind of each, in file order."""

    upstream: str
    downstream: str
    matches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """names: ascending; also those that a sensor watches and no flow has. links: by upstream, then downstream."""

    names: tuple[str, ...]
    links: tuple[Link, ...]
    _above: dict[str, list[Link]] = field(init=False, repr=False, compare=False)
    _below: dict[str, list[Link]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        above: dict[str, list[Link]] = {name: [] for name in self.names}
        below: dict[str, list[Link]] = {name: [] for name in self.names}
        for link in self.links:
            above[link.downstream].append(link)
            below[link.upstream].append(link)
        object.__setattr__(self, "_above", above)
        object.__setattr__(self, "_below", below)

    def above(self, name: str) -> list[Link]:
        """The links to what it waits for."""
        return self._above[name]

    def below(self, name: str) -> list[Link]:
        """The links to what waits for it."""
        return self._below[name]

    @property
    def roots(self) -> list[str]:
        """Those that wait for no other flow; in a circle that nothing leads into, its first."""
        found = [name for name in self.names if all(link.upstream == name for link in self.above(name))]
        reached = set(found)
        self._spread(found, reached)
        for name in self.names:
            if name not in reached:
                found.append(name)
                reached.add(name)
                self._spread([name], reached)
        return sorted(found)

    def _spread(self, names: Iterable[str], reached: set[str]) -> None:
        ahead = deque(names)
        while ahead:
            for link in self.below(ahead.popleft()):
                if link.downstream not in reached:
                    reached.add(link.downstream)
                    ahead.append(link.downstream)


def graph_of(flows: Mapping[str, Flow]) -> Graph:
    """The graph of all these flows."""
    matches: dict[tuple[str, str], list[str]] = {}
    for flow in flows.values():
        for sensor in flow.sensors:
            matches.setdefault((sensor.upstream, flow.name), []).append(sensor.mapping.label)
    names = {*flows, *(upstream for upstream, _ in matches)}
    return Graph(tuple(sorted(names)), tuple(Link(*ends, tuple(found)) for ends, found in sorted(matches.items())))


def around(graph: Graph, name: str, up: int | None = None, down: int | None = None) -> Graph:
    """The flow, what it waits for `up` steps up, and what waits for it `down` steps down; None goes to the end."""
    kept = _within(name, up, lambda one: [link.upstream for link in graph.above(one)])
    kept |= _within(name, down, lambda one: [link.downstream for link in graph.below(one)])
    links = [link for link in graph.links if link.upstream in kept and link.downstream in kept]
    return Graph(tuple(one for one in graph.names if one in kept), tuple(links))


def _within(name: str, steps: int | None, neighbours: Callable[[str], list[str]]) -> set[str]:
    depth = {name: 0}
    ahead = deque([name])
    while ahead:
        one = ahead.popleft()
        if depth[one] == steps:
            continue
        for other in neighbours(one):
            if other not in depth:
                depth[other] = depth[one] + 1
                ahead.append(other)
    return set(depth)


def backward_links(graph: Graph) -> set[Link]:
    """The links that close a circle, those of a flow to itself among them: without these the graph has none."""
    found: set[Link] = set()
    done: set[str] = set()
    for root in (*graph.roots, *graph.names):
        if root in done:
            continue
        done.add(root)
        path = {root}
        work = [(root, iter(graph.below(root)))]
        while work:
            name, left = work[-1]
            for link in left:
                if link.downstream in path:
                    found.add(link)
                elif link.downstream not in done:
                    done.add(link.downstream)
                    path.add(link.downstream)
                    work.append((link.downstream, iter(graph.below(link.downstream))))
                    break
            else:
                work.pop()
                path.discard(name)
    return found


def layers_of(graph: Graph, backward: set[Link]) -> dict[str, int]:
    """The layer of each flow: one behind the last of those that it waits for, from 0; `backward` links do not count."""
    waiting = {name: sum(link not in backward for link in graph.above(name)) for name in graph.names}
    ready = deque(name for name in graph.names if not waiting[name])
    layers = dict.fromkeys(graph.names, 0)
    while ready:
        name = ready.popleft()
        for link in graph.below(name):
            if link in backward:
                continue
            below = link.downstream
            layers[below] = max(layers[below], layers[name] + 1)
            waiting[below] -= 1
            if not waiting[below]:
                ready.append(below)
    return layers
