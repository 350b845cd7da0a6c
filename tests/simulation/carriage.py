"""What carries attempts to workers, held to what the runs say: no job too many and none too few; what has become of an
attempt stays as it was first told.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sensord.core.run import Reason, State
from sensord.store.database import Database
from tests.simulation.keeping import Keeper

JOBS = """
SELECT CAST(args ->> 'run' AS bigint), CAST(args ->> 'attempt' AS bigint), CAST(status AS text) FROM procrastinate_jobs
"""
ON_THEIR_WAY = """
SELECT r.id, a.number FROM run r JOIN attempt a ON a.run_id = r.id AND a.number = r.attempt
WHERE r.state = 3 AND a.queue IS NOT NULL AND a.station IS NULL
"""
REVOKED = "SELECT run_id, number FROM attempt WHERE queue IS NOT NULL AND station = ''"
CLAIMS = "SELECT run_id, number, station FROM attempt"
OUTCOMES = "SELECT run_id, attempt, at, exit_code, signal, problem, message FROM outcome"
ENDS = """
SELECT r.id, r.state, r.reason, o.exit_code, o.signal, o.problem
FROM run r JOIN attempt a ON a.run_id = r.id AND a.number = r.attempt
LEFT JOIN outcome o ON o.run_id = r.id AND o.attempt = r.attempt
WHERE r.state IN (6, 7, 8) AND (r.reason IS NULL OR r.reason IN ('exit_code', 'signal', 'lost'))
"""


@dataclass
class Carriage:
    """`look` after each step of a course, when all have come to rest."""

    db: Database
    outcomes: dict[tuple[int, int], tuple[Any, ...]] = field(default_factory=dict)

    def look(self, keepers: Iterable[Keeper]) -> None:
        with self.db.transaction() as tx:
            jobs, ways, revoked = tx.fetch(JOBS), set(tx.fetch(ON_THEIR_WAY)), set(tx.fetch(REVOKED))
            outcomes = {(run_id, number): tuple(rest) for run_id, number, *rest in tx.fetch(OUTCOMES)}
            ends = tx.fetch(ENDS)
        found = Counter((run_id, number) for run_id, number, _ in jobs)
        assert max(found.values(), default=1) == 1, f"two jobs of one attempt: {found.most_common(1)}"
        assert {status for *_, status in jobs} <= {"todo"}, f"a job that was taken stays: {jobs}"
        assert ways <= found.keys(), f"dispatched, and not enqueued: {ways - found.keys()}"
        assert found.keys() <= ways | revoked, f"enqueued, and not dispatched: {found.keys() - ways - revoked}"
        for attempt, told in self.outcomes.items():
            assert outcomes.get(attempt) == told, f"{attempt} had ended {told}, and now {outcomes.get(attempt)}"
        self.outcomes = outcomes
        over = {key for key, (_, _, _, problem, _) in outcomes.items() if problem == "not_started"}
        started = {(one.run_id, one.number) for keeper in keepers for one in keeper.jobs}
        assert not over & started, f"started after they were over: {over & started}"
        for run_id, state, reason, *end in ends:
            assert _fits(State(state), reason, *end), f"run {run_id} is {State(state).label} ({reason}), its end {end}"

    def prove_claims(self, keepers: Mapping[str, Keeper]) -> None:
        """In the end: nobody has started what another one had claimed."""
        stations = {(run_id, number): station for run_id, number, station in self.db.fetch(CLAIMS)}
        for station, keeper in keepers.items():
            for attempt in keeper.jobs:
                claimed = stations.get((attempt.run_id, attempt.number))
                assert claimed == station, f"{attempt} was started at {station}, and is of {claimed}"


def _fits(state: State, reason: str | None, exit_code: int | None, signal: int | None, problem: str | None) -> bool:
    """Whether a run whose last attempt ended so is rightly in a state, for a reason."""
    match reason:
        case None:
            return state is State.SUCCESS and exit_code == 0
        case Reason.EXIT_CODE:
            return state is (State.SKIPPED if exit_code == 99 else State.FAILED) and exit_code not in (None, 0)
        case Reason.SIGNAL:
            return signal is not None
        case _:
            return problem == "lost"
