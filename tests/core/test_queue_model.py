"""The queue against a list that is sorted anew each time: the same choice, whatever was done before."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sensord.core.limits import HERE, Berth
from sensord.core.queue import Queue
from sensord.core.queued import Hold, Queued
from sensord.core.run import Kind

FLOWS, BACKFILLS = (1, 2, 3), (None, 1, 2)
BERTHS = (HERE, Berth("a"), Berth("b"), Berth(None, "q"), Berth("a", "q"), Berth("b", "r"))


class Model:
    """What the queue has to be, without a thought to speed."""

    def __init__(self) -> None:
        self.queued: dict[int, Queued] = {}
        self.active: dict[int, tuple[Queued, Berth]] = {}
        self.resting: set[int] = set()
        self.flows: dict[int, tuple[int, Hold, Berth]] = dict.fromkeys(FLOWS, (1, Hold.NONE, HERE))
        self.backfills: dict[int | None, tuple[int | None, bool]] = {}
        self.pools: dict[str, int] = {}
        self.queues: dict[str, int] = {}

    @property
    def busy(self) -> int:
        return len(self.active) - len(self.resting)

    @property
    def berths(self) -> list[Berth]:
        """Of all runs that have their slots."""
        return [berth for run_id, (_, berth) in self.active.items() if run_id not in self.resting]

    @property
    def busy_here(self) -> int:
        return sum(berth.queue is None for berth in self.berths)

    def may_start(self, run: Queued, slots: int) -> bool:
        most, hold, (pool, place) = self.flows[run.flow_id]
        mine, held = self.backfills.get(run.backfill_id, (None, False))
        scheduled = run.kind is Kind.SCHEDULED and not run.again and run.backfill_id is None
        flows = Counter(one.flow_id for one, _ in self.active.values())
        backfills = Counter(one.backfill_id for one, _ in self.active.values())
        pools = Counter(berth.pool for berth in self.berths)
        places = Counter(berth.queue for berth in self.berths)
        return not (
            hold is Hold.ALL
            or (hold is Hold.SCHEDULED and scheduled)
            or flows[run.flow_id] >= most
            or (run.backfill_id is not None and (held or (mine is not None and backfills[run.backfill_id] >= mine)))
            or (pool is not None and pools[pool] >= self.pools.get(pool, 1))
            or (places[place] >= self.queues.get(place, 0) if place else slots <= 0)
        )

    def take(self, slots: int) -> list[int]:
        taken: list[int] = []
        until = self.busy_here + slots
        while True:
            ready = [run for run in self.queued.values() if self.may_start(run, until - self.busy_here)]
            if not ready:
                break
            best = min(ready, key=lambda run: run.rank)
            del self.queued[best.run_id]
            self.active[best.run_id] = best, self.flows[best.flow_id][2]
            taken.append(best.run_id)
        return taken


ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"),
            st.builds(
                Queued,
                st.integers(1, 12),
                st.sampled_from(FLOWS),
                st.integers(0, 5),
                st.sampled_from(Kind),
                st.integers(-1, 1),
                st.booleans(),
                st.sampled_from(BACKFILLS),
            ),
        ),
        st.tuples(st.just("take"), st.integers(0, 4)),
        st.tuples(st.sampled_from(["vacate", "rest", "remove"]), st.integers(1, 12)),
        st.tuples(st.just("promote"), st.integers(1, 12), st.integers(-1, 3)),
        st.tuples(
            st.just("limit"),
            st.sampled_from(FLOWS),
            st.tuples(st.integers(1, 3), st.sampled_from(Hold), st.sampled_from(BERTHS)),
        ),
        st.tuples(
            st.just("backfill"), st.sampled_from(BACKFILLS[1:]), st.tuples(st.sampled_from([None, 1, 2]), st.booleans())
        ),
        st.tuples(st.just("pools"), st.dictionaries(st.sampled_from(["a", "b"]), st.integers(1, 3))),
        st.tuples(st.just("queues"), st.dictionaries(st.sampled_from(["q", "r"]), st.integers(0, 3))),
    ),
    max_size=40,
)


@given(ACTS)
def test_the_queue_chooses_as_a_sorted_list_does(acts: list[tuple[object, ...]]) -> None:
    queue, model = Queue(), Model()
    for flow in FLOWS:
        queue.limit(flow, 1)
    for act in acts:
        apply(act, queue, model)
        assert (queue.busy, queue.busy_here) == (model.busy, model.busy_here)
        assert {one.run_id: one for one in queue.queued()} == model.queued
    for flow in FLOWS:
        apply(("limit", flow, (9, Hold.NONE, HERE)), queue, model)
    for backfill in BACKFILLS[1:]:
        apply(("backfill", backfill, (None, False)), queue, model)
    apply(("take", 99), queue, model)
    assert model.queued == {}


def apply(act: tuple[object, ...], queue: Queue, model: Model) -> None:
    """Do the same to both."""
    match act:
        case "add", Queued() as run if run.run_id not in model.queued | model.active:
            queue.add(run)
            model.queued[run.run_id] = run
        case "take", int(slots):
            assert [run.run_id for run in queue.take(slots)] == model.take(slots)
        case "vacate", int(run_id):
            queue.vacate(run_id)
            model.active.pop(run_id, None)
            model.resting.discard(run_id)
        case "rest", int(run_id) if run_id in model.active:
            queue.rest(run_id)
            model.resting.add(run_id)
        case "remove", int(run_id):
            queue.remove(run_id)
            model.queued.pop(run_id, None)
        case "promote", int(run_id), int(priority):
            queue.promote(run_id, priority)
            if run_id in model.queued:
                run = model.queued[run_id]
                model.queued[run_id] = replace(run, priority=max(priority, run.priority))
        case "limit", int(flow), (int(most), Hold() as hold, Berth() as berth):
            queue.limit(flow, most, hold, berth)
            model.flows[flow] = most, hold, berth
        case "backfill", int(backfill), (most, bool(held)):
            assert most is None or isinstance(most, int)
            queue.limit_backfill(backfill, most, held=held)
            model.backfills[backfill] = most, held
        case "pools", dict(pools):
            queue.size_pools(pools)
            model.pools = pools
        case "queues", dict(queues):
            queue.size_queues(queues)
            model.queues = queues
        case _:
            pass  # what cannot happen: a run that is there already, one that rests though it is not active
