"""How the sensors of waiting runs stand, by the tallies that the store keeps, and what their policies make of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sensord.core.flow import Flow
from sensord.core.instant import format_instant, from_micros
from sensord.core.run import Reason, State
from sensord.core.sensor import Ending, Standing, masks, severest
from sensord.daemon.catalog import Catalog
from sensord.store import edges
from sensord.store.database import Transaction
from sensord.store.edges import Gate, Tally
from sensord.store.runs import Live

_ENDED = {
    State.FAILED: "failed",
    State.SKIPPED: "was skipped",
    State.CANCELLED: "was cancelled",
}


def read_standings(tx: Transaction, flows: Mapping[int, Flow]) -> dict[int, list[Standing]]:
    """How the sensors of these runs stand: run -> its sensors, as the run's flow (given by run) has them."""
    tallies = group(edges.tally(tx, flows))
    gates = {(gate.run_id, gate.sensor): gate for gate in edges.gates(tx, flows)}
    return {run_id: standings(flow, run_id, tallies.get(run_id, []), gates) for run_id, flow in flows.items()}


def definitions(tx: Transaction, catalog: Catalog, runs: Iterable[Live]) -> dict[int, Flow]:
    """Each run's flow, by the run's own definition."""
    return {run.run_id: catalog.definition(tx, run.flow_id, run.definition_id) for run in runs}


def group(tallies: Iterable[Tally]) -> dict[int, list[Tally]]:
    """The tallies of each run."""
    by_run: dict[int, list[Tally]] = defaultdict(list)
    for tally in tallies:
        by_run[tally.run_id].append(tally)
    return by_run


def standings(
    flow: Flow, run_id: int, tallies: Sequence[Tally], gates: Mapping[tuple[int, int], Gate]
) -> list[Standing]:
    """How each sensor of the run stands, by the run's definition and the tallies of its upstream runs."""
    result = []
    for sensor in flow.sensors:
        states = {State(tally.state): tally.number for tally in tallies if tally.sensor == sensor.index}
        gate = gates.get((run_id, sensor.index))
        need = gate.need if gate else sum(states.values())
        problem = Reason.NO_MATCH if gate and gate.problem else None
        words, timed_out = (gate.problem, bool(gate.timed_out)) if gate else (None, False)
        result.append(Standing(sensor, need, states, problem, words, timed_out))
    return result


def decide(standing: Iterable[Standing], tallies: Sequence[Tally]) -> tuple[Ending, str] | None:
    """The ending that the sensors' policies make of a waiting run, with the cause in words."""
    endings = [(one, ending) for one in standing if (ending := one.ending)]
    chosen = severest(ending for _, ending in endings)
    if not chosen:
        return None
    return chosen, _cause(next(one for one, ending in endings if ending == chosen), tallies)


def _cause(standing: Standing, tallies: Sequence[Tally]) -> str:
    """What the mapping said, or else the first upstream run of the sensor that ended as it does not accept."""
    sensor = standing.sensor
    if standing.problem:
        return f"sensor {sensor.index} on {sensor.upstream}: {standing.words}"
    ends = masks(sensor).ends
    bad = [one for one in tallies if one.sensor == sensor.index and ends & 1 << one.state]
    first = min(bad, key=lambda one: one.upstream_date)
    date = format_instant(from_micros(first.upstream_date))
    ended = "was missed" if first.missed == first.upstream_date else _ENDED[State(first.state)]
    return f"sensor {sensor.index}: {first.upstream} {date} {ended}"
