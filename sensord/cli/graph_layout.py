"""Where the boxes and lines of a drawn graph stand: layers from left to right, few crossings. Pure geometry.

After Sugiyama, Tagawa and Toda (IEEE Trans. SMC 11, 1981): links over several layers get a bend in each of them, and
every layer is sorted by the middle of its neighbours, to and fro a few times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from sensord.core.graph import Graph, Link, backward_links, layers_of

CHARACTER = 7.3
HEIGHT, GAP, BEND = 30.0, 14.0, 12.0
PADDING, BETWEEN, MARGIN = 10.0, 70.0, 16.0
SWEEPS = 4


class Box(NamedTuple):
    """left, top: its corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """boxes: by name. ways: the points of each link that leads on; `backward` ones close a circle and have none."""

    width: float
    height: float
    boxes: Mapping[str, Box]
    ways: Mapping[Link, list[tuple[float, float]]]
    backward: frozenset[Link]


Node = str | tuple[Link, int]
"""A flow, or the bend of a link in a layer."""


def lay_out(graph: Graph, labels: Mapping[str, str]) -> Layout:
    """`labels`: the text of each box, which makes its width."""
    backward = backward_links(graph)
    layer_of = layers_of(graph, backward)
    columns: list[list[Node]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for name in graph.names:
        columns[layer_of[name]].append(name)
    chains: dict[Link, list[Node]] = {}
    for link in graph.links:
        if link not in backward:
            between = range(layer_of[link.upstream] + 1, layer_of[link.downstream])
            bends: list[Node] = [(link, layer) for layer in between]
            for layer, bend in zip(between, bends, strict=True):
                columns[layer].append(bend)
            chains[link] = [link.upstream, *bends, link.downstream]
    _sort(columns, chains)
    boxes, width, height = _place(columns, labels)
    ways = {link: _way([boxes[node] for node in chain]) for link, chain in chains.items()}
    named = {node: box for node, box in boxes.items() if isinstance(node, str)}
    return Layout(width, height, named, ways, frozenset(backward))


def _sort(columns: list[list[Node]], chains: Mapping[Link, list[Node]]) -> None:
    left: dict[Node, list[Node]] = {node: [] for column in columns for node in column}
    right: dict[Node, list[Node]] = {node: [] for node in left}
    for chain in chains.values():
        for one, other in pairwise(chain):
            right[one].append(other)
            left[other].append(one)
    for _ in range(SWEEPS):
        for neighbours, order in ((left, columns), (right, columns[::-1])):
            for before, column in pairwise(order):
                place = {node: index for index, node in enumerate(before)}
                own = {node: index for index, node in enumerate(column)}
                column.sort(key=lambda node: _middle(neighbours[node], place, own[node]))


def _middle(neighbours: list[Node], place: Mapping[Node, int], own: int) -> float:
    """The mean place of its neighbours in the layer before; its own where it has none there."""
    found = [place[one] for one in neighbours if one in place]
    return sum(found) / len(found) if found else own


def _place(columns: list[list[Node]], labels: Mapping[str, str]) -> tuple[dict[Node, Box], float, float]:
    heights = [sum((HEIGHT if isinstance(node, str) else BEND) + GAP for node in column) - GAP for column in columns]
    tallest = max(heights, default=0.0)
    boxes: dict[Node, Box] = {}
    x = MARGIN
    for column, height in zip(columns, heights, strict=True):
        names = [node for node in column if isinstance(node, str)]
        width = max((len(labels[name]) * CHARACTER + 2 * PADDING for name in names), default=0.0)
        y = MARGIN + (tallest - height) / 2
        for node in column:
            own = HEIGHT if isinstance(node, str) else BEND
            boxes[node] = Box(x, y, width, own)
            y += own + GAP
        x += width + BETWEEN
    return boxes, x - BETWEEN + MARGIN if columns else 2 * MARGIN, tallest + 2 * MARGIN


def _way(boxes: list[Box]) -> list[tuple[float, float]]:
    """From the right of the first box, across those between, to the left of the last."""
    inner = [point for box in boxes[1:-1] for point in ((box.left, box.middle), (box.right, box.middle))]
    return [(boxes[0].right, boxes[0].middle), *inner, (boxes[-1].left, boxes[-1].middle)]
