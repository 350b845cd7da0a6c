"""The graph of flows as trees of text: each flow once in full, and where it comes again by its name alone."""

from collections.abc import Callable, Iterator, Mapping

from sensord.cli.render import Line, Span
from sensord.core.graph import Graph, Link

AGAIN = "(above)"
ABSENT = "no such flow"
BROKEN = "its file has errors"


def lines(
    graph: Graph, missing: frozenset[str], broken: frozenset[str] = frozenset(), name: str | None = None
) -> Iterator[Line]:
    """All trees from their roots down; or with `name`, what that flow waits for, and what waits for it.

    missing: those that no flow is known of; broken: those of them that have a file, which has errors.
    """
    marks = {one: BROKEN if one in broken else ABSENT for one in missing}
    if name is None:
        shown: set[str] = set()
        for root in graph.roots:
            yield [Span(root, "bold"), *_mark(root, marks)]
            yield from _tree(root, graph.below, _downstream, marks, shown)
        return
    yield [Span(name, "bold")]
    for title, links, other in (
        ("waits for", graph.above, _upstream),
        ("waited for by", graph.below, _downstream),
    ):
        if links(name):
            yield [Span(title, "dim")]
            yield from _tree(name, links, other, marks, set())
        else:
            yield [Span(f"{title} no other flow", "dim")]


def _upstream(link: Link) -> str:
    return link.upstream


def _downstream(link: Link) -> str:
    return link.downstream


def _tree(
    root: str,
    links: Callable[[str], list[Link]],
    other: Callable[[Link], str],
    marks: Mapping[str, str],
    shown: set[str],
) -> Iterator[Line]:
    """What hangs on a flow, without the flow itself. `shown` grows by all that has been told in full."""
    shown.add(root)
    work = [_branches(links(root), "")]
    while work:
        branch = next(work[-1], None)
        if branch is None:
            work.pop()
            continue
        link, stem, below = branch
        name = other(link)
        itself = link.upstream == link.downstream
        again = not itself and name in shown and bool(links(name))
        yield [
            Span(stem, "dim"),
            Span("itself" if itself else name),
            Span(f"  {', '.join(link.matches)}", "dim"),
            *_mark(name, marks),
            Span(f"  {AGAIN}" if again else "", "dim"),
        ]
        if not (again or itself):
            shown.add(name)
            work.append(_branches(links(name), below))


def _branches(links: list[Link], stem: str) -> Iterator[tuple[Link, str, str]]:
    """Each link with what stands before its name, and before all that hangs on it."""
    for index, link in enumerate(links):
        last = index == len(links) - 1
        yield link, stem + ("└─ " if last else "├─ "), stem + ("   " if last else "│  ")


def _mark(name: str, marks: Mapping[str, str]) -> list[Span]:
    return [Span(f"  {marks[name]}", "bold red")] if name in marks else []
