"""Settle: what the moves of upstream runs mean for the runs that wait for them, down every chain, in one transaction.

The counters say who is released; where a state may end a waiting run, its policies decide from the whole tally.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sensord.core.flow import Flow
from sensord.core.instant import format_instant, from_micros
from sensord.core.run import FINAL, Reason, State
from sensord.core.sensor import Ending, Standing, masks, severest
from sensord.daemon.catalog import Catalog
from sensord.store import edges, runs
from sensord.store.database import Transaction
from sensord.store.edges import Gate, Tally
from sensord.store.runs import Live, Move


@dataclass(slots=True)
class Settled:
    """What became of waiting runs: those that are queued now, and those that a policy has ended."""

    released: list[Live] = field(default_factory=list)
    concluded: list[Live] = field(default_factory=list)

    def add(self, other: "Settled") -> None:
        self.released += other.released
        self.concluded += other.concluded


def settle(tx: Transaction, catalog: Catalog, moves: Sequence[Move], now: int) -> Settled:
    """Carry moves through to all that waits, also those moves that are made on the way."""
    settled = Settled()
    moves = [move for move in moves if move.old in FINAL or move.new in FINAL]
    while moves:
        count = edges.count_both if catalog.gated else edges.count
        settled.released += count(tx, moves, now)
        harmful = [move for move in moves if move.new in FINAL - {State.SUCCESS}]
        candidates = edges.touched(tx, harmful) if harmful else []
        concluded = conclude(tx, catalog, candidates, now) if candidates else []
        settled.concluded += concluded
        moves = runs.moves(concluded, State.WAITING)
    return settled


def conclude(tx: Transaction, catalog: Catalog, waiting: Sequence[Live], now: int) -> list[Live]:
    """End those of these waiting runs whose sensors can no longer be satisfied, where their policies say so."""
    ids = [run.run_id for run in waiting]
    tallies = group(edges.tally(tx, ids))
    gates = {(gate.run_id, gate.sensor): gate for gate in edges.gates(tx, ids)}
    verdicts = []
    for run in waiting:
        flow = catalog.definition(tx, run.flow_id, run.definition_id)
        standing = standings(flow, run.run_id, tallies[run.run_id], gates)
        if verdict := decide(standing, tallies[run.run_id]):
            ending, message = verdict
            verdicts.append((run.run_id, int(ending.state), ending.reason.value, message))
    return runs.conclude(tx, verdicts, now) if verdicts else []


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
        result.append(Standing(sensor, need, states, problem, gate.problem if gate else None))
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
    return f"sensor {sensor.index}: {first.upstream} {date} is {State(first.state).label}"
