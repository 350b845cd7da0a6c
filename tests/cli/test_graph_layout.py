"""Where boxes and lines of a drawn graph stand."""

from itertools import combinations

from hypothesis import given

from sensord.cli.graph_layout import Box, lay_out
from sensord.core.graph import Graph
from tests.core.test_graph import GRAPHS, graph


def labels(found: Graph) -> dict[str, str]:
    return {name: name * 3 for name in found.names}


def overlap(one: Box, other: Box) -> bool:
    apart = one.right <= other.left or other.right <= one.left
    return not apart and one.top < other.top + other.height and other.top < one.top + one.height


@given(GRAPHS)
def test_boxes_stand_apart_and_within_the_picture(found: Graph) -> None:
    layout = lay_out(found, labels(found))
    assert set(layout.boxes) == set(found.names)
    assert not [pair for pair in combinations(layout.boxes.values(), 2) if overlap(*pair)]
    for box in layout.boxes.values():
        assert box.left >= 0
        assert box.top >= 0
        assert box.right <= layout.width
        assert box.top + box.height <= layout.height


@given(GRAPHS)
def test_a_link_leads_from_its_upstream_to_the_right_and_never_through_a_box(found: Graph) -> None:
    layout = lay_out(found, labels(found))
    assert set(layout.ways) | layout.backward == set(found.links)
    for link, points in layout.ways.items():
        start, end = layout.boxes[link.upstream], layout.boxes[link.downstream]
        assert points[0] == (start.right, start.middle)
        assert points[-1] == (end.left, end.middle)
        assert sorted(points) == points
        for (x, y), (across, same) in zip(points[1:-1:2], points[2:-1:2], strict=True):
            assert y == same
            on_the_way = [box for box in layout.boxes.values() if box.left < across and box.right > x]
            assert not [box for box in on_the_way if box.top <= y <= box.top + box.height]


def test_links_that_need_not_cross_do_not() -> None:
    layout = lay_out(found := graph("a>z", "b>y", "c>x"), labels(found))
    upper = sorted("abc", key=lambda name: layout.boxes[name].top)
    lower = sorted("xyz", key=lambda name: layout.boxes[name].top)
    assert [f"{one}>{other}" for one, other in zip(upper, lower, strict=True)] == ["a>z", "b>y", "c>x"]


def test_nothing_is_a_picture_too() -> None:
    layout = lay_out(graph(), {})
    assert (layout.boxes, layout.ways) == ({}, {})
    assert layout.width > 0
