"""Strongly connected components, and the shortest cycle through a node."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar


class _Node(Protocol):
    def __hash__(self) -> int: ...


N = TypeVar("N", bound=_Node)


def find_components(nodes: Iterable[N], successors: Callable[[N], Iterable[N]]) -> list[list[N]]:
    """The components that hold a cycle: of several nodes, or of one that leads to itself.

    Tarjan's algorithm (SIAM J. Comput. 1, 1972), without recursion. `successors` may name nothing beyond `nodes`.
    """
    order: dict[N, int] = {}
    low: dict[N, int] = {}
    stack: list[N] = []
    open_: set[N] = set()
    found: list[list[N]] = []
    for root in nodes:
        if root in order:
            continue
        order[root] = low[root] = len(order)
        stack.append(root)
        open_.add(root)
        work = [(root, iter(successors(root)))]
        while work:
            node, left = work[-1]
            for next_ in left:
                if next_ not in order:
                    order[next_] = low[next_] = len(order)
                    stack.append(next_)
                    open_.add(next_)
                    work.append((next_, iter(successors(next_))))
                    break
                if next_ in open_:
                    low[node] = min(low[node], order[next_])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    found.append(_close(node, stack, open_))
    return [one for one in found if len(one) > 1 or one[0] in set(successors(one[0]))]


def _close(root: N, stack: list[N], open_: set[N]) -> list[N]:
    component = []
    while True:
        node = stack.pop()
        open_.discard(node)
        component.append(node)
        if node == root:
            return component


def find_cycle(start: N, successors: Callable[[N], Iterable[N]]) -> list[N]:
    """The nodes of a shortest cycle through `start`, which must lie on one, beginning with it."""
    came: dict[N, N] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for next_ in successors(node):
            if next_ == start:
                path = [node]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return path[::-1]
            if next_ not in came:
                came[next_] = node
                queue.append(next_)
    raise ValueError(f"expected a node on a cycle, got {start!r}")
