"""The sweep: in slices, the counters of waiting runs are proved against the states of their upstream runs, and mended.

The counters are kept event by event, and nothing is known that makes them wrong; a bug, or a hand in the database,
would leave a run that waits for ever. So they are added up anew, a slice whenever the daemon has had nothing to do.
Marks of failure that flows have no more reason for are taken away by the way.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sensord.core.instant import format_instant, from_micros
from sensord.core.run import State
from sensord.core.sensor import Standing
from sensord.daemon import passing
from sensord.daemon.catalog import Catalog
from sensord.daemon.settle import Settled, settle
from sensord.daemon.standings import decide, definitions, group, standings
from sensord.store import edges, failing, runs, sweep
from sensord.store.database import Transaction
from sensord.store.edges import Gate, Tally
from sensord.store.sweep import Waiting

log = logging.getLogger("sensord")

SLICE = 2000
"""Ids of runs that are gone through at a time."""

MOST = 100
"""Waiting runs of these that are added up anew."""

MARKS = 500
"""Flows marked as failing that are looked at, at a time."""

PAUSE = 10_000_000
"""Microseconds between two slices, at least."""


@dataclass(slots=True)
class Mended:
    """What a slice found wrong and put right: `runs` of them, and what came of that."""

    runs: int = 0
    settled: Settled = field(default_factory=Settled)


class Sweeper:
    """Remembers its places, and begins anew past the last run, or mark. Instants are microseconds."""

    def __init__(self) -> None:
        self._place = 0
        self._mark = failing.FIRST
        self._swept_at: int | None = None

    def is_due(self, now: int) -> bool:
        """Whether the last slice is some time ago, or was in a future that a clock set back has taken away."""
        return self._swept_at is None or not self._swept_at <= now < self._swept_at + PAUSE

    def sweep(self, tx: Transaction, catalog: Catalog, now: int) -> Mended:
        """Go through the next slice."""
        after, until = self._place, self._place + SLICE
        found = sweep.waiting_between(tx, after, until, MOST)
        if len(found) == MOST:
            until = found[-1].run.run_id
        known = [one for one in found if one.run.flow_id in catalog.by_id]
        mended = _mend(tx, catalog, known, now) if known else Mended()
        self._place = until if until < sweep.last_id(tx) else 0
        self._tidy(tx)
        self._swept_at = now
        return mended

    def _tidy(self, tx: Transaction) -> None:
        """Flows whose newest run has not failed lose their mark."""
        marks = failing.marked(tx, self._mark, MARKS)
        if over := [one.flow_id for one in marks if not one.stands]:
            failing.clear(tx, over)
        self._mark = marks[-1] if len(marks) == MARKS else failing.FIRST


def _mend(tx: Transaction, catalog: Catalog, found: Sequence[Waiting], now: int) -> Mended:
    ids = [one.run.run_id for one in found]
    flows = definitions(tx, catalog, (one.run for one in found))
    tallies = group(edges.tally(tx, ids))
    gates = {(gate.run_id, gate.sensor): gate for gate in edges.gates(tx, ids)}
    books = _Books(catalog)
    for one in found:
        run_id = one.run.run_id
        mine = tallies.get(run_id, [])
        books.add(one, standings(flows[run_id], run_id, mine, gates), mine, gates)
    return books.correct(tx, now)


@dataclass(slots=True)
class _Books:
    """What is wrong."""

    catalog: Catalog
    pending: list[tuple[int, int]] = field(default_factory=list)
    counted: list[tuple[int, int, int]] = field(default_factory=list)
    verdicts: list[tuple[int, int, str, str]] = field(default_factory=list)
    wrong: set[int] = field(default_factory=set)

    def add(
        self,
        one: Waiting,
        standing: Sequence[Standing],
        tallies: Sequence[Tally],
        gates: Mapping[tuple[int, int], Gate],
    ) -> None:
        run_id, pending = one.run.run_id, sum(each.pending for each in standing)
        if decided := decide(standing, tallies):
            ending, cause = decided
            self.verdicts.append((run_id, int(ending.state), ending.reason.value, cause))
            self._tell(one, f"expected it to be {ending.state.label} ({cause}), got a run that waits")
            return
        if pending != one.pending:
            self.pending.append((run_id, pending))
            self._tell(one, f"expected it to wait for {pending}, got {one.pending}")
        for each in standing:
            gate = gates.get((run_id, each.sensor.index))
            if gate and not (gate.problem or gate.timed_out) and gate.counted != each.counted:
                self.counted.append((run_id, each.sensor.index, each.counted))
                self._tell(
                    one, f"sensor {each.sensor.index}: expected {each.counted} to be counted, got {gate.counted}"
                )

    def correct(self, tx: Transaction, now: int) -> Mended:
        settled = Settled()
        if self.counted:
            sweep.set_counted(tx, self.counted)
        if self.pending:
            settled.released = edges.set_pending(tx, self.pending, now)
            passing.note(tx, self.catalog, settled.released)
        if self.verdicts:
            settled.concluded = runs.conclude(tx, self.verdicts, now)
            settled.add(settle(tx, self.catalog, runs.moves(settled.concluded, State.WAITING), now))
        return Mended(len(self.wrong), settled)

    def _tell(self, one: Waiting, what: str) -> None:
        self.wrong.add(one.run.run_id)
        name = self.catalog.by_id[one.run.flow_id].flow.name
        log.error("%s %s: %s; mended", name, format_instant(from_micros(one.run.logical_date)), what)
