"""The graph of flows in the languages of other programs: Mermaid, and Graphviz's DOT."""

from collections.abc import Iterator

from sensord.core.graph import Graph
from sensord.escape import escape


def mermaid(graph: Graph, missing: frozenset[str], name: str | None = None) -> Iterator[str]:
    """A flowchart, from left to right. `name` stands out; what no flow has the name of is dashed."""
    number = {one: index for index, one in enumerate(graph.names)}
    yield "flowchart LR"
    for one, index in number.items():
        yield f'    n{index}["{_entities(one)}"]'
    for link in graph.links:
        label = _entities(", ".join(link.matches))
        yield f'    n{number[link.upstream]} -->|"{label}"| n{number[link.downstream]}'
    if name is not None:
        yield f"    style n{number[name]} stroke-width:3px"
    for one in sorted(missing & set(graph.names)):
        yield f"    style n{number[one]} stroke:#c00,stroke-dasharray:4"


def dot(graph: Graph, missing: frozenset[str], name: str | None = None) -> Iterator[str]:
    """A digraph, from left to right. `name` stands out; what no flow has the name of is dashed."""
    yield "digraph sensord {"
    yield "    rankdir=LR;"
    yield '    node [shape=box, fontname="monospace"];'
    for one in graph.names:
        style = " [penwidth=3]" if one == name else " [style=dashed, color=red]" if one in missing else ""
        yield f"    {_quoted(one)}{style};"
    for link in graph.links:
        yield f"    {_quoted(link.upstream)} -> {_quoted(link.downstream)} [label={_quoted(', '.join(link.matches))}];"
    yield "}"


def _entities(text: str) -> str:
    """Mermaid's own form of entities, of all that might mean something to it."""
    return "".join(char if char.isalnum() or char in " _./-:," else f"#{ord(char)};" for char in escape(text))


def _quoted(text: str) -> str:
    return '"' + escape(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
