"""The graph of flows: its links, a part of it around one flow, its roots, circles and layers."""

from collections.abc import Iterable
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.cron import parse_cron
from sensord.core.flow import Command, Flow, Sensor
from sensord.core.graph import Graph, Link, around, backward_links, graph_of, layers_of
from sensord.core.mapping import Mapping, Match
from sensord.core.schedule import Schedule

UTC = ZoneInfo("UTC")
HOURLY = Schedule(parse_cron("0 * * * *", UTC), UTC)


def flow(name: str, *sensors: tuple[str, Match]) -> Flow:
    watched = (Sensor(index, upstream, Mapping(match)) for index, (upstream, match) in enumerate(sensors))
    return Flow(name, HOURLY, Command(), tuple(watched))


def graph(*links: str, alone: Iterable[str] = ()) -> Graph:
    """`a>b`: b waits for a."""
    ends = sorted(tuple(link.split(">")) for link in links)
    names = {*alone, *(name for pair in ends for name in pair)}
    return Graph(tuple(sorted(names)), tuple(Link(up, down, ("latest",)) for up, down in ends))


CHAIN = graph("a>b", "b>c", "c>d", "x>c", alone=["z"])


def test_a_link_has_the_kinds_of_all_sensors_between_two_flows() -> None:
    flows = [flow("up"), flow("down", ("up", Match.SAME), ("up", Match.NEXT), ("nowhere", Match.LATEST))]
    found = graph_of({one.name: one for one in flows})
    assert found.names == ("down", "nowhere", "up")
    assert found.links == (Link("nowhere", "down", ("latest",)), Link("up", "down", ("same", "next")))


def test_around_a_flow_is_all_that_it_hangs_on_and_all_that_hangs_on_it() -> None:
    assert around(CHAIN, "b").names == ("a", "b", "c", "d")
    assert around(CHAIN, "c").names == ("a", "b", "c", "d", "x")
    assert around(CHAIN, "z") == graph(alone=["z"])


def test_steps_are_counted_each_way() -> None:
    assert around(CHAIN, "b", up=0, down=1) == graph("b>c")
    assert around(CHAIN, "d", up=2).names == ("b", "c", "d", "x")
    assert around(CHAIN, "d", up=0, down=0) == graph(alone=["d"])


def test_around_a_flow_in_a_circle_ends() -> None:
    assert around(graph("a>b", "b>a", "b>c"), "a").names == ("a", "b", "c")


def test_roots_wait_for_nobody_but_themselves() -> None:
    assert CHAIN.roots == ["a", "x", "z"]
    assert graph("a>a", "a>b").roots == ["a"]


def test_a_circle_that_nothing_leads_into_has_a_root_too() -> None:
    assert graph("b>c", "c>b", "c>d").roots == ["b"]
    assert graph("a>b", "b>c", "c>b").roots == ["a"]


def test_links_that_close_a_circle() -> None:
    assert backward_links(CHAIN) == set()
    assert {(link.upstream, link.downstream) for link in backward_links(graph("a>a", "a>b", "b>c", "c>b"))} == {
        ("a", "a"),
        ("c", "b"),
    }


def test_a_flow_stands_behind_all_that_it_waits_for() -> None:
    assert layers_of(CHAIN, set()) == {"a": 0, "b": 1, "c": 2, "d": 3, "x": 0, "z": 0}


NAMES = [f"f{number}" for number in range(8)]
GRAPHS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=20).map(
    lambda pairs: graph(*(f"{up}>{down}" for up, down in set(pairs)), alone=NAMES)
)


@given(GRAPHS)
def test_without_its_backward_links_every_link_leads_to_a_later_layer(found: Graph) -> None:
    backward = backward_links(found)
    layers = layers_of(found, backward)
    assert all(layers[link.upstream] < layers[link.downstream] for link in found.links if link not in backward)


@given(GRAPHS)
def test_from_the_roots_all_is_reached(found: Graph) -> None:
    reached = {name for root in found.roots for name in around(found, root, up=0).names}
    assert reached == set(found.names)


@given(GRAPHS, st.sampled_from(NAMES))
def test_around_is_what_one_gets_step_by_step(found: Graph, name: str) -> None:
    ways = [(link.upstream, link.downstream) for link in found.links]
    expected = {name}
    for start, end in ((0, 1), (1, 0)):
        reached = {name}
        for _ in NAMES:
            reached |= {pair[end] for pair in ways if pair[start] in reached}
        expected |= reached
    assert set(around(found, name).names) == expected


def test_a_chain_of_ten_thousand_is_no_trouble() -> None:
    names = [f"n{number:05}" for number in range(10_000)]
    long = graph(*(f"{one}>{other}" for one, other in pairwise(names)))
    assert around(long, names[5_000]).names == tuple(names)
    assert layers_of(long, backward_links(long))[names[-1]] == 9_999
