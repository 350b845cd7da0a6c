"""Settle: what the moves of upstream runs mean for the runs that wait for them, down every chain, in one transaction.

The counters say who is released; where a state may end a waiting run, its policies decide from the whole tally.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sensord.core.run import FINAL, State
from sensord.daemon import deadlines, passing
from sensord.daemon.catalog import Catalog
from sensord.daemon.standings import decide, group, standings
from sensord.store import edges, failing, runs
from sensord.store.database import Transaction
from sensord.store.runs import Live, Move


@dataclass(slots=True)
class Settled:
    """What became of waiting runs: those that are queued now, and those that a policy has ended.

    next_due: the earliest of the deadlines that were set on the way. raised: runs that have inherited a priority.
    """

    released: list[Live] = field(default_factory=list)
    concluded: list[Live] = field(default_factory=list)
    next_due: int | None = None
    raised: list[Live] = field(default_factory=list)

    def add(self, other: "Settled") -> None:
        self.released += other.released
        self.concluded += other.concluded
        self.raised += other.raised
        self.expect(other.next_due)

    def expect(self, due_at: int | None) -> None:
        """A deadline was set; None is none."""
        self.next_due = min((at for at in (self.next_due, due_at) if at is not None), default=None)


def settle(tx: Transaction, catalog: Catalog, moves: Sequence[Move], now: int) -> Settled:
    """Carry moves through to all that waits, also those moves that are made on the way."""
    settled = Settled()
    moves = [move for move in moves if move.old in FINAL or move.new in FINAL]
    while moves:
        if failed := {move.flow_id for move in moves if move.new == State.FAILED}:
            failing.mark(tx, failed, now)
        count = edges.count_both if catalog.gated else edges.count
        released = count(tx, moves, now)
        passing.note(tx, catalog, released)
        settled.released += released
        if any(move.old in FINAL for move in moves):
            settled.expect(deadlines.start_again(tx, catalog, moves, now))
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
