"""What the daemon holds in memory: a picture of the database, thrown away and read anew where a transaction fails."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sensord.core.queue import Queue
from sensord.core.run import State
from sensord.daemon.alarms import Rung
from sensord.daemon.backfill import Filling, load_fillings
from sensord.daemon.berths import ALL_HERE, Berths
from sensord.daemon.catalog import Catalog, Entry
from sensord.daemon.outcomes import Recorded
from sensord.daemon.settle import Settled
from sensord.executors.base import Attempt
from sensord.store import attempts, flows, runs, timers
from sensord.store.database import Transaction
from sensord.store.runs import Live


@dataclass(slots=True)
class Picture:
    """The flows, the queue, the attempts that are being ended from outside, and when the next timer is due.

    queues: those of which workers take runs of these flows.
    """

    catalog: Catalog = field(default_factory=lambda: Catalog([]))
    queue: Queue = field(default_factory=Queue)
    stopping: dict[Attempt, str] = field(default_factory=dict)
    next_due: int | None = None
    fillings: dict[int, Filling] = field(default_factory=dict)
    berths: Berths = ALL_HERE
    queues: set[str] = field(default_factory=set)

    def fill(self, filling: Filling) -> None:
        """A backfill has begun, or its limits have changed; it goes on until it is closed."""
        self.fillings[filling.id] = filling
        self.queue.limit_backfill(filling.id, filling.max_active, held=filling.held)

    def hold(self, entry: Entry) -> None:
        """Let the queue keep to the limits that the flow has now."""
        berth = self.berths.of(entry.flow)
        if berth.queue is not None:
            self.queues.add(berth.queue)
        self.queue.limit(entry.id, entry.flow.max_active, entry.hold, berth)

    def touch_fillings(self) -> None:
        """Anything may have become of the runs of backfills."""
        for filling in self.fillings.values():
            filling.touched = True

    def note_reload(self, entries: Iterable[Entry], pools: Mapping[str, int], settled: Settled, berths: Berths) -> None:
        """These flows are not what they were; nor are those that waited, the pools, or where runs start by default."""
        self.queue.size_pools(pools)
        has_moved, self.berths = berths != self.berths, berths
        for entry in self.catalog.by_id.values() if has_moved else entries:
            self.hold(entry)
        self.touch_fillings()
        self.note_settled(settled)

    def queue_up(self, released: Iterable[Live]) -> None:
        """Runs went to `queued`."""
        for run in released:
            self.queue.add(run.queued)

    def note_settled(self, settled: Settled) -> None:
        """Runs were released, and deadlines set; runs that may be queued have become more urgent."""
        self.queue_up(settled.released)
        for run in settled.raised:
            self.queue.promote(run.run_id, run.priority)
        if settled.next_due is not None:
            self.expect(settled.next_due)

    def take_out(self, runs: Iterable[Live]) -> None:
        """Runs that were queued, or retrying, are over."""
        for run in runs:
            self.queue.vacate(run.run_id)
            self.queue.remove(run.run_id)

    def note_ends(self, recorded: Recorded) -> None:
        """Attempts ended: their runs are over, or rest until their retry."""
        for run in (*recorded.over, *recorded.retrying):
            self.stopping.pop(Attempt(run.run_id, run.attempt), None)
        for run in recorded.over:
            self.queue.vacate(run.run_id)
        for run in recorded.retrying:
            self.queue.rest(run.run_id)
        if recorded.next_due is not None:
            self.expect(recorded.next_due)

    def note_alarms(self, rung: Rung) -> None:
        """Alarms were rung: retries are queued again, and commands are being ended."""
        for run in rung.queued:
            self.queue.vacate(run.run_id)
        self.queue_up(rung.queued)
        self.stopping |= rung.stopping

    def expect(self, due_at: int) -> None:
        """A timer was set."""
        self.next_due = due_at if self.next_due is None else min(self.next_due, due_at)


def load_picture(tx: Transaction, catalog: Catalog, berths: Berths = ALL_HERE) -> tuple[Picture, list[Live]]:
    """The picture as the database has it, and the runs between queued and their end."""
    picture = Picture(catalog, berths=berths)
    picture.queue.size_pools(flows.pools(tx))
    for entry in catalog.by_id.values():
        picture.hold(entry)
    for filling in load_fillings(tx):
        picture.fill(filling)
    live = runs.live(tx)
    for run in live:
        if run.state == State.QUEUED:
            picture.queue.add(run.queued)
        else:
            picture.queue.occupy(run.queued)
        if run.state == State.RETRYING:
            picture.queue.rest(run.run_id)
    picture.stopping = {Attempt(*key): reason for key, reason in attempts.stopping(tx).items()}
    picture.next_due = timers.next_due(tx)
    return picture, live
