"""The graph of flows as an SVG picture, which needs no other program, font or script. Legible in light and dark."""

from collections.abc import Iterator, Mapping

from sensord.cli.graph_layout import Box, Layout, lay_out
from sensord.core.graph import Graph, Link
from sensord.escape import escape

STYLE = """\
svg { background: #fff } text { font: 12px monospace; fill: #222 } rect { fill: #f4f6f8; stroke: #667 }
path { fill: none; stroke: #889 } .back { stroke-dasharray: 4 } .own rect { stroke: #06c; stroke-width: 3 }
.missing rect { stroke: #c00; stroke-dasharray: 4 } marker path { fill: #889; stroke: none }
@media (prefers-color-scheme: dark) { svg { background: #1b1d20 } text { fill: #ddd } rect { fill: #2a2d31 } }"""

BACK = 30.0
"""How far below and beside the boxes a line goes that leads back."""

ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def svg(
    graph: Graph, missing: frozenset[str], name: str | None = None, notes: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The picture, line by line. notes: what a box says when the mouse is on it."""
    labels = {one: escape(one) for one in graph.names}
    layout = lay_out(graph, labels)
    room = BACK if layout.backward else 0.0
    width, height = layout.width + 2 * room, layout.height + room
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="{-room:.0f} 0 {width:.0f} {height:.0f}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    yield f"<style>{STYLE}</style>"
    yield '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    yield '<path d="M0 0 8 4 0 8z"/></marker>'
    for link in graph.links:
        yield _line(link, layout)
    for one in graph.names:
        role = "own" if one == name else "missing" if one in missing else "flow"
        yield from _box(layout.boxes[one], labels[one], role, (notes or {}).get(one, labels[one]))
    yield "</svg>"


def _box(box: Box, label: str, role: str, note: str) -> Iterator[str]:
    yield f'<g class="{role}"><title>{_text(note)}</title>'
    yield f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="4"/>'
    yield f'<text x="{box.left + 10:.1f}" y="{box.middle + 4:.1f}">{_text(label)}</text></g>'


def _line(link: Link, layout: Layout) -> str:
    if link in layout.backward:
        course, role = _backward(layout.boxes[link.upstream], layout.boxes[link.downstream], layout.height), "back"
    else:
        course, role = _forward(layout.ways[link]), "on"
    title = _text(f"{link.downstream} waits for {link.upstream}: {', '.join(link.matches)}")
    return f'<path class="{role}" d="{course}" marker-end="url(#tip)"><title>{title}</title></path>'


def _forward(points: list[tuple[float, float]]) -> str:
    """Curves between the layers, straight lines across them."""
    (x, y), *rest = points
    course = [f"M{x:.1f} {y:.1f}"]
    for index, (next_x, next_y) in enumerate(rest):
        if index % 2:
            course.append(f"L{next_x:.1f} {next_y:.1f}")
        else:
            half = (x + next_x) / 2
            course.append(f"C{half:.1f} {y:.1f} {half:.1f} {next_y:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return " ".join(course)


def _backward(start: Box, end: Box, bottom: float) -> str:
    """Out on the right, round below all boxes, and in on the left; from a box to itself round its own corner."""
    low = start.top + start.height + 10 if start == end else bottom + 10
    right, left = start.right + 14, end.left - 14
    return (
        f"M{start.right:.1f} {start.middle:.1f} C{right + 10:.1f} {start.middle:.1f} {right + 10:.1f} {low:.1f} "
        f"{right:.1f} {low:.1f} L{left:.1f} {low:.1f} C{left - 10:.1f} {low:.1f} {left - 10:.1f} {end.middle:.1f} "
        f"{end.left:.1f} {end.middle:.1f}"
    )


def _text(text: str) -> str:
    return escape(text).translate(ENTITIES)
