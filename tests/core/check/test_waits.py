"""Who can never start, and which of them wait for themselves, against a search that simply tries everything."""

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.check.graph import find_components, find_cycle
from sensord.core.check.waits import Gate, Tick, find_stuck
from tests.support.cases import share

RUNS = [(flow, tick) for flow in range(3) for tick in range(4)]

ticks = st.tuples(st.integers(0, 3), st.integers(0, 5))  # some are no runs at all
gates = st.lists(
    st.builds(
        lambda run, dates, need: Gate(run, min(need, len(dates)), tuple(dates)),
        st.sampled_from(RUNS),
        st.lists(ticks, min_size=1, max_size=4, unique=True),
        st.integers(1, 4),
    ),
    max_size=14,
)
graphs = st.dictionaries(st.integers(0, 8), st.sets(st.integers(0, 8), max_size=3), min_size=9, max_size=9)


def settle(given_gates: list[Gate]) -> set[Tick]:
    """Round after round, whoever has all it needs; who is left over is stuck."""
    left = set(RUNS)
    while True:
        free = {
            run
            for run in left
            if all(sum(date not in left for date in gate.dates) >= gate.need for gate in given_gates if gate.run == run)
        }
        if not free:
            return left
        left -= free


@given(gates)
@share(2)
def test_stuck_is_who_never_has_all_it_needs(given_gates: list[Gate]) -> None:
    stuck = find_stuck(RUNS, given_gates)

    assert set(stuck) == settle(given_gates)
    for run, awaited in stuck.items():
        assert awaited
        assert set(awaited) <= set(stuck)
        assert all(any(gate.run == run and date in gate.dates for gate in given_gates) for date in awaited)


@given(gates)
@share(2)
def test_who_is_stuck_waits_for_itself_or_for_one_that_does(given_gates: list[Gate]) -> None:
    stuck = find_stuck(RUNS, given_gates)
    assert bool(stuck) == bool(find_components(stuck, lambda run: stuck[run]))


def reach(graph: dict[int, set[int]], start: int) -> set[int]:
    found: set[int] = set()
    edge = set(graph[start])
    while edge:
        found |= edge
        edge = {after for node in edge for after in graph[node]} - found
    return found


@given(graphs)
@share(5)
def test_components_are_those_that_reach_each_other(graph: dict[int, set[int]]) -> None:
    whole = {node: graph.get(node, set()) for node in range(9)}
    reached = {node: reach(whole, node) for node in whole}
    expected = {
        frozenset(other for other in whole if other in reached[node] and node in reached[other])
        for node in whole
        if node in reached[node]
    }

    found = find_components(whole, lambda node: whole[node])

    assert {frozenset(one) for one in found} == expected
    assert len(found) == len(expected)


@given(graphs)
@share(5)
def test_a_cycle_is_closed_and_the_shortest(graph: dict[int, set[int]]) -> None:
    whole = {node: graph.get(node, set()) for node in range(9)}
    for start in whole:
        if start not in reach(whole, start):
            continue
        cycle = find_cycle(start, lambda node: whole[node])
        assert cycle[0] == start
        assert all(after in whole[node] for node, after in zip(cycle, [*cycle[1:], start], strict=True))
        around, steps = set(whole[start]), 1
        while start not in around:
            around, steps = {after for node in around for after in whole[node]}, steps + 1
        assert len(cycle) == steps


def test_a_chain_of_any_length_is_no_recursion() -> None:
    length = 5000
    links = [Gate((0, n), 1, ((0, (n + 1) % length),)) for n in range(length)]

    stuck = find_stuck([(0, n) for n in range(length)], links)

    assert len(stuck) == length
    assert [len(one) for one in find_components(stuck, lambda run: stuck[run])] == [length]
    assert len(find_cycle((0, 0), lambda run: stuck[run])) == length
