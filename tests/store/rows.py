"""Rows for the store's tests: flows, runs and edges with as few words as possible."""

from sensord.core.run import Kind, State
from sensord.core.sensor import GATED, TIMED
from sensord.store import edges, flows, runs
from sensord.store.database import Transaction
from sensord.store.edges import Edge
from sensord.store.flows import NewDefinition, NewFlow
from sensord.store.runs import Ended, Live, Move, NewRun

SUCCESS, SKIPPED = 1 << State.SUCCESS, 1 << State.SKIPPED


def make_flows(tx: Transaction, *names: str, planned_to: int = 0) -> dict[str, int]:
    """Flows with a definition each. Returns their ids by name."""
    ids = flows.insert(tx, [NewFlow(name, planned_to, 1, 0) for name in names], 0)
    defined = flows.define(tx, [NewDefinition(flow, name, name, "{}", 0) for name, flow in ids.items()])
    flows.adopt(tx, [(one.flow_id, one.id, 1, 0, None) for one in defined])
    return ids


def make_runs(tx: Transaction, flow: int, *dates: int) -> list[Live]:
    """Waiting runs, in the order of the dates."""
    made = runs.insert(tx, [NewRun(flow, date, Kind.SCHEDULED, 0, flow) for date in dates], 0)
    return sorted(made, key=lambda run: run.logical_date)


def wait_for(
    tx: Transaction, run: Live, *upstream: tuple[int, int], sensor: int = 0, gated: bool = False, timed: bool = False
) -> None:
    """The run waits for upstream runs (flow, date): success counts, a skip ends it. timed: there is a deadline."""
    ends = SKIPPED | (GATED if gated else 0) | (TIMED if timed else 0)
    edges.insert(tx, [Edge(flow, date, run.run_id, sensor, SUCCESS, ends) for flow, date in upstream], [])


def states(tx: Transaction) -> dict[int, tuple[State, int]]:
    """Run -> (state, pending)."""
    return {run: (State(state), pending) for run, state, pending in tx.fetch("SELECT id, state, pending FROM run")}


def ended(run: Live, state: State, attempt: int = 1) -> Ended:
    return Ended(run.run_id, attempt, 9, state, None, 0, None, None, None)


def moved(run: Live, old: State, new: State) -> Move:
    return Move(run.flow_id, run.logical_date, old, new)
